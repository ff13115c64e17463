"""Waivers are refused for every reason the rules name; the evidence log shows forks and rollbacks."""

import pytest
from bundle_maker import AT, RUN_ID, SIGNED_AT, key_of, trust_of, waiver_of
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.kernel.errors import InvalidInput, UsageError
from tradeworthy.operations.evidence import log as evidence_log
from tradeworthy.operations.evidence import waivers
from tradeworthy.operations.evidence.canonical import sha256_hex

NOW = "2026-03-01T00:00:00Z"
SIGNERS = ("rafael", "olga")


def issue(folder, *, signers=SIGNERS, at=NOW, **changes):
    return waivers.issue(waiver_of(**changes), tuple(map(key_of, signers)), trust_of(), folder=folder, at=at)


def test_two_people_issue_a_waiver_and_it_covers_its_code_in_its_scope(tmp_path):
    path, issued = issue(tmp_path)
    (found,) = waivers.waivers_in(tmp_path, trust_of(), at=AT)
    assert (path.name, issued.signers, found.in_force) == ("w-1.dsse.json", SIGNERS, True)
    assert waivers.covering((found,), "relaxation.warnings", RUN_ID) == found.waiver
    assert waivers.covering((found,), "relaxation.diary", RUN_ID) is None
    assert waivers.covering((found,), "relaxation.warnings", "another run") is None


@pytest.mark.parametrize(
    ("changes", "signers", "code"),
    [
        ({"expires_at": "2026-03-08T00:00:01Z"}, SIGNERS, "too_long"),
        ({}, ("rafael",), "quorum"),
        ({}, ("rafael", "rafael"), "quorum"),
        ({"author": "olga"}, SIGNERS, "own"),
        ({"finding_code": "kill_switch.tripped"}, SIGNERS, "never"),
        ({"finding_code": "journal.integrity"}, SIGNERS, "never"),
        ({"finding_code": "witness.disagreement"}, SIGNERS, "never"),
        ({"expires_at": NOW}, SIGNERS, "expired"),
        ({"issued_at": "2026-03-02T00:00:00Z"}, SIGNERS, "future"),
        ({}, ("rafael", "stranger"), "signature"),
        ({}, ("rafael", "builder-host"), "signature"),
    ],
)
def test_a_waiver_that_may_not_stand_is_refused_with_its_reason(tmp_path, changes, signers, code):
    with pytest.raises(InvalidInput, match=rf"waiver\.{code}"):
        issue(tmp_path, signers=signers, **changes)
    assert list(tmp_path.iterdir()) == []


def test_a_fourth_waiver_in_force_is_refused_until_one_ends(tmp_path):
    for number in range(3):
        issue(tmp_path, waiver_id=f"w-{number}")
    with pytest.raises(InvalidInput, match=r"waiver\.too_many"):
        issue(tmp_path, waiver_id="w-3")
    waivers.revoke(tmp_path, "w-0", trust_of(), by="sofia", reason="fixed", at=AT)
    later = {"issued_at": AT, "expires_at": "2026-03-07T00:00:00Z"}
    issue(tmp_path, waiver_id="w-3", at=AT, **later)


def test_seven_days_are_allowed_and_at_their_end_the_finding_is_open_again(tmp_path):
    issue(tmp_path)
    standing = [waivers.waivers_in(tmp_path, trust_of(), at=at)[0].in_force
                for at in ("2026-03-07T23:59:59Z", "2026-03-08T00:00:00Z")]  # fmt: skip
    assert standing == [True, False]


def test_a_waiver_that_was_taken_back_is_not_in_force(tmp_path):
    issue(tmp_path)
    gone = waivers.revoke(tmp_path, "w-1", trust_of(), by="sofia", reason="fixed", at=AT)
    (found,) = waivers.waivers_in(tmp_path, trust_of(), at=AT)
    assert (gone.finding_code, found.in_force) == ("relaxation.warnings", False)
    with pytest.raises(UsageError, match="in force"):
        waivers.revoke(tmp_path, "w-1", trust_of(), by="sofia", reason="fixed", at=AT)


def test_an_edited_waiver_is_not_in_force(tmp_path):
    path, _ = issue(tmp_path)
    envelope = waivers.read_waiver(path.read_bytes(), trust_of(), at=AT)
    assert envelope.in_force
    other = waivers.sealed(waiver_of(scope="everything"), (key_of("rafael"), key_of("olga")))
    mixed = path.read_bytes().partition(b'"signatures"')[2]
    path.write_bytes(other.partition(b'"signatures"')[0] + b'"signatures"' + mixed)
    (found,) = waivers.waivers_in(tmp_path, trust_of(), at=AT)
    assert not found.in_force
    assert "does not hold" in found.problems[0]


def bundle_id(number):
    return sha256_hex(b"bundle %d" % number)


def log_of(folder, count):
    for number in range(count):
        evidence_log.append(folder, bundle_id(number), key_of("log-host"), at=SIGNED_AT)
    return folder


def test_a_log_grows_once_for_each_bundle_and_keeps_each_signed_head(tmp_path):
    log = log_of(tmp_path / "log", 5)
    again = evidence_log.append(log, bundle_id(2), key_of("log-host"), at=SIGNED_AT)
    assert again == evidence_log.head_of(log)
    assert again.size == 5
    assert evidence_log.verify_log(log, trust_of()) == []
    assert len(list((log / "heads").iterdir())) == 5


def test_a_second_place_notices_a_fork_and_a_rollback(tmp_path):
    log, second = log_of(tmp_path / "log", 4), tmp_path / "second"
    evidence_log.anchor(log, second)
    log_of(log, 6)
    evidence_log.anchor(log, second)
    assert evidence_log.compare(log, second) == []
    shorter = log_of(tmp_path / "shorter", 3)
    assert [one.code for one in evidence_log.compare(shorter, second)] == ["log.rolled_back", "log.rolled_back"]
    forked = tmp_path / "forked"
    for number in range(10, 17):
        evidence_log.append(forked, bundle_id(number), key_of("log-host"), at=SIGNED_AT)
    assert {one.code for one in evidence_log.compare(forked, second)} == {"log.forked"}
    with pytest.raises(UsageError, match="are not those that"):
        evidence_log.anchor(forked, second)


def test_a_log_that_was_edited_is_not_added_to(tmp_path):
    log = log_of(tmp_path / "log", 3)
    path = log / evidence_log.BUNDLES
    path.write_text(path.read_text().replace(bundle_id(1), bundle_id(9)))
    assert {"log.forked", "log.head"} <= {one.code for one in evidence_log.verify_log(log, trust_of())}
    with pytest.raises(UsageError, match="does not fit its newest signed head"):
        evidence_log.append(log, bundle_id(4), key_of("log-host"), at=SIGNED_AT)


def test_a_head_of_a_stranger_is_found(tmp_path):
    log = tmp_path / "log"
    evidence_log.append(log, bundle_id(0), Ed25519PrivateKey.from_private_bytes(b"s" * 32), at=SIGNED_AT)
    assert {one.code for one in evidence_log.verify_log(log, trust_of())} == {"log.signature"}


def test_a_proof_is_refused_for_a_bundle_or_a_head_that_was_never_in_the_log(tmp_path):
    log = log_of(tmp_path / "log", 3)
    with pytest.raises(UsageError, match="does not hold"):
        evidence_log.prove(log, bundle_id(7))
    with pytest.raises(UsageError, match="never had the head"):
        evidence_log.prove(log, bundle_id(1), since=evidence_log.LogHead(2, "0" * 64))
