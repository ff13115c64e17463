"""In and out of sample by time, with purge and embargo (BT-05)."""

import msgspec

from tradeworthy.kernel.errors import UsageError

EMBARGO_SHARE = 0.01


class Window(msgspec.Struct, frozen=True):
    """A half-open span of time in nanoseconds UTC."""

    start: int
    end: int

    @property
    def nanos(self) -> int:
        return self.end - self.start

    def __contains__(self, ts: int) -> bool:
        return self.start <= ts < self.end


class Split(msgspec.Struct, frozen=True):
    """What may be looked at freely, and what is kept back."""

    in_sample: Window
    out_of_sample: Window


def split_by_time(start: int, end: int, *, purge_ns: int = 0, embargo_ns: int = 0) -> Split:
    """Cut at 80 % of the span; the in-sample part ends `purge_ns` before the cut, the other starts after the embargo.

    purge_ns     the horizon of a decision: what was decided before the cut must not depend on what follows
    Raises `UsageError` when the start is not before the end or when a part would be empty.
    """
    if start >= end:
        raise UsageError(f"expected a start before the end, found {start} and {end}")
    cut = start + (end - start) * 4 // 5
    return Split(_window(start, cut - purge_ns), _window(cut + embargo_ns, end))


def walk_forward(start: int, end: int, *, folds: int, purge_ns: int) -> tuple[Split, ...]:
    """Return `folds` splits whose tests follow one another; each trains on all before it.

    The span has `folds` + 1 equal parts. Training ends `purge_ns` (the horizon) before its test, and a test starts
    1 % of the span later than the cut.
    """
    if start >= end or folds < 1:
        raise UsageError(f"expected a start before the end and a fold, found {start}, {end} and {folds}")
    part = (end - start) // (folds + 1)
    embargo = (end - start) // round(1 / EMBARGO_SHARE)
    found = []
    for fold in range(1, folds + 1):
        cut = start + fold * part
        stop = end if fold == folds else cut + part
        found.append(Split(_window(start, cut - purge_ns), _window(cut + embargo, stop)))
    return tuple(found)


def _window(start: int, end: int) -> Window:
    if start >= end:
        raise UsageError(f"purge and embargo leave no time between {start} and {end}")
    return Window(start, end)
