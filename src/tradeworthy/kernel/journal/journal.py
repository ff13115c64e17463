"""The single writer: accept, seal batch by batch, acknowledge what is durable (JR-01 to JR-09)."""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import count, repeat
from pathlib import Path

import msgspec
from msgspec.structs import force_setattr

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_MILLI, NANOS_PER_SECOND, Clock
from tradeworthy.kernel.errors import HaltTrading, InvalidInput
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.journal.checkpoint import CHECKPOINT_EVENTS, CheckpointSigner, Statement, latest_count
from tradeworthy.kernel.journal.codec import ENCODER, decode_event, numeric_kinds, require_finite
from tradeworthy.kernel.journal.files import FilePort, OsFiles, WriterLock, raise_token, write_durably
from tradeworthy.kernel.journal.identity import Identity
from tradeworthy.kernel.journal.quarantine import Quarantine
from tradeworthy.kernel.journal.records import TornTail
from tradeworthy.kernel.journal.recovery import recover
from tradeworthy.kernel.journal.verify import (
    BATCH_EVENTS_MAX,
    Merkle,
    batch_hash,
    header_line,
    line_checks,
    seal_line,
)
from tradeworthy.kernel.redaction import registered, scrub

MIDNIGHT_NEVER = 1 << 63
"""Its negative lies before every stamp, so that a dead handle is noticed without a check of its own."""


class JournalConflict(HaltTrading):
    """An event id came again with other bytes: `journal.conflict`."""


class JournalPolicy(msgspec.Struct, frozen=True):
    """The writer's bounds.

    commit_interval_ns     oldest age of an unsealed event seen by an append; None leaves it to `commit()`
    checkpoint_interval_ns by the monotonic clock; checkpoint_copies  second locations
    """

    batch_events_max: int = 512
    commit_interval_ns: int | None = 5 * NANOS_PER_MILLI
    segment_bytes_max: int = 1 << 30
    checkpoint_events: int = CHECKPOINT_EVENTS
    checkpoint_interval_ns: int = 60 * NANOS_PER_SECOND
    checkpoint_copies: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.batch_events_max <= BATCH_EVENTS_MAX:
            raise ValueError(f"batch_events_max must be in 1..{BATCH_EVENTS_MAX}, was {self.batch_events_max}")


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """The event is in the journal at `seq`; it is durable once `durable_seq` reaches it."""

    seq: int


class Duplicate(msgspec.Struct, frozen=True, gc=False):
    """The event was accepted before, at `seq`; nothing was written."""

    seq: int


def fence(directory: Path) -> int:
    """Shut out a writer that hangs: its next commit fails and lets go of the lock. Returns the new token."""
    return raise_token(directory)


