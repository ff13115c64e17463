"""A run between its first event and its last: the journal, the desk's environment, and what is written beside them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import TracebackType

import msgspec

from tradeworthy.app.bootstrap import build_timers, quality_policy
from tradeworthy.app.config import Document, window_of
from tradeworthy.app.configuration.bundles import drift_of
from tradeworthy.app.halting.guard_memory import RunSnapshot
from tradeworthy.app.market_data import tapes
from tradeworthy.app.runs import last_run
from tradeworthy.app.runs.controls import RunControls, view_at
from tradeworthy.app.runs.folder import BLOTTER, RowFiles, states_of, write_reports
from tradeworthy.app.runs.journal_keeper import JournalKeeper
from tradeworthy.app.runs.measured_run import Step, Stepped, TimedJournal
from tradeworthy.app.venues import close_venue, halt_flag, open_venue, signed_by_a_person
from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND, Clock, EventClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.kernel.host import HostMemory, rss_bytes
from tradeworthy.kernel.journal import Journal, JournalConflict
from tradeworthy.kernel.journal.files import raise_token
from tradeworthy.kernel.journal.snapshot import SnapshotPolicy, Snapshots
from tradeworthy.research.backtest.blotter import Blotter
from tradeworthy.research.backtest.records import FILLS_MAX, LIVE_FILLS_MAX, RunRecords
from tradeworthy.trading.control.drift import ConfigDrift
from tradeworthy.trading.control.guard import HeldReason
from tradeworthy.trading.desk import Desk, InstanceLine
from tradeworthy.trading.environment import COMPLETED, Environment, Row, merged
from tradeworthy.trading.missed_funding import with_missed
from tradeworthy.trading.model import Instrument, RunEnded, RunStarted
from tradeworthy.trading.model.run import RunStopping, TapeManifest
from tradeworthy.trading.strategies.catalogue import Entry
from tradeworthy.trading.timing import StageTimes
from tradeworthy.trading.venue_edge import HeldVenue

TRADING = "trading"
"""Where a desk's state keeps the token of its trading sessions: an older desk can no longer trade."""
SETTLE_NS = 5 * NANOS_PER_SECOND
"""How long after the last row answers of the venue may still arrive."""


class RunResult(msgspec.Struct, frozen=True):
    """What people are shown at the end of a run; money in `currency`."""

    folder: Path
    digest: str
    reason: str
    inputs: int
    outcomes: int
    lines: list[InstanceLine]
    currency: str
    equity: Decimal | None
    guard: str
    caveats: tuple[str, ...]
    events_a_second: float | None


@dataclass(frozen=True)
class Ready:
    """What stands before a run begins.

    held   the guard's reasons from before;  times  None where nobody measures stages (backtest)
    state  folder of what outlives the run;  go_on_at  rows before it were played by an attempt that failed, in ns
    give_way_ns  the most that the desk keeps the thread it runs on; None = it gives way by rows alone
    """

    document: Document
    run_id: str
    code: str
    manifests: tuple[TapeManifest, ...]
    instruments: dict[str, Instrument]
    desk: Desk
    times: StageTimes | None
    held: tuple[HeldReason, ...]
    clock: Clock
    root: Path
    state: Path
    folder: Path
    catalogue: Mapping[str, Entry]
    cadence: SnapshotPolicy | None
    go_on_at: int = 0
    give_way_ns: int | None = None

    @property
    def backtest(self) -> bool:
        """A backtest leaves the same bytes each time: nothing of the wall clock, of people or of the machine."""
        return self.document.desk.environment == "backtest"


@dataclass(frozen=True)
class Company:
    """Who is told and who is asked while a run goes on.

    progress  sees the desk every few hundred rows;  observe  each event with its place in the journal
    stepped   returns the desk's step with what watches it;  appended  takes the seconds of each durable write
    alert     hears of what people should know at once: a code and a sentence
    log_lines, metrics, clock_offset  what the snapshot of a stop holds beside the desk, None where nobody keeps it
    """

    progress: Callable[[Desk, int, int], None] = lambda desk, rows, ts: None
    observe: Callable[[Event, int], None] = lambda event, seq: None
    alert: Callable[[str, str], None] = lambda code, text: None
    stepped: Callable[[Step], Step] = lambda step: step
    appended: Callable[[float], object] | None = None
    log_lines: Callable[[], Sequence[bytes]] | None = None
    metrics: Callable[[], str] | None = None
    clock_offset: Callable[[], float | None] | None = None


