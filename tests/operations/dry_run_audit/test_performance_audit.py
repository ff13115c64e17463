"""Each rule of the performance file alone, and the contract with what a runtime writes (DR-31, DR-32, DR-34)."""

import json
import math

import audit_logs as logs
import msgspec
import pytest

from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.errors import DeskError
from tradeworthy.operations.dry_run.audit.performance import (
    SCHEMA_PERFORMANCE,
    PerformanceFile,
    audit_performance,
    judge_performance,
    sharpe_statistics,
)
from tradeworthy.operations.dry_run.model import Status
from tradeworthy.operations.dry_run.simulation import Body, Simulation, SimulationPolicy

AGGREGATES = {"trades": 12, "roi": 0.02, "win_rate": 0.6, "sharpe_ratio": 1.2, "daily_returns": [0.01, -0.004, 0.006]}


def document(**more):
    base = {"generated_at": logs.at(3 * 86_400), "period_start": logs.at(0), "aggregates": AGGREGATES}
    return {name: value for name, value in (base | more).items() if value is not ...}


def judged(**more):
    return judge_performance(document(**more), now=logs.NOW_NS)


def test_a_whole_file_passes_with_its_numbers():
    found = judged()
    assert found.status is Status.PASS
    assert (found.total_trades, found.roi, found.win_rate, found.sharpe_ratio) == (12, 0.02, 0.6, 1.2)
    assert found.window_duration_seconds == 3 * 86_400


def test_aggregates_beside_the_document_are_accepted():
    found = judged(aggregates=..., total_trades=3, roi=0.1, win_rate=0.5, sharpe_ratio=0.7)
    assert (found.status, found.total_trades, found.sharpe_ratio) == (Status.PASS, 3, 0.7)


@pytest.mark.parametrize(("more", "status"), [
    ({"generated_at": ...}, Status.FAIL), ({"period_start": ...}, Status.FAIL), ({"generated_at": "soon"}, Status.FAIL),
    ({"period_start": logs.at(4 * 86_400)}, Status.FAIL), ({"generated_at": "2099-01-01T00:00:00Z"}, Status.FAIL),
    ({"aggregates": AGGREGATES | {"roi": -0.0001}}, Status.WARN),
    ({"aggregates": AGGREGATES | {"roi": 0.0}}, Status.PASS),
    ({"aggregates": {}}, Status.UNKNOWN), ({"status": "waiting"}, Status.UNKNOWN), ({"aggregates": 7}, Status.UNKNOWN),
])  # fmt: skip
def test_each_rule_alone(more, status):
    assert judged(**more).status is status


@pytest.mark.parametrize("bad", [math.nan, math.inf, None, "1.2", True])
def test_what_is_no_number_is_missing_and_never_zero(bad):
    found = judged(aggregates=AGGREGATES | {"sharpe_ratio": bad, "roi": bad})
    assert (found.sharpe_ratio, found.roi, found.win_rate) == (None, None, 0.6)


def test_nan_in_the_file_is_missing_too(tmp_path):
    path = tmp_path / "performance.json"
    path.write_text(json.dumps(document(aggregates=AGGREGATES | {"roi": math.nan})))
    assert audit_performance(path, now=logs.NOW_NS).roi is None


@pytest.mark.parametrize("content", ["", "[]", "{", "7"])
def test_a_file_that_is_no_object_cannot_be_judged(tmp_path, content):
    path = tmp_path / "performance.json"
    path.write_text(content)
    with pytest.raises(DeskError):
        audit_performance(path, now=logs.NOW_NS)


def test_three_days_have_an_error_of_nine():
    found = sharpe_statistics(AGGREGATES["daily_returns"], days=3)
    assert found.standard_error == pytest.approx(9.165, abs=0.001)
    assert (found.daily_returns, found.point_estimate_only) == (3, True)
    assert 0.5 < found.probabilistic_sharpe < 1
    assert found.minimum_track_record_days > 3


@pytest.mark.parametrize(("days", "only"), [(59, True), (60, False)])
def test_sixty_days_are_more_than_a_point(days, only):
    assert sharpe_statistics([0.001 * (-1) ** n + 0.0005 for n in range(days)], days=days).point_estimate_only is only


def test_days_without_returns_are_counted_by_the_period():
    found = judged(aggregates={name: value for name, value in AGGREGATES.items() if name != "daily_returns"})
    assert (found.sharpe_statistics.daily_returns, found.sharpe_statistics.probabilistic_sharpe) == (3, None)


def test_what_the_runtime_writes_the_audit_reads(tmp_path):
    path = tmp_path / "performance.json"
    clock = EventClock(logs.START_NS)
    policy = SimulationPolicy(performance=path, duration_seconds=20)
    nothing = Body(
        die=lambda: None, leave=lambda code: None, burn_cpu=lambda seconds: None, hold_memory=lambda mb: None,
        fork=lambda mb: None,
    )  # fmt: skip
    simulation = Simulation(policy, clock=clock, out=lambda stream, data: None, body=nothing)
    placeholder = audit_performance(path, now=clock.now())
    assert [one.code for one in placeholder.issues] == ["performance.placeholder"]
    for _ in range(4):
        clock.advance_to(simulation.next_at())
        simulation.step()
    found = audit_performance(path, now=clock.now())
    assert (found.status, found.sharpe_ratio) == (Status.PASS, policy.sharpe_ratio)
    assert msgspec.json.decode(path.read_bytes(), type=PerformanceFile).schema == SCHEMA_PERFORMANCE
