"""Durations in a ring: the count and the extremes are exact, percentiles rest on the newest."""

from math import ceil

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.operations.paper_run.model import Latency


class LatencyRing:
    """Take nanoseconds, tell seconds.

    kept         durations that percentiles rest on, the newest
    samples_min  durations below which no p99 is told
    """

    __slots__ = ("_kept", "_last", "_max", "_ring", "_samples_min", "_total", "samples")

    def __init__(self, kept: int, samples_min: int) -> None:
        self._kept, self._samples_min = kept, samples_min
        self._ring: list[int] = []
        self._total = self._last = self._max = 0
        self.samples = 0

    def add(self, nanos: int) -> None:
        """Take one duration."""
        if len(self._ring) < self._kept:
            self._ring.append(nanos)
        else:
            self._ring[self.samples % self._kept] = nanos
        self.samples += 1
        self._total += nanos
        self._last = nanos
        self._max = max(self._max, nanos)

    def told(self) -> Latency:
        """Return the figures so far."""
        if not self.samples:
            return Latency()
        ordered = sorted(self._ring)
        enough = self.samples >= self._samples_min
        return Latency(
            self.samples, _seconds(self._total / self.samples), _seconds(self._last),
            _seconds(nearest_rank(ordered, 0.50)), _seconds(nearest_rank(ordered, 0.90)),
            _seconds(nearest_rank(ordered, 0.99)) if enough else None, _seconds(self._max),
        )  # fmt: skip


def nearest_rank(ordered: list[int], share: float) -> int:
    """Return the smallest value that at least `share` of the ascending values do not exceed."""
    return ordered[ceil(share * len(ordered)) - 1]


def _seconds(nanos: float) -> float:
    return nanos / NANOS_PER_SECOND
