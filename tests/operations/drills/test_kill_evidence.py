"""Evidence of the kill switch: exact bounds, one trip a week, seven days, and nothing that was altered (KS-10)."""

import pytest

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.kernel.report import write
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.drills.bounds import failure_bound
from tradeworthy.operations.drills.kill_switch import (
    PROOF,
    TRIP,
    KillDrillPolicy,
    proof_report,
    reports_in,
    standing,
    trip_report,
)
from tradeworthy.trading.control.certificate import LIMITS_NS, Certificate, Flatness, StepTime
from tradeworthy.trading.control.halt import Halt

AT, CODE, POLICY = 1_000 * NANOS_PER_DAY, "a" * 64, KillDrillPolicy()


def certificate(outcome=Flatness.VERIFIED, late=""):
    steps = tuple(StepTime(name, limit if name == late else 1, limit) for name, limit in LIMITS_NS.items())
    return Certificate(
        desk="small", run_id="r", token=1, cause="tripped", halts=(Halt("operator", "kill", "desk", AT, 1, "w"),),
        tripped_at=AT, made_at=AT + 1, outcome=outcome, steps=steps, view_at=AT + 1,
    )  # fmt: skip


def trip(made=None, at=AT, code=CODE, faults=()):
    given = certificate() if made is None else made
    return trip_report(given, faults, digest="d", at=at, desk="small", hashes={"code": code}, policy=POLICY)


def proof(trips=299, failures=0, at=AT, code=CODE):
    steps = {name: [1_000_000] * trips for name in LIMITS_NS}
    return proof_report(trips, failures, steps, {"loop hung": 3}, at=at, code_hash=code, policy=POLICY, of="a desk")


def stands(folder, *reports, now=AT, code=CODE):
    for one in reports:
        write(one, folder)
    return {one.code: one for one in standing(reports_in(folder), now=now, code_hash=code, policy=POLICY).checks}


@pytest.mark.parametrize(
    ("failures", "trials", "bound"),
    [(0, 59, 0.0495), (0, 299, 0.00997), (0, 2_995, 0.00100), (1, 100, 0.04656), (5, 100, 0.10225), (3, 3, 1.0)],
)
def test_the_bound_is_that_of_clopper_and_pearson(failures, trials, bound):
    assert failure_bound(failures, trials, confidence=0.95) == pytest.approx(bound, rel=2e-3)


def test_without_a_failure_the_bound_is_the_closed_form():
    for trials in (1, 7, 298, 299, 5_000):
        assert failure_bound(0, trials, confidence=0.95) == pytest.approx(1 - 0.05 ** (1 / trials), rel=1e-9)
    assert failure_bound(0, 299, confidence=0.95) <= 0.01 < failure_bound(0, 298, confidence=0.95)


@pytest.mark.parametrize("odd", [(-1, 5, 0.95), (6, 5, 0.95), (0, 0, 0.95), (0, 5, 1.0), (0, 5, 0.0)])
def test_counts_and_confidences_that_cannot_be_are_refused(odd):
    with pytest.raises(ValueError, match=r"expected|confidence"):
        failure_bound(odd[0], odd[1], confidence=odd[2])


@pytest.mark.parametrize(
    ("made", "severity"),
    [(certificate(), Severity.OK), (certificate(Flatness.PARTIAL), Severity.FAIL),
     (certificate(Flatness.UNVERIFIED), Severity.UNKNOWN), (certificate(late="no_open_orders"), Severity.FAIL)],
)  # fmt: skip
def test_a_trip_passes_only_when_its_certificate_is_flat_and_in_time(made, severity):
    assert trip(made).severity is severity


def test_a_trip_that_nobody_certified_is_unknown_and_a_forged_one_fails():
    absent = trip_report(None, (), digest="", at=AT, desk="small", hashes={"code": CODE}, policy=POLICY)
    assert absent.severity is Severity.UNKNOWN
    assert trip(faults=("the signature does not fit",)).severity is Severity.FAIL


@pytest.mark.parametrize(("trips", "failures", "severity"), [(299, 0, Severity.OK), (298, 0, Severity.UNKNOWN),
                                                             (299, 1, Severity.FAIL)])  # fmt: skip
def test_a_proof_needs_299_trips_and_no_failure(trips, failures, severity):
    made = proof(trips, failures)
    assert made.severity is severity
    assert made.figures["bound"] == failure_bound(failures, trips, confidence=0.95)
    assert made.figures["steps_ms"]["no_open_orders"] == {"done": trips, "p50": 1.0, "p99": 1.0, "max": 1.0}


@pytest.mark.parametrize(
    ("days", "short", "severity"),
    [(0, 0, Severity.OK), (6, 1, Severity.OK), (6, 0, Severity.WARN), (7, 1, Severity.WARN), (7, 0, Severity.UNKNOWN)],
)
def test_evidence_warns_from_the_sixth_day_and_says_nothing_from_the_seventh(tmp_path, days, short, severity):
    found = stands(tmp_path, trip(), proof(), now=AT + days * NANOS_PER_DAY - short)
    assert (found[TRIP].severity, found[PROOF].severity) == (severity, severity)


def test_none_is_unknown_the_newest_counts_and_another_codes_does_not(tmp_path):
    assert {one.severity for one in stands(tmp_path).values()} == {Severity.UNKNOWN}
    found = stands(tmp_path, trip(), trip(certificate(Flatness.PARTIAL), at=AT + 5), now=AT + 9)
    assert found[TRIP].severity is Severity.FAIL
    other = stands(tmp_path, trip(at=AT + 7, code="b" * 64), now=AT + 9)
    assert other[TRIP].severity is Severity.FAIL


def test_a_stamp_ahead_of_now_fails(tmp_path):
    assert stands(tmp_path, trip(at=AT + 1), now=AT)[TRIP].severity is Severity.FAIL


def test_an_altered_file_is_no_evidence(tmp_path):
    kept = write(trip(certificate(Flatness.PARTIAL)), tmp_path).evidence
    kept.write_bytes(kept.read_bytes().replace(b"FAIL", b"OK"))
    assert reports_in(tmp_path) == ()


def test_it_lives_seven_days_and_is_due_after_six():
    assert (POLICY.lives_days, POLICY.due_days, POLICY.trips_min) == (7, 6, 299)
    assert trip().figures["expires_at"] == AT + 7 * NANOS_PER_DAY == proof().figures["expires_at"]
