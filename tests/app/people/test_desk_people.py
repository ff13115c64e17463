"""What people ask of a desk at rest: judged by the rules of a running one, journaled, and never brought back."""

import msgspec
import pytest
from soak_runs import document
from trusted import NOW, SECOND, Says, key, trusting

from tradeworthy.app.halting.guard_memory import guard_memory, held_at_start
from tradeworthy.app.people.desk_people import DeskPeople
from tradeworthy.app.runs.folder import state_of
from tradeworthy.app.runs.runner import RunSession
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.operations.gates.store import GateStore
from tradeworthy.trading.control import sentinel
from tradeworthy.trading.control.approvals import Act, SignedPack
from tradeworthy.trading.control.guard import HeldReason
from tradeworthy.trading.control.halt import Halt
from tradeworthy.trading.model import GuardLevel

COOL_OFF = 900 * SECOND
STOP = HeldReason("operator", "kill", GuardLevel.STOPPED, "desk", NOW, None, "ann: drill")


@pytest.fixture
def state(tmp_path):
    """Return the state of a desk that was killed, then ran once: stopped, with a snapshot, and is at rest."""
    state = trusting(state_of(tmp_path, "made"))
    guard_memory(state).write(sentinel.encode((STOP,)))
    play(tmp_path)
    return state


def play(root, **odd):
    made = msgspec.structs.replace(document(environment="paper", steps=1_200), **odd)
    return RunSession(made, root=root, clock=EventClock(NOW)).play()


def people(root, seconds=900, **odd):
    return DeskPeople(root, "made", clock=EventClock(NOW + seconds * SECOND), **odd)


def rearm(one, *numbers, **odd):
    usual = {"scope": "desk", "incident": "INC-1", "snapshot": one.snapshot.snapshot, "reason": "fixed"}
    return one.rearm(one.sign(SignedPack(one.rearm_pack(**(usual | odd))), *(key(number) for number in numbers)))


def test_two_people_rearm_after_the_cool_off_to_the_second(tmp_path, state):
    early = rearm(people(tmp_path, 899), 1, 2)
    assert [one.partition(" ends")[0] for one in early.faults] == ["cool-off"]
    assert rearm(people(tmp_path, 900), 1, 2).ok
    assert held_at_start(tmp_path, state, now=NOW) == ()
    assert play(tmp_path).guard == "running"


def test_a_desk_with_money_leaves_stopped_by_its_gates_go_alone(tmp_path):
    state = trusting(state_of(tmp_path, "made"))
    guard_memory(state).write(sentinel.encode((STOP,)))
    play(tmp_path, runtime={"judging": {"money": "canary"}})
    refused = rearm(people(tmp_path), 1, 2)
    assert [one.partition(",")[0] for one in refused.faults] == ["clear_stopped needs the gate's GO: gate live"]
    (question,) = [one for _, one in GateStore(tmp_path / "gates", EventClock(NOW)).read().answers]
    assert (question.act, question.subject, question.allowed) == ("clear_stopped", "re-arm of desk", False)
    assert people(tmp_path).book.events()[-1].payload.faults == refused.faults
    assert rearm(people(tmp_path, verdicts=Says(False, "time lapsed")), 1, 2).faults == (
        "clear_stopped needs the gate's GO: time lapsed",
    )
    assert held_at_start(tmp_path, state, now=NOW)[0].level is GuardLevel.STOPPED
    assert rearm(people(tmp_path, verdicts=Says(True)), 1, 2).ok


def test_all_reasons_are_listed_at_once_and_nothing_is_used_up(tmp_path, state):
    refused = rearm(people(tmp_path, 0), 1, snapshot="0" * 64, reason="", incident="")
    told = "; ".join(refused.faults)
    for word in ("each another person", "snapshot must be", "a reason and an incident", "cool-off"):
        assert word in told
    assert sentinel.decode(guard_memory(state).read()) != ()
    kinds = [event.kind for event in people(tmp_path).book.events()]
    assert kinds == ["approval.proposed", "approval.signed", "approval.refused"]


@pytest.mark.parametrize("numbers", [(), (1,), (1, 1), (8, 9)])
def test_too_few_people_are_refused(tmp_path, state, numbers):
    assert not rearm(people(tmp_path), *numbers).ok
    assert held_at_start(tmp_path, state, now=NOW)[0].level is GuardLevel.STOPPED


def test_the_author_of_the_causing_change_signs_nothing(tmp_path, state):
    refused = rearm(people(tmp_path), 1, 2, author_of_change="BOB")
    assert "BOB made the causing change and may not sign" in refused.faults
    assert rearm(people(tmp_path), 1, 3, author_of_change="BOB").ok


