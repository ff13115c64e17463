"""A watchdog sees the stops of others through: once each, again until verified, also with the desk dead (KS-02)."""

import threading

import pytest
from test_watchdog_acts import Ports, Scene, Venue

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import ExitCode
from tradeworthy.kernel.supervision.beat import Answer
from tradeworthy.kernel.supervision.incident import IncidentCause, Outcome
from tradeworthy.kernel.supervision.watchdog import Watchdog


class Stop:
    """Ask until a verified cancel was recorded, as the halt flag's reader does."""

    def __init__(self):
        self.text, self.recorded, self.error = None, [], None

    def asked(self):
        return self.text

    def record(self, incident):
        self.recorded.append(incident)
        if self.error is not None:
            raise self.error
        if incident.orders_gone:
            self.text = None


class StopScene(Scene):
    """A watchdog that listens to the stops of others."""

    def __init__(self, folder, venue, **given):
        super().__init__(folder, venue, **given)
        self.stop = Stop()
        self.watchdog = Watchdog(
            self.job, self.clock, channel=self.channel, trip=self.ports, cancel=venue, page=self.ports, stop=self.stop,
            record=self.stop,
        )  # fmt: skip

    def beating(self, seconds):
        """Let time pass while the desk beats four times a second."""
        for number in range(int(seconds * 4)):
            self.beat(number)
            ended = self.after(0.25, looks=1)
            if ended is not None:
                return ended
        return None


@pytest.fixture
def scene(tmp_path, monkeypatch):
    monkeypatch.setattr("tradeworthy.kernel.supervision.watchdog.ask_for_stacks", lambda *_: b"Thread 1: here")
    made = []

    def build(*views, **given):
        made.append(StopScene(tmp_path, Venue(*views), **given))
        return made[-1]

    yield build
    for one in made:
        one.desk.close()
        one.channel.close()


def test_a_stop_is_seen_through_and_paged_once_while_the_desk_lives(scene):
    one = scene(0)
    one.stop.text = "operator.kill"
    one.beating(3)
    (incident,) = one.incidents()
    assert incident.cause is IncidentCause.TRIPPED
    assert one.acts() == [("cancel", Outcome.VERIFIED), ("record", Outcome.DONE), ("page", Outcome.DONE)]
    assert (len(one.ports.pages), len(one.stop.recorded), one.ports.trips) == (1, 1, [])
    one.stop.text = "operator.kill again"
    one.beating(1)
    assert [found.number for found in one.incidents()] == [1, 2]


def test_nobody_who_stops_makes_no_incident(scene):
    one = scene(3)
    one.beating(5)
    assert one.incidents() == ()


def test_a_stop_that_is_not_verified_is_tried_and_paged_again_each_thirty_seconds(scene):
    one = scene(*[2] * 52, 0)
    one.stop.text = "kill"
    one.beating(20)
    assert one.acts() == [("cancel", Outcome.PARTIAL), ("record", Outcome.DONE), ("page", Outcome.DONE)]
    one.beating(31)
    assert one.acts()[3:] == [("cancel", Outcome.VERIFIED), ("record", Outcome.DONE), ("page", Outcome.DONE)]
    assert len(one.ports.pages) == 2


def test_another_stop_meanwhile_is_answered_at_once(scene):
    one = scene(*[2] * 52, 0)
    one.stop.text = "strategy:a"
    one.beating(1)
    one.stop.text = "strategy:a strategy:b"
    one.beating(1)
    assert [outcome for name, outcome in one.acts() if name == "cancel"] == [Outcome.PARTIAL, Outcome.VERIFIED]


@pytest.mark.parametrize("views", [(0,), (*[2] * 200,)])
def test_a_desk_that_hangs_after_a_stop_is_an_incident_of_its_own(scene, views):
    one = scene(*views)
    one.stop.text = "kill"
    one.beating(1)
    one.after(2)
    assert [found.cause for found in one.incidents()] == [IncidentCause.TRIPPED, IncidentCause.LOOP_HUNG]
    assert [code for code, _ in one.ports.trips] == ["loop_hung"]
    assert one.acts()[:2] == [("trip", Outcome.DONE), ("stacks", Outcome.DONE)]


