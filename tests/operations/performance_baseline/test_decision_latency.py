"""The decision-latency guard at its edges, and how a new baseline comes to be (PBL-03)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.errors import ConfigurationRefused, UsageError
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.performance_baseline.approved import approve, baselines_of, propose
from tradeworthy.operations.performance_baseline.decision_latency import SHIPPED, LatencyBaseline, judge_latency

HERE = "linux-x86_64-2-ab"
BASE = LatencyBaseline(HERE, 1_000_000, 2_000_000)


def judged(samples, baseline=BASE, machine=HERE):
    return judge_latency(samples, baseline, machine=machine)


def test_the_shipped_baseline_is_the_references():
    assert (SHIPPED.machine, SHIPPED.p50_ns, SHIPPED.p99_ns) == ("reference", 85_900_000, 153_200_000)


@pytest.mark.parametrize(
    ("p50", "severity"),
    [
        (1_049_999, Severity.OK), (1_050_000, Severity.WARN), (1_249_999, Severity.WARN), (1_250_000, Severity.FAIL),
    ],
)  # fmt: skip
def test_growth_that_reaches_five_percent_warns_and_twenty_five_fails(p50, severity):
    found = judged([p50] * 99 + [1_900_000])
    assert (found.severity, found.p50_ms) == (severity, p50 / 1e6)


@pytest.mark.parametrize(
    ("p99", "severity"),
    [(2_099_999, Severity.OK), (2_100_000, Severity.WARN), (2_500_000, Severity.FAIL)],
)
def test_the_tail_is_judged_on_its_own(p99, severity):
    found = judged([1_000_000] * 98 + [p99] * 2)
    assert found.severity is severity
    assert [one.code for one in found.checks] == ["decision_latency.p50", "decision_latency.p99"]


@pytest.mark.parametrize(("samples", "known"), [(0, False), (9, False), (10, True)])
def test_fewer_than_ten_samples_are_unknown(samples, known):
    found = judged([1_000_000] * samples)
    assert (found.severity is Severity.OK) is known
    assert (found.severity is Severity.UNKNOWN) is not known


@pytest.mark.parametrize(("samples", "severity"), [(99, Severity.FAIL), (100, Severity.OK)])
def test_fewer_than_a_hundred_samples_are_judged_by_their_maximum(samples, severity):
    found = judged([1_000_000] * (samples - 1) + [2_500_000])
    assert found.severity is severity
    assert (found.p99_ms is None) is (samples < 100)
    assert found.max_ms == 2.5


@pytest.mark.parametrize("baseline", [None, SHIPPED, LatencyBaseline("linux-x86_64-4-ab", 1, 1)])
def test_without_a_baseline_of_this_machine_nothing_is_known(baseline):
    found = judged([1_000] * 500, baseline)
    assert found.severity is Severity.UNKNOWN
    assert found.checks[0].code == "decision_latency.baseline"


@given(st.lists(st.integers(0, 10**9), min_size=10, max_size=300), st.integers(0, 10**9))
def test_a_slower_sample_never_makes_the_judgement_better(samples, more):
    slower = [max(one, more) for one in samples]
    assert judged(slower).severity >= judged(samples).severity


# the approved act


def report_of(tmp_path, *, samples=100, machine=HERE, p50=1.5, p99=3.25, name="report.json"):
    path = tmp_path / name
    latency = {"samples": samples, "p50_ms": p50, "p99_ms": p99 if samples >= 100 else None}
    path.write_text(json.dumps(
        {"schema": "performance_baseline@1", "machine": machine, "decision_latency": latency}
    ))  # fmt: skip
    return path


def proposed(tmp_path, clock, *, person="Ann", reason="new release", **fields):
    return propose(tmp_path / "state", report_of(tmp_path, **fields), person=person, reason=reason, clock=clock)


def test_a_proposal_is_in_force_once_another_person_approves_it(tmp_path):
    clock = EventClock(5 * NANOS_PER_SECOND)
    proposal = proposed(tmp_path, clock)
    assert baselines_of(tmp_path / "state").baseline_of(HERE) is None
    clock.sleep(3_600 * NANOS_PER_SECOND - 1)
    found = approve(tmp_path / "state", proposal.proposal_id, person="Bob", clock=clock)
    assert found == LatencyBaseline(HERE, 1_500_000, 3_250_000)
    held = baselines_of(tmp_path / "state")
    assert held.baseline_of(HERE) == found
    assert held.baseline_of("another") is None


@pytest.mark.parametrize("person", ["Ann", " ann ", "ANN", ""])
def test_nobody_approves_their_own(tmp_path, person):
    clock = EventClock(5)
    proposal = proposed(tmp_path, clock)
    with pytest.raises(ConfigurationRefused, match="another person than Ann"):
        approve(tmp_path / "state", proposal.proposal_id, person=person, clock=clock)
    assert baselines_of(tmp_path / "state").baseline_of(HERE) is None


def test_a_proposal_lives_an_hour(tmp_path):
    clock = EventClock(5)
    proposal = proposed(tmp_path, clock)
    clock.sleep(3_600 * NANOS_PER_SECOND)
    with pytest.raises(ConfigurationRefused, match="expired"):
        approve(tmp_path / "state", proposal.proposal_id, person="Bob", clock=clock)


def test_a_proposal_against_another_baseline_than_the_one_in_force_is_refused(tmp_path):
    clock = EventClock(5)
    first, second = proposed(tmp_path, clock), proposed(tmp_path, clock, p50=1.0, person="Cid")
    approve(tmp_path / "state", first.proposal_id, person="Bob", clock=clock)
    with pytest.raises(ConfigurationRefused, match="another baseline was approved meanwhile"):
        approve(tmp_path / "state", second.proposal_id, person="Bob", clock=clock)
    with pytest.raises(ConfigurationRefused, match="in force already"):
        approve(tmp_path / "state", first.proposal_id, person="Bob", clock=clock)


def test_each_machine_has_its_own(tmp_path):
    clock = EventClock(5)
    for machine in (HERE, "other"):
        proposal = proposed(tmp_path, clock, machine=machine)
        approve(tmp_path / "state", proposal.proposal_id, person="Bob", clock=clock)
    assert sorted(baselines_of(tmp_path / "state").in_force) == [HERE, "other"]


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        ({"samples": 99}, ConfigurationRefused, "at least 100 decisions, found 99"),
        ({"machine": "reference"}, ConfigurationRefused, "not 'reference'"), ({"person": " "}, UsageError, "a person"),
        ({"reason": ""}, UsageError, "a reason"), ({"p50": 0.0}, ConfigurationRefused, "at least 100"),
    ],
)  # fmt: skip
def test_what_is_no_baseline_is_refused_with_the_reason(tmp_path, wrong, error, text):
    with pytest.raises(error, match=text):
        proposed(tmp_path, EventClock(5), **wrong)


def test_a_report_that_is_none_and_a_proposal_that_nobody_made(tmp_path):
    (tmp_path / "bad.json").write_text("[]")
    for path in ("bad.json", "absent.json"):
        with pytest.raises(UsageError):
            propose(tmp_path / "state", tmp_path / path, person="Ann", reason="r", clock=EventClock(5))
    with pytest.raises(UsageError, match="no proposal"):
        approve(tmp_path / "state", "x", person="Bob", clock=EventClock(5))
