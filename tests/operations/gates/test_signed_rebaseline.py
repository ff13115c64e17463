"""A count is begun anew by two people's keys; what they signed is that very event."""

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from gate_scene import NOW

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.operations.evidence.trust import TrustFile, revoked, trusted_key, with_key
from tradeworthy.operations.gates.signed_rebaseline import rebaseline, signers_of

KEYS = {name: Ed25519PrivateKey.from_private_bytes(name.ljust(32).encode()) for name in ("ann", "bob", "desk", "eve")}
ROLES = {"ann": "risk", "bob": "operations", "desk": "builder"}


def trust_of():
    found = TrustFile()
    for name, role in ROLES.items():
        public = KEYS[name].public_key().public_bytes_raw()
        found = with_key(found, trusted_key(
            public, holder=name, roles=(role,), valid_from="2026-01-01T00:00:00Z", valid_to="2027-01-01T00:00:00Z"
        ))  # fmt: skip
    return found


TRUST = trust_of()


def made(*names, trust=TRUST):
    keys = tuple(KEYS[name] for name in names)
    return rebaseline(source="market_data", counted=4, at=NOW, reason="another feed", keys=keys, trust=trust)


def test_the_event_carries_both_signatures_and_names_their_holders():
    told = made("ann", "bob")
    assert (told.people, told.counted, signers_of(told, TRUST)) == (("ann", "bob"), 4, ("ann", "bob"))


@pytest.mark.parametrize("names", [(), ("ann",), ("ann", "ann"), ("ann", "desk"), ("ann", "eve")])
def test_without_two_people_of_the_trust_file_there_is_no_event(names):
    with pytest.raises(InvalidInput, match=r"person's key|two people"):
        made(*names)


@pytest.mark.parametrize("change", [
    {"counted": 0}, {"at": NOW + 1}, {"source": "orders"}, {"reason": "x"}, {"people": ("bob", "ann")},
    {"envelope": ""}, {"envelope": "{}"},
])  # fmt: skip
def test_an_altered_event_is_signed_by_nobody(change):
    with pytest.raises(InvalidInput):
        signers_of(msgspec.structs.replace(made("ann", "bob"), **change), TRUST)


def test_a_key_that_was_revoked_before_does_not_count():
    (key,) = [one for one in TRUST.keys if one.holder == "bob"]
    with pytest.raises(InvalidInput, match="no person's key that counts"):
        made("ann", "bob", trust=revoked(TRUST, key.key_id, "2026-02-01T00:00:00Z"))
