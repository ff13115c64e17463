"""Counters that age: what happened within a window, beside the total that only grows."""

from collections import deque

from tradeworthy.kernel.supervision.policy import nanos

WINDOW_S = 3_600.0
SLICE_S = 60.0


class RollingCount:
    """Count within a rolling window, in slices: an entry counts for the window, and for one slice more at most.

    Times are nanoseconds of the monotonic clock and do not go back.
    """

    __slots__ = ("_slice", "_slices", "_window", "_within", "total")

    def __init__(self, window_s: float = WINDOW_S, slice_s: float = SLICE_S) -> None:
        self._window, self._slice = nanos(window_s), nanos(slice_s)
        self._slices: deque[list[int]] = deque()  # number of the slice, and its count
        self._within = 0
        self.total = 0

    def add(self, now: int, count: int = 1) -> None:
        """Count at a moment."""
        number = now // self._slice
        if self._slices and self._slices[-1][0] == number:
            self._slices[-1][1] += count
        else:
            self.within(now)
            self._slices.append([number, count])
        self._within += count
        self.total += count

    def within(self, now: int) -> int:
        """Return what the window that ends now holds."""
        while self._slices and now - (self._slices[0][0] + 1) * self._slice >= self._window:
            self._within -= self._slices.popleft()[1]
        return self._within
