"""People's acts reach the desk once, in order, with an answer; and the sentinel never forgets a stop."""

from decimal import Decimal

import msgspec
import pytest
from trusted import NOW, SECOND, by, pack, public, trusting

from tradeworthy.app.halting.guard_memory import guard_memory
from tradeworthy.app.halting.kill import kill_desk
from tradeworthy.app.people.operator_acts import ANSWERS, CONTROL, DONE, INBOX, Answer, OperatorActs, PersonAct
from tradeworthy.app.venues import halt_flag
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.dsse import key_id_of
from tradeworthy.kernel.facts import event_of
from tradeworthy.trading.control import sentinel
from tradeworthy.trading.control.approvals import Act, ApprovalRefused, ApprovalUsed
from tradeworthy.trading.control.asked import GuardAsked
from tradeworthy.trading.control.break_glass import (
    BreakGlassActivated,
    BreakGlassCarried,
    BreakGlassEnded,
    BreakGlassRequest,
    BreakGlassRevoke,
    BreakGlassUsed,
)
from tradeworthy.trading.control.guard import Guard, HeldReason
from tradeworthy.trading.control.kill import (
    KillRequest,
    PauseRequest,
    Rearmed,
    RearmRefused,
    RearmRequest,
    ResumeRequest,
)
from tradeworthy.trading.control.policy import PeoplePolicy
from tradeworthy.trading.control.repair import LedgerRepair, LedgerRepaired, LedgerRepairRefused, details_of
from tradeworthy.trading.execution.intake import DeadLetter, OutsideWish
from tradeworthy.trading.model import GuardChanged, GuardLevel, GuardReason, Side


class Scene:
    """A guard with its acts, on a clock that the test moves."""

    def __init__(self, state, *held, halts=None, gate=lambda scope: ""):
        self.state, self.clock, self.guard = state, EventClock(NOW), Guard(held)
        self.told = []
        self.acts = OperatorActs(
            state, desk="made", guard=self.guard, clock=self.clock, policy=PeoplePolicy(),
            alert=lambda code, text: self.told.append(code), halts=halts, gate=gate,
        )  # fmt: skip

    def look(self):
        return [fact for _, fact in self.acts.look()]

    def changed(self, change):
        assert isinstance(change, GuardChanged)
        self.heed(change)

    def heed(self, fact):
        now = self.clock.now()
        self.acts.heed(event_of(fact, source="desk", key=len(self.told), ts_event=now, ts_init=now))

    def drop(self, name, data):
        folder = self.state / CONTROL
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.json").write_bytes(data)

    def answer(self, digest):
        return msgspec.json.decode((self.state / CONTROL / ANSWERS / f"{digest[:12]}.json").read_bytes(), type=Answer)

    def remembered(self):
        held = sentinel.decode(guard_memory(self.state).read())
        return {(one.owner, one.code, one.scope) for one in held}


@pytest.fixture
def scene(tmp_path):
    return Scene(trusting(tmp_path / "state"))


def stop(scope="desk", since=5, owner="operator", code="kill"):
    return HeldReason(owner, code, GuardLevel.STOPPED, scope, since, None, "ann: drill")


def write(scene, *held):
    guard_memory(scene.state).write(sentinel.encode(held))


def test_a_stop_is_handed_to_the_desk_once(scene):
    write(scene, stop(), stop("strategy:touch"))
    assert [(type(one), one.scope) for one in scene.look()] == [(KillRequest, "desk"), (KillRequest, "strategy:touch")]
    assert scene.look() == []


def test_a_stop_of_another_owner_keeps_its_owner_and_one_of_nobody_is_the_operators(scene):
    write(scene, stop(owner="watchdog", code="loop_hung"), stop(owner="bus", code="x"), stop(owner="moon", code="x"))
    assert [type(one) for one in scene.look()] == [GuardAsked, KillRequest, KillRequest]


def test_a_kill_that_the_flag_holds_is_the_flags_to_tell_and_ends_no_flatten_of_its_own(tmp_path):
    state = trusting(tmp_path / "state")
    flag = halt_flag(state, EventClock(NOW))
    scene = Scene(state, halts=flag)
    scene.acts.begin()
    kill_desk(state, reason="out", scope="desk", flatten=True, clock=EventClock(NOW + 3))
    assert scene.look() == []
    write(scene, stop(since=NOW + 9))
    assert [type(one) for one in scene.look()] == [KillRequest], "a trip of the sentinel alone is one of its own"
    flag.close()


def test_a_stop_that_the_desk_started_with_is_not_handed_again(tmp_path):
    state = trusting(tmp_path / "state")
    guard_memory(state).write(sentinel.encode((stop(),)))
    assert Scene(state, stop()).look() == []


def test_a_kill_written_while_the_desk_pauses_itself_is_not_lost(scene):
    scene.acts.begin()
    write(scene, stop())
    scene.changed(scene.guard.set(GuardReason("risk", "drill", GuardLevel.PAUSED), 7))
    assert scene.remembered() == {("operator", "kill", "desk"), ("risk", "drill", "desk")}
    assert [one.scope for one in scene.look()] == ["desk"]


