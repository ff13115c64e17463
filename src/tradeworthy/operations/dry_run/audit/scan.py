"""Read logs once, in constant memory, and return what their lines add up to."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from itertools import groupby, pairwise
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple, Protocol

from tradeworthy.operations.dry_run.audit.policy import AuditPolicy, ScanPolicy
from tradeworthy.operations.dry_run.audit.sources import Decompressed, Unreadable, kind_of, made_ahead
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
    pieces = [piece for path, kind in kinds.items() for piece in _pieces(path, kind, policy.scan, compiled)]
    readers = max(1, min(len(pieces), policy.scan.readers if compiled else 1))
    spare = readers < policy.scan.readers
    left = iter(pieces)  # one iterator for all: a reader on a busy processor fetches fewer
    with ThreadPoolExecutor(max_workers=readers) as pool:
        jobs = [pool.submit(_read_pieces, left, Tally(policy, now=now), compiled, spare) for _ in range(readers)]
        for job in jobs:
            whole.merge(job.result())
    whole.problems.sort()
    return whole


class _Piece(NamedTuple):
    """A plain file from `start` to `stop`, or a compressed one as a whole."""

    path: Path
    kind: str
    start: int = 0
    stop: int = 0


def _pieces(path: Path, kind: str, policy: ScanPolicy, compiled: bool) -> Iterator[_Piece]:
    """Yield what readers fetch: ranges of a large plain file, else the file."""
    if kind != "plain":
        yield _Piece(path, kind)
        return
    size = path.stat().st_size
    alone = not compiled or policy.readers == 1 or size <= 2 * policy.line_bytes_max
    for start, stop in pairwise(_edges(path, size, 1 if alone else max(policy.readers, size // policy.range_bytes))):
        yield _Piece(path, kind, start, stop)


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


def _read_pieces(pieces: Iterator[_Piece], tally: Tally, compiled: bool, spare: bool) -> Tally:
    """Count the lines of the pieces that this reader gets.

    spare   whether a processor would be idle: it decompresses ahead; else a block is read where it was decompressed
    """
    for path, same in groupby(pieces, key=attrgetter("path")):
        reader = _reader(tally, compiled)  # afresh for each file: the compiled one has room for some days
        for piece in same:
            lines = _Lines(tally, reader, tally.policy.scan)
            if piece.kind == "plain":
                _read_range(piece, lines, tally)
            else:
                _read_stream(path, piece.kind, lines, tally, spare)
        reader.finish()
    return tally


def _read_range(piece: _Piece, lines: "_Lines", tally: Tally) -> None:
    """Count the lines of a range of a plain file."""
    try:
        with piece.path.open("rb", buffering=0) as file:
            file.seek(piece.start)
            left = piece.stop - piece.start
            while left > 0:
                space = lines.space(min(left, tally.policy.scan.block_bytes))
                count = file.readinto(space)
                space.release()
                if not count:
                    break
                left -= count
                lines.filled(count)
            lines.finish(piece.path.name)
    except OSError as problem:
        tally.problems.append(f"cannot read {piece.path.name}: {problem.strerror or problem}")


def _read_stream(path: Path, kind: str, lines: "_Lines", tally: Tally, spare: bool) -> None:
    """Count the lines of a compressed file."""
    source = Decompressed(path, kind)
    most = tally.policy.scan.block_bytes
    try:
        for block in made_ahead(source.blocks()) if spare else source.blocks():
            for at in range(0, len(block), most):
                piece = memoryview(block)[at : at + most]
                space = lines.space(len(piece))
                space[:] = piece
                space.release()
                lines.filled(len(piece))
    except Unreadable as problem:
        tally.problems.append(str(problem))
    lines.finish(path.name, cut=source.truncated)


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
