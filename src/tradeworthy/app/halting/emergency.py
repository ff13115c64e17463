"""The watchdog's hands: trip by flag and sentinel, cancel and look by a line of its own, certify what was seen."""

import threading
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.adapters.halt_flag import UNREADABLE
from tradeworthy.adapters.sentinel_trip import OWNER, SentinelTrip
from tradeworthy.adapters.venue_line import EmergencyLine
from tradeworthy.adapters.venue_line.line import NoAnswer
from tradeworthy.app.halting import flatness
from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.supervision.beat import WatchdogJob
from tradeworthy.kernel.supervision.incident import Incident
from tradeworthy.kernel.supervision.process import same_process
from tradeworthy.trading.control import sentinel
from tradeworthy.trading.control.certificate import (
    ACKNOWLEDGED,
    DESK,
    DISPATCHED,
    FLAT,
    WATCHDOG,
    Flatness,
    Seen,
    certify,
    left_open,
)
from tradeworthy.trading.control.dead_man import DeadMan
from tradeworthy.trading.control.guard import HeldReason
from tradeworthy.trading.control.halt import Halt, HaltPort
from tradeworthy.trading.control.sentinel import SentinelPort
from tradeworthy.trading.control.venue_view import VenueView
from tradeworthy.trading.model import GuardLevel

LATCH_WAIT_S = 0.03
MIRROR_AFTER_NS = NANOS_PER_SECOND
"""Whoever trips writes the sentinel itself, right after the flag; only then is it missing."""


class FlagTrip:
    """Trip the flag, which every edge reads, then the sentinel, which every start reads (the watchdog's `TripPort`).

    The cancels do not wait for a slow disk: a sentinel that takes longer than `LATCH_WAIT_S` is written beside them,
    and before the certificate in any case (`Stops.latch`).
    """

    def __init__(self, flag: HaltPort, memory: SentinelPort, clock: Clock) -> None:
        self._flag, self._sentinel, self._clock = flag, SentinelTrip(memory), clock

    def trip(self, code: str, evidence: str, now: int) -> None:
        """Stop the whole desk in the watchdog's name; the sentinel is tried whatever became of the flag."""
        try:
            self._flag.trip(Halt(OWNER, code, "desk", now, self._clock.monotonic(), evidence))
        except BaseException:
            self._sentinel.trip(code, evidence, now)
            raise
        problems: list[OSError] = []

        def latch() -> None:
            try:
                self._sentinel.trip(code, evidence, now)
            except OSError as problem:
                problems.append(problem)

        latching = threading.Thread(target=latch, daemon=True)
        latching.start()
        latching.join(LATCH_WAIT_S)
        if problems:
            raise problems[0]


class Stops:
    """The trips in the flag that no verified certificate answers yet (the watchdog's `StopPort`).

    A trip that the sentinel does not hold, because whoever tripped died in between, is put there beside the cancels,
    and looked for once more after a second: whoever wrote it at the same moment may have taken it away.

    dead_man  trips when the file `presence` was not touched in time
    """

    def __init__(
        self, flag: HaltPort, memory: SentinelPort, clock: Clock, answered: set[str], *,
        dead_man: DeadMan | None = None, presence: Path | None = None,
    ) -> None:  # fmt: skip
        self._flag, self._memory, self._clock, self._answered = flag, memory, clock, answered
        self._dead_man, self._presence = dead_man, presence
        self._touched = self._touch()
        self._mirrored: set[str] = set()
        self._latched: set[str] = set()
        self._latching = threading.Lock()

    def asked(self) -> str | None:
        """Return the names of the open trips, None without one; the flag's one byte is read first."""
        self._look_for_people()
        if not self._flag.halted():
            if self._answered:
                self._answered.difference_update([name for name in self._answered if UNREADABLE in name])
            return None
        now, halts = self._clock.now(), self._flag.halts()
        for one in halts:
            if one.name not in self._mirrored and now - one.at >= MIRROR_AFTER_NS and self._held(one):
                self._mirrored.add(one.name)
        return " ".join(one.name for one in halts if one.name not in self._answered) or None

    def _look_for_people(self) -> None:
        if self._dead_man is None:
            return
        touched, now = self._touch(), self._clock.monotonic()
        if touched != self._touched:
            self._touched = touched
            self._dead_man.renew(now)
        elif self._dead_man.due(now):
            self._flag.trip(Halt(OWNER, "dead_man", "desk", self._clock.now(), now, "no person showed in time"))

    def _touch(self) -> int:
        """Return when the presence file was touched last, 0 where it is not there."""
        try:
            return 0 if self._presence is None else self._presence.stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def open(self) -> tuple[Halt, ...]:
        """Return the open trips."""
        return tuple(one for one in self._flag.halts() if one.name not in self._answered)

    def answered(self, halts: tuple[Halt, ...]) -> None:
        """Note trips whose orders were seen to be gone."""
        self._answered.update(one.name for one in halts)

    def latch(self, halts: tuple[Halt, ...]) -> None:
        """Put trips into the sentinel that it does not hold, so that no start misses what a certificate answers."""
        with self._latching:
            for one in halts:
                if one.name not in self._latched and self._held(one):
                    self._latched.add(one.name)

    def _held(self, halt: Halt) -> bool:
        """Tell whether the sentinel holds a trip, put there where it did not; no where it cannot be written."""
        try:
            held = sentinel.restore((), self._memory.read(), first_run=True, now=halt.at)
            if not any((one.owner, one.code, one.scope) == (halt.owner, halt.code, halt.scope) for one in held):
                stop = HeldReason(
                    halt.owner, halt.code, GuardLevel.STOPPED, halt.scope, halt.at, None, halt.evidence
                )
                self._memory.write(sentinel.encode((*held, stop)))
        except OSError:
            return False
        return True


