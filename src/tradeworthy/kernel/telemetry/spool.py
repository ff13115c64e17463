"""The durable spool: what the bus could not take waits here, in order, until it can (TEL-01, TEL-02).

A folder of segments of whole lines. `append` returns when the line is on the disk; what a crash left of a torn line is
cut off at the next opening. `peek` and `acknowledge` bring events again in order, at least once: the position is kept
after each batch, so a crash repeats one batch at most. Whole segments that were acknowledged are removed.
"""

import logging
import threading
from pathlib import Path
from typing import NamedTuple

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.journal.files import FilePort, OsFiles, WriterLock, sync_directory, write_durably
from tradeworthy.kernel.journal.quarantine import Quarantine
from tradeworthy.kernel.telemetry.message import PAYLOAD_BYTES_MAX, Message, PublishRefused, line_of, read_line

POSITION = "position.json"
READ_BYTES = 1 << 20
LOG = logging.getLogger("tradeworthy.telemetry.spool")


class SpoolFull(PublishRefused):
    """The spool holds as many bytes as it may; nothing older is given up for a new event."""


class SpoolUnwritable(PublishRefused):
    """The disk did not take a line; the cause is the `OSError`."""


class SpoolPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of the spool.

    bound_bytes    of all segments together; a further event is refused
    segment_bytes  at which a segment is closed and the next begun
    """

    bound_bytes: int = 256 << 20
    segment_bytes: int = 8 << 20

    def __post_init__(self) -> None:
        if not 0 < self.segment_bytes <= self.bound_bytes:
            raise ValueError(f"segment_bytes must be above 0 and at most bound_bytes, was {self.segment_bytes}")


class Place(msgspec.Struct, frozen=True, order=True):
    """A line's end: segment number and offset."""

    segment: int
    offset: int


class Batch(NamedTuple):
    """The oldest events that wait, how many lines they were (refused ones too), and where they end."""

    messages: tuple[Message, ...]
    lines: int
    end: Place


class SpoolFacts(msgspec.Struct, frozen=True):
    """Events and bytes that wait, the age of the oldest event, the bytes on disk of how many allowed, refused lines."""

    backlog_events: int
    backlog_age_seconds: float
    bytes: int
    bound_bytes: int
    malformed: int


