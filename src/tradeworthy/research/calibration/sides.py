"""One side of a comparison: what became of its orders, what its fills cost, and its equity over time."""

from collections import deque
from collections.abc import Mapping

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_MILLI
from tradeworthy.research.backtest.markout import BPS
from tradeworthy.trading.model import NANOS, ExecReport, Instrument, Liquidity, ReportType, Side, SubmitOrder

FAILURES = frozenset({ReportType.REJECTED, ReportType.CANCELLED, ReportType.EXPIRED, ReportType.ABSENT})
ANSWERS_MAX = 10_000
"""Submit latencies kept for their quantiles, the latest ones."""


class SideFigures(msgspec.Struct, frozen=True):
    """Figures so far; None where nothing was measured. `equity_change` is money in base currency since the start.

    slippage_bps   mean of s(price - mid at submit)/mid over fills, positive = worse than the mid
    silent         orders that nobody answered at all;  answer_ms  median of submit to first answer
    """

    intents: int
    filled: int
    fills: int
    failed: int
    rejected: int
    silent: int
    fill_ratio: float | None
    reject_rate: float | None
    slippage_bps: float | None
    maker_share: float | None
    equity_change: float
    answer_ms: float | None


class _Order:
    __slots__ = ("answered", "failed", "filled", "instrument", "mid2", "side", "ts")

    def __init__(self, order: SubmitOrder, ts: int, mid2: int | None) -> None:
        self.instrument = order.instrument
        self.side = order.side
        self.ts = ts
        self.mid2 = mid2
        self.filled = self.failed = self.answered = False


class SideRecord:
    """Fold one side's submits and reports; mids are doubled ticks."""

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self._instruments = instruments
        self._orders: dict[str, _Order] = {}
        self._mid2: dict[str, int] = {}
        self._positions = dict.fromkeys(instruments, 0)
        self._cash2 = 0
        self._fees = 0.0
        self._slippage = 0.0
        self._priced = 0
        self._answers: deque[int] = deque(maxlen=ANSWERS_MAX)
        self.intents = self.filled = self.fills = self.failed = self.rejected = self.makers = 0

    def mark(self, instrument: str, mid2: int) -> None:
        """Take the doubled mid of an instrument."""
        self._mid2[instrument] = mid2

    def submitted(self, order: SubmitOrder, ts: int) -> None:
        """Take an order that went to the venue."""
        self.intents += 1
        self._orders[order.client_order_id] = _Order(order, ts, self._mid2.get(order.instrument))

    def reported(self, report: ExecReport, ts: int) -> None:
        """Take what the venue said; a report of an unknown order says nothing about this side."""
        order = self._orders.get(report.client_order_id)
        if order is None:
            return
        if not order.answered:
            order.answered = True
            self._answers.append(ts - order.ts)
        if report.type is ReportType.FILL:
            self._fill(order, report)
        elif report.type in FAILURES and not order.failed:
            order.failed = True
            self.rejected += report.type is ReportType.REJECTED
            self.failed += not order.filled

    def silent(self, now: int, older_than_ns: int) -> int:
        """Return orders sent at least `older_than_ns` ago that nobody answered."""
        return sum(not one.answered and now - one.ts >= older_than_ns for one in self._orders.values())

    def figures(self, now: int, *, silent_ns: int) -> SideFigures:
        """Return the figures at `now`."""
        answers = sorted(self._answers)
        return SideFigures(
            self.intents, self.filled, self.fills, self.failed, self.rejected, self.silent(now, silent_ns),
            _share(self.filled, self.intents), _share(self.rejected, self.intents),
            self._slippage / self._priced if self._priced else None, _share(self.makers, self.fills), self.equity(),
            answers[len(answers) // 2] / NANOS_PER_MILLI if answers else None,
        )

    def equity(self) -> float:
        """Return the change of equity since the start: cash, fees and positions at the last mids."""
        held2 = sum(
            lots * self._mid2.get(name, 0) * self._instruments[name].value_nanos
            for name, lots in self._positions.items()
        )
        return (self._cash2 + held2) / (2 * NANOS) - self._fees

    def _fill(self, order: _Order, report: ExecReport) -> None:
        instrument = self._instruments[order.instrument]
        side: Side = order.side
        self.fills += 1
        self.filled += not order.filled
        order.filled = True
        self.makers += report.liquidity is Liquidity.MAKER
        self._cash2 -= side * report.lots * 2 * report.price * instrument.value_nanos
        self._positions[order.instrument] += side * report.lots
        if report.fee is not None:
            self._fees += float(report.fee)
        if order.mid2:
            self._slippage += side * (2 * report.price - order.mid2) / order.mid2 * BPS
            self._priced += 1


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
