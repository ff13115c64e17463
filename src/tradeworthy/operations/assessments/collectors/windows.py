"""Counts over the last hour of the events' own time, by minute: bounded, and old ones go by themselves (FW-13)."""

from collections import Counter, deque

from tradeworthy.kernel.clock import NANOS_PER_SECOND

MINUTE_NS = 60 * NANOS_PER_SECOND
HOUR_MINUTES = 60


class MinuteCounts:
    """Count by name and minute; `total` looks back so many minutes from the newest one told.

    minutes  kept
    """

    __slots__ = ("_kept", "_minutes")

    def __init__(self, minutes: int = HOUR_MINUTES) -> None:
        self._minutes = minutes
        self._kept: deque[tuple[int, Counter[str]]] = deque()

    def add(self, name: str, ts: int, by: int = 1) -> None:
        """Count at `ts`, nanoseconds UTC; a stamp of an earlier minute joins the newest."""
        minute = ts // MINUTE_NS
        if not self._kept or minute > self._kept[-1][0]:
            self._kept.append((minute, Counter()))
            while self._kept[0][0] <= minute - self._minutes:
                self._kept.popleft()
        self._kept[-1][1][name] += by

    def total(self, name: str, now: int) -> int:
        """Return the count of a name in the minutes before `now`."""
        since = now // MINUTE_NS - self._minutes
        return sum(counts[name] for minute, counts in self._kept if minute > since)
