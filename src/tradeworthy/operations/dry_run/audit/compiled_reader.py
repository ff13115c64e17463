"""Read blocks of lines with the compiled kernel, and what it leaves over with the general parser.

Both agree by construction on the lines that only one of them sees; a property test holds them equal on the rest.
"""

import numpy as np

from tradeworthy.operations.dry_run.audit import compiled as kernel
from tradeworthy.operations.dry_run.audit.coverage import BEFORE, NEVER
from tradeworthy.operations.dry_run.audit.tally import FUTURE_NANOS_MAX, Tally


class CompiledReader:
    """Read blocks of whole lines into a tally; what the kernel counted arrives there at `finish`."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._width = tally.coverage.width
        self._counts = np.zeros(16, np.int64)
        self._counts[kernel.FIRST_CELL] = -1
        self._cells = np.empty(2 * kernel.CELLS, np.int64)
        self._cells[0::2], self._cells[1::2] = NEVER, BEFORE
        self._spans = np.empty(2 * kernel.SPANS, np.int64)
        self._dates = np.zeros(6, np.int64)
        self._event_words = np.zeros(kernel.SLOTS * 4, np.int64)
        self._event_counts = np.zeros(2 * kernel.SLOTS, np.int64)

    def read(self, block: bytearray, stop: int) -> None:
        """Count the lines of `block[:stop]`, which ends with a line end and has 64 readable bytes after it."""
        buffer = np.frombuffer(block, np.uint8)
        base = buffer.ctypes.data
        at = 0
        while at < stop:
            self._counts[kernel.SPANS_USED] = 0
            at = kernel.scan(
                base, at, stop, self._tally.now + FUTURE_NANOS_MAX, FUTURE_NANOS_MAX, self._width, self._counts,
                self._cells, self._spans, self._dates, self._event_words, self._event_counts,
            )
            spans = self._spans[: 2 * self._counts[kernel.SPANS_USED]].tolist()
            for start, end in zip(spans[::2], spans[1::2], strict=True):
                self._tally.take(bytes(block[start:end]))
        del buffer

    def finish(self) -> None:
        """Hand the counts over."""
        tally, counts = self._tally, self._counts
        tally.records += int(counts[kernel.RECORDS])
        tally.measured += int(counts[kernel.MEASURED])
        tally.attested += int(counts[kernel.ATTESTED])
        for number, word in enumerate(kernel.OK_WORDS):
            if counts[kernel.LEVELS + number]:
                tally.levels.add(word, int(counts[kernel.LEVELS + number]))
        for slot in np.nonzero(self._event_counts[0::2])[0].tolist():
            length = int(self._event_counts[2 * slot + 1])
            words = self._event_words[4 * slot : 4 * slot + 4].tobytes()
            tally.events.add(words[:length].decode("ascii"), int(self._event_counts[2 * slot]))
        self._hand_over_cells()

    def _hand_over_cells(self) -> None:
        coverage = self._tally.coverage
        first_page = int(self._counts[kernel.FIRST_CELL]) // kernel.CELLS_A_PAGE
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
