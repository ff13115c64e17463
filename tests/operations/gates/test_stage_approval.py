"""An approval counts for its very step, by a trusted living key in a role of people; one changed byte ends it."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.operations.evidence.trust import TrustFile, revoked, trusted_key, with_key
from tradeworthy.operations.gates.stage_approval import StageApproval, approve, approver_of

KEY = Ed25519PrivateKey.from_private_bytes(b"p" * 32)
STEP = {"policy_id": "p", "stage": "pilot", "evidence_id": "e" * 64}
APPROVAL = StageApproval(**STEP, role="risk", signed_at="2026-03-04T00:00:00Z")


def trust(role="risk", **valid):
    plain = {"valid_from": "2026-01-01T00:00:00Z", "valid_to": "2027-01-01T00:00:00Z"}
    key = trusted_key(KEY.public_key().public_bytes_raw(), holder="bob", roles=(role,), **{**plain, **valid})
    return with_key(TrustFile(), key)


def test_a_signed_approval_names_its_person():
    assert approver_of(approve(APPROVAL, KEY), trust(), **STEP) == "bob"


@pytest.mark.parametrize("field", STEP)
def test_an_approval_of_another_step_is_none(field):
    with pytest.raises(InvalidInput, match="found another"):
        approver_of(approve(APPROVAL, KEY), trust(), **{**STEP, field: "other"})


@pytest.mark.parametrize("known", [
    TrustFile(), trust("operations"), trust(valid_to="2026-02-01T00:00:00Z"),
    revoked(trust(), trust().keys[0].key_id, at="2026-02-01T00:00:00Z"),
])  # fmt: skip
def test_a_stranger_another_role_and_an_ended_key_approve_nothing(known):
    with pytest.raises(InvalidInput):
        approver_of(approve(APPROVAL, KEY), known, **STEP)


def test_every_changed_byte_is_found():
    data = approve(APPROVAL, KEY)
    for at in range(0, len(data), 3):
        bad = bytearray(data)
        bad[at] ^= 1
        with pytest.raises(InvalidInput):
            approver_of(bytes(bad), trust(), **STEP)
