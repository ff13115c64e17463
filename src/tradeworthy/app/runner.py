"""One run from document to run folder: journal, rows, reports, blotter; and the replay of such a folder."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import msgspec

from tradeworthy.app import identity, last_run, tapes
from tradeworthy.app.bootstrap import build_desk, build_timers, build_venue, instruments_of, policy_of, quality_policy
from tradeworthy.app.bundles import drift_of, held_of
from tradeworthy.app.change_control import require_approved
from tradeworthy.app.config import Document, window_of
from tradeworthy.app.guard_memory import guard_memory
from tradeworthy.app.journal_keeper import JournalKeeper
from tradeworthy.app.run_folder import (
    BLOTTER,
    ID_LENGTH,
    RowFiles,
    document_of,
    started_of,
    states_of,
    write_reports,
)
from tradeworthy.app.run_folder import journal_of as journal_of
from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND, Clock, EventClock, SystemClock
from tradeworthy.kernel.errors import ConfigurationRefused, UsageError
from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.kernel.host import HostMemory, rss_bytes
from tradeworthy.kernel.journal import Journal, JournalConflict, read
from tradeworthy.kernel.journal.snapshot import SnapshotPolicy, Snapshots
from tradeworthy.research.backtest.blotter import Blotter
from tradeworthy.research.backtest.records import RunRecords
from tradeworthy.trading.control import sentinel
from tradeworthy.trading.control.guard import HeldReason
from tradeworthy.trading.control.kill import KillRequest
from tradeworthy.trading.desk import Desk, InstanceLine
from tradeworthy.trading.environment import COMPLETED, Environment, Row, merged
from tradeworthy.trading.execution.intake import OutsideWish
from tradeworthy.trading.missed_funding import with_missed
from tradeworthy.trading.model import GuardChanged, GuardLevel, RunEnded, RunStarted
from tradeworthy.trading.model.run import RunStopping
from tradeworthy.trading.replay import ReplayResult
from tradeworthy.trading.replay import replay as replay_events
from tradeworthy.trading.simulation.venue import SimulatedVenue
from tradeworthy.trading.strategies.catalogue import CATALOGUE, Entry
from tradeworthy.trading.timing import StageTimes, TimingPolicy

CHANGES = "changes"
"""Where a desk's state keeps the journal of its configuration changes."""
INBOX = "inbox"
"""Where a desk's state takes wishes, one JSON file each; written aside and renamed, so that none is read half."""
CHECKED_ANEW = ("config", "catalogue")
"""Owners whose reasons a start finds for itself, so that none is carried over."""
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


