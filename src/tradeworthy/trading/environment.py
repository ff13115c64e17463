"""Carry events between tape, timers, venue, journal and desk. Environments differ in what is passed in here only."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND, Clock
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.facts import Event, Fact, event_of
from tradeworthy.trading.digest import OutcomeDigest
from tradeworthy.trading.lineage import OrderLineage
from tradeworthy.trading.model import Command, ExecReport, MarketEvent, Outcome, Timer
from tradeworthy.trading.model.run import DeskFailed
from tradeworthy.trading.timing import IO_WAIT, STEP, StageTimes

DESK = "desk"
VENUE = "venue"
CLOCK = "clock"
SUPERVISOR = "supervisor"
TELEMETRY = "telemetry"
COMPLETED = "completed"
"""Why a run ended that played its tapes to the end."""
TIMER_BURST_MAX = 120
"""Firings of one timer between two tape rows; a longer silence is skipped, not replayed tick by tick."""
POLL_EVERY = 512
"""Tape rows between two looks at the operator's controls."""
NEVER = 2**63 - 1
"""When a timer is due that was not armed: before the first row no time passes on the tape."""
NAP_NS = NANOS_PER_SECOND // 10
"""Wall time between two looks while a paced run waits for its next row."""


class Row(msgspec.Struct, frozen=True, gc=False):
    """One message of a tape: its source numbers it from 1; stamps in nanoseconds UTC."""

    source: str
    source_seq: int
    ts_event: int
    ts_init: int
    fact: MarketEvent


class JournalPort(Protocol):
    """What the environment needs of a journal."""

    def accept(self, event: Event) -> int: ...
    def commit(self) -> object: ...


class VenuePort(Protocol):
    """A venue on the tape's own time; commands go in, reports come out."""

    def send(self, command: Command, ts: int) -> None: ...
    def next_due(self) -> int | None: ...
    def advance(self, ts: int) -> list[tuple[int, ExecReport]]: ...
    def on_market(self, fact: MarketEvent, ts: int) -> None: ...


class DeskPort(Protocol):
    """The loop itself."""

    def step(self, event: Event) -> Outcome: ...


