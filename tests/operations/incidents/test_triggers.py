"""The trigger matrix: one fixture a row, its action and whom it is for (AR-20)."""

import pytest
from alert_scene import START, Scene, signal

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.operations.incidents.model import AlertSeverity
from tradeworthy.operations.incidents.triggers import TRIGGERS, FailuresInARow, Triggers
from tradeworthy.trading.model import GuardLevel

PAUSED, STOPPED = GuardLevel.PAUSED, GuardLevel.STOPPED
ROWS = {
    "daily_loss": (signal("risk_daily_loss", component="daily_loss"), PAUSED,
                   "governance, head_of_desk, risk_officer"),
    "compliance_veto": (signal("compliance_reject"), None, "compliance, automated_director, sponsor"),
    "execution_failures": (signal("execution.failures_in_a_row"), PAUSED, "head_of_desk, risk_officer"),
    "data_anomaly": (signal("data.anomaly"), PAUSED, "automated_director, data_owner"),
    "security_anomaly": (signal("security.key_seen"), STOPPED, "security_officer"),
    "prohibited": (signal("regulatory.missed"), STOPPED, "compliance, legal"),
    "component_down": (signal("process.down", component="journal"), STOPPED,
                       "head_of_desk, automated_director, sponsor, risk_officer, safety_officer"),
    "provider_retries": (signal("provider.retries_spent"), PAUSED, "data_owner"),
}  # fmt: skip


def test_every_row_has_a_fixture():
    assert set(ROWS) == {one.name for one in TRIGGERS}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_acts_and_says_whom_it_is_for(name):
    given, level, people = ROWS[name]
    told, asked = Triggers().take(given, START)
    assert dict(told.tags)["for"] == people
    assert dict(told.tags)["action"] == next(one.action for one in TRIGGERS if one.name == name)
    assert [(one.code, one.level, one.scope, one.active) for one in asked] == (
        [] if level is None else [(name, level, "desk", True)]
    )


def test_what_no_row_knows_is_left_as_it_is():
    other = signal("process.down", component="feed")
    assert Triggers().take(other, START) == (other, [])


def test_a_pause_ends_with_the_last_signal_of_its_row_and_a_stop_never():
    triggers = Triggers()
    first, second = signal("data.anomaly", component="a"), signal("data.anomaly", component="b")
    over = [signal("data.anomaly", component=name, firing=False) for name in ("a", "b")]
    assert [one.active for given in (first, second, *over) for one in triggers.take(given, START)[1]] == [
        True, True, False,
    ]  # fmt: skip
    triggers.take(signal("security.x"), START)
    assert triggers.take(signal("security.x", firing=False), START)[1] == []


def test_spent_retries_last_to_the_end_of_the_day():
    _, (asked,) = Triggers().take(signal("provider.retries_spent"), START)
    assert asked.expires_at % NANOS_PER_DAY == 0
    assert 0 < asked.expires_at - START <= NANOS_PER_DAY


def test_a_failing_instance_is_held_alone():
    _, (asked,) = Triggers().take(signal("execution.failures_in_a_row", subject="strategy:mm-1"), START)
    assert asked.scope == "strategy:mm-1"


def test_a_reason_that_the_guard_set_is_not_asked_for_again():
    told, asked = Triggers().take(signal("guard.risk", component="daily_loss"), START)
    assert asked == []
    assert "governance" in dict(told.tags)["for"]


def test_the_third_failure_in_a_row_is_told_and_a_success_ends_it():
    count = FailuresInARow()
    assert [count.failed("mm-1", "c") for _ in range(2)] == [None, None]
    third = count.failed("mm-1", "c")
    assert (third.observed, third.firing, third.subject) == ("3", True, "strategy:mm-1")
    assert count.failed("mm-2", "c") is None
    assert not count.worked("mm-1", "c").firing
    assert count.counts() == {"mm-2": 1}
    assert count.worked("mm-2", "c") is None
    assert count.failed("mm-2", "c") is None


def test_the_path_asks_the_guard_and_the_message_names_the_addressees():
    asked = []

    class Port:
        def hold(self, code, level, scope, evidence, expires_at):
            asked.append((code, level))

        def release(self, code, level, scope):
            asked.append((code, "released"))

    scene = Scene()
    scene.path._guards = scene.path._guards._replace(triggers=Port())
    scene.after(60, signal("x.y"), signal("process.down", component="risk", severity=AlertSeverity.CRITICAL))
    assert asked == [("component_down", STOPPED)]
    said = [one.text for one in scene.transports["one"].notices if "process.down" in one.text]
    assert "action: stop; for: head_of_desk" in said[0]
