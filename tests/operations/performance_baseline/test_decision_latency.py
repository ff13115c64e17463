"""The decision-latency guard at its edges, and what a new baseline must be (PBL-03)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.kernel.errors import ConfigurationRefused, InvalidInput, UsageError
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.performance_baseline.approved import figures_in, figures_of
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


# the figures of a baseline


def report_of(*, samples=100, machine=HERE, p50=1.5, p99=3.25, schema="performance_baseline@1"):
    latency = {"samples": samples, "p50_ms": p50, "p99_ms": p99}
    return json.dumps({"schema": schema, "machine": machine, "decision_latency": latency}).encode()


def test_a_reports_figures_go_through_a_pack_unchanged():
    figures = figures_of(report_of(), before="d" * 64)
    assert (figures.machine, figures.p50_ns, figures.p99_ns, figures.samples) == (HERE, 1_500_000, 3_250_000, 100)
    assert figures_in(HERE, figures.details()) == figures


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        ({"samples": 99}, ConfigurationRefused, "at least 100 decisions"),
        ({"machine": "reference"}, ConfigurationRefused, "not 'reference'"),
        ({"machine": ""}, ConfigurationRefused, "names a machine"), ({"p50": 0.0}, ConfigurationRefused, "0 < p50"),
        ({"p99": None}, ConfigurationRefused, "p50 <= p99"), ({"schema": "other@1"}, UsageError, "other@1"),
        ({"samples": "many"}, UsageError, "expected a report"),
    ],
)  # fmt: skip
def test_what_is_no_baseline_is_refused_with_the_reason(wrong, error, text):
    with pytest.raises(error, match=text):
        figures_of(report_of(**wrong))


@pytest.mark.parametrize("details", [{}, {"p50_ns": "fast", "p99_ns": "1", "samples": "100", "report_sha256": "a"}])
def test_a_pack_with_other_details_is_no_baseline(details):
    with pytest.raises(InvalidInput, match="figures of a baseline"):
        figures_in(HERE, details)