class VenueActs:
    """Cancel, look and certify (the watchdog's `CancelPort` and `RecordPort`); one call at a time.

    line  the cancel-only session; None where the venue lives in the desk's own process: then nobody but the desk
          can cancel, what it tells of its venue is all there is to see, and its orders end with it
    told  the file in which such a desk tells it, see `HaltNews`
    """

    def __init__(
        self, job: WatchdogJob, desk: str, *, line: EmergencyLine | None, stops: Stops, folder: Path,
        key: Ed25519PrivateKey, clock: Clock, told: Path,
    ) -> None:  # fmt: skip
        self._told = told
        self._job, self._desk, self._line, self._stops, self._clock = job, desk, line, stops, clock
        self._folder, self._key = folder, key
        self._lock = threading.Lock()
        self._written = 0
        self._begun = False
        self._halts: tuple[Halt, ...] = ()
        self._at = self._since = 0
        self._after: dict[str, int] = {}
        self._view: VenueView | None = None
        self._problem = ""

    def cancel_all(self, token: int) -> None:
        """Take the orders of every open trip off, all of them where there is none; raises when the venue does not."""
        with self._lock:
            self._begin()
            if self._line is None:
                if self._process_lives():
                    raise ConnectionError("the venue lives in the desk's own process: only the desk can cancel there")
                return
            asked = self._clock.monotonic() - self._since
            try:
                self._line.take_off(tuple(dict.fromkeys(one.scope for one in self._halts)) or ("desk",), token=token)
            except Exception as problem:  # noted for the certificate whatever it is, then the watchdog's to answer
                if isinstance(problem, (NoAnswer, PermissionError)):
                    self._after.setdefault(DISPATCHED, asked)
                self._problem = f"{type(problem).__name__}: {problem}"
                raise
            self._after.setdefault(DISPATCHED, asked)
            self._after.setdefault(ACKNOWLEDGED, self._clock.monotonic() - self._since)
            self._problem = ""

    def open_orders(self) -> int | None:
        """Return how many orders are left, each disagreement of book and drop copy counted as one more."""
        with self._lock:
            if self._line is None and not self._process_lives():
                return 0
            try:
                view = self._desk_told() if self._line is None else self._line.view()
            except Exception as problem:  # noted for the certificate whatever it is, then the watchdog's to answer
                self._problem = f"{type(problem).__name__}: {problem}"
                raise
            if view is None:
                return None
            self._view = view
            left = len(left_open(view.open_orders, self._halts)) + len(view.disagreements())
            if left:
                self._after.pop(FLAT, None)
            else:
                self._after.setdefault(FLAT, self._clock.monotonic() - self._since)
                self._problem = ""
            return left

    def record(self, incident: Incident) -> None:
        """Write a signed certificate of the last look; a verified one answers the trips that it names."""
        with self._lock:
            self._begin()
            self._stops.latch(self._halts)
            seen = Seen(
                halts=self._halts, tripped_at=self._at, view=self._view, after=dict(self._after),
                problem=self._problem, seen_by=WATCHDOG if self._line is not None else DESK,
            )
            certificate = certify(
                seen, desk=self._desk, run_id=self._job.run_id, token=self._job.token, cause=incident.cause.value,
                made_at=self._clock.now(),
            )  # fmt: skip
            self._written += 1
            flatness.keep(self._folder, certificate, self._written, self._key)
            gone_with_the_desk = self._line is None and not self._process_lives()
            if certificate.outcome is Flatness.VERIFIED or gone_with_the_desk:
                self._stops.answered(self._halts)
                self._rest()

    def _begin(self) -> None:
        """Take up the open trips; what was measured counts from the first of them."""
        self._halts = self._stops.open()
        if self._begun:
            return
        self._begun = True
        first = min(self._halts, key=_moment, default=None)
        known = first is not None and first.monotonic > 0
        self._at = first.at if known and first is not None else self._clock.now()
        self._since = first.monotonic if known and first is not None else self._clock.monotonic()
        threading.Thread(target=self._stops.latch, args=(self._halts,), daemon=True).start()  # beside the cancels

    def _desk_told(self) -> VenueView | None:
        """Return what the desk told of the venue in its process since the trip."""
        try:
            view = msgspec.json.decode(self._told.read_bytes(), type=VenueView)
        except FileNotFoundError:
            return None
        return view if view.at >= self._at else None

    def _rest(self) -> None:
        self._begun = False
        self._halts, self._after, self._view, self._problem = (), {}, None, ""

    def _process_lives(self) -> bool:
        return same_process(self._job.pid, self._job.start_ticks)


def _moment(halt: Halt) -> int:
    return halt.at
