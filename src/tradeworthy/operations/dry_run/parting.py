"""A command's parting words (DR-06): the trace that the harness's own signal causes is no finding about the command.

A program in Python that leaves SIGINT to its runtime ends with `KeyboardInterrupt` and its trace. Whether a trace is
such a one is told by its last line only, so after the stop request each trace is held back until that line is there.
"""

import re

from tradeworthy.operations.dry_run.plain_text import cleaned
from tradeworthy.operations.dry_run.pump import Line

HELD_LINES_MAX = 2_000
"""A trace of more lines is passed on as it is."""
_HEAD = re.compile(r"Traceback \(most recent call last\)|Exception ignored |Process [\w-]+:$")
_WITHIN = re.compile(r"\s|Traceback \(most recent call last\)|During handling of the above|The above exception was|$")
_OWN = re.compile(r"(?:\w+\.)*KeyboardInterrupt\b")
_ON_THE_WAY = re.compile(r"(?:\w+\.)*CancelledError\b")
"""What an event loop raises first when it is interrupted; the interrupt itself follows."""


class PartingWords:
    """Hold back traces that arrive after `stop_at`, and mark those of an interrupt; monotonic nanoseconds."""

    def __init__(self) -> None:
        self.stop_at: int | None = None
        self._held: dict[str, list[Line]] = {}

    def pass_on(self, lines: list[Line]) -> list[Line]:
        """Return what can be judged now, in the order of arrival of each stream."""
        if self.stop_at is None:
            return lines
        passed: list[Line] = []
        for line in lines:
            passed += [line] if line.monotonic < self.stop_at else self._look(line)
        return passed

    def end(self) -> list[Line]:
        """Return what is still held back: traces without their last line, so nobody knows of what."""
        rest = [line for held in self._held.values() for line in held]
        self._held.clear()
        return rest

    def _look(self, line: Line) -> list[Line]:
        text = cleaned(line.data.decode("utf-8", "replace"))
        held = self._held.get(line.stream)
        if held is None:
            if _HEAD.match(text) is None:
                return [line]
            held = self._held[line.stream] = []
        held.append(line)
        if len(held) < HELD_LINES_MAX and (len(held) == 1 or any(one.match(text) for one in (_WITHIN, _ON_THE_WAY))):
            return []
        del self._held[line.stream]
        own = _OWN.match(text) is not None
        return [one._replace(parting=True) for one in held] if own else held
