"""The evidence log: two streams a segment (structured and raw), rotated, compressed, digested while written."""

import hashlib
import os
import zlib
from pathlib import Path
from typing import Protocol

import msgspec
import zstandard

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.journal.files import sync_directory
from tradeworthy.operations.dry_run.model import Segment, stamp
from tradeworthy.operations.dry_run.policy import SECONDS_PER_HOUR, PumpPolicy

GZIP_LEVEL = 1
GZIP_WINDOW_BITS = 31
ZSTANDARD_LEVEL = 3
BLOCK_BYTES = 262_144
"""Compressed output is handed to the disk in blocks of this size, or at each flush."""


class Compressor(Protocol):
    """A streaming compressor; `part` flushes all that was given so that a reader can reach it."""

    def add(self, data: bytes) -> bytes: ...
    def part(self) -> bytes: ...
    def end(self) -> bytes: ...


class Plain:
    """No compression."""

    suffix = ""

    def add(self, data: bytes) -> bytes:
        return data

    def part(self) -> bytes:
        return b""

    def end(self) -> bytes:
        return b""


class Gzip:
    """gzip, level 1: the disk is the bound, not the ratio."""

    suffix = ".gz"

    def __init__(self) -> None:
        self._stream = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, GZIP_WINDOW_BITS)

    def add(self, data: bytes) -> bytes:
        return self._stream.compress(data)

    def part(self) -> bytes:
        return self._stream.flush(zlib.Z_SYNC_FLUSH)

    def end(self) -> bytes:
        return self._stream.flush(zlib.Z_FINISH)


class Zstandard:
    """zstd with a content checksum."""

    suffix = ".zst"

    def __init__(self) -> None:
        compressor = zstandard.ZstdCompressor(level=ZSTANDARD_LEVEL, write_checksum=True)
        self._stream = compressor.compressobj()

    def add(self, data: bytes) -> bytes:
        return self._stream.compress(data)

    def part(self) -> bytes:
        return self._stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)

    def end(self) -> bytes:
        return self._stream.flush(zstandard.COMPRESSOBJ_FLUSH_FINISH)


def compressor_of(policy: PumpPolicy) -> Plain | Gzip | Zstandard:
    """Return a fresh compressor as the policy asks."""
    if not policy.compress:
        return Plain()
    return Zstandard() if policy.compress_format == "zst" else Gzip()


class EvidenceFile:
    """One write-once file whose digest grows with it."""

    def __init__(self, path: Path, compressor: Compressor) -> None:
        self.path = path
        self._compressor = compressor
        self._digest = hashlib.sha256()
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o640)
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._plain = isinstance(compressor, Plain)

    def add(self, data: bytes) -> None:
        """Append `data`; plain data is with the operating system when this returns."""
        out = self._compressor.add(data)
        if out:
            self._pending.append(out)
            self._pending_bytes += len(out)
        if self._plain or self._pending_bytes >= BLOCK_BYTES:
            self._write()

    def flush(self) -> None:
        """Make all that was added readable by others."""
        if not self._plain:
            self._pending.append(self._compressor.part())
        self._write()

    def close(self) -> str:
        """Finish the stream, make it durable and return its SHA-256."""
        self._pending.append(self._compressor.end())
        self._write()
        os.fsync(self._handle)
        os.close(self._handle)
        return self._digest.hexdigest()

    def _write(self) -> None:
        data = b"".join(self._pending)
        self._pending.clear()
        self._pending_bytes = 0
        self._digest.update(data)
        view = memoryview(data)
        while view:
            view = view[os.write(self._handle, view) :]


class SegmentedLog:
    """Write lines to the current segment pair; rotate on monotonic age, only between lines.

    name  `final_dry_run_<ts>`; with rotation or resumption segments are named `_p001`, `_p002`, ...
    """

    def __init__(
        self, folder: Path, name: str, policy: PumpPolicy, *, numbered: bool = False, kept: tuple[Segment, ...] = ()
    ) -> None:
        self._folder = folder
        self._name = name
        self._policy = policy
        self._numbered = numbered or policy.rotate_hours is not None
        self._done = list(kept)
        self._current: Segment | None = None
        self._lines = 0
        self._opened_at = 0
        self._flushed_at = 0
        self._structured: EvidenceFile | None = None
        self._raw: EvidenceFile | None = None

    @property
    def number(self) -> int:
        """Return the number of the segment in hand."""
        return len(self._done) + (1 if self._current is not None else 0)

    def segments(self) -> tuple[Segment, ...]:
        """Return every segment, the open one with its lines so far."""
        if self._current is None:
            return tuple(self._done)
        return (*self._done, msgspec.structs.replace(self._current, lines=self._lines))

    def open(self, *, now: int, monotonic: int) -> None:
        """Start the next segment."""
        number = len(self._done) + 1
        part = f"_p{number:03d}" if self._numbered else ""
        suffix = compressor_of(self._policy).suffix
        structured = self._folder / f"{self._name}{part}.jsonl{suffix}"
        raw = self._folder / f"{self._name}{part}.log{suffix}"
        self._structured = EvidenceFile(structured, compressor_of(self._policy))
        self._raw = EvidenceFile(raw, compressor_of(self._policy))
        sync_directory(self._folder)
        self._current = Segment(
            number=number, structured_path=str(structured), raw_path=str(raw), started_at=stamp(now)
        )
        self._lines = 0
        self._opened_at = self._flushed_at = monotonic

    def write(self, structured: bytes, raw: bytes, lines: int) -> None:
        """Append whole lines to both streams."""
        if self._structured is None or self._raw is None:
            raise RuntimeError("expected an open segment, found none; call open() first")
        self._structured.add(structured)
        self._raw.add(raw)
        self._lines += lines

    def tick(self, *, now: int, monotonic: int) -> None:
        """Rotate or flush when it is time."""
        hours = self._policy.rotate_hours
        if hours is not None and monotonic - self._opened_at >= hours * SECONDS_PER_HOUR * NANOS_PER_SECOND:
            self.close(now=now)
            self.open(now=now, monotonic=monotonic)
        elif monotonic - self._flushed_at >= self._policy.flush_seconds * NANOS_PER_SECOND:
            self._flushed_at = monotonic
            for one in (self._structured, self._raw):
                if one is not None:
                    one.flush()

    def close(self, *, now: int) -> None:
        """Finish the segment in hand and keep its digests."""
        if self._current is None or self._structured is None or self._raw is None:
            return
        self._done.append(
            msgspec.structs.replace(
                self._current, ended_at=stamp(now), lines=self._lines, structured_sha256=self._structured.close(),
                raw_sha256=self._raw.close(),
            )
        )  # fmt: skip
        self._current = self._structured = self._raw = None