def test_a_stop_that_people_took_away_stays_away_and_a_new_one_is_heard(scene):
    write(scene, stop())
    scene.look()
    scene.changed(scene.guard.set(GuardReason("operator", "kill", GuardLevel.STOPPED), 6))
    (changed,) = scene.guard.rearm("desk", "INC-1: ann and bob")
    scene.changed(changed)
    assert scene.remembered() == set()
    assert scene.look() == []
    write(scene, stop(since=NOW + 9))
    assert [type(one) for one in scene.look()] == [KillRequest]


def test_a_kill_on_top_of_a_stop_is_heard_and_survives_the_rearm_of_the_first(scene):
    write(scene, stop())
    scene.look()
    scene.changed(scene.guard.set(GuardReason("operator", "kill", GuardLevel.STOPPED), 6))
    write(scene, stop(since=NOW + 9))
    (changed,) = scene.guard.rearm("desk", "INC-1: ann and bob")
    scene.changed(changed)
    assert scene.remembered() == {("operator", "kill", "desk")}
    assert [type(one) for one in scene.look()] == [KillRequest]


def test_an_unreadable_sentinel_and_one_that_vanished_are_stops(scene):
    guard_memory(scene.state).write(b"torn")
    (asked,) = scene.look()
    assert (asked.owner, asked.code, asked.level) == ("supervision", "guard_memory", GuardLevel.STOPPED)
    assert scene.look() == []


def test_the_sentinel_keeps_the_wall_clock_and_not_a_tapes_time(scene):
    scene.changed(scene.guard.set(GuardReason("risk", "daily_loss_stop", GuardLevel.STOPPED), 7))
    (held,) = sentinel.decode(guard_memory(scene.state).read())
    assert held.since == NOW


def test_wishes_are_brought_once_as_they_are(scene):
    inbox = scene.state / INBOX
    inbox.mkdir()
    (inbox / "w1.json").write_text("{not json")
    assert scene.look() == [OutsideWish("operator", "{not json")]
    assert scene.look() == []


@pytest.mark.parametrize(
    ("act", "fact"),
    [
        (PersonAct("pause", "ann", "strategy:touch", "lunch", 99), PauseRequest("lunch", "ann", "strategy:touch", 99)),
        (PersonAct("resume", "ann"), ResumeRequest("ann")),
        (PersonAct("revoke_break_glass", "ann", glass_id="g1"), BreakGlassRevoke("g1", "ann")),
    ],
)
def test_one_persons_acts_are_brought_once_and_put_away_when_journaled(scene, act, fact):
    scene.drop("a1", msgspec.json.encode(act))
    assert scene.look() == [fact]
    assert (scene.state / CONTROL / "a1.json").exists()
    assert scene.look() == []
    assert not (scene.state / CONTROL / "a1.json").exists()
    assert len(list((scene.state / CONTROL / DONE).iterdir())) == 1


def test_an_act_that_was_not_journaled_is_offered_again_by_the_next_process(scene):
    scene.drop("a1", msgspec.json.encode(PersonAct("resume", "ann")))
    scene.look()
    assert Scene(scene.state).look() == [ResumeRequest("ann")]


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"\xff\xfe", b'{"act":"rearm","author":"ann"}', b'{"act":"pause"}', b'{"pack":1}',
     b"x" * 70_000, by(pack(Act.GOING_LIVE), 1, 2).encoded()],
)  # fmt: skip
def test_a_bad_file_is_a_dead_letter_that_tells_why_and_hurts_nothing_else(scene, data):
    scene.drop("a0", data)
    scene.drop("a1", msgspec.json.encode(PersonAct("resume", "ann")))
    letter, act = scene.look()
    assert isinstance(letter, DeadLetter)
    assert letter.text
    assert act == ResumeRequest("ann")
    assert scene.look() == []
    assert not scene.answer("a0").ok


def test_a_signed_pack_becomes_a_request_with_the_names_of_its_keys(scene):
    scene.guard.set(GuardReason("operator", "kill", GuardLevel.STOPPED), 6)
    scene.changed(scene.guard.set(GuardReason("risk", "x", GuardLevel.STOPPED), 6))
    scene.clock.advance_to(NOW + 1_000 * SECOND)
    held = by(pack(), 1, 2)
    scene.drop("p", held.encoded())
    used, request = scene.look()
    assert isinstance(used, ApprovalUsed)
    assert isinstance(request, RearmRequest)
    assert (request.people, request.pack, request.snapshot) == (("ann", "bob"), held.pack.digest(), "abc")
    assert (request.asked_at, request.stopped_at) == (NOW + 1_000 * SECOND, NOW)
    assert request.reconciliation.startswith("unknown")


