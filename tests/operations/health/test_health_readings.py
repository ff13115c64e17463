"""From what the rooms hold to the facts that are judged."""

from types import SimpleNamespace

import pytest

from tradeworthy.kernel.report import Check
from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.supervision import State
from tradeworthy.kernel.supervision.resources import Forecast
from tradeworthy.operations.health import readings
from tradeworthy.trading.control import HeldReason
from tradeworthy.trading.control.halt import Halt
from tradeworthy.trading.control.halting import Phase
from tradeworthy.trading.model import GuardLevel


def task(name, state=State.RUNNING, owner="o"):
    return SimpleNamespace(name=name, state=state, owner=owner)


def test_tasks_are_counted_and_only_those_that_are_over_for_good_have_failed():
    living = [task("a"), task("b", State.RESTARTING), task("c")]
    ended = [
        task("c", State.FAILED), task("d", State.FAILED), task("e", State.FINISHED), task("f", State.FAILED),
        task("f", State.FINISHED), task("g", State.CANCELLED), task("h", State.FAILED, owner="drift_monitor"),
    ]  # fmt: skip
    found = readings.tasks_of(living, ended, [task("z")], at=7, optional={"drift_monitor"})
    assert (found.at, found.running, found.restarting) == (7, 2, 1)
    assert (found.failed, found.failed_optional, found.abandoned) == (("d",), ("h",), ("z",))


@pytest.mark.parametrize(
    ("scope", "level"), [("desk", GuardLevel.STOPPED), ("venue:x", GuardLevel.RUNNING)]
)
def test_the_guard_is_the_worst_reason_of_the_desk_and_shows_all(scope, level):
    held = [HeldReason("operator", "kill", GuardLevel.STOPPED, scope, 1)]
    found = readings.guard_of(held, at=3)
    assert (found.level, found.reasons) == (level, tuple(held))


def test_a_halt_is_a_kill_with_its_scopes():
    halts = [Halt("operator", "kill", scope, 1, 1) for scope in ("desk", "venue:x", "desk")]
    found = readings.kill_of(halts, Phase.HALTING, at=3)
    assert (found.tripped, found.phase, found.scopes) == (True, "halting", ("desk", "venue:x"))
    assert readings.kill_of([], None, at=3).tripped is False


def test_the_disk_is_its_own_forecast_and_unknown_without_one():
    forecast = Forecast("disk", Severity.WARN, 9, 10, 20.0, "disk full in 20.0 h: 9 of 10")
    found = readings.disk_of([Forecast("memory", Severity.FAIL, 1, 1, 0.0, "m"), forecast], at=3)
    assert (found.severity, found.observed, found.unit) == (Severity.WARN, 20.0, "h")
    assert readings.disk_of([], at=3).severity is None


@pytest.mark.parametrize(
    ("used", "severity"), [(0, Severity.OK), (90, Severity.OK), (91, Severity.WARN), (None, Severity.UNKNOWN)]
)
def test_before_there_is_a_forecast_the_room_that_is_left_is_judged(used, severity):
    limit = None if used is None else 100
    forecast = Forecast("disk", Severity.UNKNOWN, used, limit, None, "disk: no forecast, 1 of 6 samples")
    found = readings.disk_of([forecast], at=3, free_share_min=0.1)
    assert found.severity is severity
    assert "1 of 6 samples" in found.summary


def test_a_disk_that_fails_its_forecast_fails_however_much_is_free():
    forecast = Forecast("disk", Severity.FAIL, 1, 100, 1.0, "disk full in 1.0 h")
    assert readings.disk_of([forecast], at=3).severity is Severity.FAIL


def test_an_assessment_is_its_worst_rule():
    kept, broken = Check("depth", Severity.OK, "1", "100"), Check("dropped", Severity.FAIL, "5", "5", "in 1 h")
    found = readings.assessed([kept, broken, kept], at=3)
    assert (found.severity, found.summary) == (Severity.FAIL, "dropped in 1 h: 5, limit 5")
    assert readings.assessed([kept, kept], at=3).summary == "2 rules kept"
    assert readings.assessed([], at=3).severity is None
