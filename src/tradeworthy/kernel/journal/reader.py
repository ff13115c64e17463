"""Read a journal: typed events, raw lines, and a durable tail for other processes (JR-17)."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import zstandard

from tradeworthy.kernel.clock import NANOS_PER_MILLI, Clock
from tradeworthy.kernel.errors import HaltTrading
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.journal.codec import decode_lines
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.journal.verify import SEAL_PREFIX

BLOCK_BYTES = 1 << 18
UNSEALED_BYTES_MAX = 1 << 26
POLL_NANOS = 20 * NANOS_PER_MILLI
_SEAL = b"\n" + SEAL_PREFIX


def segment_paths(directory: Path) -> list[Path]:
    """Return the segments, oldest first; a compressed one stands in for its released original."""
    found = {path.name.partition(".")[0]: path for path in directory.glob("journal-*.jsonl.zst")}
    found.update({path.stem: path for path in directory.glob("journal-*.jsonl")})
    return [found[name] for name in sorted(found)]


def first_seq_of(path: Path) -> int:
    """Return the seq that a segment starts with, by its name."""
    return int(path.name.partition(".")[0].removeprefix("journal-"))


def open_segment(path: Path) -> BinaryIO:
    """Open a plain or compressed segment for reading."""
    file = path.open("rb")
    if path.suffix == ".zst":
        return io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(file, closefd=True))
    return file


def skip(file: BinaryIO, offset: int) -> None:
    """Go to `offset` of a freshly opened segment; a compressed one is read up to there."""
    if file.seekable():
        file.seek(offset)
        return
    while offset > 0 and (block := file.read(min(offset, BLOCK_BYTES))):
        offset -= len(block)


def batches_of(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of one sealed batch after another, without header and seals; what is not sealed is left out."""
    rest = b""
    while block := file.read(BLOCK_BYTES):
        block = rest + block
        start = 0
        while (at := block.find(_SEAL, start)) >= 0:
            end = block.find(b"\n", at + 1)
            if end < 0:
                break
            if block.startswith(b'{"segment":', start):
                start = block.index(b"\n", start) + 1
            if not block.startswith(b'{"seq":', start):
                raise HaltTrading(f"expected an event behind a seal, found {block[start : start + 40]!r}: damaged")
            yield block[start : at + 1]
            start = end + 1
        rest = block[start:]
        if len(rest) > UNSEALED_BYTES_MAX:
            raise HaltTrading(f"expected a seal within {UNSEALED_BYTES_MAX} bytes, found none")


def read_batches(directory: Path, *, start: int = 1, stop: int | None = None) -> Iterator[bytes]:
    """Yield runs of whole lines with `start <= seq < stop`."""
    paths = segment_paths(directory)
    firsts = [first_seq_of(path) for path in paths]
    if paths and start < firsts[0] and start > 1:
        raise HaltTrading(f"expected events from seq {start}, the oldest segment here starts at {firsts[0]}")
    for index, path in enumerate(paths):
        if index + 1 < len(paths) and firsts[index + 1] <= start:
            continue
        if stop is not None and firsts[index] >= stop:
            return
        with open_segment(path) as file:
            for body in batches_of(file):
                first = int(body[7 : body.index(b",")])
                if first >= start and stop is None:
                    yield body
                    continue
                count = body.count(b"\n")
                if first + count <= start:
                    continue
                if stop is not None and first >= stop:
                    return
                lines = body.splitlines(keepends=True)
                yield b"".join(lines[max(0, start - first) : None if stop is None else stop - first])


def read(directory: Path, *, start: int = 1, stop: int | None = None) -> Iterator[Event]:
    """Yield sealed events with `start <= seq < stop`, payloads typed by kind; memory holds one block."""
    for body in read_batches(directory, start=start, stop=stop):
        yield from decode_lines(body)


def read_raw(directory: Path, *, start: int = 1, stop: int | None = None) -> Iterator[bytes]:
    """Yield the stored lines, each with its newline."""
    for body in read_batches(directory, start=start, stop=stop):
        yield from body.splitlines(keepends=True)


class Cursor:
    """A consumer's durable place: the last seq whose effect is done. Effect first, commit after."""

    def __init__(self, directory: Path, name: str) -> None:
        self._path = directory / f"cursor-{name}.txt"
        self.seq = int(self._path.read_text()) if self._path.exists() else 0

    def commit(self, seq: int) -> None:
        """Remember durably that everything up to `seq` has had its effect."""
        if seq < self.seq:
            raise ValueError(f"a cursor never goes back: at {self.seq}, was given {seq}")
        write_durably(self._path, b"%d\n" % seq)
        self.seq = seq


def tail(
    directory: Path, consumer: Cursor, *, follow: bool = False, clock: Clock | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[Event]:
    """Yield sealed events after the consumer's cursor; with `follow` wait for more until `stopped()`.

    The caller commits the cursor after an event's effect; an event whose commit was lost comes again.
    clock  waits between two looks, needed with `follow`
    """
    if follow and clock is None:
        raise ValueError("following needs a clock to wait with")
    position = _Position(directory, consumer.seq)
    while True:
        yield from position.advance()
        if not follow or clock is None or stopped():
            return
        clock.sleep(POLL_NANOS)


class _Position:
    """Where a tail stands: after `seq`, at an offset of one segment."""

    def __init__(self, directory: Path, seq: int) -> None:
        self._directory = directory
        self._seq = seq
        self._path: Path | None = None
        self._offset = 0

    def advance(self) -> Iterator[Event]:
        while True:
            paths = segment_paths(self._directory)
            if self._path not in paths:
                behind = [path for path in paths if first_seq_of(path) <= self._seq + 1]
                if not paths:
                    return
                self._path, self._offset = (behind[-1] if behind else paths[0]), 0
            later = paths[paths.index(self._path) + 1 :]
            yield from self._from_segment(self._path)
            if not later:
                return
            self._path, self._offset = later[0], 0

    def _from_segment(self, path: Path) -> Iterator[Event]:
        with open_segment(path) as file:
            skip(file, self._offset)
            rest = b""
            while block := file.read(BLOCK_BYTES):
                block = rest + block
                seal = block.rfind(_SEAL)
                end = block.find(b"\n", seal + 1) if seal >= 0 else -1
                if end < 0 and seal > 0:  # the last seal is not whole yet
                    seal = block.rfind(_SEAL, 0, seal)
                    end = block.find(b"\n", seal + 1) if seal >= 0 else -1
                if end >= 0:
                    for body in batches_of(io.BytesIO(block[: end + 1])):
                        for event in decode_lines(body):
                            if event.seq > self._seq:
                                self._seq = event.seq
                                yield event
                    self._offset += end + 1
                    block = block[end + 1 :]
                rest = block
