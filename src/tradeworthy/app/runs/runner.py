"""One run from document to run folder: journal, rows, reports, blotter; and the replay of such a folder."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from tradeworthy.app import identity
from tradeworthy.app.bootstrap import build_desk, instruments_of, policy_of
from tradeworthy.app.config import Document
from tradeworthy.app.configuration.bundles import drift_of, held_of
from tradeworthy.app.configuration.change_control import CHANGES as CHANGES
from tradeworthy.app.configuration.change_control import require_approved
from tradeworthy.app.gates.live_start import require_live
from tradeworthy.app.halting.guard_memory import held_at_start
from tradeworthy.app.market_data import tapes
from tradeworthy.app.runs.folder import ID_LENGTH, document_of, started_of, state_of
from tradeworthy.app.runs.folder import journal_of as journal_of
from tradeworthy.app.runs.journal_keeper import JournalKeeper
from tradeworthy.app.runs.open_run import Company, OpenRun, Ready
from tradeworthy.app.runs.open_run import RunResult as RunResult
from tradeworthy.kernel.clock import Clock, SystemClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.journal.snapshot import SnapshotPolicy
from tradeworthy.trading.control.guard import HeldReason
from tradeworthy.trading.desk import Desk
from tradeworthy.trading.replay import ReplayResult
from tradeworthy.trading.replay import replay as replay_events
from tradeworthy.trading.strategies.catalogue import CATALOGUE, Entry
from tradeworthy.trading.timing import StageTimes, TimingPolicy


class RunSession:
    """A document made ready to run; `play` runs it once."""

    def __init__(
        self, document: Document, *, root: Path, clock: Clock | None = None,
        catalogue: Mapping[str, Entry] = CATALOGUE, cadence: SnapshotPolicy | None = None, go_on_at: int = 0,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._state = state_of(root, document.desk.name)
        self._clock: Clock = clock or SystemClock()
        require_live(document, state=self._state, clock=self._clock, environ=environ)
        require_approved(document, self._state / CHANGES)
        if document.desk.environment == "replay":
            raise UsageError("a replay re-derives a run that was: expected `tradeworthy replay RUN`, found a document")
        self._document, self._catalogue = document, catalogue
        self._backtest = document.desk.environment == "backtest"
        self._root = root
        self._instruments = instruments_of(document)
        self._manifests = tuple(one for section in document.tapes for one in tapes.manifests(section))
        self._code = identity.code_hash()
        self.run_id = identity.run_id(document, self._code, self._manifests)
        self.rows_total = tapes.rows_total(document)
        self.capital = document.desk.capital
        self.title = f"{document.desk.name} ({document.desk.environment})"
        self._held: tuple[HeldReason, ...] = ()
        if not self._backtest:
            remembered = held_at_start(root, self._state, now=self._clock.now())
            self._held = (*remembered, *(held_of(drift) for drift in drift_of(document)))
        timing = policy_of(TimingPolicy, "timing", document.timing)
        self._times = None if self._backtest else StageTimes(self._clock, timing)
        self._desk = (
            build_desk(document, self._held, catalogue=catalogue) if self._times is None
            else build_desk(document, self._held, catalogue=catalogue, measured=self._times.timed)
        )  # fmt: skip
        self._run: OpenRun | None = None
        self._stop: str | None = None
        self._cadence, self._go_on_at = cadence, go_on_at
        self.folder: Path | None = None

    def request_stop(self, reason: str) -> None:
        """End the run after the event in hand; callable from a signal handler."""
        self._stop = reason
        if self._run is not None:
            self._run.environment.request_stop(reason)

    def play(
        self, progress: Callable[[Desk, int, int], None] = lambda desk, rows, ts: None,
        observe: Callable[[Event, int], None] = lambda event, seq: None,
    ) -> RunResult:  # fmt: skip
        """Run to the end of the tapes or until stopped, then write the folder's reports.

        progress  sees the desk every few hundred rows; observe  sees each event with its
        place in the journal, after it was accepted there
        """
        run = self.open(Company(progress, observe))
        with run:
            for wait in run.steps():
                self._clock.sleep(wait)
            run.end()
        return run.result()

    def open(self, company: Company, *, give_way_ns: int | None = None) -> OpenRun:
        """Make the folder, open the journal and give the desk its first events."""
        folder = _fresh_folder(self._root, f"{self._document.desk.name}-{self.run_id[:ID_LENGTH]}")
        self.folder = folder
        keeper = JournalKeeper(self._document, folder, clock=self._clock, copies=self._state / "checkpoints")
        ready = Ready(
            document=self._document, run_id=self.run_id, code=self._code, manifests=self._manifests,
            instruments=self._instruments, desk=self._desk, times=self._times, held=self._held, clock=self._clock,
            root=self._root, state=self._state, folder=folder, catalogue=self._catalogue, cadence=self._cadence,
            go_on_at=self._go_on_at, give_way_ns=give_way_ns,
        )  # fmt: skip
        self._run = OpenRun(ready, keeper, company)
        if self._stop is not None:
            self._run.environment.request_stop(self._stop)
        return self._run


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
