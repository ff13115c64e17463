"""Where a desk's guard remembers its reasons between runs, and how a start takes the worse of its memories (GRD-05)."""

from pathlib import Path

import msgspec

from tradeworthy.adapters.sentinel_file import SentinelFile
from tradeworthy.app.people.approvals import APPROVALS
from tradeworthy.app.runs.last_run import LAST_RUN
from tradeworthy.kernel.errors import DeskError
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.journal.snapshot import newest_snapshot
from tradeworthy.trading.control import sentinel
from tradeworthy.trading.control.guard import HeldReason, fold
from tradeworthy.trading.control.sentinel import SentinelPort
from tradeworthy.trading.model import GuardChanged, GuardLevel, RunStarted
from tradeworthy.trading.restoring import DeskRestored

GUARD_FILE = "guard.bin"
CHECKED_ANEW = ("config", "catalogue", "shutdown")
"""Owners whose reasons a start finds for itself, so that none is carried over."""
OF_ONE_PROCESS = ("watchdog", "clock", "bus", "supervision", "reconciliation")
"""Owners whose pauses tell of the process that set them: the next one judges anew. Their stops are carried over."""
GLASS_REVIEW = ("gate", "break_glass_review")
"""The reason that follows anew from the reviews which are owed."""


class RunSnapshot(msgspec.Struct, frozen=True):
    """What a run keeps beside its journal at its cadence: what the desk knows, and the guard's reasons."""

    memory: DeskRestored
    guard: tuple[HeldReason, ...]


@fact("guard.ended_between_runs")
class EndedBetweenRuns(Fact, frozen=True):
    """People took reasons away while no desk ran: as `owner.code` of a scope, after the run in folder `run`."""

    run: str
    scope: str
    reasons: tuple[str, ...]
    author: str


def guard_memory(state: Path) -> SentinelPort:
    """Return the sentinel in a desk's state folder; it is read before a start and by a running desk."""
    return SentinelFile(state / GUARD_FILE)


def held_at_start(root: Path, state: Path, *, now: int) -> tuple[HeldReason, ...]:
    """Return the reasons a start begins with: of each the worse of journal and sentinel.

    A memory that is unreadable, or missing after a first run, is a stop. `since` is of the wall clock: the sentinel's,
    or now for what only the journal knows.
    """
    first = not (state / LAST_RUN).exists()
    found = journaled(root, state)
    known = None if found is None else tuple(msgspec.structs.replace(one, since=now) for one in found)
    held = sentinel.restore(known, guard_memory(state).read(), first_run=first, now=now)
    return tuple(one for one in held if not _judged_anew(one))


def _judged_anew(held: HeldReason) -> bool:
    if held.owner in CHECKED_ANEW or (held.owner, held.code) == GLASS_REVIEW:
        return True
    return held.owner in OF_ONE_PROCESS and held.level is GuardLevel.PAUSED


def last_folder(root: Path, state: Path) -> Path | None:
    """Return the folder of the last run that traded, None where none is noted or it was taken away."""
    note = state / LAST_RUN
    if not note.exists() or not (folder := root / note.read_text()).is_dir():
        return None
    return folder


def journaled(root: Path, state: Path) -> tuple[HeldReason, ...] | None:
    """Fold the last run's journal, and what people ended since, to the reasons in force; None where unreadable.

    The fold begins at the run's newest good snapshot, so that a start costs the same after a day and after a year.
    """
    folder = last_folder(root, state)
    if folder is None:
        return ()
    try:
        held, start = _kept(folder / "journal")
        for event in read(folder / "journal", start=start):
            payload = event.payload
            if isinstance(payload, GuardChanged):
                held = fold(held, payload, event.ts_init)
            elif isinstance(payload, RunStarted):
                held = msgspec.json.decode(payload.guard, type=tuple[HeldReason, ...])
        if any((state / APPROVALS).glob("journal-*")):
            for event in read(state / APPROVALS):
                payload = event.payload
                if isinstance(payload, EndedBetweenRuns) and payload.run == folder.name:
                    gone = {(name, payload.scope) for name in payload.reasons}
                    held = tuple(one for one in held if (f"{one.owner}.{one.code}", one.scope) not in gone)
    except (DeskError, OSError, msgspec.MsgspecError):
        return None
    return held


def _kept(journal: Path) -> tuple[tuple[HeldReason, ...], int]:
    """Return the reasons of the newest good snapshot and the seq after it; nothing from the first seq without one."""
    kept, _ = newest_snapshot(journal)
    if kept is None:
        return (), 1
    try:
        return msgspec.json.decode(kept.state, type=RunSnapshot).guard, kept.seq + 1
    except msgspec.MsgspecError:  # of an older form: the journal itself tells
        return (), 1