def test_a_pack_that_was_used_is_refused_the_second_time(tmp_path, state):
    one = people(tmp_path)
    held = one.sign(
        SignedPack(one.rearm_pack(scope="desk", incident="I", snapshot=one.snapshot.snapshot, reason="fixed")),
        key(1), key(2),
    )  # fmt: skip
    assert one.rearm(held).ok
    guard_memory(state).write(sentinel.encode((STOP,)))
    assert any("used already" in fault for fault in people(tmp_path).rearm(held).faults)


def test_a_kill_after_the_signatures_stands(tmp_path, state):
    assert rearm(people(tmp_path), 1, 2).ok
    later = msgspec.structs.replace(STOP, since=NOW + COOL_OFF + 1)
    guard_memory(state).write(sentinel.encode((later,)))
    assert not rearm(people(tmp_path, 901), 1, 2).ok


def test_a_stop_with_a_value_is_measured_by_a_running_desk_only(tmp_path, state):
    loss = HeldReason("risk", "daily_loss_stop", GuardLevel.STOPPED, "desk", NOW)
    guard_memory(state).write(sentinel.encode((STOP, loss)))
    assert any("only a running desk can measure" in fault for fault in rearm(people(tmp_path), 1, 2).faults)


def test_a_desk_that_was_never_compared_with_its_venue_is_not_rearmed(tmp_path, state):
    (state / "forensics" / "agreement.txt").unlink()
    assert any("reconciliation must be clean" in fault for fault in rearm(people(tmp_path), 1, 2).faults)


class Flag:
    """Remember what was released."""

    def __init__(self):
        self.released = []

    def release(self, owner, code, scope):
        self.released.append((owner, code, scope))


def test_the_halt_flag_is_lowered_for_what_ended(tmp_path, state):
    flag = Flag()
    assert rearm(people(tmp_path, halts=lambda where: flag), 1, 2).ok
    assert flag.released == [("operator", "kill", "desk")]
    assert Halt("operator", "kill", "desk", 1, 1).scope == "desk"


def test_an_own_pause_ends_without_a_second_person_and_nothing_else_does(tmp_path, state):
    pause = HeldReason("operator", "hand", GuardLevel.PAUSED, "strategy:touch", NOW)
    other = HeldReason("risk", "daily_loss", GuardLevel.PAUSED, "strategy:touch", NOW)
    guard_memory(state).write(sentinel.encode((STOP, pause, other)))
    one = people(tmp_path)
    assert one.end_pause("strategy:touch", "ann").ok
    assert {held.code for held in one.held()} == {"kill", "daily_loss"}
    assert "no pause" in one.end_pause("strategy:touch", "ann").faults[0]
    assert "is stopped" in one.end_pause("desk", "ann").faults[0]


def test_what_people_ended_is_not_brought_back_by_the_old_runs_journal_and_a_new_stop_is(tmp_path, state):
    assert rearm(people(tmp_path), 1, 2).ok
    assert held_at_start(tmp_path, state, now=NOW) == ()
    guard_memory(state).write(sentinel.encode((STOP,)))
    play(tmp_path)
    guard_memory(state).write(sentinel.encode(()))
    assert [one.code for one in held_at_start(tmp_path, state, now=NOW)] == ["kill"]


def test_a_desk_nobody_knows_and_a_break_glass_at_rest_are_usage(tmp_path, state):
    with pytest.raises(UsageError, match="none named"):
        DeskPeople(tmp_path, "other", clock=EventClock(NOW))
    one = people(tmp_path)
    with pytest.raises(UsageError, match="not running"):
        one.glass(SignedPack(one.glass_pack(control="risk.x", instrument="X", max_uses=1, ttl=None, reason="r")))


def test_a_repair_is_proposed_by_a_key_that_does_not_count_and_needs_a_running_desk(tmp_path, state):
    one = people(tmp_path)
    held = one.repair_pack(instance="quoter", details={"lots": "1"}, reason="the venue's statement", key=key(3))
    assert (held.pack.act, held.pack.subject, len(held.signatures)) == (Act.LEDGER_REPAIR, "quoter", 1)
    assert one.book.person_of(held.pack.proposer).holder == "carol"
    found = one.book.judge(one.sign(held, key(2)), Act.LEDGER_REPAIR)
    assert "another person" in " ".join(found.faults)
    assert one.book.judge(one.sign(held, key(2), key(1)), Act.LEDGER_REPAIR).holders == ("bob", "ann")
    with pytest.raises(UsageError, match="not running"):
        one.repair(one.sign(held, key(2), key(1)))
    with pytest.raises(UsageError, match="reason"):
        one.repair_pack(instance="quoter", details={}, reason=" ", key=key(3))