class OpenRun:
    """Play one run step by step; `with` closes its journal whatever happened.

    Raises `UsageError` where the tapes hold no row.
    """

    def __init__(self, ready: Ready, keeper: JournalKeeper, company: Company) -> None:
        self.ready, self._keeper, self._company = ready, keeper, company
        self.desk = ready.desk
        self.reason: str | None = None
        self._stack = ExitStack()
        self._snapshots: Snapshots | None = None
        self._memory_due = self._drift_due = 0
        self._drifted = {(drift.instance, drift.reason): drift for drift in drift_of(ready.document)}
        journal_clock: Clock = EventClock() if ready.backtest else ready.clock
        with ExitStack() as stack:
            self.journal = Journal.open(
                keeper.directory, clock=journal_clock, quarantine=keeper.quarantine, policy=keeper.policy(),
                signer=keeper.signer(),
            )  # fmt: skip
            stack.callback(self.journal.close)
            out = stack.enter_context((ready.folder / BLOTTER).open("w", newline=""))
            sink = stack.enter_context(RowFiles(ready.folder))
            self._records = RunRecords(
                ready.instruments, ready.document.desk.capital, states=states_of(self.desk), sink=sink,
                fills_max=FILLS_MAX if ready.backtest else LIVE_FILLS_MAX,
            )  # fmt: skip
            self._blotter = Blotter(out, ready.instruments)
            self._began = ready.clock.monotonic()
            if not ready.backtest:
                self._snapshots = Snapshots(keeper.directory, ready.clock, policy=ready.cadence)
            self.venue = self._open_venue(stack)
            self.environment = self._environment()
            self.controls = self._open_controls(stack)
            with self._latching():
                self._rows = self._first_events()
            self._stack = stack.pop_all()

    def __enter__(self) -> "OpenRun":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def steps(self) -> Iterator[int]:
        """Play the tapes; each answer is the wait before the next, in ns (`Environment.steps`)."""
        with self._latching():
            yield from self.environment.steps(self._rows)

    def offer(self, fact: Fact, *, source: str, key: str) -> None:
        """Give the desk what is on no tape, now; between two steps only."""
        self.environment.offer(fact, source=source, key=key, ts=self.environment.now)

    def wind_down(self, reason: str, *, give_up: bool | None = None) -> None:
        """Tell the desk that the run ends, once, and let the venue's answers arrive.

        give_up  whether what is being worked is taken off; None: only where the tapes did not end by themselves
        """
        if self.reason is None:
            self.reason = reason
            if reason != COMPLETED if give_up is None else give_up:
                self.offer(RunStopping(reason), source="run", key="stopping")
        self.environment.settle(SETTLE_NS)

    def end(self, reason: str | None = None) -> None:
        """Wind down and journal the last event."""
        environment = self.environment
        self.wind_down(reason or environment.reason)
        self._hear()
        digest = environment.digest
        last = RunEnded(self.reason or COMPLETED, digest.hexdigest(), environment.inputs, digest.outcomes)
        self.offer(last, source="run", key="ended")
        self._records.finish()

    def close(self) -> None:
        """Seal the journal and close the files; a second time does nothing."""
        self._stack.close()

    def result(self) -> RunResult:
        """Write the folder's reports and return what came out; the run is closed."""
        ready, records, environment = self.ready, self._records, self.environment
        elapsed = (ready.clock.monotonic() - self._began) / NANOS_PER_SECOND
        self._keeper.finish()
        summary = write_reports(
            ready.folder, ready.document, records, run_id=ready.run_id, code=ready.code, manifests=ready.manifests
        )
        total = environment.inputs + environment.digest.outcomes
        equity = records.capital + records.brought + records.pnl
        return RunResult(
            ready.folder, environment.digest.hexdigest(), self.reason or COMPLETED, environment.inputs,
            environment.digest.outcomes, self.desk.lines(), self.desk.currency, equity,
            self.desk.guard.level.name.lower(), summary.caveats, total / elapsed if elapsed > 0 else None,
        )  # fmt: skip

    @contextmanager
    def _latching(self) -> Iterator[None]:
        """Stop the desk for good where its journal holds other bytes than it is given (JR-03)."""
        try:
            yield
        except JournalConflict as problem:
            if self.controls is not None:
                self.controls.stop_for_good("conflict", str(problem))
            raise

    def _open_venue(self, stack: ExitStack) -> HeldVenue:
        """Open the venue; but for a backtest the halt flag stands before it, and an older desk is fenced out."""
        ready = self.ready
        if ready.backtest:
            return open_venue(ready.document, clock=ready.clock)
        flag = halt_flag(ready.state, ready.clock)
        stack.callback(flag.close)
        (ready.state / TRADING).mkdir(parents=True, exist_ok=True)
        venue = open_venue(
            ready.document, clock=ready.clock, flag=flag, signed=signed_by_a_person(self.desk),
            token=raise_token(ready.state / TRADING) if ready.document.venue.connection else 0,
        )  # fmt: skip
        stack.callback(close_venue, venue)
        return venue

    def _open_controls(self, stack: ExitStack) -> RunControls | None:
        ready, company = self.ready, self._company
        if ready.backtest:
            return None
        view = view_at(ready.document, self.venue, ready.clock, lambda: self.environment.now)
        controls = RunControls(
            ready.document, self.desk, self.journal, halt_flag(ready.state, ready.clock), state=ready.state,
            run=ready.folder.name, clock=ready.clock, view=view, alert=company.alert, log_lines=company.log_lines,
            metrics=company.metrics, clock_offset=company.clock_offset,
        )  # fmt: skip
        stack.callback(controls.close)
        return controls

    def _environment(self) -> Environment:
        ready, document = self.ready, self.ready.document
        return Environment(
            Stepped(self._company.stepped(self.desk.step)),
            TimedJournal(self.journal, ready.clock, self._company.appended),
            self.venue, build_timers(document, self.desk), durable_commands=not ready.backtest,
            clock=ready.clock, speed=0.0 if ready.backtest else document.desk.speed, controls=self._look,
            progress=self._tell, consumer=self._consume, on_refused=self._keeper.refuse_event,
            unseen=frozenset(one.backup for one in quality_policy(document).pairs), give_way_ns=ready.give_way_ns,
            times=ready.times, charges=self.venue.drain_charges,
        )  # fmt: skip

    def _first_events(self) -> Iterator[Row]:
        """Open the tapes, offer what the desk must know before the first row, and return the rows."""
        ready, document, environment = self.ready, self.ready.document, self.environment
        keeper, data = self._keeper, quality_policy(document)

        def refusing(source: str) -> tapes.OnBad:
            return lambda raw, reason: keeper.refuse(raw, reason, source=source, ts=environment.now)

        streams = [
            tapes.rows(one, ready.instruments[one.instrument], refusing(f"tape.{one.name}")) for one in document.tapes
        ]
        start, end = window_of(document)
        rows = within(merged(streams), max(start, ready.go_on_at), end)
        if data.funding_grace_ns:
            rows = with_missed(rows, ready.instruments.values(), data.funding_grace_ns)
        first = next(rows, None)
        if first is None:
            raise UsageError("the tapes hold no row")
        environment.offer(self._started(), source="run", key="started", ts=first.ts_init)
        if not ready.backtest:
            self._go_on(first.ts_init)
            self.journal.commit()
            last_run.remember(ready.state, ready.folder)
            if self.controls is not None:
                self.controls.begin()
        keeper.begin(lambda fact, source, key: self.offer(fact, source=source, key=key))
        self._hear()
        return _chain(first, rows)

    def _started(self) -> RunStarted:
        ready = self.ready
        return RunStarted(
            ready.run_id, ready.document.desk.environment, ready.document.canonical(), ready.document.hash(),
            ready.code, ready.manifests, msgspec.json.encode(ready.held).decode(),
        )  # fmt: skip

    def _go_on(self, ts: int) -> None:
        """Give the desk what the last run of its name left, where this one goes on after it (AC-01)."""
        memory = last_run.memory(self.ready.state, self.ready.root, ts, self.ready.catalogue)
        if memory is not None:
            if not self.ready.document.venue.connection:  # a venue in the process ended with it, and its orders too
                memory = msgspec.structs.replace(memory, orders=())
            self.venue.restore((one.instance, one.instrument, one.lots, one.average) for one in memory.positions)
            self.environment.offer(memory, source="run", key="restored", ts=ts)

    def _consume(self, event: Event) -> None:
        self._records.on_event(event)
        self._blotter.on_event(event)
        self._company.observe(event, self.journal.last_seq)
        if self.controls is not None:
            self.controls.heed(event)

    def _look(self) -> Sequence[tuple[str, Fact]]:
        """Return what people did since the last look; the journal's own sign of life goes with it."""
        if self.controls is None:
            return ()
        self._keeper.look()
        return self.controls.look()

    def _hear(self) -> None:
        """Give the desk what people did, where no row is due: before the first one and after the last."""
        for key, act in self._look():
            self.offer(act, source="operator", key=key)

    def _tell(self, rows: int, ts: int) -> None:
        if not self.ready.backtest:
            self._sample_memory(ts)
            if ts >= self._drift_due:
                self._drift_due = ts - ts % NANOS_PER_DAY + NANOS_PER_DAY
                self.check_drift()
            self._snapshot(ts)
        self._company.progress(self.desk, rows, ts)

    def _sample_memory(self, ts: int) -> None:
        """Journal the process's memory each `memory_hours` of the desk's time."""
        period = int(self.ready.document.desk.memory_hours * 3600 * NANOS_PER_SECOND)
        if period == 0 or ts < self._memory_due:
            return
        self._memory_due = ts - ts % period + period
        rss = rss_bytes()
        if rss is not None:
            self.environment.offer(HostMemory(rss), source="host", key=f"memory:{ts}", ts=ts)

    def _snapshot(self, ts: int) -> None:
        """Keep what the desk knows beside its journal, at the cadence of JR-16."""
        journal = self.journal
        if self._snapshots is None or not self._snapshots.due(journal.last_seq):
            return
        journal.commit()
        desk, run, seq = self.desk, self.ready.folder.name, journal.last_seq
        self._snapshots.offer(seq, journal.head, lambda: msgspec.json.encode(
            RunSnapshot(desk.memory.told(run, seq, ts), desk.guard.reasons())
        ))  # fmt: skip

    def check_drift(self) -> tuple[ConfigDrift, ...]:
        """Compare the instances with the approved bundles; what changed since the last look is told. Returns all."""
        ts = self.environment.now
        found = {(drift.instance, drift.reason): drift for drift in drift_of(self.ready.document)}
        for drift in changed_drift(self._drifted, found):
            key = f"{drift.instance}:{drift.reason}:{ts}"
            self.environment.offer(drift, source="config", key=key, ts=ts)
        self._drifted = found
        return tuple(found.values())


Drifts = dict[tuple[str, str], ConfigDrift]


def changed_drift(before: Drifts, now: Drifts) -> list[ConfigDrift]:
    """Return what is new, then what is over as inactive."""
    news = [drift for key, drift in now.items() if key not in before]
    return news + [
        msgspec.structs.replace(drift, active=False) for key, drift in before.items() if key not in now
    ]


def within(rows: Iterator[Row], start: int, end: int) -> Iterator[Row]:
    """Yield the rows that arrive in `start <= ts_init < end`."""
    for row in rows:
        if row.ts_init >= end:
            return
        if row.ts_init >= start:
            yield row


def _chain(first: Row, rest: Iterator[Row]) -> Iterator[Row]:
    yield first
    yield from rest