class Journal:
    """The journal's writer. After any failed write or sync the handle is dead; a new `open` recovers the file.

    An accepted event object receives its `seq` when its batch is sealed.
    """

    __slots__ = (
        "_batch_max", "_bytes", "_checkpoint_due", "_checks", "_checks_since", "_clock", "_day", "_deadline",
        "_directory", "_durable", "_failure", "_files", "_handle", "_head", "_identity", "_interval", "_last", "_lock",
        "_merkle", "_merkle_day", "_midnight", "_monotonic", "_numeric", "_pending", "_policy", "_quarantine",
        "_sealed", "_signer", "_syncer", "_syncing", "_watermarks",
        "checkpoint_problem", "clock_offset_ns", "torn",
    )  # fmt: skip

    @classmethod
    def open(
        cls, directory: Path, *, clock: Clock, policy: JournalPolicy | None = None,
        signer: CheckpointSigner | None = None, quarantine: Quarantine | None = None, files: FilePort | None = None,
    ) -> "Journal":
        """Take the writer's lock, cut a torn tail, check every seal, and stand ready to append.

        Raises `HaltTrading` when another writer lives or the journal is damaged before its last seal.
        """
        directory.mkdir(parents=True, exist_ok=True)
        lock = WriterLock(directory)
        try:
            return cls(directory, lock, clock, policy or JournalPolicy(), signer, quarantine, files or OsFiles())
        except BaseException:
            lock.release()
            raise

    def __init__(
        self, directory: Path, lock: WriterLock, clock: Clock, policy: JournalPolicy, signer: CheckpointSigner | None,
        quarantine: Quarantine | None, files: FilePort,
    ) -> None:
        """Use `Journal.open`."""
        self._directory, self._lock, self._clock, self._policy, self._files = directory, lock, clock, policy, files
        self._signer, self._quarantine = signer, quarantine
        self._monotonic, self._interval, self._batch_max = (
            clock.monotonic, policy.commit_interval_ns, policy.batch_events_max,
        )  # fmt: skip
        self._identity = Identity()
        self._watermarks = self._identity.watermarks
        self._checks_since = latest_count(directory)
        recovered = recover(directory, self._identity, self._checks_since)
        self.torn: TornTail | None = recovered.torn
        self._head, self._sealed, self._last = recovered.head, recovered.count, recovered.count
        self._durable = recovered.count
        self._syncer = ThreadPoolExecutor(1, "journal-sync")
        self._syncing: Future[None] | None = None
        self._checks, self._merkle, self._day = bytearray(recovered.checks), recovered.merkle, recovered.day
        self._checks_since = recovered.count - len(self._checks) // 4
        self._merkle_day = recovered.day
        self._pending: list[Event] = []
        self._numeric = numeric_kinds()
        self._handle: int | None = None
        self._bytes, self._midnight, self._deadline, self._failure = recovered.size, 0, 0, ""
        self._checkpoint_due = self._monotonic() + policy.checkpoint_interval_ns
        self.checkpoint_problem: str = ""
        self.clock_offset_ns: int | None = None
        if recovered.path is not None:
            try:
                self._handle = files.reopen(recovered.path, recovered.size)
            except OSError as error:
                raise HaltTrading(f"expected to append to {recovered.path.name}, found {error}") from error
            self._midnight = _midnight_after(recovered.day)

    @property
    def head(self) -> str:
        """Hash of the last sealed batch, in hex."""
        return self._head

    @property
    def durable_seq(self) -> int:
        """Last seq that a crash cannot take; a batch on its way to the disk counts once it is there."""
        syncing = self._syncing
        if syncing is not None and syncing.done() and syncing.exception() is None:
            self._settle()
        return self._durable

    @property
    def last_seq(self) -> int:
        """Last accepted seq."""
        return self._last

    @property
    def writer_token(self) -> int:
        """This writer's fencing token."""
        return self._lock.token

    def append(self, event: Event) -> Accepted | Duplicate:
        """Accept one event once; `Duplicate` carries the first seq. Raises as `accept`."""
        seq = self.accept(event)
        return Accepted(seq) if seq > 0 else Duplicate(-seq)

    def accept(self, event: Event) -> int:
        """Return the new seq, or minus the first seq when this event was accepted before.

        Raises `JournalConflict` for a known id with other bytes, `InvalidInput` for a number that is not finite,
        `HaltTrading` when the batch it completes cannot be made durable.
        """
        if event.ts_init >= self._midnight:
            self._turn(event.ts_init)
        if event.payload.__class__ in self._numeric:
            require_finite(event.payload)
        seq = self._last + 1
        number, source = event.source_seq, event.source
        if number is not None and event.event_id == f"{source}:{number}":
            if self._watermarks.get(source) == number - 1:
                self._watermarks[source] = number
            elif not self._identity.take_number(source, number):
                return self._repeated(event, None)
        elif (known := self._identity.ids.setdefault(event.event_id, seq)) != seq:
            return self._repeated(event, known)
        self._last = seq
        pending = self._pending
        pending.append(event)
        if len(pending) >= self._batch_max:
            self._seal(behind=True)
        elif self._interval is not None:
            now = self._monotonic()
            if len(pending) == 1:
                self._deadline = now + self._interval
            elif now >= self._deadline:
                self._seal(behind=True)
        return seq

    def append_many(self, events: Sequence[Event]) -> int:
        """Accept `events` in order and return how many were new."""
        before = self._last
        for event in events:
            self.accept(event)
        return self._last - before

    def admit(self, raw: bytes) -> Accepted | Duplicate | None:
        """Accept bytes from outside; malformed ones go to quarantine and give None (raised when there is none)."""
        try:
            return self.append(decode_event(raw))
        except InvalidInput as error:
            if self._quarantine is None:
                raise
            self._quarantine.put(raw, str(error), ts=self._clock.now())
            return None

    def commit(self) -> int:
        """Seal what was accepted in one write, wait until it is durable and return `durable_seq`."""
        if self._failure:
            raise HaltTrading(f"the journal's handle is dead: {self._failure}")
        if self._pending:
            self._seal(behind=False)
        self._settle()
        return self._durable

    def _seal(self, *, behind: bool) -> None:
        """Write the accepted events as one sealed batch and sync it, `behind` the filling of the next one or at once.

        One batch at most is on its way: the one before must be durable first. Who waits anyway syncs at once: to
        hand over to another thread and back costs a fifth of the disk's own time.
        """
        if self._failure:
            raise HaltTrading(f"the journal's handle is dead: {self._failure}")
        pending = self._pending
        first = self._sealed + 1
        last = self._sealed + len(pending)
        deque(map(force_setattr, pending, repeat("seq"), count(first)), maxlen=0)
        try:
            body = ENCODER.encode_lines(pending)
        except (TypeError, ValueError, OverflowError, msgspec.MsgspecError) as error:
            raise self._fail(f"expected events that can be encoded, found {error}") from error
        if registered():
            body = scrub(body)
        checks = line_checks(body)
        head = batch_hash(self._head, first, last, body)
        data = body + seal_line(first, last, self._head, head, self._lock.token, checks)
        self._settle()
        self._write(data, behind=behind)
        self._head, self._sealed, self._pending = head, last, []
        if not behind:
            self._durable = last
        self._merkle.add(head)
        self._identity.mark(last + 1, self._bytes)
        if self._signer is not None:
            self._checks += checks
            if last - self._checks_since >= self._policy.checkpoint_events or self._monotonic() >= self._checkpoint_due:
                self.checkpoint()
        if self._bytes >= self._policy.segment_bytes_max:
            self._end_segment()

    def _settle(self) -> None:
        """Wait for the batch on its way; a sync that failed kills the handle."""
        syncing, self._syncing = self._syncing, None
        if syncing is not None:
            try:
                syncing.result()
            except OSError as error:
                raise self._fail(f"{type(error).__name__}: {error}") from error
            self._durable = self._sealed

    def checkpoint(self) -> None:
        """Have head and count signed; a signer that fails is reported in `checkpoint_problem` and asked again."""
        if self._signer is None or self._sealed == self._checks_since:
            return
        self._settle()
        statement = Statement(
            head=self._head, count=self._sealed, since=self._checks_since, lines=bytes(self._checks), day=self._day,
            day_root=self._merkle.root(), clock_offset_ns=self.clock_offset_ns, ts=self._clock.now(),
            directory=str(self._directory.resolve()),
        )
        self._checkpoint_due = self._monotonic() + self._policy.checkpoint_interval_ns
        try:
            envelope = self._signer.sign(statement)
            for place in (self._directory, *map(Path, self._policy.checkpoint_copies)):
                place.mkdir(parents=True, exist_ok=True)
                write_durably(place / f"checkpoint-{statement.count:020d}.dsse.json", envelope)
        except (OSError, InvalidInput) as error:
            self.checkpoint_problem = f"{type(error).__name__}: {error}"
            return
        self.checkpoint_problem, self._checks_since = "", self._sealed
        self._checks.clear()

    def close(self) -> None:
        """Commit, sign, and let go of the lock; a dead handle only lets go."""
        try:
            if not self._failure:
                self.commit()
                self.checkpoint()
        finally:
            self._syncer.shutdown()
            if self._handle is not None:
                self._files.close(self._handle)
                self._handle = None
            if not self._failure:
                self._lock.release()
            self._failure, self._midnight = self._failure or "it was closed", -MIDNIGHT_NEVER

    def _repeated(self, event: Event, seq: int | None) -> int:
        """Compare an event whose identity is known with what was accepted first."""
        for index, other in enumerate(self._pending, self._sealed + 1):
            if other.event_id == event.event_id:
                if _without_seq(ENCODER.encode(other)) == _without_seq(ENCODER.encode(event)):
                    return -index
                raise self._conflict(event, index)
        first, line = self._identity.find(event.event_id, seq, event.source, event.source_seq)
        if _without_seq(line) == _without_seq(scrub(ENCODER.encode(event))):
            return -first
        raise self._conflict(event, first)

    def _conflict(self, event: Event, seq: int) -> JournalConflict:
        return JournalConflict(f"expected {event.event_id!r} as accepted at seq {seq}, found other bytes")

    def _turn(self, ts_init: int) -> None:
        """Begin the segment of the day of `ts_init`: midnight has passed, or there is no segment yet."""
        if self._failure:
            raise HaltTrading(f"the journal's handle is dead: {self._failure}")
        self.commit()
        self._end_segment()
        self._day = datetime.fromtimestamp(ts_init // NANOS_PER_SECOND, UTC).date().isoformat()
        self._midnight = (ts_init // NANOS_PER_DAY + 1) * NANOS_PER_DAY
        self._numeric = numeric_kinds()

    def _end_segment(self) -> None:
        if self._handle is None:
            return
        self._settle()
        self.checkpoint()
        handle, self._handle = self._handle, None
        try:
            self._files.close(handle)
        except OSError as error:
            raise self._fail(f"close: {error}") from error

    def _write(self, data: bytes, *, behind: bool) -> None:
        try:
            if not self._lock.held():
                raise self._fail("another writer took over: the fencing token was raised")
            if self._handle is None:
                data = self._begin_segment() + data
            assert self._handle is not None
            self._files.write(self._handle, data)
            if behind:
                self._syncing = self._syncer.submit(self._files.sync, self._handle)
            else:
                self._files.sync(self._handle)
        except OSError as error:
            raise self._fail(f"{type(error).__name__}: {error}") from error
        self._bytes += len(data)

    def _begin_segment(self) -> bytes:
        first = self._sealed + 1
        path = self._directory / f"journal-{first:020d}.jsonl"
        self._handle = self._files.create(path)
        header = header_line(first, self._head, self._day)
        self._identity.begin(path)
        if self._merkle_day != self._day:
            self._merkle, self._merkle_day = Merkle(), self._day
        self._bytes = 0
        return header

    def _fail(self, problem: str) -> HaltTrading:
        """Make this handle dead for good, and let go of the lock."""
        self._failure, self._midnight = problem, -MIDNIGHT_NEVER
        self._lock.release()
        return HaltTrading(f"the journal cannot go on: {problem}; durable to seq {self._durable}")


def _without_seq(line: bytes) -> bytes:
    return line[line.index(b",") :].rstrip(b"\n")


def _midnight_after(day: str) -> int:
    start = datetime.fromisoformat(day).replace(tzinfo=UTC)
    return int(start.timestamp()) * NANOS_PER_SECOND + NANOS_PER_DAY
