"""People sign the bundle in their roles: each once, none of them author or operator, for this very bundle."""

import gate_scene as scene
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from gate_scene import NOW, S, gate, need, say

from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.operations.evidence.trust import TrustFile, revoked, trusted_key, with_key
from tradeworthy.operations.gates.sign_off import lacking, of_document, of_verdict, roles_of, sign, signatures
from tradeworthy.operations.gates.store import GateStore

PEOPLE = {"ann": "strategy_owner", "bob": "risk", "cy": "operations", "dan": "compliance", "eve": "senior_management"}
KEYS = {name: Ed25519PrivateKey.from_private_bytes(name.ljust(32).encode()) for name in PEOPLE}
AT = "2026-03-04T00:00:00Z"


def trust_of():
    trust = TrustFile()
    for name in PEOPLE:
        public = KEYS[name].public_key().public_bytes_raw()
        trust = with_key(trust, trusted_key(
            public, holder=name, roles=tuple(PEOPLE.values()), valid_from="2026-01-01T00:00:00Z",
            valid_to="2027-01-01T00:00:00Z",
        ))  # fmt: skip
    return trust


TRUST = trust_of()


@pytest.fixture
def kept(tmp_path):
    """Return a folder of a gate with one verdict, and a second one over other evidence."""
    clock = EventClock(NOW)
    store, table = GateStore(tmp_path, clock), gate(need("a"))
    store.keep(scene.ask(table, [say("a")]), table)
    clock.advance_to(NOW + S)
    store.keep(scene.ask(table, [say("a", evidence_id="other")], now=NOW + S), table)
    first, second = store.read().verdicts
    return tmp_path / "small", first, second


def test_three_people_in_their_roles_are_enough_on_paper(kept):
    folder, given, _ = kept
    for name, role in list(PEOPLE.items())[:3]:
        assert role in lacking(folder, of_verdict(given), TRUST)
        sign(folder, of_verdict(given), role, KEYS[name], TRUST, at=AT)
    assert lacking(folder, of_verdict(given), TRUST) == ()
    assert roles_of("pilot") == tuple(PEOPLE.values())


def test_nobody_signs_twice_and_no_role_does(kept):
    folder, given, _ = kept
    sign(folder, of_verdict(given), "risk", KEYS["ann"], TRUST, at=AT)
    with pytest.raises(UsageError, match="another role"):
        sign(folder, of_verdict(given), "operations", KEYS["ann"], TRUST, at=AT)
    with pytest.raises(UsageError, match="risk signed already"):
        sign(folder, of_verdict(given), "risk", KEYS["bob"], TRUST, at=AT)
    assert len(signatures(folder, of_verdict(given), TRUST)) == 1


def test_author_and_operator_may_not_sign(kept):
    folder, given, _ = kept
    with pytest.raises(UsageError, match="ann wrote the change or ran it"):
        sign(folder, of_verdict(given), "risk", KEYS["ann"], TRUST, at=AT, barred=("ann",))


def test_a_stranger_an_ended_key_and_an_unknown_role_may_not_sign(kept):
    folder, given, _ = kept
    stranger = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
    ended = "2027-01-01T00:00:00Z"
    for key, role, at in ((stranger, "risk", AT), (KEYS["ann"], "risk", ended), (KEYS["ann"], "king", AT)):
        with pytest.raises(UsageError, match="may not sign"):
            sign(folder, of_verdict(given), role, key, TRUST, at=at)


def test_a_signature_over_another_bundle_and_one_that_was_revoked_do_not_count(kept):
    folder, given, other = kept
    place = sign(folder, of_verdict(given), "risk", KEYS["bob"], TRUST, at=AT)
    assert lacking(folder, of_verdict(given), TRUST) == ("strategy_owner", "operations")
    place.rename(place.with_name(place.name.replace(given.verdict_id, other.verdict_id)))
    (found,) = signatures(folder, of_verdict(other), TRUST)
    assert found.problem == "it is over another bundle, or another decision"
    assert "risk" in lacking(folder, of_verdict(other), TRUST)
    sign(folder, of_verdict(given), "risk", KEYS["bob"], TRUST, at=AT)
    gone = revoked(TRUST, found.key_id, "2026-03-05T00:00:00Z")
    assert "risk" in lacking(folder, of_verdict(given), gone)


def test_an_edited_signature_does_not_hold(kept):
    folder, given, _ = kept
    place = sign(folder, of_verdict(given), "risk", KEYS["bob"], TRUST, at=AT)
    data = place.read_bytes()
    place.write_bytes(data.replace(b'"sig":"', b'"sig":"AA', 1))
    assert "risk" in lacking(folder, of_verdict(given), TRUST)


def test_a_committee_signs_the_very_bytes_of_a_page_and_one_decision(tmp_path):
    page = tmp_path / "weekly-2026-03-02.md"
    page.write_text("# Week")
    go, hold = of_document(page, "GO"), of_document(page, "HOLD")
    sign(tmp_path, go, "risk", KEYS["bob"], TRUST, at=AT)
    sign(tmp_path, hold, "operations", KEYS["cy"], TRUST, at=AT)
    assert lacking(tmp_path, go, TRUST) == ("strategy_owner", "operations")
    assert [one.problem for one in signatures(tmp_path, hold, TRUST) if one.holder == "bob"] == [
        "it is over another bundle, or another decision"
    ]
    page.write_text("# Week, altered")
    assert lacking(tmp_path, of_document(page, "GO"), TRUST) == ("strategy_owner", "risk", "operations")
    with pytest.raises(UsageError, match="GO, HOLD"):
        of_document(page, "MAYBE")
    with pytest.raises(UsageError, match="cannot read"):
        of_document(tmp_path / "none.md", "GO")


def test_people_sign_a_readiness_decision_by_its_own_word(tmp_path):
    place = tmp_path / "decision.json"
    place.write_text('{"decision": "HOLD"}')
    with pytest.raises(UsageError, match="says HOLD, so nobody signs GO"):
        of_document(place, "GO")
    for name, role in list(PEOPLE.items())[:3]:
        sign(tmp_path, of_document(place, "HOLD"), role, KEYS[name], TRUST, at=AT)
    assert lacking(tmp_path, of_document(place, "HOLD"), TRUST) == ()
    place.write_text("no json")
    with pytest.raises(UsageError, match="decision's JSON"):
        of_document(place, "HOLD")
