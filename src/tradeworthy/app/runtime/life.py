"""One life of the process: its folder beside the desk's state, and the journal of what the runtime did in it."""

import logging
import os
from collections import deque
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.facts import Event, Fact, event_of
from tradeworthy.kernel.journal import CheckpointSigner, Journal, JournalPolicy

LOG = logging.getLogger("tradeworthy.runtime")
SOURCE = "runtime"
LOGGED = "runtime."
"""Kinds that are also a log line: what the process did, not what it measured."""
LIVES = "runtime"
"""Where a desk's state keeps the lives of its processes, one folder each."""
RECENT_MAX = 512
"""Events that stay readable without opening the journal."""


class Life:
    """Journal what happens around the desk, by the wall clock; the desk's own journal stays free of it.

    folder   holds `journal/`, and beside it evidence, logs and reports of this life
    """

    def __init__(self, folder: Path, clock: Clock, *, run_id: str, signer: CheckpointSigner | None = None) -> None:
        self.folder, self.run_id, self._clock = folder, run_id, clock
        self.journal = Journal.open(
            folder / "journal", clock=clock, policy=JournalPolicy(batch_events_max=64), signer=signer
        )
        self.recent: deque[Event] = deque(maxlen=RECENT_MAX)
        self._told = 0
        self._open = True

    @property
    def directory(self) -> Path:
        """The journal's folder."""
        return self.folder / "journal"

    def tell(self, fact: Fact, cause: Event | None = None) -> Event:
        """Journal a fact of the runtime, durable when this returns; after the end it is kept in memory alone."""
        self._told += 1
        now = self._clock.now()
        event = event_of(
            fact, source=SOURCE, key=f"{self.run_id}:{self._told}", ts_event=now, ts_init=now, cause=cause
        )
        self.accept(event)
        if self._open:
            self.journal.commit()
        if event.kind.startswith(LOGGED):
            LOG.info(event.kind.replace(".", "_"), extra={"fact": msgspec.to_builtins(fact)})
        return event

    def accept(self, event: Event) -> None:
        """Journal an event that another part made, e.g. the supervisor; after the end it is kept in memory alone."""
        self.recent.append(event)
        if self._open:
            self.journal.accept(event)

    def close(self) -> None:
        """Seal the journal; a second time does nothing."""
        if self._open:
            self._open = False
            self.journal.close()


def declared_life(folder: Path, clock: Clock) -> Life:
    """Return a life that never runs, in a folder that its maker takes away: what is declared can be shown."""
    return Life(folder, clock, run_id="declared")


def begin_life(state: Path, clock: Clock, *, signer: CheckpointSigner | None = None) -> Life:
    """Make the folder of a new life below a desk's state, named by its moment and process, which is its run's id."""
    moment = datetime.fromtimestamp(clock.now() / NANOS_PER_SECOND, UTC).strftime("%Y%m%dT%H%M%S.%f")
    folder = state / LIVES / f"{moment}-{os.getpid()}"
    folder.mkdir(parents=True)
    return Life(folder, clock, run_id=folder.name, signer=signer)


def lives_of(state: Path) -> tuple[Path, ...]:
    """Return the folders of a desk's lives, oldest first."""
    return tuple(sorted((state / LIVES).glob("*-*"))) if (state / LIVES).is_dir() else ()
