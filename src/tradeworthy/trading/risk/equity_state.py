"""The desk's equity as risk sees it: its age, the day's open, the peaks that drawdowns are measured from."""

from collections import deque
from collections.abc import Iterable

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.trading.risk.exposure import LONG_AGO
from tradeworthy.trading.risk.policy import RiskPolicy


class EquityState:
    """Base of the risk context; money in nanos of base currency.

    now                     nanoseconds UTC, set by the desk before each event
    equity_nanos            None while unknown;  equity_open_nanos at the start of the desk day
    peak_nanos, peak_30d    highest equity of the day, and of the last `drawdown_days` days
    """

    __slots__ = (
        "_days", "_drawdown_days", "day", "equity_nanos", "equity_open_nanos", "equity_ts", "now", "peak_30d",
        "peak_nanos",
    )

    def __init__(self, policy: RiskPolicy) -> None:
        self._drawdown_days = policy.drawdown_days
        self._days: deque[tuple[int, int]] = deque(maxlen=policy.drawdown_days + 1)
        self.now = self.day = 0
        self.equity_nanos: int | None = None
        self.equity_ts = LONG_AGO
        self.equity_open_nanos: int | None = None
        self.peak_nanos = self.peak_30d = 0

    def set_equity(self, nanos: int | None) -> None:
        """Take the ledger's equity at `now`; None while it is unknown."""
        self.equity_nanos = nanos
        self.equity_ts = self.now
        if nanos is not None:
            if nanos > self.peak_nanos:
                self.peak_nanos = nanos
                if nanos > self.peak_30d:
                    self.peak_30d = nanos
            if self.equity_open_nanos is None:
                self.equity_open_nanos = nanos

    def transfer(self, nanos: int) -> None:
        """Correct the day's open and the peaks for a deposit (above zero) or a withdrawal; no loss is refilled."""
        if self.equity_open_nanos is not None:
            self.equity_open_nanos += nanos
        self.peak_nanos += nanos
        self._days = deque(((day, peak + nanos) for day, peak in self._days), self._days.maxlen)
        self.peak_30d += nanos

    def peaks(self) -> tuple[tuple[int, int], ...]:
        """Return the peaks of the days before, as `(day, nanos)`, oldest first."""
        return tuple(self._days)

    def restore_day(self, day: int, opened: int | None, peak: int, peaks: Iterable[tuple[int, int]]) -> None:
        """Go on with a day that began before the start: its open, its peak, and the peaks of the days before."""
        self.day, self.equity_open_nanos, self.peak_nanos = day, opened, peak
        self._days.clear()
        self._days.extend(peaks)
        self.peak_30d = max(peak, max((one for _, one in self._days), default=0))

    def day_roll(self, ts: int) -> None:
        """Start a desk day: equity becomes the open, the day's peak joins the rolling peaks (RK-44)."""
        day = ts // NANOS_PER_DAY
        self._days.append((self.day or day - 1, self.peak_nanos))
        while self._days and self._days[0][0] < day - self._drawdown_days:
            self._days.popleft()
        self.day = day
        self.equity_open_nanos = self.equity_nanos
        self.peak_nanos = self.equity_nanos or 0
        self.peak_30d = max(self.peak_nanos, max((peak for _, peak in self._days), default=0))
