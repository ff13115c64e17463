"""What is unknown at a start is held back, and told when it stays unknown; what fails is told at once."""

import msgspec
import pytest

from tradeworthy.app.assessing.settling import SettlingAlerts, SettlingSignals
from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.ports import AlertEvent
from tradeworthy.operations.incidents.model import Signal

EVENT = AlertEvent(
    key="a|b", active=True, assessment="a", code="a.b", component="b", category="c", severity=Severity.UNKNOWN,
    message="m", runbook="r", owner="o", snapshot="s", ts=1,
)  # fmt: skip


class Onward(list):
    alert = list.append


@pytest.fixture
def scene():
    clock, onward = EventClock(0), Onward()
    return clock, onward, SettlingAlerts(onward, clock, settle_s=60.0)


def test_what_stays_unknown_is_told_when_the_time_is_over(scene):
    clock, onward, settling = scene
    settling.alert(EVENT)
    clock.advance_to(60 * NANOS_PER_SECOND - 1)
    settling.flush()
    assert onward == []
    clock.advance_to(60 * NANOS_PER_SECOND)
    settling.flush()
    settling.flush()
    assert onward == [EVENT]


def test_what_becomes_known_in_time_is_never_told(scene):
    clock, onward, settling = scene
    settling.alert(EVENT)
    settling.alert(msgspec.structs.replace(EVENT, active=False))
    clock.advance_to(60 * NANOS_PER_SECOND)
    settling.flush()
    assert onward == []


@pytest.mark.parametrize("severity", [Severity.WARN, Severity.FAIL])
def test_what_is_worse_or_known_goes_on_at_once(scene, severity):
    _, onward, settling = scene
    settling.alert(EVENT)
    worse = msgspec.structs.replace(EVENT, severity=severity)
    settling.alert(worse)
    assert onward == [worse]
    ended = msgspec.structs.replace(worse, active=False)
    settling.alert(ended)
    assert onward == [worse, ended]


def test_the_end_of_an_alert_from_before_the_start_is_told(scene):
    _, onward, settling = scene
    ended = msgspec.structs.replace(EVENT, active=False)
    settling.alert(ended)
    assert onward == [ended]


def test_after_the_time_what_is_unknown_goes_on_at_once(scene):
    clock, onward, settling = scene
    clock.advance_to(60 * NANOS_PER_SECOND)
    settling.alert(EVENT)
    assert onward == [EVENT]


SIGNAL = Signal(code="gate_lapse", category="gate", message="m", component="desk_health")


def signals():
    clock, onward = EventClock(0), []
    return clock, onward, SettlingSignals(onward.append, clock, settle_s=60.0)


def test_a_gate_of_a_desk_that_has_just_started_is_told_when_it_still_stands():
    clock, onward, settling = signals()
    settling.tell(SIGNAL)
    settling.flush()
    assert onward == []
    clock.advance_to(60 * NANOS_PER_SECOND)
    settling.flush()
    settling.flush()
    assert onward == [SIGNAL]
    settling.tell(SIGNAL)
    assert onward == [SIGNAL, SIGNAL]


def test_what_a_gate_takes_back_in_time_is_never_told_and_the_end_of_an_older_one_is():
    clock, onward, settling = signals()
    ended = msgspec.structs.replace(SIGNAL, firing=False)
    settling.tell(ended)
    assert onward == [ended]
    settling.tell(SIGNAL)
    settling.tell(ended)
    clock.advance_to(60 * NANOS_PER_SECOND)
    settling.flush()
    assert onward == [ended]