def test_a_rearm_that_the_gate_does_not_let_is_refused_and_uses_nothing_up(tmp_path):
    said = ["clear_stopped needs the gate's GO: expired", ""]
    scene = Scene(trusting(tmp_path), gate=lambda scope: said.pop(0))
    held = by(pack(), 1, 2)
    scene.drop("a", held.encoded())
    (refused,) = scene.look()
    assert (type(refused), refused.faults) == (ApprovalRefused, ("clear_stopped needs the gate's GO: expired",))
    assert scene.answer(held.pack.digest()) == Answer(False, refused.faults)
    scene.drop("b", held.encoded())
    assert [type(one) for one in scene.look()] == [ApprovalUsed, RearmRequest]


def test_a_replayed_pack_is_refused_also_by_the_next_process(scene):
    held = by(pack(), 1, 2)
    scene.drop("p", held.encoded())
    scene.look()
    again = Scene(scene.state)
    again.acts.look()
    again.drop("q", held.encoded())
    (refused,) = [one for one in again.look() if isinstance(one, ApprovalRefused)]
    assert "used already" in refused.faults[0]
    assert not again.answer(refused.digest).ok


def test_the_desk_answers_who_asked(scene):
    request = RearmRequest(("ann", "bob"), "abc", "INC-1", "fixed", pack="d" * 64)
    scene.heed(RearmRefused(request, ("cool-off",)))
    assert scene.answer("d" * 64) == Answer(False, ("cool-off",))
    scene.heed(Rearmed(request, ("operator.kill",)))
    assert scene.answer("d" * 64) == Answer(True)
    assert scene.told == ["guard.rearmed"]


def glass_pack():
    details = {"instrument": "BTC.SIM", "max_uses": "2", "ttl_seconds": "900"}
    return pack(Act.BREAK_GLASS, subject="risk.max_order_value", details=details)


def test_a_break_glass_is_asked_remembered_and_carried_to_the_next_process(scene):
    held = by(glass_pack(), 1, 2)
    scene.drop("p", held.encoded())
    _, request = scene.look()
    assert isinstance(request, BreakGlassRequest)
    assert (request.control, request.max_uses, request.people) == ("risk.max_order_value", 2, ("ann", "bob"))
    active = BreakGlassActivated(
        request.glass_id, request.control, "BTC.SIM", 2, NOW, request.people, "hedge", request.pack
    )
    scene.heed(active)
    scene.heed(BreakGlassUsed(request.glass_id, "i1", request.control, "11", "10", 1))
    assert scene.told == ["break_glass.requested", "break_glass.activated", "break_glass.used"]
    (carried,) = [one for one in Scene(scene.state).look() if isinstance(one, BreakGlassCarried)]
    assert carried == BreakGlassCarried(((active, 1),), ())
    ended = BreakGlassEnded(request.glass_id, "expired", 1, NOW, NOW + 1, request.people)
    scene.heed(ended)
    (carried,) = [one for one in Scene(scene.state).look() if isinstance(one, BreakGlassCarried)]
    assert carried == BreakGlassCarried((), (ended,))


def test_one_actor_activates_no_break_glass(scene):
    scene.drop("p", by(glass_pack(), 1).encoded())
    (refused,) = scene.look()
    assert isinstance(refused, ApprovalRefused)
    assert "break_glass needs risk and person" in refused.faults[0]


def repair_pack():
    details = details_of(
        instrument="X", side="sell", lots=3, price=7, trade_id="v-1", fee=Decimal(0), fee_currency="USD"
    )
    return pack(Act.LEDGER_REPAIR, subject="touch", details=details, proposer=key_id_of(public(3)))


@pytest.mark.parametrize(("keys", "booked"), [((3, 2, 1), True), ((3, 2), False), ((2, 1), False), ((3, 1), False)])
def test_a_repair_needs_operations_and_one_more_person_and_is_answered_when_booked(scene, keys, booked):
    held = by(repair_pack(), *keys)
    digest = held.pack.digest()
    scene.drop(digest, held.encoded())
    facts = scene.look()
    if not booked:
        assert [type(one) for one in facts] == [ApprovalRefused]
        assert not scene.answer(digest).ok
        return
    assert [type(one) for one in facts] == [ApprovalUsed, LedgerRepair]
    assert (facts[1].instance, facts[1].side, facts[1].lots, set(facts[1].people)) == (
        "touch", Side.SELL, 3, {"ann", "bob"}
    )  # fmt: skip
    scene.heed(LedgerRepaired(digest, "v-1", 3, 0))
    assert scene.answer(digest).ok
    assert "ledger.repaired" in scene.told
    scene.drop("again", held.encoded())
    assert [type(one) for one in scene.look()] == [ApprovalRefused]


def test_a_repair_that_the_desk_refuses_is_answered_with_its_faults(scene):
    held = by(repair_pack(), 3, 2, 1)
    scene.drop(held.pack.digest(), held.encoded())
    scene.look()
    scene.heed(LedgerRepairRefused(held.pack.digest(), ("trade v-1 is booked already",)))
    assert scene.answer(held.pack.digest()) == Answer(False, ("trade v-1 is booked already",))
