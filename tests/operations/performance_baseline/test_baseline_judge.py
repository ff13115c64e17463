"""From measurements to figures and checks: spreads, backlog, limits (PBL-02)."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.performance_baseline.decision_latency import SHIPPED, LatencyBaseline, judge_latency
from tradeworthy.operations.performance_baseline.judge import backlog_of, judge, spread
from tradeworthy.operations.performance_baseline.model import Measured, Resource, ThrottleScope, Trade
from tradeworthy.operations.performance_baseline.options import BaselineOptions

MS = 1_000_000
AT = datetime(2026, 1, 1, tzinfo=UTC)


def measured(*, processing=(10,), lag=(1,), resource=None, held=None):
    trades = tuple(
        Trade(late * MS, took * MS, held is None, () if held is None else ("risk.throttle",), held)
        for late, took in zip(lag, processing, strict=True)
    )
    scope = ThrottleScope({}, "open", 1, 4, None, Decimal(100), Decimal(300), Decimal(400), 0.25)
    fuller = ThrottleScope({"side": "buy"}, "rate_limited", 4, 4, AT, Decimal(0), None, None, None)
    return Measured(
        trades=trades, elapsed_ns=2_000 * MS, events=50, orders=1, fills=1, notional=Decimal(1_100), rejected=0,
        dead_letters=0, resource=resource or Resource(10.0, 60.0, 0.5), scopes=(scope, fuller),
    )  # fmt: skip


def judged(found, *, baseline=SHIPPED, require=False, **options):
    latency = judge_latency([one.processing_ns for one in found.trades], baseline, machine="here")
    return judge(found, BaselineOptions(**options), latency, machine="here", at=AT, require_latency=require)


@pytest.mark.parametrize(
    ("processing", "lag", "healthy"), [(249, 249, True), (250, 1, False), (1, 250, False), (251, 251, False)]
)
def test_a_duration_that_reaches_its_limit_is_unhealthy(processing, lag, healthy):
    report = judged(measured(processing=(processing,), lag=(lag,)))
    assert report.healthy is healthy
    assert report.severity is (Severity.OK if healthy else Severity.FAIL)


@pytest.mark.parametrize(
    ("limit", "severity"), [(59.9, Severity.FAIL), (60.0, Severity.FAIL), (60.1, Severity.OK), (None, Severity.OK)]
)
def test_memory_is_judged_where_it_was_asked_for(limit, severity):
    assert judged(measured(), max_memory_mb=limit).severity is severity


def test_a_resource_that_nobody_can_tell_is_unknown_where_it_is_limited():
    found = measured(resource=Resource(None, None, None))
    assert judged(found).severity is Severity.OK
    assert judged(found, max_cpu_percent=50.0).severity is Severity.UNKNOWN


def test_a_latency_that_cannot_be_judged_counts_where_it_is_required_and_a_worse_one_always():
    assert judged(measured()).severity is Severity.OK
    assert judged(measured(), require=True).severity is Severity.UNKNOWN
    slower = LatencyBaseline("here", 1 * MS, 1 * MS)
    assert judged(measured(processing=(10,) * 10, lag=(1,) * 10), baseline=slower).severity is Severity.FAIL


def test_the_backlog_counts_lags_that_reach_the_threshold_and_the_longest_row_of_them():
    found = backlog_of([one * MS for one in (0, 5, 6, 4, 5, 5, 5, 1)], 5.0)
    assert (found.breaches, found.breach_rate, found.max_breach_streak) == (5, 0.625, 3)
    assert (found.latest_lag_ms, found.p95_lag_ms, found.max_lag_ms) == (1.0, 6.0, 6.0)


def test_the_threshold_of_the_backlog_is_the_lags_limit_unless_it_is_given():
    assert judged(measured(), max_lag_ms=40.0).backlog.threshold_ms == 40.0
    assert judged(measured(), max_lag_ms=40.0, backlog_threshold_ms=7.0).backlog.threshold_ms == 7.0


def test_throughput_as_offered_and_as_it_could_be():
    flow = judged(measured(processing=(10, 30), lag=(0, 0))).throughput
    assert (flow.trades_per_second, flow.events_per_second) == (1.0, 25.0)
    assert (flow.busy_ms, flow.capacity_trades_per_second) == (40.0, 50.0)


def test_the_throttle_is_the_fullest_window():
    report = judged(measured(held="rate_limited"))
    assert (report.throttle.state, report.throttle.used, report.throttle.throttled) == ("rate_limited", 4, 1)
    assert report.throttle.states == {"rate_limited": 1}
    assert report.execution.refusals == {"risk.throttle": 1}
    assert [one.used_share for one in report.throttle_scopes] == [0.25, None]


def test_every_part_is_told_as_markdown_too():
    reports = judged(measured()).reports
    assert sorted(reports) == ["backlog", "decision_latency", "execution", "page", "performance", "throttle"]
    assert reports["page"].startswith("# Performance baseline\n\n**OK**")
    assert all(f"#{text}" in reports["page"] for name, text in reports.items() if name != "page")


@pytest.mark.parametrize(
    "wrong",
    [
        {"trades": 0}, {"throttle_window_seconds": 0.0}, {"throttle_cooldown_seconds": -1.0}, {"max_lag_ms": 0.0},
        {"max_processing_ms": float("nan")}, {"throttle_max_notional": 0.0}, {"backlog_threshold_ms": float("inf")},
        {"throttle_scope_fields": ("side", "side")},
    ],
)  # fmt: skip
def test_options_that_cannot_be_are_refused(wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        BaselineOptions(**wrong)


@given(st.lists(st.integers(0, 10**10), min_size=1, max_size=200))
def test_percentiles_are_ordered_and_among_the_samples(durations):
    found = spread(durations)
    told = {round(one / MS, 6) for one in durations}
    assert found.p50_ms <= found.p95_ms <= found.p99_ms <= found.max_ms == max(told)
    assert {found.p50_ms, found.p95_ms, found.p99_ms, found.last_ms} <= told
