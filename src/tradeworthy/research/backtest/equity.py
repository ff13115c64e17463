"""The equity curve of a run: peaks, drawdowns and days, exact in half nanos."""

from decimal import Decimal
from itertools import pairwise

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.research.backtest.series import Series
from tradeworthy.trading.model.instrument import NANOS

POINTS_MAX = 4000
HALF_NANOS = 2 * NANOS
"""Doubled mids times whole nanos a tick give money in halves of a nano: exact."""


class Day:
    """One UTC day: its number since the epoch, closing equity in half nanos, and what was traded in it."""

    __slots__ = ("day", "equity2", "fees", "fills", "traded")

    def __init__(self, day: int) -> None:
        self.day = day
        self.equity2 = 0
        self.fills = 0
        self.fees = Decimal(0)
        self.traded = Decimal(0)


class EquityCurve:
    """Fold gains and losses; money is integer half nanos of the base currency, depth a fraction of the peak.

    `drawdown` counts what happens between the points of the bounded `series`; `today` is the day in hand.
    """

    __slots__ = (
        "_trough2", "days", "drawdown", "drawdown_length_ns", "peak2", "peak_ts", "series", "start2", "today", "value2",
    )

    def __init__(self, start2: int) -> None:
        self.start2 = self.value2 = self.peak2 = self._trough2 = start2
        self.peak_ts = 0
        self.drawdown = 0.0
        self.drawdown_length_ns = 0
        self.series = Series(POINTS_MAX)
        self.days: list[Day] = []
        self.today = Day(0)

    @property
    def below_peak(self) -> float:
        """The fraction by which equity is below its peak now."""
        return 1 - self.value2 / self.peak2 if self.peak2 > 0 else 0.0

    def begin(self, ts: int) -> None:
        """Start the curve at its first event."""
        self.peak_ts = ts
        self.today = Day(ts // NANOS_PER_DAY)
        self.series.add(ts, self.value2)

    def roll(self, ts: int) -> None:
        """Close the day in hand and open that of `ts`."""
        self._close_day()
        self.today = Day(ts // NANOS_PER_DAY)

    def gain(self, ts: int, gain2: int) -> None:
        """Add `gain2` half nanos at `ts`."""
        value2 = self.value2 = self.value2 + gain2
        if value2 >= self.peak2:
            if self._trough2 < self.peak2:
                self.drawdown_length_ns = max(self.drawdown_length_ns, ts - self.peak_ts)
            self.peak2 = self._trough2 = value2
            self.peak_ts = ts
        elif value2 < self._trough2:
            self._trough2 = value2
            self.drawdown = max(self.drawdown, 1 - value2 / self.peak2)
        self.series.add(ts, value2)

    def finish(self, now: int) -> None:
        """Close the last day and an open drawdown."""
        if self.value2 < self.peak2:
            self.drawdown_length_ns = max(self.drawdown_length_ns, now - self.peak_ts)
        self.series.add(now, self.value2)
        self._close_day()

    def daily_returns(self) -> list[float]:
        """Return simple returns of the days' closing equity (UTC), the first from the start."""
        levels = [self.start2, *(day.equity2 for day in self.days)]
        return [after / before - 1 for before, after in pairwise(levels) if before > 0]

    def _close_day(self) -> None:
        self.today.equity2 = self.value2
        self.days.append(self.today)
