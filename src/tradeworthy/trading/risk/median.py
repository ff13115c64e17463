"""The median reference of an instrument over the last minutes, sampled so that a mark stays cheap (RK-04)."""

from bisect import bisect_left, insort
from collections import deque


class MedianReference:
    """Keep at most one sample each `every` nanoseconds of the last `window` nanoseconds.

    median2   median of twice the mid in ticks, rounded down; None before the first sample
    next_at   nanoseconds UTC at which the next sample is due
    """

    __slots__ = ("_every", "_samples", "_sorted", "_window", "median2", "next_at")

    def __init__(self, window: int, every: int) -> None:
        self._window = window
        self._every = every
        self._samples: deque[tuple[int, int]] = deque()
        self._sorted: list[int] = []
        self.median2: int | None = None
        self.next_at = -(1 << 62)

    def add(self, ts: int, mid2: int) -> None:
        """Take the reference at `ts`, drop what is as old as the window."""
        self.next_at = ts + self._every
        samples, in_order = self._samples, self._sorted
        while samples and ts - samples[0][0] >= self._window:
            del in_order[bisect_left(in_order, samples.popleft()[1])]
        samples.append((ts, mid2))
        insort(in_order, mid2)
        half = len(in_order) // 2
        self.median2 = in_order[half] if len(in_order) % 2 else (in_order[half - 1] + in_order[half]) // 2
