"""What a watchdog does when its ports fail, when it is fenced, and when it was itself asleep (WD-02, WD-04, WD-06)."""

import os

import pytest
from supervision_bench import START

from tradeworthy.adapters.sentinel_trip import SentinelTrip
from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.errors import ExitCode, InvalidInput
from tradeworthy.kernel.journal.files import raise_token
from tradeworthy.kernel.redaction import Secret
from tradeworthy.kernel.supervision import process
from tradeworthy.kernel.supervision.beat import (
    Answer,
    Beat,
    Channel,
    Farewell,
    WatchdogJob,
    WatchdogPolicy,
    decode,
    pair,
)
from tradeworthy.kernel.supervision.incident import IncidentCause, Outcome, read_incidents
from tradeworthy.kernel.supervision.watchdog import ACTS_KEPT, Watchdog
from tradeworthy.trading.control import sentinel
from tradeworthy.trading.control.guard import Guard
from tradeworthy.trading.model import GuardLevel


class Venue:
    """Orders that go as told: one answer of `views` a look, the last one for ever."""

    def __init__(self, *views):
        self.views = list(views)
        self.tokens = []

    def cancel_all(self, token):
        self.tokens.append(token)

    def open_orders(self):
        view = self.views.pop(0) if len(self.views) > 1 else self.views[0]
        if isinstance(view, Exception):
            raise view
        return view


class Ports:
    """Note trips and pages, or raise."""

    def __init__(self, trip_error=None):
        self.trip_error, self.trips, self.pages = trip_error, [], []

    def trip(self, code, evidence, now):
        if self.trip_error is not None:
            raise self.trip_error
        self.trips.append((code, evidence))

    def page(self, incident):
        self.pages.append(incident)


class Scene:
    """A watchdog of this process on a fake clock, and the desk's end of its channel."""

    def __init__(self, folder, venue, ports=None, **policy):
        self.clock, self.venue, self.ports = EventClock(START), venue, ports or Ports()
        self.folder = folder
        ours, theirs = pair()
        self.desk, self.channel = Channel(ours), Channel(theirs)
        self.job = WatchdogJob(
            run_id="r", pid=os.getpid(), start_ticks=process.start_ticks_of(os.getpid()), token=raise_token(folder),
            channel=-1, folder=str(folder), policy=WatchdogPolicy(**{"kill_after_s": None, **policy}),
        )  # fmt: skip
        self.watchdog = Watchdog(
            self.job, self.clock, channel=self.channel, trip=self.ports, cancel=venue, page=self.ports
        )

    def beat(self, sequence=1, run="r", pid=None):
        self.desk.send(Beat(run, pid or os.getpid(), sequence, self.clock.monotonic(), 0, "h", "running"))

    def after(self, seconds, looks=10):
        for _ in range(looks):
            self.clock.sleep(round(seconds / looks * NANOS_PER_SECOND))
            ended = self.watchdog.look()
            if ended is not None:
                return ended
        return None

    def incidents(self):
        return read_incidents(self.folder)

    def acts(self):
        return [(act.name, act.outcome) for act in self.incidents()[-1].acts]


@pytest.fixture
def scene(tmp_path, monkeypatch):
    monkeypatch.setattr("tradeworthy.kernel.supervision.watchdog.ask_for_stacks", lambda *_: b"Thread 1: here")
    made = []

    def build(*views, **given):
        made.append(Scene(tmp_path, Venue(*views), **given))
        return made[-1]

    yield build
    for one in made:
        one.desk.close()
        one.channel.close()


@pytest.mark.parametrize(("silence", "incidents"), [(1.499, 0), (1.5, 1)])
def test_silence_is_a_hang_when_it_reaches_its_limit(scene, silence, incidents):
    one = scene(0)
    one.beat()
    one.watchdog.look()
    one.after(silence)
    assert len(one.incidents()) == incidents


def test_beats_are_answered_with_the_token_and_keep_the_peace(scene):
    one = scene(0)
    for n in range(1, 40):
        one.beat(n)
        assert one.after(0.25, looks=1) is None
        assert one.desk.receive() == [Answer(one.job.token, n)]
    assert one.incidents() == ()


@pytest.mark.parametrize(("run", "pid"), [("other", None), ("r", 1)])
def test_beats_of_another_run_or_process_count_for_nothing(scene, run, pid):
    one = scene(0)
    for n in range(8):
        one.beat(n, run, pid)
        one.after(0.25, looks=1)
    assert one.watchdog.ignored == 6 + 2
    assert len(one.incidents()) == 1


def test_a_message_of_another_form_is_ignored(scene):
    with pytest.raises(InvalidInput, match="message"):
        decode(b"{}")
    one = scene(0)
    one.desk._end.send(b"nonsense")
    assert one.after(0.1, looks=1) is None
    assert one.watchdog.ignored == 1


def test_a_farewell_ends_the_watch_in_peace(scene):
    one = scene(0)
    one.desk.send(Farewell("r", os.getpid()))
    assert one.after(10) is ExitCode.PASS
    assert one.incidents() == ()


def test_a_watchdog_that_was_itself_asleep_does_not_blame_the_desk(scene):
    one = scene(0)
    one.beat()
    one.after(0.25, looks=1)
    assert one.after(60, looks=1) is None
    assert one.incidents() == ()
    one.after(1.5)
    assert len(one.incidents()) == 1