class RunSession:
    """A document made ready to run; `play` runs it once."""

    def __init__(
        self, document: Document, *, root: Path, clock: Clock | None = None,
        catalogue: Mapping[str, Entry] = CATALOGUE, cadence: SnapshotPolicy | None = None,
    ) -> None:
        require_approved(document, state_of(root, document.desk.name) / CHANGES)
        if document.desk.environment == "live":
            raise ConfigurationRefused("live needs a venue adapter and a gate verdict; neither exists: no start")
        self._document, self._catalogue = document, catalogue
        self._backtest = document.desk.environment == "backtest"
        self._clock: Clock = clock or SystemClock()
        self._root = root
        self._instruments = instruments_of(document)
        self._manifests = tuple(one for section in document.tapes for one in tapes.manifests(section))
        self._code = identity.code_hash()
        self.run_id = identity.run_id(document, self._code, self._manifests)
        self.rows_total = tapes.rows_total(document)
        self.capital = document.desk.capital
        self.title = f"{document.desk.name} ({document.desk.environment})"
        self._sentinel = guard_memory(state_of(root, document.desk.name))
        self._heard: set[tuple[str, ...]] = set()
        self._wished: set[str] = set()
        self._held: tuple[HeldReason, ...] = ()
        if not self._backtest:
            recorded = tuple(one for one in self._recorded() if one.owner not in CHECKED_ANEW)
            self._held = (*recorded, *(held_of(drift) for drift in drift_of(document)))
        timing = policy_of(TimingPolicy, "timing", document.timing)
        self._times = None if self._backtest else StageTimes(self._clock, timing)
        self._desk = (
            build_desk(document, self._held, catalogue=catalogue) if self._times is None
            else build_desk(document, self._held, catalogue=catalogue, measured=self._times.timed)
        )  # fmt: skip
        self._environment: Environment | None = None
        self._stop: str | None = None
        self._keeper: JournalKeeper | None = None
        self._snapshots: Snapshots | None = None
        self._cadence = cadence
        self._memory_due = 0
        self._drift_due = 0
        self._drifted = {(drift.instance, drift.reason): drift for drift in drift_of(document)}
        self.folder: Path | None = None

    def request_stop(self, reason: str) -> None:
        """End the run after the event in hand; callable from a signal handler."""
        self._stop = reason
        if self._environment is not None:
            self._environment.request_stop(reason)

    def play(
        self, progress: Callable[[Desk, int, int], None] = lambda desk, rows, ts: None,
        observe: Callable[[Event, int], None] = lambda event, seq: None,
    ) -> RunResult:  # fmt: skip
        """Run to the end of the tapes or until stopped, then write the folder's reports.

        progress  sees the desk every few hundred rows; observe  sees each event with its
        place in the journal, after it was accepted there
        """
        folder = _fresh_folder(self._root, f"{self._document.desk.name}-{self.run_id[:ID_LENGTH]}")
        self.folder = folder
        journal_clock: Clock = EventClock() if self._backtest else self._clock
        keeper = JournalKeeper(
            self._document, folder, clock=self._clock,
            copies=state_of(self._root, self._document.desk.name) / "checkpoints",
        )  # fmt: skip
        self._keeper = keeper
        if not self._backtest:
            self._snapshots = Snapshots(keeper.directory, self._clock, policy=self._cadence)
        journal = Journal.open(
            keeper.directory, clock=journal_clock, quarantine=keeper.quarantine, policy=keeper.policy(),
            signer=keeper.signer(),
        )
        started = self._clock.monotonic()
        with (folder / BLOTTER).open("w", newline="") as out, RowFiles(folder) as sink:
            records = RunRecords(
                self._instruments, self._document.desk.capital, states=states_of(self._desk), sink=sink
            )
            blotter = Blotter(out, self._instruments)

            def consume(event: Event) -> None:
                records.on_event(event)
                blotter.on_event(event)
                observe(event, journal.last_seq)
                if not self._backtest and type(event.payload) is GuardChanged:
                    self._remember(event.payload)

            try:
                environment, reason = self._trade(journal, keeper, consume, progress)
            except JournalConflict as problem:
                self._stop_for_good("conflict", str(problem))
                raise
            finally:
                journal.close()
            records.finish()
        elapsed = (self._clock.monotonic() - started) / NANOS_PER_SECOND
        keeper.finish()
        summary = write_reports(
            folder, self._document, records, run_id=self.run_id, code=self._code, manifests=self._manifests
        )
        equity = records.capital + records.brought + records.pnl
        total = environment.inputs + environment.digest.outcomes
        return RunResult(
            folder, environment.digest.hexdigest(), reason, environment.inputs, environment.digest.outcomes,
            self._desk.lines(), self._desk.currency, equity, self._desk.guard.level.name.lower(), summary.caveats,
            total / elapsed if elapsed > 0 else None,
        )  # fmt: skip

    def _trade(
        self, journal: Journal, keeper: JournalKeeper, consume: Callable[[Event], None],
        progress: Callable[[Desk, int, int], None],
    ) -> tuple[Environment, str]:  # fmt: skip
        document, desk = self._document, self._desk

        def tell(rows: int, ts: int) -> None:
            self._sample_memory(environment, ts)
            self._check_drift(environment, ts)
            self._snapshot(journal, ts)
            progress(desk, rows, ts)

        venue, data = build_venue(document), quality_policy(document)
        environment = Environment(
            desk, journal, venue, build_timers(document, desk), durable_commands=not self._backtest,
            clock=self._clock, speed=0.0 if self._backtest else document.desk.speed, controls=self._acts,
            progress=tell, consumer=consume, on_refused=keeper.refuse_event,
            unseen=frozenset(one.backup for one in data.pairs), times=self._times, charges=venue.drain_charges,
        )  # fmt: skip
        self._environment = environment
        if self._stop is not None:
            environment.request_stop(self._stop)

        def refusing(source: str) -> tapes.OnBad:
            return lambda raw, reason: keeper.refuse(raw, reason, source=source, ts=environment.now)

        streams = [
            tapes.rows(one, self._instruments[one.instrument], refusing(f"tape.{one.name}")) for one in document.tapes
        ]
        rows = within(merged(streams), *window_of(document))
        if data.funding_grace_ns:
            rows = with_missed(rows, self._instruments.values(), data.funding_grace_ns)
        first = next(rows, None)
        if first is None:
            raise UsageError("the tapes hold no row")
        environment.offer(self._started(), source="run", key="started", ts=first.ts_init)
        if not self._backtest:
            self._go_on(environment, venue, first.ts_init)
            journal.commit()
            last_run.remember(state_of(self._root, document.desk.name), keeper.directory.parent)
        keeper.begin(lambda fact, source, key: environment.offer(fact, source=source, key=key, ts=environment.now))
        reason = environment.run(_chain(first, rows))
        if reason != COMPLETED:
            environment.offer(RunStopping(reason), source="run", key="stopping", ts=environment.now)
        environment.settle(SETTLE_NS)
        environment.offer(
            RunEnded(reason, environment.digest.hexdigest(), environment.inputs, environment.digest.outcomes),
            source="run", key="ended", ts=environment.now,
        )  # fmt: skip
        return environment, reason

    def _go_on(self, environment: Environment, venue: SimulatedVenue, ts: int) -> None:
        """Give the desk what the last run of its name left, where this one goes on after it (AC-01)."""
        memory = last_run.memory(state_of(self._root, self._document.desk.name), self._root, ts, self._catalogue)
        if memory is not None:
            venue.restore((one.instance, one.instrument, one.lots, one.average) for one in memory.positions)
            environment.offer(memory, source="run", key="restored", ts=ts)

    def _sample_memory(self, environment: Environment, ts: int) -> None:
        """Journal the process's memory each `memory_hours` of the desk's time; a backtest's folder stays the same."""
        period = int(self._document.desk.memory_hours * 3600 * NANOS_PER_SECOND)
        if self._backtest or period == 0 or ts < self._memory_due:
            return
        self._memory_due = ts - ts % period + period
        rss = rss_bytes()
        if rss is not None:
            environment.offer(HostMemory(rss), source="host", key=f"memory:{ts}", ts=ts)

    def _snapshot(self, journal: Journal, ts: int) -> None:
        """Keep what the desk knows beside its journal, at the cadence of JR-16; a backtest's folder stays the same."""
        if self._snapshots is None or not self._snapshots.due(journal.last_seq) or self.folder is None:
            return
        journal.commit()
        memory, run, seq = self._desk.memory, self.folder.name, journal.last_seq
        self._snapshots.offer(seq, journal.head, lambda: msgspec.json.encode(memory.told(run, seq, ts)))

    def _check_drift(self, environment: Environment, ts: int) -> None:
        """Compare the instances with the approved bundles once a day; what changed since the last look is told."""
        if self._backtest or ts < self._drift_due:
            return
        self._drift_due = ts - ts % NANOS_PER_DAY + NANOS_PER_DAY
        found = {(drift.instance, drift.reason): drift for drift in drift_of(self._document)}
        news = [drift for key, drift in found.items() if key not in self._drifted]
        news += [
            msgspec.structs.replace(drift, active=False) for key, drift in self._drifted.items() if key not in found
        ]
        self._drifted = found
        for drift in news:
            key = f"{drift.instance}:{drift.reason}:{ts}"
            environment.offer(drift, source="config", key=key, ts=ts)

    def _started(self) -> RunStarted:
        document = self._document
        return RunStarted(
            self.run_id, document.desk.environment, document.canonical(), document.hash(), self._code, self._manifests,
            msgspec.json.encode(self._held).decode(),
        )

    def _acts(self) -> Sequence[tuple[str, Fact]]:
        """Return what people did since the last look: a stop in the sentinel that this desk does not hold yet."""
        if self._backtest:
            return ()
        if self._keeper is not None:
            self._keeper.look()
        known = {_key(reason) for reason in self._desk.guard.reasons()} | self._heard
        stops = [one for one in self._recorded() if one.level is GuardLevel.STOPPED and _key(one) not in known]
        self._heard.update(_key(one) for one in stops)
        kills = [(f"kill:{one.scope}:{one.since}", KillRequest(one.evidence, "sentinel", one.scope)) for one in stops]
        return [*kills, *self._wishes()]

    def _wishes(self) -> list[tuple[str, Fact]]:
        """Return what lies new in the inbox; a file stays until its sender takes it away, the desk applies it once."""
        inbox = state_of(self._root, self._document.desk.name) / INBOX
        news = [path for path in sorted(inbox.glob("*.json")) if path.name not in self._wished]
        self._wished.update(path.name for path in news)
        return [(f"wish:{path.name}", OutsideWish("operator", path.read_text(errors="replace"))) for path in news]

    def _recorded(self) -> tuple[HeldReason, ...]:
        """Return the sentinel's reasons; an unreadable one says stop."""
        return sentinel.restore((), self._sentinel.read(), first_run=True, now=0)

    def _stop_for_good(self, code: str, evidence: str) -> None:
        """Latch a stop because of the journal itself, so that no restart trades on (JR-03)."""
        if not self._backtest:
            stop = HeldReason("journal", code, GuardLevel.STOPPED, "desk", self._clock.now(), None, evidence)
            self._sentinel.write(sentinel.encode((*self._recorded(), stop)))

    def _remember(self, changed: GuardChanged) -> None:
        """Write the guard's reasons; a stop that a person wrote meanwhile and the desk has not read yet stays."""
        held = self._desk.guard.reasons()
        gone = {_key(one) for one in held} | self._heard
        gone.add((*changed.reason.split(".", 1), changed.scope))
        unread = [one for one in self._recorded() if one.level is GuardLevel.STOPPED and _key(one) not in gone]
        self._sentinel.write(sentinel.encode((*held, *unread)))


def replay_run(
    folder: Path, *, until: int | None = None, catalogue: Mapping[str, Entry] = CATALOGUE
) -> ReplayResult:
    """Rebuild the desk from the journal's first event and re-derive every outcome; raises `UsageError` without one.

    until  the last seq that is replayed; None = to the end
    """
    if until is not None and until < 1:
        raise UsageError(f"until must be a seq of 1 or above, was {until}")
    directory = journal_of(folder)
    start = started_of(folder)
    document = document_of(folder, start)
    held = msgspec.json.decode(start.guard, type=tuple[HeldReason, ...])
    events = read(directory, stop=None if until is None else until + 1)
    return replay_events(events, build_desk(document, held, catalogue=catalogue))


def state_of(root: Path, desk: str) -> Path:
    """Return where the desk of this name keeps what outlives a run."""
    return root / "state" / desk


def _key(reason: HeldReason) -> tuple[str, ...]:
    return reason.owner, reason.code, reason.scope


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


def _fresh_folder(root: Path, name: str) -> Path:
    """Make a new folder; an earlier run of the same id is evidence and stays."""
    for number in range(1, 10_000):
        folder = root / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise UsageError(f"{root} holds 9,999 runs named {name}; move some away")
