"""From chunks to evidence: cut lines, record them, write both streams, count beats. Used by one thread at a time."""

import threading

from tradeworthy.operations.dry_run.parting import PartingWords
from tradeworthy.operations.dry_run.pump import Chunk, Line, LineCutter
from tradeworthy.operations.dry_run.recorder import Recorder
from tradeworthy.operations.dry_run.segments import SegmentedLog
from tradeworthy.operations.dry_run.uptime import Uptime

STREAMS = ("stdout", "stderr")


class Scribe:
    """Write what arrives; `lock` guards what other threads read, never a write to disk."""

    def __init__(
        self, recorder: Recorder, log: SegmentedLog, uptime: Uptime, lock: threading.RLock, *, line_bytes_max: int,
    ) -> None:  # fmt: skip
        self._recorder = recorder
        self._log = log
        self._uptime = uptime
        self._lock = lock
        self._cutters = {stream: LineCutter(stream, bytes_max=line_bytes_max) for stream in STREAMS}
        self._parting = PartingWords()
        self.last_line: int | None = None

    def stopping(self, at: int) -> None:
        """Learn when the command was asked to stop."""
        self._parting.stop_at = at

    def write(self, chunks: list[Chunk]) -> None:
        """Record all lines that end in these chunks, in the order of arrival."""
        lines: list[Line] = []
        for chunk in chunks:
            lines += self._cutters[chunk.stream].feed(chunk)
        self._record(self._parting.pass_on(lines))

    def end(self) -> None:
        """Record the last lines that had no end."""
        last = [line for stream in STREAMS for line in self._cutters[stream].end()]
        self._record([*self._parting.pass_on(last), *self._parting.end()])

    def _record(self, lines: list[Line]) -> None:
        if not lines:
            return
        with self._lock:
            batch = self._recorder.take(lines)
            for moment in batch.moments:
                self._uptime.line(moment)
            for moment, seq in batch.beats:
                self._uptime.heartbeat(seq, moment)
            self.last_line = lines[-1].monotonic
        self._log.write(batch.structured, batch.raw, batch.lines)
