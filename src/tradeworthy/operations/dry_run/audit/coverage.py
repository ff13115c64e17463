"""When something was there: the first and last moment of each cell of time, so memory is bounded and order is free.

A gap longer than a cell lies between the last moment of one cell and the first of the next, so it is exact.
"""

from array import array
from collections.abc import Iterator

CELLS_A_PAGE = 1_024
PAGE_BYTES = 16 * CELLS_A_PAGE
NEVER = (1 << 63) - 1
BEFORE = -(1 << 63)
_EMPTY = array("q", [NEVER, BEFORE] * CELLS_A_PAGE)


class Coverage:
    """Cells of `width` nanoseconds in pages; when `bytes_max` is full the width doubles and neighbours join."""

    def __init__(self, *, width: int, bytes_max: int) -> None:
        self.width = width
        self._pages_max = max(2, bytes_max // PAGE_BYTES)
        self._pages: dict[int, array[int]] = {}
        self._low, self._high = 0, 0
        self._page = _EMPTY
        self._at = 0

    def note(self, moment: int) -> None:
        """Remember that something was there at `moment` (nanoseconds)."""
        if not self._low <= moment < self._high:
            cell = moment // self.width
            page = cell // CELLS_A_PAGE
            self._page = self.page(page)
            cell = moment // self.width  # the page may have been made by widening
            self._page = self.page(cell // CELLS_A_PAGE)
            self._low = cell * self.width
            self._high = self._low + self.width
            self._at = cell % CELLS_A_PAGE * 2
        if moment < self._page[self._at]:
            self._page[self._at] = moment
        if moment > self._page[self._at + 1]:
            self._page[self._at + 1] = moment

    def page(self, number: int) -> "array[int]":
        """Return a page for writing, (first, last) a cell; a new one may widen the cells, see `width`."""
        found = self._pages.get(number)
        if found is None:
            found = self._pages[number] = _EMPTY[:]
            while len(self._pages) > self._pages_max:
                self.widen()
        return found

    def widen(self) -> None:
        """Double the width and join the cells two by two."""
        old, self._pages = self._pages, {}
        self.width *= 2
        self._low = self._high = 0
        for number, page in old.items():
            half = self._pages.setdefault(number // 2, _EMPTY[:])
            base = number % 2 * CELLS_A_PAGE
            for at in range(0, 2 * CELLS_A_PAGE, 4):
                to = base + at // 2
                half[to] = min(half[to], page[at], page[at + 2])
                half[to + 1] = max(half[to + 1], page[at + 1], page[at + 3])

    def merge(self, other: "Coverage") -> None:
        """Take over what `other` saw; the coarser width of the two stays."""
        while self.width < other.width:
            self.widen()
        if self.width == other.width:
            for number in [number for number in other._pages if number not in self._pages]:
                self._pages[number] = other._pages[number]
                while len(self._pages) > self._pages_max:
                    self.widen()
                if self.width != other.width:
                    break
        for first, last in other.cells(unless=self._pages):
            self.note(first)
            self.note(last)

    def cells(self, *, unless: "dict[int, array[int]] | None" = None) -> Iterator[tuple[int, int]]:
        """Yield (first, last) of every cell that holds something, in time order; pages shared with `unless` not."""
        for number in sorted(self._pages):
            page = self._pages[number]
            if unless is not None and unless.get(number) is page:
                continue
            for first, last in zip(page[0::2], page[1::2], strict=True):
                if first != NEVER:
                    yield first, last

    def spans(self, start: int | None, stop: int | None) -> Iterator[tuple[int, int]]:
        """Yield the cells cut to a window; a cell that straddles its edge keeps the part inside."""
        low = BEFORE if start is None else start
        high = NEVER if stop is None else stop
        for first, last in self.cells():
            if last >= low and first <= high:
                yield max(first, low), min(last, high)


def runs(spans: Iterator[tuple[int, int]], *, join_max: int) -> Iterator[tuple[int, int]]:
    """Yield the spans with neighbours that lie at most `join_max` apart made one; a healthy log is one run."""
    start: int | None = None
    stop = 0
    for first, last in spans:
        if start is None:
            start = first
        elif first - stop > join_max:
            yield start, stop
            start = first
        stop = last
    if start is not None:
        yield start, stop


def silences(
    spans: Iterator[tuple[int, int]], start: int | None, stop: int | None
) -> Iterator[tuple[int, int, str]]:
    """Yield (from, to, position) between neighbours; head and tail too where the window is known."""
    before = start
    position = "head"
    for first, last in spans:
        if before is not None:
            yield before, first, position
        before, position = last, "inside"
    if stop is not None and before is not None:
        yield before, stop, "tail" if position == "inside" else "head"


def covered(spans: Iterator[tuple[int, int]], *, silence_max: int) -> int:
    """Return the nanoseconds covered: time between neighbours counts unless it is longer than `silence_max`."""
    total = 0
    before: int | None = None
    for first, last in spans:
        total += last - first
        if before is not None and first - before <= silence_max:
            total += first - before
        before = last
    return total
