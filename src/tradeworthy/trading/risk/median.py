"""The median reference of an instrument over the last minutes, sampled so that a mark stays cheap (RK-04)."""

from collections import deque


class MedianReference:
    """Keep at most one sample each `every` nanoseconds of the last `window` nanoseconds.

    next_at   nanoseconds UTC at which the next sample is due

    The median is worked out when it is asked for: marks come far more often than orders.
    """

    __slots__ = ("_every", "_median2", "_samples", "_stale", "_window", "next_at")

    def __init__(self, window: int, every: int) -> None:
        self._window = window
        self._every = every
        self._samples: deque[tuple[int, int]] = deque()
        self._median2: int | None = None
        self._stale = False
        self.next_at = -(1 << 62)

    @property
    def median2(self) -> int | None:
        """Median of twice the mid in ticks, rounded down; None before the first sample."""
        if self._stale:
            in_order = sorted([mid2 for _, mid2 in self._samples])
            half = len(in_order) // 2
            self._median2 = in_order[half] if len(in_order) % 2 else (in_order[half - 1] + in_order[half]) // 2
            self._stale = False
        return self._median2

    def add(self, ts: int, mid2: int) -> None:
        """Take the reference at `ts`, drop what is as old as the window."""
        self.next_at = ts + self._every
        samples = self._samples
        while samples and ts - samples[0][0] >= self._window:
            samples.popleft()
        samples.append((ts, mid2))
        self._stale = True
