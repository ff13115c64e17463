"""The desk day of one instance: a projection of bookings and marks (AC-01, AC-02)."""

from collections import deque
from collections.abc import Iterable
from decimal import Decimal

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.trading.ledger.accounts import ZERO
from tradeworthy.trading.model.instrument import NANOS
from tradeworthy.trading.model.order import FillBooked

HOUR_NS = 3_600 * NANOS_PER_SECOND
PEAK_DAYS = 30


@fact("day.rolled")
class DayRolled(Fact, frozen=True):
    """A desk day ended; amounts in nanos of the base currency, `day` counts days since the epoch."""

    instance: str
    day: int
    equity_open: int | None
    equity_close: int | None
    notional: int
    fills: int
    fees: Decimal
    funding: Decimal
    realized: Decimal
    cancels: int


@fact("ledger.equity_sampled")
class EquitySampled(Fact, frozen=True):
    """The equity of an instance, or of all of them as `desk`, in nanos of the base currency; None = not known."""

    instance: str
    equity: int | None


@fact("telemetry.desk.day")
class DayLine(Fact, frozen=True):
    """The desk day as it stands; money in nanos (equity, notional) or in the base currency, fractions as they are.

    loss, drawdowns, turnover  None while the equity they need is not known
    """

    instance: str
    day: int | None
    equity_open: int | None
    equity: int | None
    peak: int | None
    net_flows: int
    notional: int
    fills: int
    cancels: int
    fees: Decimal
    funding: Decimal
    realized: Decimal
    position: dict[str, int]
    average: dict[str, Decimal | None]
    turnover: float | None
    loss: float | None
    drawdown_day: float | None
    drawdown_30d: float | None


