"""Time, the only place that reads it: wall clock for stamps, monotonic clock for durations."""

import time
from typing import Protocol

NANOS_PER_SECOND = 1_000_000_000
NANOS_PER_MILLI = 1_000_000
NANOS_PER_DAY = 86_400 * NANOS_PER_SECOND


class Clock(Protocol):
    """Tell the time in integer nanoseconds; `now` is UTC since the epoch, `monotonic` never goes back."""

    def now(self) -> int: ...
    def monotonic(self) -> int: ...
    def sleep(self, nanos: int) -> None: ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> int:
        return time.time_ns()

    def monotonic(self) -> int:
        return time.monotonic_ns()

    def sleep(self, nanos: int) -> None:
        if nanos > 0:
            time.sleep(nanos / NANOS_PER_SECOND)


class EventClock:
    """A clock that stands where the last event left it; backtest, replay and tests move it."""

    def __init__(self, start: int = 0) -> None:
        self._now = start

    def now(self) -> int:
        return self._now

    def monotonic(self) -> int:
        return self._now

    def sleep(self, nanos: int) -> None:
        """Move forward instead of waiting."""
        self._now += max(0, nanos)

    def advance_to(self, ts: int) -> None:
        """Move to `ts`; a stamp from the past leaves the clock where it is."""
        if ts > self._now:
            self._now = ts