def test_every_act_is_tried_though_the_one_before_failed(scene):
    one = scene(0, ports=Ports(trip_error=OSError("disk full")))
    one.after(1.5)
    assert one.acts() == [
        ("trip", Outcome.FAILED), ("stacks", Outcome.DONE), ("cancel", Outcome.VERIFIED), ("page", Outcome.DONE),
    ]  # fmt: skip
    assert "disk full" in one.incidents()[0].acts[0].detail
    assert [page.cause for page in one.ports.pages] == [IncidentCause.LOOP_HUNG]


@pytest.mark.parametrize(
    ("views", "outcome"),
    [
        ((3, 1, 0), Outcome.VERIFIED),
        ((3, 1), Outcome.PARTIAL),
        ((None,), Outcome.UNVERIFIED),
        ((ConnectionError("away"),), Outcome.UNVERIFIED),
        ((ConnectionError("away"), 2, 0), Outcome.VERIFIED),
    ],
)
def test_orders_are_gone_when_the_venue_shows_none_and_never_by_dispatch(scene, views, outcome):
    one = scene(*views)
    one.after(1.5)
    act = next(act for act in one.incidents()[0].acts if act.name == "cancel")
    assert act.outcome is outcome
    assert act.after_ns <= 5.2 * NANOS_PER_SECOND


def test_a_partial_cancel_is_repeated_and_paged_again_until_verified(scene):
    one = scene(*[2] * 60, 0)
    one.after(1.5)
    assert one.acts()[-2:] == [("cancel", Outcome.PARTIAL), ("page", Outcome.DONE)]
    one.after(29, looks=29)
    assert len(one.ports.pages) == 1
    one.after(2, looks=2)
    assert len(one.ports.pages) == 2
    assert one.acts()[-2:] == [("cancel", Outcome.VERIFIED), ("page", Outcome.DONE)]
    one.after(60, looks=60)
    assert len(one.ports.pages) == 2


def test_an_old_watchdog_can_do_nothing(scene):
    old = scene(3)
    new = scene(0)
    assert new.job.token == old.job.token + 1
    assert old.after(10) is ExitCode.FAIL
    assert (old.ports.trips, old.venue.tokens, old.ports.pages, old.incidents()) == ([], [], [], ())


def test_a_watchdog_fenced_in_the_middle_of_an_incident_cancels_no_more(scene):
    one = scene(3)
    one.ports.trip = lambda *_: raise_token(one.folder)
    one.after(1.5)
    assert one.venue.tokens == []
    assert one.acts()[2:] == [("cancel", Outcome.FENCED), ("page", Outcome.FENCED)]


def test_a_process_with_another_start_is_not_the_one(scene, monkeypatch):
    one = scene(0)
    monkeypatch.setattr(process, "start_ticks_of", lambda pid: 7)
    one.beat()
    assert one.after(0.1, looks=1) is ExitCode.FAIL
    assert one.incidents()[0].cause is IncidentCause.PROCESS_GONE


@pytest.mark.parametrize(("silence", "kills"), [(9.9, 0), (10.0, 1)])
def test_the_process_is_killed_when_its_silence_reaches_the_limit(scene, monkeypatch, silence, kills):
    killed = []
    monkeypatch.setattr(os, "kill", lambda *given: killed.append(given))
    one = scene(0, kill_after_s=10.0)
    one.after(silence, looks=20)
    assert len(killed) == kills


def test_evidence_holds_no_secret(scene, monkeypatch):
    secret = Secret("s3cr3t-key")
    stacks = f"Thread 1: {secret.reveal()}".encode()
    monkeypatch.setattr("tradeworthy.kernel.supervision.watchdog.ask_for_stacks", lambda *_: stacks)
    one = scene(ConnectionError(f"login {secret.reveal()}"), ports=Ports(trip_error=OSError(secret.reveal())))
    one.after(1.5)
    assert len(list(one.folder.glob("*.stacks.txt"))) == 1
    assert all(b"s3cr3t" not in path.read_bytes() for path in one.folder.iterdir())


@pytest.mark.parametrize("given", [{"beat_interval_s": 0}, {"beat_interval_s": 1.5}, {"kill_after_s": 1.5}])
def test_limits_that_contradict_each_other_are_refused(given):
    with pytest.raises(ValueError, match=next(iter(given))):
        WatchdogPolicy(**given)


class Memory:
    """A sentinel in memory."""

    def __init__(self, record):
        self.record = record

    def read(self):
        return self.record

    def write(self, record):
        self.record = record


@pytest.mark.parametrize("record", [None, b"torn"])
def test_a_trip_stops_the_desk_whatever_the_sentinel_held_and_is_written_once(record):
    memory = Memory(record)
    SentinelTrip(memory).trip("loop_hung", "why", 7)
    first = memory.record
    SentinelTrip(memory).trip("loop_hung", "later", 8)
    assert memory.record == first
    guard = Guard(sentinel.decode(memory.record))
    assert guard.level is GuardLevel.STOPPED
    assert [(one.owner, one.since, one.evidence) for one in guard.reasons()][-1] == ("watchdog", 7, "why")
    assert len(guard.reasons()) == (1 if record is None else 2)


def test_a_venue_that_stays_away_is_asked_on_and_on_and_the_account_stays_small(scene):
    one = scene(2)
    one.after(1.5)
    for _ in range(40):
        one.after(31, looks=31)
    assert len(one.ports.pages) >= 35
    acts = one.acts()
    assert len(acts) <= ACTS_KEPT + 1
    assert acts[0][0] == "trip"
    assert [name for name, _ in acts].index("stacks") < 3
    assert acts[-1][0] in ("cancel", "page", "record")
    one.venue.views = [0]
    one.after(31, looks=31)
    assert one.incidents()[-1].orders_gone
