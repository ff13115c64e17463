"""Read the command's output without ever letting it block for long: pumps, their bounded buffer, whole lines.

A pump reads chunks from one pipe and stamps their arrival; the buffer between pumps and disk is bounded in bytes, and
a full buffer holds the pump back (and so the command), which is measured. Lines are cut out on the writer's side.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, Protocol

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.operations.dry_run.policy import PumpPolicy

BYTES_PER_KIB = 1_024
BATCH_BYTES = 524_288
"""The writer takes about so much at once; it bounds the memory of lines in hand."""
WAIT_SECONDS = 0.25
"""How long a held pump sleeps before it looks again whether the run was given up."""


class Chunk(NamedTuple):
    """Bytes as they arrived on one stream; `monotonic` in ns since the run's spawn is not assumed."""

    stream: str
    monotonic: int
    data: bytes


class Line(NamedTuple):
    """One whole line without its end; `original_bytes` is its length before it was cut.

    parting  it belongs to the trace of the interrupt by which the harness ended the command
    """

    stream: str
    monotonic: int
    data: bytes
    original_bytes: int
    parting: bool = False

    @property
    def truncated(self) -> bool:
        return self.original_bytes > len(self.data)


class ByteReader(Protocol):
    """One end of a pipe; returns b"" at its end."""

    def read(self, count: int) -> bytes: ...


class LineBuffer:
    """The bounded queue between pumps and writer; `held_seconds` is how long a pump waits now, or 0."""

    def __init__(self, clock: Clock, *, bytes_max: int) -> None:
        self._clock = clock
        self._max = bytes_max
        self._chunks: deque[Chunk] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._held_since: dict[str, int] = {}
        self._closed = False
        self.bytes_peak = 0

    def put(self, chunk: Chunk) -> None:
        """Add a chunk; wait while there is no room, unless the buffer is closed."""
        with self._changed:
            while self._bytes >= self._max and not self._closed:
                self._held_since.setdefault(chunk.stream, self._clock.monotonic())
                self._changed.wait(WAIT_SECONDS)
            self._held_since.pop(chunk.stream, None)
            self._chunks.append(chunk)
            self._bytes += len(chunk.data)
            self.bytes_peak = max(self.bytes_peak, self._bytes)
            self._changed.notify_all()

    def take(self, wait_seconds: float) -> list[Chunk]:
        """Return what is there, oldest first, up to about one batch; wait up to `wait_seconds` for something."""
        with self._changed:
            if not self._chunks and not self._closed and wait_seconds > 0:
                self._changed.wait(wait_seconds)
            taken: list[Chunk] = []
            size = 0
            while self._chunks and size < BATCH_BYTES:
                taken.append(self._chunks.popleft())
                size += len(taken[-1].data)
            return taken

    def release(self, count: int) -> None:
        """Give back the room of `count` bytes that are on disk now."""
        with self._changed:
            self._bytes -= count
            self._changed.notify_all()

    def close(self) -> None:
        """Hold nobody back from here on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def held_seconds(self) -> float:
        """Return how long the longest held pump has been waiting."""
        with self._changed:
            if not self._held_since:
                return 0.0
            return (self._clock.monotonic() - min(self._held_since.values())) / NANOS_PER_SECOND


class Pump(threading.Thread):
    """Move one pipe into the buffer until its end; a failed read restarts the pump and is told through `failed`."""

    def __init__(
        self, stream: str, pipe: ByteReader, buffer: LineBuffer, *, clock: Clock, policy: PumpPolicy,
        failed: Callable[[str, BaseException], None],
    ) -> None:  # fmt: skip
        super().__init__(name=f"pump-{stream}", daemon=True)
        self._stream = stream
        self._pipe = pipe
        self._buffer = buffer
        self._clock = clock
        self._policy = policy
        self._failed = failed

    def run(self) -> None:
        for _ in range(self._policy.restarts_max + 1):
            try:
                self._move()
            except (OSError, ValueError, MemoryError) as problem:
                self._failed(self._stream, problem)
            else:
                return

    def _move(self) -> None:
        policy, pause = self._policy, round(self._policy.small_read_pause_seconds * NANOS_PER_SECOND)
        quiet = False
        while data := self._pipe.read(policy.chunk_bytes):
            self._buffer.put(Chunk(self._stream, self._clock.monotonic(), data))
            small = len(data) < policy.small_read_bytes
            if small and quiet:
                self._clock.sleep(pause)
            quiet = small


class LineCutter:
    """Cut one stream's chunks into lines; keeps at most `bytes_max` of a line that is still open."""

    def __init__(self, stream: str, *, bytes_max: int) -> None:
        self._stream = stream
        self._max = bytes_max
        self._open: list[bytes] = []
        self._kept = 0
        self._seen = 0
        self._since = 0

    def feed(self, chunk: Chunk) -> list[Line]:
        """Return the lines that end in this chunk; each is stamped with the arrival of its first byte's chunk."""
        *whole, rest = chunk.data.split(b"\n")
        lines: list[Line] = []
        if whole:
            first, *others = whole
            self._keep(first, chunk.monotonic)
            lines.append(self._close())
            stream, moment, limit = self._stream, chunk.monotonic, self._max
            for data in others:
                lines.append(Line(stream, moment, data if len(data) <= limit else data[:limit], len(data)))
        if rest:
            self._keep(rest, chunk.monotonic)
        return lines

    def end(self) -> list[Line]:
        """Return the last line when it had no end."""
        return [self._close()] if self._seen else []

    def _keep(self, data: bytes, monotonic: int) -> None:
        if not self._seen:
            self._since = monotonic
        self._seen += len(data)
        room = self._max - self._kept
        if room > 0 and data:
            self._open.append(data[:room])
            self._kept += min(room, len(data))

    def _close(self) -> Line:
        line = Line(self._stream, self._since, b"".join(self._open), self._seen)
        self._open.clear()
        self._kept = self._seen = 0
        return line