class Timers:
    """Periodic acts as events (DL-02): `(name, interval)` pairs in nanoseconds, aligned to the epoch."""

    def __init__(self, intervals: Sequence[tuple[str, int]], *, rollover_ns: int = 0) -> None:
        self._heap: list[tuple[int, int]] = []
        self._timers = [*((name, every, 0) for name, every in intervals), ("day_roll", NANOS_PER_DAY, rollover_ns)]
        self.next_due: int = NEVER
        self.skipped = 0

    def start(self, ts: int) -> None:
        """Arm every timer for its first multiple after `ts`."""
        self._heap = []
        for number, (_, every, offset) in enumerate(self._timers):
            heapq.heappush(self._heap, ((ts - offset) // every * every + every + offset, number))
        self.next_due = self._heap[0][0]

    def pop(self, until: int) -> tuple[int, Timer]:
        """Return the due timer; a backlog above the burst cap jumps to the last firings before `until`."""
        due, number = heapq.heappop(self._heap)
        name, every, _ = self._timers[number]
        behind = (until - due) // every
        following = due + every
        if behind >= TIMER_BURST_MAX:
            jump = behind - TIMER_BURST_MAX + 1
            self.skipped += jump
            following += jump * every
        heapq.heappush(self._heap, (following, number))
        self.next_due = self._heap[0][0]
        return due, Timer(name)


class Environment:
    """Play rows through the desk, one event at a time, and keep the journal ahead of every effect.

    durable_commands  True: an outcome is on disk before its commands leave (paper, live). A backtest's venue
                      lives and dies with this process, so acceptance is enough there and batches stay large.
    speed             tape seconds a wall second, 0 = as fast as possible
    times             measures step and durable writes, told as an input each minute; None = nobody measures
    unseen            sources that are second opinions: the desk hears them, the simulated venue does not trade on them
    charges           what the venue charged since it was asked last; asked after each advance of the venue
    give_way_ns       the most that `steps` keeps going without giving way; None = it counts rows alone
    on_refused        takes a row that the journal's door refused, with the reason; without it the run ends there
    """

    def __init__(
        self, desk: DeskPort, journal: JournalPort, venue: VenuePort, timers: Timers, *, durable_commands: bool,
        clock: Clock, speed: float = 0.0, controls: Callable[[], Sequence[tuple[str, Fact]]] = lambda: (),
        progress: Callable[[int, int], None] = lambda rows, ts: None, consumer: Callable[[Event], None] | None = None,
        on_refused: Callable[[Event, str], None] | None = None, unseen: frozenset[str] = frozenset(),
        give_way_ns: int | None = None, times: StageTimes | None = None,
        charges: Callable[[], Sequence[tuple[int, Fact]]] = tuple,
    ) -> None:
        self._desk, self._journal, self._venue, self._timers = desk, journal, venue, timers
        self._durable, self._clock, self._speed = durable_commands, clock, speed
        self._controls, self._progress, self._consumer = controls, progress, consumer
        self._on_refused = on_refused
        self._unseen = unseen
        self._give_way_ns = give_way_ns
        self._times, self._charges = times, charges
        self._fold = desk.step if times is None else times.timed(STEP, desk.step)
        self._numbers: dict[str, int] = {}
        self._lineage = OrderLineage()
        self._facts_out = 0
        self.digest = OutcomeDigest()
        self.inputs = 0
        self.rows = 0
        self.now = 0
        self._stop: str | None = None

    def request_stop(self, reason: str) -> None:
        """End the run after the row in hand; callable from a signal handler."""
        self._stop = reason

    def run(self, rows: Iterable[Row]) -> str:
        """Play all rows; returns why the run ended: `completed` or the reason of `request_stop`."""
        for wait in self.steps(rows):
            if wait:
                self._clock.sleep(wait)
        return self.reason

    @property
    def reason(self) -> str:
        """Why the rows ended: `completed` or the reason of `request_stop`."""
        return self._stop or COMPLETED

    def steps(self, rows: Iterable[Row]) -> Iterator[int]:
        """Play all rows, and give way between two of them: each answer is how long to wait before going on, in ns.

        0 comes once every `POLL_EVERY` rows and whenever `give_way_ns` is over, a wait of `NAP_NS` at most while a
        paced run has no row to play. What is yielded to sees the desk between two events, never within one.
        """
        iterator = iter(rows)
        first = next(iterator, None)
        if first is None:
            return
        self._timers.start(first.ts_init)
        clock, speed, limit = self._clock, self._speed, self._give_way_ns
        started = clock.monotonic()
        turn = None if limit is None else started + limit
        self._row(first)
        for row in iterator:
            if self._stop is not None:
                return
            if speed > 0:
                due = started + int((row.ts_init - first.ts_init) / speed)
                while (ahead := due - clock.monotonic()) > 0:
                    yield min(ahead, NAP_NS)
                    if self._stop is not None:
                        return
                    self._look()
            self._row(row)
            if self.rows % POLL_EVERY == 0 or (turn is not None and clock.monotonic() >= turn):
                yield 0
                turn = None if limit is None else clock.monotonic() + limit

    def settle(self, nanos: int) -> None:
        """Let what is under way at the venue arrive, at most `nanos` after the last row."""
        self._until(self.now + nanos)

    def offer(self, fact: Fact, *, source: str, key: str, ts: int) -> None:
        """Give the desk an event that is on no tape: a person's act, a start, an end."""
        self.now = max(self.now, ts)
        self._deliver(event_of(fact, source=source, key=key, ts_event=ts, ts_init=self.now))

    def _row(self, row: Row) -> None:
        ts = row.ts_init
        if ts < self.now:
            ts = self.now  # the desk's time never goes back; the venue's stamp stays in ts_event
        venue, fact, source, number = self._venue, row.fact, row.source, row.source_seq
        due = venue.next_due()
        if self._timers.next_due < ts or (due is not None and due < ts):
            self._until(ts)
        self.now = ts
        event_id = f"{source}:{number}"
        event = Event(0, event_id, row.ts_event, ts, fact.kind, fact.schema, source, number, event_id, None, fact)
        try:
            accepted = self._journal.accept(event)
        except InvalidInput as problem:
            if self._on_refused is None:
                raise
            self._on_refused(event, str(problem))
            return
        if accepted >= 0:  # a row that came before moves neither venue nor desk
            if source not in self._unseen:
                venue.on_market(fact, ts)
            self._step(event)
        self.rows += 1
        if self.rows % POLL_EVERY == 0:
            self._progress(self.rows, ts)
            self._look()

    def _look(self) -> None:
        """Give the desk what people asked for since the last look."""
        for key, act in self._controls():
            self.offer(act, source="operator", key=key, ts=self.now)

    def _until(self, ts: int) -> None:
        """Deliver what is due before `ts`: venue reports and timers, earliest first, the venue's on a tie."""
        venue, timers = self._venue, self._timers
        while True:
            due = venue.next_due()
            timer = timers.next_due
            if due is not None and due < ts and due <= timer:
                for at, report in venue.advance(due):
                    self._report(report, at)
                for at, charge in self._charges():
                    self._numbered(charge, VENUE, at)
            elif timer < ts:
                at, fired = timers.pop(ts)
                self._numbered(fired, CLOCK, at)
                self._tell_times()
            else:
                return

    def _report(self, report: ExecReport, ts: int) -> None:
        self._numbered(report, VENUE, ts, *self._lineage.of_report(report, max(self.now, ts)))

    def _numbered(
        self, fact: Fact, source: str, ts: int, cause: str | None = None, correlation: str | None = None
    ) -> None:
        number = self._numbers.get(source, 0) + 1
        self._numbers[source] = number
        self.now = max(self.now, ts)
        event_id = f"{source}:{number}"
        self._deliver(
            Event(
                0, event_id, ts, self.now, fact.kind, fact.schema, source, number, correlation or event_id, cause, fact
            )
        )

    def _deliver(self, event: Event) -> None:
        if self._journal.accept(event) >= 0:
            self._step(event)

    def _step(self, event: Event) -> None:
        self.inputs += 1
        consumer = self._consumer
        if consumer is not None:
            consumer(event)
        try:
            outcome = self._fold(event)
        except Exception as problem:  # the outermost loop of the desk: it stops, and the supervisor learns of it
            if type(event.payload) is not DeskFailed:
                self.offer(failure_of(problem), source=SUPERVISOR, key=f"failed:{event.event_id}", ts=self.now)
            raise
        facts = outcome.facts
        if not facts:
            return
        self.digest.add(event.event_id, facts)
        accept = self._journal.accept
        number, now, correlation, cause = self._facts_out, self.now, event.correlation_id, event.event_id
        for fact in facts:
            number += 1
            out = Event(0, f"desk:{number}", now, now, fact.kind, fact.schema, DESK, number, correlation, cause, fact)
            accept(out)
            if consumer is not None:
                consumer(out)
        first, self._facts_out = self._facts_out + 1, number
        if outcome.commands:
            for number, fact in enumerate(facts, first):
                if isinstance(fact, Command):
                    self._lineage.on_command(fact, f"desk:{number}", correlation, now)
            if self._durable:
                self._make_durable()
            send = self._venue.send
            for command in outcome.commands:
                send(command, now)

    def _make_durable(self) -> None:
        times = self._times
        if times is None:
            self._journal.commit()
            return
        began = times.clock.monotonic()
        self._journal.commit()
        times.add(IO_WAIT, times.clock.monotonic() - began)

    def _tell_times(self) -> None:
        """Give the journal the stages' durations of the period that is over; the desk does not fold them."""
        told = None if self._times is None else self._times.due()
        if told is not None:
            self._numbered(told, TELEMETRY, self.now)


def failure_of(problem: Exception) -> DeskFailed:
    """Return the fact that the desk failed, as the journal keeps it and a replay derives it."""
    return DeskFailed("desk", f"{type(problem).__name__}: {problem}")


def merged(tapes: Sequence[Iterator[Row]]) -> Iterator[Row]:
    """Merge tapes by arrival at the desk; on a tie the earlier tape of the configuration goes first."""
    if len(tapes) == 1:
        return tapes[0]
    return heapq.merge(*tapes, key=_arrival)


def _arrival(row: Row) -> int:
    return row.ts_init