class DayState:
    """What a day has seen so far. Position and average entry cross the day; the rest begins anew.

    rollover_hour  UTC hour at which the day rolls

    Equity comes in nanos. The 30-day peak is kept by hour, so it is a matter of time, not of how many samples came.
    """

    __slots__ = (
        "_peaks", "_rollover_ns", "average", "cancels", "day", "equity", "equity_open", "fees", "fills", "funding",
        "instance", "net_flows", "notional", "peak", "position", "realized",
    )  # fmt: skip

    equity_open: int | None
    peak: int | None
    notional: int
    fills: int
    cancels: int
    net_flows: int
    fees: Decimal
    funding: Decimal
    realized: Decimal

    def __init__(self, instance: str, rollover_hour: int = 0) -> None:
        if not 0 <= rollover_hour < 24:
            raise ValueError(f"the rollover hour must lie in 0..23, was {rollover_hour}")
        self.instance = instance
        self._rollover_ns = rollover_hour * HOUR_NS
        self._peaks: deque[tuple[int, int]] = deque()  # (hour, highest equity), falling: the first is the peak
        self.day: int | None = None
        self.position: dict[str, int] = {}
        self.average: dict[str, Decimal | None] = {}
        self.equity: int | None = None
        self._begin_day()

    def on_time(self, ts: int) -> DayRolled | None:
        """Roll the day when `ts` lies in a later one and return the day that ended."""
        day = (ts - self._rollover_ns) // NANOS_PER_DAY
        if self.day is None:
            self.day = day
            return None
        if day <= self.day:
            return None
        ended = DayRolled(
            self.instance, self.day, self.equity_open, self.equity, self.notional, self.fills, self.fees,
            self.funding, self.realized, self.cancels,
        )  # fmt: skip
        self.day = day
        self._begin_day()
        self.equity_open = self.peak = self.equity
        return ended

    def on_equity(self, ts: int, equity: int) -> None:
        """Take the equity at `ts` in nanos."""
        self.equity = equity
        if self.equity_open is None:
            self.equity_open = equity
        if self.peak is None or equity > self.peak:
            self.peak = equity
        hour, peaks = ts // HOUR_NS, self._peaks
        while peaks and peaks[0][0] <= hour - PEAK_DAYS * 24:
            peaks.popleft()
        while peaks and peaks[-1][1] <= equity:
            peaks.pop()
        if not peaks or peaks[-1][0] != hour:
            peaks.append((hour, equity))

    def on_fill(self, booked: FillBooked, notional_nanos: int, fee: Decimal) -> None:
        """Count a booked fill; `fee` in the base currency."""
        self.fills += 1
        self.notional += notional_nanos
        self.fees += fee
        self.realized += booked.realized
        self.position[booked.instrument] = booked.position
        self.average[booked.instrument] = booked.average

    def on_funding(self, amount: Decimal) -> None:
        """Add funding received, negative when paid."""
        self.funding += amount

    def on_split(self, instrument: str, new: int, old: int) -> None:
        """Scale position and average entry; their product stays."""
        if instrument in self.position:
            average = self.average[instrument]
            self.position[instrument] = self.position[instrument] * new // old
            self.average[instrument] = None if average is None else average * old / new

    def on_cancel(self) -> None:
        self.cancels += 1

    def on_flow(self, amount: int) -> None:
        """Take a deposit (nanos, negative for a withdrawal): it moves the peaks along, so it is no gain or loss.

        One that came before the day's first equity is part of its open.
        """
        if self.equity_open is not None:
            self.net_flows += amount
        if self.equity is not None:
            self.equity += amount
        if self.peak is not None:
            self.peak += amount
        self._peaks = deque((hour, peak + amount) for hour, peak in self._peaks)

    def peaks(self) -> tuple[tuple[int, int], ...]:
        """Return the hours with their highest equity that may still be the 30-day peak."""
        return tuple(self._peaks)

    def restore(self, line: DayLine, peaks: Iterable[tuple[int, int]]) -> None:
        """Go on with the day of an earlier projection."""
        self.day, self.equity_open, self.equity, self.peak = line.day, line.equity_open, line.equity, line.peak
        self.net_flows, self.notional = line.net_flows, line.notional
        self.fills, self.cancels = line.fills, line.cancels
        self.fees, self.funding, self.realized = line.fees, line.funding, line.realized
        self.position, self.average = dict(line.position), dict(line.average)
        self._peaks = deque(peaks)

    def line(self) -> DayLine:
        """Return the day as it stands."""
        return DayLine(
            self.instance, self.day, self.equity_open, self.equity, self.peak, self.net_flows, self.notional,
            self.fills, self.cancels, self.fees, self.funding, self.realized, dict(self.position), dict(self.average),
            self.turnover, self.loss, self.drawdown_day, self.drawdown_30d,
        )

    @property
    def turnover(self) -> float | None:
        """Traded notional over the day's opening equity."""
        return None if not self.equity_open else self.notional / self.equity_open

    @property
    def loss(self) -> float | None:
        """Loss since the open as a fraction of it, negative for a gain; None while no equity is known."""
        if self.equity is None or self.equity_open is None or self.equity_open <= 0:
            return None
        return (self.equity_open - self.equity + self.net_flows) / self.equity_open

    @property
    def drawdown_day(self) -> float | None:
        return _drawdown(self.peak, self.equity)

    @property
    def drawdown_30d(self) -> float | None:
        return _drawdown(self._peaks[0][1] if self._peaks else None, self.equity)

    def _begin_day(self) -> None:
        self.equity_open = None
        self.peak = None
        self.notional = 0
        self.fills = 0
        self.cancels = 0
        self.net_flows = 0
        self.fees = self.funding = self.realized = ZERO


def _drawdown(peak: int | None, equity: int | None) -> float | None:
    if peak is None or equity is None or peak <= 0:
        return None
    return (peak - equity) / peak


def nanos(amount: Decimal) -> int:
    """Return an amount in nanos, rounded to the nearest."""
    return int((amount * NANOS).to_integral_value())
