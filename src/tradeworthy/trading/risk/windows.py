"""Times in which nothing is opened: declared windows of the day (RK-42)."""

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND

SECONDS_PER_DAY = 86_400
THURSDAY = 3
"""Weekday of 1970-01-01; Monday is 0."""


class NoTradeWindow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A stretch of each UTC day, closed at its start and open at its end; `start` after `end` runs over midnight.

    start, end   seconds of the day;  weekdays  0 = Monday, of the window's start; empty = every day
    instruments  instrument ids; empty = all
    """

    name: str
    start: int
    end: int
    weekdays: tuple[int, ...] = ()
    instruments: tuple[str, ...] = ()

    def holds(self, now: int) -> bool:
        """Tell whether `now`, nanoseconds UTC, lies in the window."""
        day, rest = divmod(now, NANOS_PER_DAY)
        second = rest // NANOS_PER_SECOND
        if self.start <= self.end:
            inside = self.start <= second < self.end
        else:
            inside = second >= self.start or second < self.end
            if second < self.end:
                day -= 1
        return inside and (not self.weekdays or (day + THURSDAY) % 7 in self.weekdays)

    def faults(self) -> list[str]:
        """Return what is wrong with the times."""
        found = []
        if not (0 <= self.start <= SECONDS_PER_DAY and 0 <= self.end <= SECONDS_PER_DAY and self.start != self.end):
            found.append(
                f"no_trade {self.name!r}: start and end must differ and be 0 to {SECONDS_PER_DAY}, "
                f"were {self.start} and {self.end}"
            )
        if any(not 0 <= day <= 6 for day in self.weekdays):
            found.append(f"no_trade {self.name!r}: weekdays must be 0 to 6, were {self.weekdays}")
        return found
