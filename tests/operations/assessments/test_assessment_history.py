"""Course, collection, metrics and the HTTP block."""

import json
import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.telemetry.metrics import DeskMetrics
from tradeworthy.operations.assessments.framework.cases import Case
from tradeworthy.operations.assessments.framework.collect import Probe, collect
from tradeworthy.operations.assessments.framework.history import History, flapping, trends
from tradeworthy.operations.assessments.framework.metrics import ASSESSMENT_SPECS, show
from tradeworthy.operations.assessments.framework.mutation import AT, changed, healthy_facts
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.assessments.framework.snapshot import take
from tradeworthy.operations.assessments.framework.values import Facts
from tradeworthy.operations.assessments.framework.web_block import answer

BUS = registry().get("event_bus_health")
HOUR = 3_600 * NANOS_PER_SECOND


def course(*depths: int):
    return tuple(
        take(BUS, tuple(msgspec.structs.replace(one, ts_observed=AT + at * HOUR, value=one.value if one.name !=
             "last_published" else AT + at * HOUR - 1)
             for one in changed(BUS, Case("", {"depth": depth}, Severity.OK))),
             BUS.policy, AT + at * HOUR, environment="", code_version="")
        for at, depth in enumerate(depths)
    )  # fmt: skip


def by_name(*depths: int):
    return {one.name: one for one in trends(course(*depths))}


def test_fewer_than_three_snapshots_are_unknown():
    [trend] = trends(course(0, 0))
    assert trend.severity is Severity.UNKNOWN
    assert "history" not in by_name(0, 0, 0)


def test_a_streak_has_its_length():
    assert by_name(0, 500, 500)["streak"].observed == 2
    assert by_name(500, 500, 500)["streak"].observed == 3


@pytest.mark.parametrize(("depths", "severity"), [
    ((0, 100, 0, 100), Severity.OK), ((0, 100, 0, 100, 0), Severity.WARN),
    ((0, 100, 0, 100, 0, *[0] * 9), Severity.OK),
])  # fmt: skip
def test_four_changes_within_ten_snapshots_are_flapping(depths, severity):
    assert flapping(course(*depths)).severity is severity


def test_worse_than_the_best_before_is_a_regression():
    assert by_name(0, 0, 100)["regression"].severity is Severity.WARN
    assert by_name(100, 0, 0)["regression"].severity is Severity.OK


def test_a_limit_that_fills_up_is_forecast():
    slope = by_name(100, 200, 300)["slope:event_bus_health.depth|event_bus_health"]
    assert slope.observed == pytest.approx(2.0, abs=1e-3)


def test_history_is_bounded_and_takes_a_repeat_once():
    history = History(kept=3)
    snapshots = course(1, 2, 3, 4)
    history.fold((*snapshots, snapshots[-1]))
    assert [one.id for one in history.of("event_bus_health")] == [one.id for one in snapshots[1:]]
    assert history.of("event_bus_health", 1) == snapshots[-1:]


def test_probes_that_raise_hang_or_bring_a_part_are_named():
    def hangs(now: int):
        time.sleep(5)
        return ()

    def raises(now: int):
        raise OSError("gone")

    facts = healthy_facts(BUS)
    found = collect(
        (
            Probe("whole", lambda now: facts[:2]), Probe("slow", hangs, timeout_s=0.05), Probe("dead", raises),
            Probe("part", lambda now: facts[2:3], brings=("depth", "dropped")),
        ),
        AT,
    )  # fmt: skip
    assert found.facts == facts[:3]
    assert found.failed == ("slow: no answer in 0.05 s", "dead: OSError: gone", "part: brought no dropped")


def test_metrics_show_unknown_before_the_first_snapshot_and_the_standing_after():
    metrics = DeskMetrics(mode="paper", environment="paper", more=ASSESSMENT_SPECS)
    history = History()
    show(metrics, registry(), history, AT)
    text = metrics.render().decode()
    name = 'tradeworthy_assessment_{}{{assessment="event_bus_health",component=""}}'
    assert f"{name.format('status')} 2" in text
    assert f"{name.format('present')} 0" in text
    [one] = course(0)
    history.take(one)
    show(metrics, registry(), history, AT)
    text = metrics.render().decode()
    assert f"{name.format('status')} 0" in text
    assert f"{name.format('fresh')} 1" in text
    show(metrics, registry(), history, one.expires_at)
    text = metrics.render().decode()
    assert f"{name.format('status')} 2" in text
    assert f"{name.format('fresh')} 0" in text
    assert f"{name.format('age_seconds')} 1200" in text


def test_the_http_block_answers_for_all_one_and_a_course():
    history = History().fold(course(0, 100, 500))
    now = AT + 2 * HOUR
    every = json.loads(answer(registry(), history, now).body)
    rows = {one["assessment"]: one for one in every["assessments"]}
    assert rows["event_bus_health"]["standing"] == "FAIL"
    assert rows["roi"]["standing"] == "UNKNOWN"
    assert every["standing"] == "FAIL"
    one = json.loads(answer(registry(), history, now, "event_bus_health").body)
    assert one["snapshot"]["id"] == history.last("event_bus_health").id
    told = json.loads(answer(registry(), history, now, "event_bus_health", course=True).body)
    assert len(told["snapshots"]) == 3
    assert answer(registry(), history, now, "nothing").http_status == 404


@given(st.lists(st.integers(0, 1_000), max_size=20))
def test_a_thousand_components_are_read_in_their_order(numbers):
    tasks = registry().get("task_supervision")
    facts = [
        msgspec.structs.replace(healthy_facts(tasks)[0], name="state", value="running", component=str(one))
        for one in dict.fromkeys(numbers)
    ]
    seen = Facts(tasks.facts, facts, now=AT, age_max_s=60, future_offset_s=0)
    assert seen.components("task") == tuple(sorted(str(one) for one in set(numbers)))
