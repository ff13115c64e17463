"""Where finished lines go, each outlet failing by itself: a full disk does not stop the stream (LOG-04)."""

import logging
from collections import deque
from collections.abc import Sequence
from typing import IO, Protocol

import msgspec

from tradeworthy.kernel.telemetry.log_lines import LogLine
from tradeworthy.kernel.telemetry.log_policy import RESERVED


class Sink(Protocol):
    """One place for lines, called from the writer's thread only."""

    fault: OSError | None

    def write(self, lines: Sequence[LogLine]) -> int:
        """Write lines and return how many arrived; fewer leave the reason in `fault`."""

    def close(self) -> None: ...


class StreamSink:
    """A stream of bytes such as `sys.stdout.buffer`; it is the caller's and stays open."""

    def __init__(self, stream: IO[bytes], *, structured: bool) -> None:
        self._stream, self._structured = stream, structured
        self.fault: OSError | None = None

    def write(self, lines: Sequence[LogLine]) -> int:
        """Write lines, as JSON or as words."""
        self.fault = None
        shown = (line.data if self._structured else words_of(line) for line in lines)
        try:
            self._stream.write(b"\n".join([*shown, b""]))
            self._stream.flush()
        except (OSError, ValueError) as error:  # ValueError: somebody closed the stream
            self.fault = error if isinstance(error, OSError) else OSError(str(error))
            return 0
        return len(lines)

    def close(self) -> None:
        """Leave the stream to its owner."""


class Outlet:
    """A sink with its losses counted. ERROR lines wait, up to `errors_held`, until the sink takes lines again.

    failing, fault  whether, and why, the sink does not take lines
    """

    def __init__(self, name: str, sink: Sink, *, errors_held: int) -> None:
        self.name, self._sink = name, sink
        self._owed: deque[LogLine] = deque()
        self._errors_held = errors_held
        self.lost = 0
        self.failing = False
        self.fault = ""

    @property
    def owed(self) -> int:
        """ERROR lines that wait for the sink."""
        return len(self._owed)

    def write(self, lines: Sequence[LogLine]) -> None:
        """Write what is owed and `lines`; what does not arrive is held when it is an ERROR, else counted."""
        everything = [*self._owed, *lines]
        written = 0
        if not self.failing or self._attempt(everything[:1]):  # one line probes a sink that failed before
            written = int(self.failing)
            written += self._attempt(everything[written:])
        self.failing = written < len(everything)
        self._owed.clear()
        for line in everything[written:]:
            if line.level >= logging.ERROR and len(self._owed) < self._errors_held:
                self._owed.append(line)
            else:
                self.lost += 1

    def close(self) -> None:
        """Try once more for what is owed, count what stays, and close the sink."""
        if self._owed:
            self.write(())
        self.lost += len(self._owed)
        self._owed.clear()
        try:
            self._sink.close()
        except Exception as error:  # the other sinks are closed all the same
            self.fault = f"{type(error).__name__}: {error}"

    def _attempt(self, lines: Sequence[LogLine]) -> int:
        """Hand lines to the sink; one that raises took none of them, and the writer goes on."""
        try:
            written = self._sink.write(lines)
        except Exception as error:
            self.fault = f"{type(error).__name__}: {error}"
            return 0
        self.fault = "" if self._sink.fault is None else str(self._sink.fault)
        return written


def words_of(line: LogLine) -> bytes:
    """Return a line for people: time, level, logger, event, then the fields that say something."""
    fields = msgspec.json.decode(line.data)
    said = fields["event"] if fields["message"] == fields["event"] else f"{fields['event']}: {fields['message']}"
    more = [f"{name}={value}" for name, value in fields.items() if name not in RESERVED]
    if fields["correlation_id"] is not None:
        more.append(f"correlation_id={fields['correlation_id']}")
    text = " ".join([fields["timestamp"], fields["level"].upper(), fields["logger"], str(said), *more])
    return text.replace("\r", "\\r").replace("\n", "\\n").encode()
