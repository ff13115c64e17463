"""The guard's second memory, and what people may ask of it."""

import pytest

from tradeworthy.adapters.sentinel_file import SentinelFile
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.trading.control import (
    Guard,
    HeldReason,
    KillRequest,
    KillSwitch,
    PauseRequest,
    RearmRefused,
    RearmRequest,
    ResumeRequest,
)
from tradeworthy.trading.control.kill import COOL_OFF
from tradeworthy.trading.control.sentinel import decode, encode, restore
from tradeworthy.trading.model import GuardLevel, GuardReason

NOW = 10**18
PAUSE = HeldReason("bus", "outage", GuardLevel.PAUSED, "desk", NOW, NOW + 5)
STOP = HeldReason("risk", "daily_loss_stop", GuardLevel.STOPPED, "desk", NOW)


def test_record_round_trips_through_the_file(tmp_path):
    file = SentinelFile(tmp_path / "deep" / "guard")
    assert file.read() is None
    file.write(encode((PAUSE,)))
    file.write(encode((PAUSE, STOP)))
    assert decode(file.read()) == (PAUSE, STOP)
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["guard"]


@pytest.mark.parametrize(
    "damage", [lambda r: r[:-1], lambda r: r.replace(b"risk", b"rask"), lambda r: b"", lambda r: r[10:]]
)
def test_damaged_record_is_unreadable_and_starts_stopped(damage):
    record = damage(encode((STOP,)))
    with pytest.raises(InvalidInput):
        decode(record)
    assert Guard(restore((), record, first_run=False, now=NOW)).level is GuardLevel.STOPPED


def test_start_takes_the_worse_of_journal_and_sentinel():
    worse = HeldReason("bus", "outage", GuardLevel.REDUCING, "desk", NOW)
    assert Guard(restore((PAUSE,), encode((worse,)), first_run=False, now=NOW)).level is GuardLevel.REDUCING
    assert Guard(restore((STOP,), encode(()), first_run=False, now=NOW)).level is GuardLevel.STOPPED
    assert Guard(restore((), encode((STOP,)), first_run=False, now=NOW)).level is GuardLevel.STOPPED
    assert restore((PAUSE,), encode((PAUSE,)), first_run=False, now=NOW) == (PAUSE,)


def test_missing_sentinel_is_fine_on_the_first_run_only():
    assert restore((), None, first_run=True, now=NOW) == ()
    assert Guard(restore((), None, first_run=False, now=NOW)).level is GuardLevel.STOPPED
    assert Guard(restore(None, encode(()), first_run=True, now=NOW)).level is GuardLevel.STOPPED


def killed(scope="desk"):
    guard = Guard()
    switch = KillSwitch(guard)
    assert switch.kill(KillRequest("feels wrong", "ann", scope), NOW).set
    return guard, switch


def test_one_person_trips_and_a_second_trip_is_no_event():
    guard, switch = killed()
    assert guard.level is GuardLevel.STOPPED
    assert switch.kill(KillRequest("again", "bob"), NOW) is None


@pytest.mark.parametrize("scope", ["strategy:ema", "instrument:BTC.SIM", "venue:SIM", "client:7"])
def test_kill_of_a_scope_leaves_the_desk_running(scope):
    guard, _ = killed(scope)
    assert (guard.level, guard.level_of(scope)) == (GuardLevel.RUNNING, GuardLevel.STOPPED)


def test_unknown_scope_is_the_desk():
    assert killed("moon")[0].level is GuardLevel.STOPPED


def test_resume_ends_the_operators_pause_and_nothing_else():
    guard, switch = killed()
    switch.pause(PauseRequest("lunch", "ann"), NOW)
    guard.set(GuardReason("risk", "daily_loss", GuardLevel.PAUSED), NOW)
    assert [one.reason for one in switch.resume(ResumeRequest("ann"), NOW)] == ["operator.pause"]
    assert switch.resume(ResumeRequest("ann"), NOW) == ()
    assert {r.code for r in guard.reasons()} == {"kill", "daily_loss"}


def rearm(**odd):
    usual = {"people": ("ann", "bob"), "snapshot": "abc", "incident": "INC-1", "reason": "fixed", "scope": "desk",
             "pack": "d1", "reconciliation": "clean"}  # fmt: skip
    return RearmRequest(**(usual | odd))


def test_two_people_with_the_snapshot_rearm_after_the_cool_off():
    guard, switch = killed()
    changes = switch.rearm(rearm(), "abc", NOW + COOL_OFF)
    assert [(c.reason, c.set, c.level) for c in changes] == [("operator.kill", False, GuardLevel.RUNNING)]
    assert guard.level is GuardLevel.RUNNING


@pytest.mark.parametrize(
    ("odd", "snapshot", "late", "fault"),
    [
        ({"people": ("ann",)}, "abc", 0, "two distinct people"),
        ({"people": ("ann", " Ann ")}, "abc", 0, "two distinct"),
        ({}, "abd", 0, "snapshot"),
        ({}, None, 0, "snapshot"),
        ({}, "abc", -1, "cool-off"),
        ({"reason": " "}, "abc", 0, "written"),
        ({"author_of_change": "Bob"}, "abc", 0, "causing change"),
        ({"scope": "venue:SIM"}, "abc", 0, "not stopped"),
        ({"pack": ""}, "abc", 0, "approval pack"),
        ({"reconciliation": "unknown: no venue view"}, "abc", 0, "reconciliation must be clean"),
        ({"asked_at": NOW + COOL_OFF + 5, "stopped_at": NOW + 6}, "abc", 0, "cool-off"),
        ({"halting": True}, "abc", 0, "the halt is not seen through"),
    ],
)
def test_rearm_is_refused_naming_the_fault(odd, snapshot, late, fault):
    guard, switch = killed()
    refused = switch.rearm(rearm(**odd), snapshot, NOW + COOL_OFF + late)
    assert isinstance(refused, RearmRefused)
    assert any(fault in text for text in refused.faults)
    assert guard.level is GuardLevel.STOPPED


def test_all_faults_are_listed_at_once():
    _, switch = killed()
    assert len(switch.rearm(rearm(people=("ann",), reason="", pack="", reconciliation="?"), "x", NOW).faults) == 6


def test_a_second_trip_begins_the_cool_off_anew():
    _, switch = killed()
    switch.kill(KillRequest("again", "bob"), NOW + COOL_OFF - 1)
    refused = switch.rearm(rearm(), "abc", NOW + COOL_OFF)
    assert [one.partition(" ends")[0] for one in refused.faults] == ["cool-off"]
    assert switch.rearm(rearm(), "abc", NOW + 2 * COOL_OFF - 1)[0].level is GuardLevel.RUNNING


def test_a_stop_whose_value_is_still_outside_its_limit_stays():
    guard = Guard([STOP])
    values = ["-31,000 of 1,000,000"]
    switch = KillSwitch(guard, outside=lambda reason: values[0])
    refused = switch.rearm(rearm(), "abc", NOW + COOL_OFF)
    assert refused.faults == ("risk.daily_loss_stop is not back inside its limit: -31,000 of 1,000,000",)
    values[0] = None
    assert switch.rearm(rearm(), "abc", NOW + COOL_OFF)[0].reason == "risk.daily_loss_stop"


def test_an_open_break_of_reconciliation_keeps_the_stop():
    guard, switch = killed()
    guard.set(GuardReason("reconciliation", "break", GuardLevel.PAUSED), NOW)
    assert switch.rearm(rearm(), "abc", NOW + COOL_OFF).faults == ("a reason of reconciliation is in force",)
