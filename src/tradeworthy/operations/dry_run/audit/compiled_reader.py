"""Read blocks of lines with the compiled kernel, and what it leaves over with the general parser.

Both agree by construction on the lines that only one of them sees; a property test holds them equal on the rest.
"""

import ctypes

import numpy as np

from tradeworthy.operations.dry_run.audit import compiled as kernel
from tradeworthy.operations.dry_run.audit.coverage import BEFORE, NEVER
from tradeworthy.operations.dry_run.audit.tally import FUTURE_NANOS_MAX, Tally

LEFT_LINES_MAX, LEFT_BYTES_MAX = 512, 262_144
"""So much is kept for the general parser until it is asked."""


class CompiledReader:
    """Read blocks of whole lines into a tally; what the kernel counted arrives there at `finish`."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._width = tally.coverage.width
        self._state = np.zeros(kernel.WORDS, np.int64)
        self._state_at = self._state.ctypes.data
        self._state[kernel.FIRST_CELL] = self._state[kernel.CELL_LOW] = BEFORE
        self._state[kernel.LATEST] = tally.now + FUTURE_NANOS_MAX
        self._state[kernel.AHEAD_MAX], self._state[kernel.WIDTH] = FUTURE_NANOS_MAX, self._width
        self._left: list[bytes] = []
        self._left_bytes = 0
        self._cells = self._state[kernel.CELLS_AT : kernel.SHAPES_AT]
        self._cells[0::2], self._cells[1::2] = NEVER, BEFORE

    def read(self, block: bytearray, stop: int) -> None:
        """Count the lines of `block[:stop]`, which ends with a line end and has 64 readable bytes after it."""
        state = self._state
        base = ctypes.addressof(ctypes.c_char.from_buffer(block))
        at = 0
        while at < stop:
            at = kernel.scan(base, at, stop, self._state_at)
            left = int(state[kernel.SPANS_USED])
            if left:
                spans = state[kernel.SPANS_AT : kernel.SPANS_AT + 2 * left].tolist()
                state[kernel.SPANS_USED] = 0
                with memoryview(block) as view:
                    for start, end in zip(spans[::2], spans[1::2], strict=True):
                        self._leave(bytes(view[start:end]))
        if state[kernel.BEATS_USED] > kernel.BEATS // 2:
            self._hand_over_beats()

    def _leave(self, line: bytes) -> None:
        """Keep a line for the general parser, which is twice as fast on many in a row."""
        self._left.append(line)
        self._left_bytes += len(line)
        if len(self._left) >= LEFT_LINES_MAX or self._left_bytes >= LEFT_BYTES_MAX:
            self._take_left()

    def _take_left(self) -> None:
        left, self._left, self._left_bytes = self._left, [], 0
        for line in left:
            self._tally.take(line)

    def _hand_over_beats(self) -> None:
        beats = int(self._state[kernel.BEATS_USED])
        self._tally.take_beats(self._state[kernel.BEATS_AT : kernel.BEATS_AT + 2 * beats].tolist())
        self._state[kernel.BEATS_USED] = 0

    def finish(self) -> None:
        """Hand the counts over."""
        tally, state = self._tally, self._state
        self._take_left()
        self._hand_over_beats()
        tally.records += int(state[kernel.RECORDS])
        tally.measured += int(state[kernel.MEASURED])
        tally.attested += int(state[kernel.ATTESTED])
        for number, word in enumerate(kernel.OK_WORDS):
            if state[kernel.LEVELS + number]:
                tally.levels.add(word, int(state[kernel.LEVELS + number]))
        events = state[kernel.EVENTS_AT : kernel.CELLS_AT]
        for slot in np.nonzero(events[0::2])[0].tolist():
            name = kernel.NAMES_AT + 4 * slot
            text = state[name : name + 4].tobytes()[: int(events[2 * slot + 1])]
            tally.events.add(text.decode(), int(events[2 * slot]))
        self._hand_over_cells()

    def _hand_over_cells(self) -> None:
        coverage = self._tally.coverage
        first_page = int(self._state[kernel.FIRST_CELL]) // kernel.CELLS_A_PAGE
        pages = self._cells.reshape(-1, 2 * kernel.CELLS_A_PAGE)
        for number in np.nonzero((pages[:, 0::2] != NEVER).any(axis=1))[0].tolist():
            page = pages[number]
            if coverage.width == self._width:
                target = np.frombuffer(coverage.page(first_page + number), np.int64)
            if coverage.width != self._width:
                for at in np.nonzero(page[0::2] != NEVER)[0].tolist():
                    coverage.note(int(page[2 * at]))
                    coverage.note(int(page[2 * at + 1]))
                continue
            np.minimum(target[0::2], page[0::2], out=target[0::2])
            np.maximum(target[1::2], page[1::2], out=target[1::2])