def test_a_stop_while_the_desk_hangs_is_cancelled_and_recorded_in_the_open_incident(scene):
    one = scene(0)
    one.after(2)
    one.stop.text = "kill"
    one.after(0.1)
    (incident,) = one.incidents()
    assert incident.cause is IncidentCause.LOOP_HUNG
    assert [act.name for act in incident.acts] == [
        "trip", "stacks", "cancel", "record", "page", "cancel", "record", "page",
    ]  # fmt: skip


def test_a_stop_with_the_desk_gone_is_seen_through_before_the_watchdog_ends(scene, monkeypatch):
    monkeypatch.setattr("tradeworthy.kernel.supervision.watchdog.same_process", lambda *_: False)
    one = scene(0)
    one.stop.text = "kill"
    assert one.after(0.1) is ExitCode.FAIL
    assert one.incidents()[0].cause is IncidentCause.PROCESS_GONE
    assert (len(one.stop.recorded), one.stop.text) == (1, None)


def test_a_record_that_fails_keeps_nobody_from_being_paged(scene):
    one = scene(0)
    one.stop.text, one.stop.error = "kill", OSError("no disk")
    one.beating(1)
    assert one.acts() == [("cancel", Outcome.VERIFIED), ("record", Outcome.FAILED), ("page", Outcome.DONE)]


def test_a_cancel_that_is_refused_is_looked_at_all_the_same(scene):
    class Refusing(Venue):
        def cancel_all(self, token):
            raise PermissionError("no")

    one = scene(0)
    one.watchdog._cancel = Refusing(2)
    one.stop.text = "kill"
    one.beating(1)
    cancel = next(act for act in one.incidents()[0].acts if act.name == "cancel")
    assert (cancel.outcome, cancel.detail) == (Outcome.PARTIAL, "2 open orders left; PermissionError: no")
    one.watchdog._cancel = Refusing(0)
    one.beating(31)
    assert one.incidents()[0].orders_gone, "the venue shows none: that is what counts"


def test_the_cancels_do_not_wait_for_a_process_that_writes_no_stacks(scene, monkeypatch):
    free, one = threading.Event(), scene(0)

    def slow(*_):
        assert free.wait(30)
        return b"Thread 1: here"

    class Freeing(Venue):
        def cancel_all(self, token):
            free.set()

    monkeypatch.setattr("tradeworthy.kernel.supervision.watchdog.ask_for_stacks", slow)
    one.watchdog._cancel = Freeing(0)
    one.after(2)
    (incident,) = one.incidents()
    assert [(act.name, act.outcome) for act in incident.acts[:3]] == [
        ("trip", Outcome.DONE), ("stacks", Outcome.DONE), ("cancel", Outcome.VERIFIED),
    ]  # fmt: skip
    assert incident.stacks_sha256


@pytest.mark.parametrize("problem", [TimeoutError("no answer"), PermissionError("not now")])
def test_an_empty_view_is_not_enough_while_the_cancel_was_not_taken(scene, problem):
    class Later(Venue):
        tried = 0

        def cancel_all(self, token):
            self.tried += 1
            if self.tried < 4:
                raise problem

    one = scene(0)
    one.watchdog._cancel = venue = Later(0)
    one.stop.text = "kill"
    one.beating(1)
    cancel = next(act for act in one.incidents()[0].acts if act.name == "cancel")
    assert (venue.tried, cancel.outcome, cancel.detail) == (4, Outcome.VERIFIED, "no open orders")


def test_beats_are_answered_while_a_port_is_waited_for(scene):
    one, free = scene(0), threading.Event()

    class Slow(Ports):
        def page(self, incident):
            one.beat(7)
            free.wait(0.5)

    one.watchdog._page = Slow()
    one.stop.text = "kill"
    one.after(0.1, looks=1)
    assert Answer(one.job.token, 7) in one.desk.receive()
    assert one.watchdog.last.sequence == 7


def test_what_the_page_asks_for_is_the_last_beat_and_the_silence(scene):
    one = scene(0)
    assert one.watchdog.last is None
    one.beat(3)
    one.watchdog.look()
    one.clock.sleep(NANOS_PER_SECOND)
    assert (one.watchdog.last.sequence, one.watchdog.silent_ns) == (3, NANOS_PER_SECOND)
