"""The watchdog's hands: flag before sentinel, trips of others, and what can be seen where (KS-02, KS-06)."""

import os
import threading

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.adapters.halt_flag import HaltFlag
from tradeworthy.adapters.paging import Pages
from tradeworthy.adapters.sentinel_file import SentinelFile
from tradeworthy.app.halting.emergency import FlagTrip, Stops, VenueActs
from tradeworthy.app.halting.flatness import read_all
from tradeworthy.app.halting.kill import certificates_of, kill_desk
from tradeworthy.app.halting.watchdog_process import prepare, run_watchdog, watchdog_lives
from tradeworthy.app.venues import halt_flag
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.errors import ConfigurationRefused, UsageError
from tradeworthy.kernel.supervision.beat import WatchdogJob, WatchdogPolicy
from tradeworthy.kernel.supervision.incident import Act, Incident, IncidentCause, Outcome
from tradeworthy.kernel.supervision.process import start_ticks_of
from tradeworthy.trading.control import sentinel
from tradeworthy.trading.control.certificate import ACKNOWLEDGED, DISPATCHED, FLAT, NO_NEW_ORDER, Flatness
from tradeworthy.trading.control.dead_man import DeadMan
from tradeworthy.trading.control.halt import Halt
from tradeworthy.trading.control.venue_view import OpenOrder, VenueView

SECOND = 1_000_000_000
START = 50 * SECOND
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


