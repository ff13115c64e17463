"""One run from document to run folder: journal, rows, reports, blotter; and the replay of such a folder."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from tradeworthy.app import identity, tapes
from tradeworthy.app.bootstrap import build_desk, instruments_of, policy_of
from tradeworthy.app.bundles import drift_of, held_of
from tradeworthy.app.change_control import require_approved
from tradeworthy.app.config import Document
from tradeworthy.app.guard_memory import guard_memory
from tradeworthy.app.journal_keeper import JournalKeeper
from tradeworthy.app.open_run import Company, OpenRun, Ready
from tradeworthy.app.open_run import RunResult as RunResult
from tradeworthy.app.run_folder import (
    ID_LENGTH,
    document_of,
    started_of,
)
from tradeworthy.app.run_folder import journal_of as journal_of
from tradeworthy.kernel.clock import Clock, SystemClock
from tradeworthy.kernel.errors import ConfigurationRefused, UsageError
from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.journal.snapshot import SnapshotPolicy
from tradeworthy.trading.control import sentinel
from tradeworthy.trading.control.guard import HeldReason
from tradeworthy.trading.control.kill import KillRequest
from tradeworthy.trading.desk import Desk
from tradeworthy.trading.execution.intake import OutsideWish
from tradeworthy.trading.model import GuardChanged, GuardLevel
from tradeworthy.trading.replay import ReplayResult
from tradeworthy.trading.replay import replay as replay_events
from tradeworthy.trading.strategies.catalogue import CATALOGUE, Entry
from tradeworthy.trading.timing import StageTimes, TimingPolicy

CHANGES = "changes"
"""Where a desk's state keeps the journal of its configuration changes."""
INBOX = "inbox"
"""Where a desk's state takes wishes, one JSON file each; written aside and renamed, so that none is read half."""
CHECKED_ANEW = ("config", "catalogue")
"""Owners whose reasons a start finds for itself, so that none is carried over."""


class RunSession:
    """A document made ready to run; `play` runs it once."""

    def __init__(
        self, document: Document, *, root: Path, clock: Clock | None = None,
        catalogue: Mapping[str, Entry] = CATALOGUE, cadence: SnapshotPolicy | None = None, go_on_at: int = 0,
    ) -> None:
        self._state = state_of(root, document.desk.name)
        require_approved(document, self._state / CHANGES)
        if document.desk.environment == "live":
            raise ConfigurationRefused("live needs a venue adapter and a gate verdict; neither exists: no start")
        if document.desk.environment == "replay":
            raise UsageError("a replay re-derives a run that was: expected `tradeworthy replay RUN`, found a document")
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
        self._sentinel = guard_memory(self._state)
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
        run = self.open(progress, observe)
        with run:
            for wait in run.steps():
                self._clock.sleep(wait)
            run.end()
        return run.result()

    def open(
        self, progress: Callable[[Desk, int, int], None] = lambda desk, rows, ts: None,
        observe: Callable[[Event, int], None] = lambda event, seq: None, give_way_ns: int | None = None,
    ) -> OpenRun:  # fmt: skip
        """Make the folder, open the journal and give the desk its first events; the arguments are those of `play`."""
        folder = _fresh_folder(self._root, f"{self._document.desk.name}-{self.run_id[:ID_LENGTH]}")
        self.folder = folder
        keeper = JournalKeeper(self._document, folder, clock=self._clock, copies=self._state / "checkpoints")
        ready = Ready(
            document=self._document, run_id=self.run_id, code=self._code, manifests=self._manifests,
            instruments=self._instruments, desk=self._desk, times=self._times, held=self._held, clock=self._clock,
            root=self._root, state=self._state, folder=folder, catalogue=self._catalogue, cadence=self._cadence,
            go_on_at=self._go_on_at, give_way_ns=give_way_ns,
        )  # fmt: skip
        company = Company(progress, observe, self._acts, self._remember, self._stop_for_good)
        self._run = OpenRun(ready, keeper, company)
        if self._stop is not None:
            self._run.environment.request_stop(self._stop)
        return self._run

    def _acts(self) -> Sequence[tuple[str, Fact]]:
        """Return what people did since the last look: a stop in the sentinel that this desk does not hold yet."""
        known = {_key(reason) for reason in self._desk.guard.reasons()} | self._heard
        stops = [one for one in self._recorded() if one.level is GuardLevel.STOPPED and _key(one) not in known]
        self._heard.update(_key(one) for one in stops)
        kills = [(f"kill:{one.scope}:{one.since}", KillRequest(one.evidence, "sentinel", one.scope)) for one in stops]
        return [*kills, *self._wishes()]

    def _wishes(self) -> list[tuple[str, Fact]]:
        """Return what lies new in the inbox; a file stays until its sender takes it away, the desk applies it once."""
        inbox = self._state / INBOX
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
