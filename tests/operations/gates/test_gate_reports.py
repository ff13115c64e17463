"""The day's report is a fold over the journal; metrics and answers say what the newest verdict says now."""

import gate_scene as scene
import msgspec
import pytest
from gate_scene import DAY, NOW, S, gate, need, say

from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.telemetry.metrics import DeskMetrics
from tradeworthy.operations.gates.daily_report import daily_report
from tradeworthy.operations.gates.named import GATES
from tradeworthy.operations.gates.page import first_acts, html
from tradeworthy.operations.gates.store import GateAnswered, GateStore, GateTurned
from tradeworthy.operations.gates.telling import GATE_SPECS, answer, show

TABLE = gate(need("a", age_max_s=3_600), need("rollback_rehearsed", age_max_s=7_200))
DESK = msgspec.structs.replace(TABLE, name="desk_health")


@pytest.fixture
def store(tmp_path):
    clock = EventClock(NOW)
    store = GateStore(tmp_path, clock)
    said = [say("a"), say("rollback_rehearsed")]
    name = store.keep(scene.ask(DESK, said), DESK)
    store.note(GateTurned("desk_health", "NO-GO", "GO", name, ("a",)))
    store.note(GateAnswered("go_live", "live", "1.0", "live", "pilot", "desk", False, "", "absent", "no verdict"))
    clock.advance_to(NOW + 60 * S)
    bad = scene.ask(DESK, [say("a", Severity.FAIL), say("rollback_rehearsed")], now=NOW + 60 * S)
    name = store.keep(bad, DESK)
    store.note(GateTurned("desk_health", "GO", "NO-GO", name, ("a",)))
    return store


def test_the_report_tells_the_day_and_is_the_same_when_it_is_made_again(store):
    text = daily_report(store.read(), NOW + DAY * S)
    assert text == daily_report(store.read(), NOW + DAY * S)
    for part in ("Changed", "Validation", "Artefacts", "Metrics", "Incidents", "Rollback", "Next three"):
        assert f"## {part}" in text
    assert "go_live refused, absent: no verdict" in text
    assert "desk_health turned NO-GO by a" in text
    assert "a: renew a" in text
    assert "met: " in text


def test_what_is_not_of_the_day_is_not_counted(store):
    text = daily_report(store.read(), NOW + 3 * DAY * S)
    assert "turned NO-GO" not in text
    assert "| **verdicts** | 0 |" in text
    before = daily_report(store.read(), NOW)
    assert "nothing: no gate was asked" in before


def test_an_empty_journal_has_a_report_too(tmp_path):
    assert "nothing: no gate was asked" in daily_report(GateStore(tmp_path, EventClock(NOW)).read(), NOW)


def samples(store, now):
    metrics = DeskMetrics(mode="paper", environment="paper", more=GATE_SPECS)
    show(metrics, store.read(), now)
    return {
        (one.name.removeprefix("tradeworthy_"), *one.labels.values()): one.value
        for family in metrics.registry.collect() for one in family.samples if "gate_" in one.name
    }  # fmt: skip


def test_metrics_say_what_the_verdict_says_now(store):
    found = samples(store, NOW + 60 * S)
    assert found["gate_status", "desk_health"] == 0
    assert found["gate_present", "desk_health"] == 1
    assert (found["gate_present", "live"], found["gate_status", "live"]) == (0, 0)
    assert found["gate_requirement_ok", "desk_health", "a"] == 0
    assert found["gate_requirement_ok", "desk_health", "rollback_rehearsed"] == 1


def test_metrics_of_a_go_count_down_and_fall_with_its_end(tmp_path):
    store = GateStore(tmp_path, EventClock(NOW))
    store.keep(scene.ask(DESK, [say("a"), say("rollback_rehearsed")]), DESK)
    assert samples(store, NOW + 600 * S)["gate_expires_seconds", "desk_health"] == 3_000
    ended = samples(store, NOW + 3_600 * S)
    assert (ended["gate_status", "desk_health"], ended["gate_expires_seconds", "desk_health"]) == (0, 0)
    assert ended["gate_requirement_ok", "desk_health", "a"] == 0


def test_the_address_answers_for_one_gate_for_all_and_for_none(store):
    one = msgspec.json.decode(answer(store.read(), NOW + 60 * S, "desk_health").body)
    assert (one["standing"], len(one["rows"]), len(one["verdict_id"])) == ("NO-GO", 2, 64)
    everything = msgspec.json.decode(answer(store.read(), NOW).body)
    assert [row["gate"] for row in everything["gates"]] == list(GATES)
    assert {row["standing"] for row in everything["gates"]} == {"NO-GO"}
    assert answer(store.read(), NOW, "nothing").http_status == 404


def test_what_fails_is_to_be_done_before_what_nobody_knows_and_three_acts_are_enough():
    table = gate(*(need(name, age_max_s=3_600) for name in ("gone", "failed", "met", "gone2", "gone3")))
    verdict = scene.ask(table, [say("failed", Severity.FAIL), say("met")])
    assert [one.id for one in first_acts(verdict)] == ["failed", "gone", "gone2"]
    told = html(verdict, "a" * 64)
    assert told.index("Do first") < told.index("Not met")
    assert 'data-head="what to do"' in told
