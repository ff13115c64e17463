"""Which run of a desk was the last, and what it left: its journal, folded once more (AC-01)."""

from collections import deque
from collections.abc import Mapping
from pathlib import Path

import msgspec

from tradeworthy.app.bootstrap import build_desk
from tradeworthy.app.runs.folder import document_of, journal_of, started_of
from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.journal.reader import first_seq_of, segment_paths
from tradeworthy.trading.control.guard import HeldReason
from tradeworthy.trading.replay import replay
from tradeworthy.trading.restoring import DeskRestored
from tradeworthy.trading.strategies.catalogue import CATALOGUE, Entry

LAST_RUN = "last-run"
"""Names the folder of the last run that traded, in the desk's state."""


def remember(state: Path, folder: Path) -> None:
    """Note a run that has begun: whoever starts this desk next goes on from it."""
    state.mkdir(parents=True, exist_ok=True)
    write_durably(state / LAST_RUN, folder.name.encode())


def memory(
    state: Path, root: Path, ts: int, catalogue: Mapping[str, Entry] = CATALOGUE
) -> DeskRestored | None:
    """Return what the last run left for one that begins at `ts`.

    None where no run was noted, where its folder was taken away, or where the new run begins before the last one
    ended: that is a tape played again, not a restart. Raises `ConfigurationRefused` where this code would have decided
    otherwise on the same events: what it would hold then is not what was held.
    """
    note = state / LAST_RUN
    if not note.exists() or not (folder := root / note.read_text()).is_dir():
        return None
    last = _last(folder)
    if last.ts_init > ts:
        return None
    start = started_of(folder)
    held = msgspec.json.decode(start.guard, type=tuple[HeldReason, ...])
    desk = build_desk(document_of(folder, start), held, catalogue=catalogue)
    found = replay(read(journal_of(folder)), desk)
    if found.first is not None:
        raise ConfigurationRefused(
            f"{folder.name} must replay to be gone on from, but differs at seq {found.first.seq}: start with the code "
            "that ran it, or take its folder away to begin without its memory"
        )
    return desk.memory.told(folder.name, last.seq, last.ts_init)


def _last(folder: Path) -> Event:
    """Return the journal's last event; reads the newest segment that holds one."""
    directory = journal_of(folder)
    for path in reversed(segment_paths(directory)):
        tail = deque(read(directory, start=first_seq_of(path)), maxlen=1)
        if tail:
            return tail[0]
    raise ConfigurationRefused(f"{folder.name}: expected a journal with events, found none")
