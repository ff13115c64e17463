"""What a run does for its own journal: who signs it, what was refused, the sign of life, and the health files."""

from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.app.config import Document
from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.kernel.journal import CheckpointSigner, JournalPolicy, LocalSigner, Quarantine, WitnessSigner
from tradeworthy.kernel.journal.daily import store_continuity, write_continuity, write_integrity
from tradeworthy.kernel.journal.integrity import (
    CONTINUITY_INTERVAL_S,
    SLOT_NANOS,
    SLOTS_PER_DAY,
    ExpectedSource,
    window,
)
from tradeworthy.kernel.journal.records import Heartbeat

Offer = Callable[[Fact, str, str], None]
"""Gives the environment a fact with its source and key."""


class JournalKeeper:
    """Look after one run's journal.

    A backtest keeps its tape's time and stays the same byte by byte: it has neither checkpoints nor heartbeats, and its
    health files are written by the verbs, on demand.
    """

    def __init__(self, document: Document, folder: Path, *, clock: Clock, copies: Path) -> None:
        self._document, self._folder, self._clock = document, folder, clock
        self._backtest = document.desk.environment == "backtest"
        self._recorded = document.desk.speed <= 0  # the tape's time runs ahead of the clock's
        self._copies = copies / folder.name
        self._offer: Offer | None = None
        self._waiting: list[tuple[Fact, str, str]] = []
        self._slots: deque[int] = deque(maxlen=SLOTS_PER_DAY)
        self._continuity_due = 0
        self.directory = folder / "journal"
        self.quarantine = Quarantine(self.directory)

    def signer(self) -> CheckpointSigner | None:
        """Return the witness where the document names one; a key of this process only attests."""
        journal = self._document.journal
        if self._backtest or not journal.sign_checkpoints:
            return None
        if journal.witness:
            return WitnessSigner(Path(journal.witness), self._clock)
        return LocalSigner(Ed25519PrivateKey.generate())

    def policy(self) -> JournalPolicy:
        """Return the writer's bounds; checkpoints are copied beside the desk's state and where the document says."""
        journal = self._document.journal
        if self._backtest:
            return JournalPolicy(batch_events_max=journal.batch_events, commit_interval_ns=None)
        copies = (str(self._copies), *journal.checkpoint_copies)
        return JournalPolicy(batch_events_max=journal.batch_events, checkpoint_copies=copies)

    def begin(self, offer: Offer) -> None:
        """Start to journal: first what was refused while the tapes were opened."""
        self._offer = offer
        for fact, source, key in self._waiting:
            offer(fact, source, key)
        self._waiting.clear()
        self.look()

    def refuse(self, raw: bytes, reason: str, *, source: str, ts: int) -> None:
        """Quarantine an input's bytes and journal that it was refused; the desk runs on."""
        fact = self.quarantine.put(raw, reason, ts=ts, source=source)
        key = str(self.quarantine.count)
        if self._offer is None:
            self._waiting.append((fact, "quarantine", key))
        else:
            self._offer(fact, "quarantine", key)

    def refuse_event(self, event: Event, reason: str) -> None:
        """Quarantine an event that the journal's door did not take."""
        self.refuse(msgspec.json.encode(event), reason, source=event.source, ts=event.ts_init)

    def look(self) -> None:
        """Journal a heartbeat when a new slot of 10 s began, and judge the window of 24 h each 300 s."""
        if self._backtest or self._offer is None:
            return
        now = self._clock.now()
        slot = now // SLOT_NANOS
        if not self._slots or slot > self._slots[-1]:
            self._slots.append(slot)
            self._offer(Heartbeat(slot), "heartbeat", str(slot))
        if now >= self._continuity_due:
            if self._continuity_due:
                report = window(self._slots, begins=slot - SLOTS_PER_DAY, end=now, recorded=self._recorded)
                store_continuity(self._folder, report, end=now)
            self._continuity_due = now + CONTINUITY_INTERVAL_S * NANOS_PER_SECOND

    def finish(self) -> None:
        """Write the health files of a paper run whose journal is closed."""
        if self._backtest:
            return
        write_integrity(self.directory, self._folder, sources=self._sources())
        write_continuity(self.directory, self._folder, end=self._clock.now(), recorded=self._recorded)

    def _sources(self) -> dict[str, ExpectedSource]:
        """Return the tapes as expected sources without a rhythm: what a tape did not record is no loss of the desk."""
        return {f"tape.{one.name}": ExpectedSource(zero_loss=False) for one in self._document.tapes}
