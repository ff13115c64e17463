"""From beside the desk to its guard: in order, once, never lost, and a stop that no start can miss (SUP-05)."""

import pytest

from tradeworthy.app.halting.guard_memory import guard_memory, held_at_start
from tradeworthy.app.runtime.guard_door import GuardDoor
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.supervision import Criticality, Response
from tradeworthy.kernel.supervision.transitions import Escalated
from tradeworthy.trading.control.asked import GuardAsked
from tradeworthy.trading.model import GuardLevel

PAUSED, STOPPED = GuardLevel.PAUSED, GuardLevel.STOPPED


class Run:
    def __init__(self):
        self.heard, self.keys = [], []

    def offer(self, fact, *, source, key):
        self.heard.append((source, fact.code, fact.active))
        self.keys.append(key)


class Scene:
    def __init__(self, folder):
        self.state = folder / "state" / "small"
        self.state.mkdir(parents=True)
        self.root, self.stops = folder, []
        self.door = GuardDoor(EventClock(5), guard_memory(self.state), run_id="life", on_stop=self.stops.append)

    def ask(self, code, level=PAUSED, active=True, owner="clock"):
        self.door.ask(GuardAsked(owner, code, level, active=active))

    def at_the_next_start(self):
        return {f"{one.owner}.{one.code}" for one in held_at_start(self.root, self.state, now=9)}


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path)


def test_the_same_wish_twice_is_one_and_only_what_holds_is_taken_back(scene):
    run = Run()
    scene.door.connect(run)
    scene.ask("stepped")
    scene.ask("stepped")
    scene.ask("another", active=False)
    scene.ask("stepped", active=False)
    scene.ask("stepped", active=False)
    assert run.heard == [("clock", "stepped", True), ("clock", "stepped", False)]
    assert len(set(run.keys)) == 2
    assert scene.door.held == ()


def test_what_is_asked_while_no_desk_listens_waits_in_order(scene):
    scene.ask("a")
    scene.ask("b")
    scene.ask("a", active=False)
    run = Run()
    scene.door.connect(run)
    assert [code for _, code, _ in run.heard] == ["a", "b", "a"]
    assert [one.code for one in scene.door.held] == ["b"]


def test_a_second_desk_hears_what_still_holds_and_nothing_that_is_over(scene):
    first, second = Run(), Run()
    scene.door.connect(first)
    scene.ask("a")
    scene.ask("b")
    scene.ask("a", active=False)
    scene.door.disconnect()
    scene.ask("c")
    scene.door.connect(second)
    assert second.heard == [("clock", "b", True), ("clock", "c", True)]
    assert len(first.heard) == 3


def test_a_worse_wish_of_the_same_reason_is_heard_and_a_lesser_one_is_not(scene):
    run = Run()
    scene.door.connect(run)
    scene.ask("x")
    scene.ask("x", STOPPED)
    scene.ask("x")
    assert len(run.heard) == 2
    assert [one.level for one in scene.door.held] == [STOPPED]


def test_a_stop_that_no_desk_hears_is_in_the_memory_of_the_next_start_and_raises_the_flag(scene):
    scene.ask("trading_loop", STOPPED, owner="supervision")
    assert [one.code for one in scene.stops] == ["trading_loop"]
    assert "supervision.trading_loop" in scene.at_the_next_start()


@pytest.mark.parametrize(("response", "level"), [(Response.STOP, STOPPED), (Response.PAUSE, PAUSED)])
def test_an_escalation_asks_for_what_its_criticality_calls_for(scene, response, level):
    scene.door.escalate(Escalated("feed", "feed", Criticality.IMPORTANT, response, "used up", 5), None)
    (held,) = scene.door.held
    assert (held.owner, held.code, held.level, held.evidence) == ("supervision", "feed", level, "used up")


def test_an_escalation_that_only_warns_asks_for_nothing(scene):
    scene.door.escalate(Escalated("drift", "drift", Criticality.OPTIONAL, Response.WARN, "used up", 5), None)
    assert scene.door.held == ()
    assert scene.stops == []


def test_each_owner_pauses_and_releases_by_its_own_name_alone(scene):
    run = Run()
    scene.door.connect(run)
    clock, bus = scene.door.hold_of("clock"), scene.door.hold_of("bus")
    clock.hold("x", "late")
    bus.release("x")
    assert run.heard == [("clock", "x", True)]
    clock.release("x")
    assert run.heard[-1] == ("clock", "x", False)