class Spool:
    """One folder, one process; threads may append at the same time.

    files  the disk, replaceable where failures are rehearsed

    Raises `HaltTrading` when another process has the folder, `OSError` when it cannot be read.
    """

    def __init__(
        self, folder: Path, clock: Clock, *, policy: SpoolPolicy | None = None, files: FilePort | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._clock, self._files = folder, clock, files or OsFiles()
        self._policy = policy or SpoolPolicy()
        self._lock = threading.Lock()
        self._writer = WriterLock(folder)
        self._quarantine = Quarantine(folder)
        self._closed = False
        self._handle: int | None = None
        self._sizes: dict[int, int] = {}  # bytes of whole lines by segment, in order
        self._position = self._refused_to = Place(0, 0)
        self._next, self._backlog, self._malformed = 1, 0, 0
        self._oldest_ts: int | None = None
        try:
            self._open()
        except BaseException:
            self._writer.release()
            raise
    @property
    def backlog(self) -> int:
        """Events that wait."""
        return self._backlog

    def append(self, message: Message) -> None:
        """Keep one event durably, without secrets; raises `SpoolFull` or `SpoolUnwritable`, and then keeps none."""
        line = line_of(message)
        with self._lock:
            if self._closed:
                raise SpoolUnwritable(f"{message.topic}: expected an open spool, {self._folder} is closed")
            held = sum(self._sizes.values())
            if held + len(line) > self._policy.bound_bytes:
                bound = self._policy.bound_bytes
                raise SpoolFull(f"{message.topic}: expected room in a spool of {bound} bytes, found {held} used")
            try:
                self._write(line)
            except OSError as error:
                self._give_up_segment()
                raise SpoolUnwritable(f"{message.topic}: expected to write {self._folder}, found {error}") from error
            self._sizes[self._next - 1] += len(line)
            self._backlog += 1
            if self._oldest_ts is None:
                self._oldest_ts = message.ts

    def peek(self, limit: int) -> Batch:
        """Return up to `limit` of the oldest events, without taking them; a line that is none goes to quarantine."""
        with self._lock:
            return self._peek(limit)

    def acknowledge(self, batch: Batch) -> None:
        """Take a batch away, durably; raises `OSError`, and then the batch comes again."""
        with self._lock:
            if batch.end <= self._position:
                return
            write_durably(self._folder / POSITION, msgspec.json.encode(batch.end))
            self._position = batch.end
            self._backlog -= batch.lines
            self._remove_read()
            self._look_at_oldest()

    def facts(self) -> SpoolFacts:
        """Return the spool at this moment."""
        with self._lock:
            age = 0 if self._oldest_ts is None else max(0, self._clock.now() - self._oldest_ts)
            return SpoolFacts(
                self._backlog, age / NANOS_PER_SECOND, sum(self._sizes.values()), self._policy.bound_bytes,
                self._malformed,
            )  # fmt: skip

    def adopt(self, policy: SpoolPolicy) -> None:
        """Keep other bounds from now on; what is held already stays."""
        with self._lock:
            self._policy = policy

    def close(self) -> None:
        """Let go of the folder; again does nothing. A closed spool refuses every event."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._close_segment()
                self._writer.release()

    def _open(self) -> None:
        for path in sorted(self._folder.glob("*.jsonl")):
            if path.stem.isdigit():
                self._sizes[int(path.stem)] = _cut_torn_tail(path)
        self._next = max(self._sizes, default=0) + 1
        self._position = self._read_position()
        self._backlog = self._count_lines()
        self._look_at_oldest()

    def _write(self, line: bytes) -> None:
        if self._handle is not None and self._sizes[self._next - 1] + len(line) > self._policy.segment_bytes:
            self._close_segment()
        if self._handle is None:
            self._handle = self._files.create(self._path(self._next))
            self._sizes[self._next] = 0
            self._next += 1
        self._files.write(self._handle, line)
        self._files.sync(self._handle)

    def _give_up_segment(self) -> None:
        """After a failure nobody knows what the disk kept: cut the segment back and write to another one from now."""
        if self._handle is None:
            if self._path(self._next).exists():
                self._next += 1  # the failed making left a file; its name is not used again
            return
        number = self._next - 1
        try:
            self._close_segment()
            self._files.close(self._files.reopen(self._path(number), self._sizes[number]))
        except OSError as error:  # a line that stays there may come once more than was promised, never less
            LOG.warning("spool_segment_not_cut", extra={"segment": number, "error": str(error)})

    def _close_segment(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            self._files.close(handle)

    def _peek(self, limit: int) -> Batch:
        found: list[Message] = []
        lines, end = 0, self._position
        for number, size in self._sizes.items():
            if number < end.segment:
                continue
            place = end.offset if number == end.segment else 0
            with self._path(number).open("rb") as file:
                file.seek(place)
                while lines < limit and place < size:
                    line = file.readline(2 * PAYLOAD_BYTES_MAX)
                    if not line:
                        raise OSError(f"expected {size} bytes in {self._path(number)}, found {place}: cut by another")
                    place += len(line)
                    end = Place(number, place)
                    if line.endswith(b"\n"):
                        lines += 1
                    try:
                        found.append(read_line(line))
                    except InvalidInput as error:
                        self._refuse(line, str(error), end)
            if lines >= limit:
                break
        return Batch(tuple(found), lines, end)

    def _refuse(self, line: bytes, reason: str, end: Place) -> None:
        if end <= self._refused_to:
            return
        self._refused_to = end
        self._malformed += 1
        self._quarantine.put(line, reason, ts=self._clock.now(), source=str(self._path(end.segment).name))
        LOG.error("spool_line_refused", extra={"segment": end.segment, "reason": reason})

    def _remove_read(self) -> None:
        """Remove segments that lie before the position, and the one it stands in when nothing is left in it."""
        done = [n for n, size in self._sizes.items() if Place(n, size) <= self._position]
        if self._handle is not None and self._next - 1 in done:
            self._close_segment()
        for number in done:
            self._path(number).unlink(missing_ok=True)
            del self._sizes[number]
        if done:
            sync_directory(self._folder)

    def _look_at_oldest(self) -> None:
        first = self._peek(1) if self._backlog else None
        self._oldest_ts = first.messages[0].ts if first is not None and first.messages else None

    def _read_position(self) -> Place:
        first = min(self._sizes, default=self._next)
        path = self._folder / POSITION
        if not path.exists():
            return Place(first, 0)
        try:
            place = msgspec.json.decode(path.read_bytes(), type=Place)
        except msgspec.MsgspecError as error:
            LOG.warning("spool_position_unreadable", extra={"error": str(error), "from_segment": first})
            return Place(first, 0)
        self._next = max(self._next, place.segment + 1)  # a number that was used is not used again
        if place.segment < first:
            return Place(first, 0)
        if place.segment in self._sizes and not self._is_line_end(place):
            LOG.warning("spool_position_unfit", extra={"segment": place.segment, "offset": place.offset})
            return Place(place.segment, 0)
        return place

    def _is_line_end(self, place: Place) -> bool:
        if place.offset == 0:
            return True
        with self._path(place.segment).open("rb") as file:
            file.seek(place.offset - 1)
            return file.read(1) == b"\n"

    def _count_lines(self) -> int:
        count = 0
        for number, size in self._sizes.items():
            if number < self._position.segment:
                continue
            start = self._position.offset if number == self._position.segment else 0
            with self._path(number).open("rb") as file:
                file.seek(start)
                left = size - start
                while left > 0 and (data := file.read(min(left, READ_BYTES))):
                    count += data.count(b"\n")
                    left -= len(data)
        return count

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:012d}.jsonl"


def _cut_torn_tail(path: Path) -> int:
    """Cut what follows the last line feed; returns the bytes that stay."""
    with path.open("r+b") as file:
        size = end = file.seek(0, 2)
        while end > 0:
            start = max(0, end - READ_BYTES)
            file.seek(start)
            found = file.read(end - start).rfind(b"\n")
            if found >= 0:
                end = start + found + 1
                break
            end = start
        if end < size:
            file.truncate(end)
            file.flush()
            LOG.warning("spool_tail_cut", extra={"segment": path.name, "bytes": size - end})
    return end