class Line:
    """A cancel-only session in memory: orders go at a take-off, unless it refuses."""

    def __init__(self, clock, *names):
        self.clock, self.names, self.refusals, self.asked = clock, list(names), 0, []

    def take_off(self, scopes, *, token):
        self.asked.append((scopes, token))
        self.clock.sleep(SECOND // 10)
        if self.refusals:
            self.refusals -= 1
            raise PermissionError("the venue refuses")
        taken, self.names = tuple(self.names), []
        return taken

    def view(self):
        self.clock.sleep(SECOND // 10)
        orders = tuple(OpenOrder(name, "i", "X.SIM", 1, 1) for name in self.names)
        return VenueView(
            self.clock.now(), 1, orders, {}, "last", self.clock.now() - 10 * SECOND, copied=True,
            copy_open=tuple(self.names),
        )  # fmt: skip


class Scene:
    """A watchdog's hands over one folder; this test's process is the desk."""

    def __init__(self, folder, *names, line=True, pid=None):
        self.folder, self.clock = folder, EventClock(START)
        self.flag, self.memory = HaltFlag(folder / "halt.flag", self.clock), SentinelFile(folder / "guard.bin")
        self.answered = set()
        self.stops = Stops(self.flag, self.memory, self.clock, self.answered)
        pid = pid or os.getpid()
        job = WatchdogJob(
            run_id="r", pid=pid, start_ticks=start_ticks_of(os.getpid()), token=3, channel=-1, folder=str(folder),
            policy=WatchdogPolicy(),
        )  # fmt: skip
        self.line = Line(self.clock, *names) if line else None
        self.told = folder / "told.json"
        self.acts = VenueActs(
            job, "small", line=self.line, stops=self.stops, folder=folder / "c", key=KEY, clock=self.clock,
            told=self.told,
        )  # fmt: skip

    def trip(self, scope="desk", code="kill"):
        halt = Halt("operator", code, scope, self.clock.now(), self.clock.monotonic(), "drill")
        self.flag.trip(halt)
        return halt

    def record(self):
        self.acts.record(incident())
        return read_all(self.folder / "c", KEY.public_key().public_bytes_raw())[-1][1].certificate

    def held(self):
        held = sentinel.restore((), self.memory.read(), first_run=True, now=0)
        return {f"{one.owner}.{one.code}.{one.scope}" for one in held}


def incident():
    return Incident("r", 1, 3, 1, IncidentCause.TRIPPED, 0, START, 1, 0, "h", "running", (Act("x", Outcome.DONE, 1),))


@pytest.fixture
def scene(tmp_path):
    made = []

    def build(*names, **odd):
        made.append(Scene(tmp_path, *names, **odd))
        return made[-1]

    yield build
    for one in made:
        one.flag.close()


def test_the_flag_is_tripped_before_the_sentinel_and_one_that_fails_keeps_the_other(scene):
    one = scene()

    class Broken:
        def trip(self, halt):
            assert one.memory.read() is None, "the flag comes first"
            raise OSError("no disk")

    with pytest.raises(OSError, match="no disk"):
        FlagTrip(Broken(), one.memory, one.clock).trip("loop_hung", "why", START)
    assert one.held() == {"watchdog.loop_hung.desk"}
    FlagTrip(one.flag, one.memory, one.clock).trip("loop_hung", "why", START)
    assert [(halt.owner, halt.code) for halt in one.flag.halts()] == [("watchdog", "loop_hung")]


def test_a_trip_is_asked_until_it_is_seen_through(scene):
    one = scene("a", "b")
    assert one.stops.asked() is None
    halt = one.trip()
    assert one.stops.asked() == halt.name
    one.acts.cancel_all(3)
    assert one.acts.open_orders() == 0
    made = one.record()
    assert (made.outcome, made.seen_by, made.halts) == (Flatness.VERIFIED, "watchdog", (halt,))
    assert one.stops.asked() is None
    later = one.trip("strategy:x")
    assert one.stops.asked() == later.name


def test_the_steps_count_from_the_trip(scene):
    one = scene("a")
    one.trip()
    one.clock.sleep(SECOND // 20)
    one.acts.cancel_all(3)
    one.acts.open_orders()
    assert {step.name: step.after_ns for step in one.record().steps} == {
        NO_NEW_ORDER: 0, DISPATCHED: SECOND // 20, ACKNOWLEDGED: SECOND * 3 // 20, FLAT: SECOND // 4,
    }  # fmt: skip


@pytest.mark.parametrize(("scopes", "asked"), [((), ("desk",)), (("strategy:a",), ("strategy:a",)),
                                                (("strategy:a", "desk"), ("strategy:a", "desk"))])  # fmt: skip
def test_the_scopes_of_the_trips_are_taken_off_and_everything_where_nobody_tripped(scene, scopes, asked):
    one = scene()
    for scope in scopes:
        one.trip(scope)
    one.acts.cancel_all(3)
    assert one.line.asked == [(asked, 3)]


def test_a_refusal_is_partial_and_the_trip_stays_open(scene):
    one = scene("a")
    one.trip()
    one.line.refusals = 1
    with pytest.raises(PermissionError):
        one.acts.cancel_all(3)
    assert one.acts.open_orders() == 1
    made = one.record()
    assert (made.outcome, made.problem) == (Flatness.PARTIAL, "PermissionError: the venue refuses")
    assert one.stops.asked() is not None
    one.acts.cancel_all(3)
    assert one.acts.open_orders() == 0
    assert one.record().outcome is Flatness.VERIFIED


def test_what_a_certificate_answers_stands_in_the_sentinel_before_it(scene):
    one = scene("a")
    one.trip()
    one.acts.cancel_all(3)
    one.acts.open_orders()
    one.record()
    assert one.held() == {"operator.kill.desk"}


def test_a_trip_whose_sentinel_is_missing_after_a_second_is_put_there(scene):
    one = scene()
    one.trip("strategy:a")
    one.clock.sleep(SECOND - 1)
    one.stops.asked()
    assert one.held() == set()
    one.clock.sleep(1)
    one.stops.asked()
    assert one.held() == {"operator.kill.strategy:a"}


def test_a_venue_in_the_desks_process_is_seen_as_the_desk_tells_it_since_the_trip(scene):
    one = scene(line=False)
    one.told.write_bytes(msgspec.json.encode(VenueView(START - 1, 1, (), {})))
    one.trip()
    with pytest.raises(ConnectionError, match="only the desk can cancel"):
        one.acts.cancel_all(3)
    assert one.acts.open_orders() is None
    assert one.record().outcome is Flatness.UNVERIFIED
    one.told.write_bytes(msgspec.json.encode(VenueView(START + 1, 1, (), {})))
    assert one.acts.open_orders() == 0
    made = one.record()
    assert (made.outcome, made.seen_by) == (Flatness.VERIFIED, "desk")
    assert next(step for step in made.steps if step.name == NO_NEW_ORDER).after_ns is None


def test_orders_of_a_venue_that_ended_with_its_desk_are_gone(scene):
    one = scene(line=False, pid=2**22 - 1)
    one.trip()
    one.acts.cancel_all(3)
    assert one.acts.open_orders() == 0
    one.record()
    assert one.stops.asked() is None


def timed(one, limit_s=60.0):
    presence = one.folder / "presence"
    dead_man = DeadMan(limit_s, one.clock.monotonic())
    return Stops(one.flag, one.memory, one.clock, set(), dead_man=dead_man, presence=presence), presence


def test_a_desk_that_nobody_shows_up_at_is_stopped_when_the_limit_is_reached(scene):
    one = scene()
    stops, presence = timed(one)
    one.clock.sleep(60 * SECOND - 1)
    assert stops.asked() is None
    presence.touch()
    assert stops.asked() is None
    one.clock.sleep(60 * SECOND - 1)
    assert stops.asked() is None
    one.clock.sleep(1)
    assert stops.asked().startswith("watchdog.dead_man.desk.")
    one.flag.release("watchdog", "dead_man", "desk")
    one.clock.sleep(60 * SECOND)
    assert stops.asked() is None, "one silence trips once"
    os.utime(presence, ns=(1, 1))
    assert stops.asked() is None
    one.clock.sleep(60 * SECOND)
    assert stops.asked() is not None


@pytest.mark.parametrize("limit_s", [59.9, 0.0, -1.0, float("nan")])
def test_a_dead_man_timer_below_a_minute_is_refused(limit_s):
    with pytest.raises(ConfigurationRefused, match="60 s or more"):
        DeadMan(limit_s, 0)


# people and pages


def test_a_kill_stands_in_flag_and_sentinel_and_needs_nothing_else(tmp_path):
    clock = EventClock(START)
    halt = kill_desk(tmp_path / "s", reason="drill", scope="strateyg:x", flatten=True, clock=clock)
    assert (halt.scope, halt.flatten, halt.evidence) == ("desk", True, "drill")
    flag = halt_flag(tmp_path / "s", clock)
    assert flag.halts() == (halt,)
    flag.close()
    clock.sleep(5)
    again = kill_desk(tmp_path / "s", reason="again", scope="desk", flatten=False, clock=clock)
    assert (again.at, again.flatten) == (halt.at + 5, False), "it ends the flatten, so it is a new trip"
    clock.sleep(5)
    assert kill_desk(tmp_path / "s", reason="more", scope="desk", flatten=False, clock=clock) == again
    assert certificates_of(tmp_path / "s", halt) == []
    assert not watchdog_lives(tmp_path / "s")


def test_many_may_write_the_sentinel_at_one_moment(tmp_path):
    file, problems = SentinelFile(tmp_path / "guard.bin"), []

    def write(number):
        try:
            for _ in range(20):
                file.write(b"%d" % number * 1_000)
        except OSError as problem:
            problems.append(problem)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert problems == []
    assert len(file.read()) == 1_000
    assert [path.name for path in tmp_path.iterdir()] == ["guard.bin"]


def test_pages_go_each_way_and_a_way_that_fails_is_told(tmp_path):
    file, got = tmp_path / "p" / "pages.jsonl", tmp_path / "got"
    Pages(file, ("sh", "-c", f"cat > {got}")).page(incident())
    assert msgspec.json.decode(file.read_bytes(), type=Incident) == incident()
    assert msgspec.json.decode(got.read_bytes(), type=Incident) == incident()
    with pytest.raises(OSError, match="CalledProcessError"):
        Pages(file, ("false",)).page(incident())
    assert len(file.read_bytes().splitlines()) == 2
    with pytest.raises(OSError, match="nobody can be paged"):
        Pages().page(incident())


def test_a_watchdog_needs_a_job_and_ports_that_can_be_read(tmp_path):
    prepared = prepare(
        tmp_path, desk="d", environment="paper", sentinel=tmp_path / "g", flag=tmp_path / "h", http=""
    )
    assert prepared.command[-1] == "tradeworthy.app.halting.watchdog_process"
    assert (prepared.folder / "watchdog.key").stat().st_mode & 0o077 == 0
    with pytest.raises(UsageError, match=r"a watchdog's job and ports\.json"):
        run_watchdog(prepared.folder / "absent.json", EventClock())
    (prepared.folder / "ports.json").write_text("{}")
    with pytest.raises(UsageError, match=r"a watchdog's job and ports\.json"):
        run_watchdog(prepared.folder / "absent.json", EventClock())
