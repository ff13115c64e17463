"""Read logs once, in constant memory, and return what their lines add up to."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from tradeworthy.operations.dry_run.audit.policy import AuditPolicy, ScanPolicy
from tradeworthy.operations.dry_run.audit.sources import Decompressed, Unreadable, kind_of
from tradeworthy.operations.dry_run.audit.tally import Tally

PADDING = 64
"""Bytes that are readable after a block: the compiled kernel looks ahead in whole vectors."""
TEXT_PER_BYTE = 8
"""A compressed log is guessed to hold so many bytes of text for each of its own."""


class LineReader(Protocol):
    """Count the lines of `block[:stop]`, which ends with a line end."""

    def read(self, block: bytearray, stop: int) -> None: ...
    def finish(self) -> None: ...


class GeneralReader:
    """Parse each line in full."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def read(self, block: bytearray, stop: int) -> None:
        """Count the lines one by one."""
        take = self._tally.take
        for line in bytes(block[: stop - 1]).split(b"\n"):
            take(line)

    def finish(self) -> None:
        """Nothing is kept back."""


def scan(paths: Sequence[Path], policy: AuditPolicy, *, now: int, compiled: bool | None = None) -> Tally:
    """Return the tally of all files; what cannot be read is told in its `problems`, the rest is counted.

    now        nanoseconds UTC; times after it are findings
    compiled   whether the compiled reader is used; by default where it is installed and the logs are large
    """
    whole = Tally(policy, now=now)
    kinds: dict[Path, str] = {}
    for path in paths:
        try:
            kinds[path] = kind_of(path)
        except Unreadable as problem:
            whole.problems.append(str(problem))
    if compiled is None:
        total = sum(path.stat().st_size * (1 if kind == "plain" else TEXT_PER_BYTE) for path, kind in kinds.items())
        compiled = total >= policy.scan.compiled_bytes_min and find_spec("numba") is not None
    for path, kind in kinds.items():
        for part in _parts(path, kind, policy, now, compiled):
            whole.merge(part)
    return whole


def _parts(path: Path, kind: str, policy: AuditPolicy, now: int, compiled: bool) -> Iterator[Tally]:
    """Yield the tallies of one file; a large plain file is read by several readers, who fetch range after range."""
    size = path.stat().st_size
    readers = policy.scan.readers if kind == "plain" and compiled and size > 2 * policy.scan.line_bytes_max else 1
    if kind != "plain":
        yield _read_stream(path, kind, Tally(policy, now=now), compiled)
        return
    edges = _edges(path, size, 1 if readers == 1 else max(readers, size // policy.scan.range_bytes))
    ranges = iter(list(pairwise(edges)))  # one iterator for all: a reader on a busy processor fetches fewer
    with ThreadPoolExecutor(max_workers=readers) as pool:
        jobs = [pool.submit(_read_ranges, path, ranges, Tally(policy, now=now), compiled) for _ in range(readers)]
        for job in jobs:
            yield job.result()


def _edges(path: Path, size: int, count: int) -> list[int]:
    """Return offsets that cut a file after line ends into about equal ranges."""
    edges = [0]
    with path.open("rb") as file:
        for number in range(1, count):
            file.seek(size * number // count)
            file.readline()
            edges.append(max(edges[-1], file.tell()))
    return [*edges, size]


def _reader(tally: Tally, compiled: bool) -> LineReader:
    if not compiled:
        return GeneralReader(tally)
    # The compiler is woken only for large logs.
    from tradeworthy.operations.dry_run.audit.compiled_reader import CompiledReader

    return CompiledReader(tally)


def _read_ranges(path: Path, ranges: Iterator[tuple[int, int]], tally: Tally, compiled: bool) -> Tally:
    """Count the lines of the ranges of a plain file that this reader gets."""
    reader = _reader(tally, compiled)
    try:
        with path.open("rb", buffering=0) as file:
            for start, stop in ranges:
                lines = _Lines(tally, reader, tally.policy.scan)
                file.seek(start)
                left = stop - start
                while left > 0:
                    space = lines.space(min(left, tally.policy.scan.block_bytes))
                    count = file.readinto(space)
                    space.release()
                    if not count:
                        break
                    left -= count
                    lines.filled(count)
                lines.finish(path.name)
    except OSError as problem:
        tally.problems.append(f"cannot read {path.name}: {problem.strerror or problem}")
    reader.finish()
    return tally


def _read_stream(path: Path, kind: str, tally: Tally, compiled: bool) -> Tally:
    """Count the lines of a compressed file."""
    reader = _reader(tally, compiled)
    lines = _Lines(tally, reader, tally.policy.scan)
    source = Decompressed(path, kind)
    most = tally.policy.scan.block_bytes
    try:
        for block in source.blocks():
            for at in range(0, len(block), most):
                piece = memoryview(block)[at : at + most]
                space = lines.space(len(piece))
                space[:] = piece
                space.release()
                lines.filled(len(piece))
    except Unreadable as problem:
        tally.problems.append(str(problem))
    lines.finish(path.name, cut=source.truncated)
    reader.finish()
    return tally


class _Lines:
    """A buffer that hands whole lines to a reader and keeps the begun one."""

    def __init__(self, tally: Tally, reader: LineReader, policy: ScanPolicy) -> None:
        self._tally, self._reader = tally, reader
        self._line_max = policy.line_bytes_max
        self._buffer = bytearray(policy.block_bytes + PADDING)
        self._used = 0
        self._skipping = False

    def space(self, count: int) -> memoryview:
        """Return room for `count` more bytes; the buffer grows with the line that is begun."""
        missing = self._used + count + PADDING - len(self._buffer)
        if missing > 0:
            self._buffer.extend(bytes(max(missing, len(self._buffer))))
        return memoryview(self._buffer)[self._used : self._used + count]

    def filled(self, count: int) -> None:
        """Read the whole lines that are now there."""
        end = self._used + count
        stop = self._buffer.rfind(b"\n", self._used, end) + 1
        if stop == 0:
            self._used = end
            if end > self._line_max:
                self._skipping = True
                self._used = 0
            return
        start = 0
        if self._skipping:
            start = self._buffer.find(b"\n", 0, stop) + 1
            self._buffer[: stop - start] = self._buffer[start:stop]
            self._tally.take_overlong()
            self._skipping = False
        if stop > start:
            self._reader.read(self._buffer, stop - start)
        self._used = end - stop
        self._buffer[: self._used] = self._buffer[stop:end]

    def finish(self, name: str, *, cut: bool = False) -> None:
        """Read the line that has no end."""
        if self._skipping:
            self._tally.take_overlong()
        elif self._used:
            self._tally.take_tail(bytes(self._buffer[: self._used]), name)
        if cut and name not in self._tally.truncated:
            self._tally.truncated.append(name)
