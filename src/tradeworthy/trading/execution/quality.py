"""How well a parent was executed: its shortfall against decision, arrival and VWAP, split by cause (EA-07)."""

from decimal import Decimal

import msgspec

from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.trading.model.instrument import NANOS, Instrument
from tradeworthy.trading.model.market import Side

BPS = 10_000
_TWO = 2 * NANOS


class QualityPolicy(msgspec.Struct, frozen=True):
    """Slippage against arrival, in bps of its price, that is an incident when it is exceeded."""

    slippage_bps_max: Decimal = Decimal(50)


@fact("telemetry.execution.quality")
class ExecutionQuality(Fact, frozen=True):
    """One finished parent; costs in quote currency, positive = paid, slippages in bps of their benchmark.

    delay        from decision to arrival;  timing  from arrival to the sending of each child
    impact       while a child worked;  spread  from the mid at the fill to the price
    opportunity  of what was not filled, at the last mid;  shortfall  all of it with the fees
    time_to_fill_ns  mean over lots, from arrival;  a benchmark without a fill, or a VWAP without a trade, is None
    """

    parent: str
    instance: str
    instrument: str
    side: Side
    lots: int
    filled: int
    fill_ratio: Decimal
    time_to_fill_ns: int | None
    delay: Decimal
    timing: Decimal
    impact: Decimal
    spread: Decimal
    opportunity: Decimal
    fees: Decimal
    shortfall: Decimal
    decision_bps: Decimal | None
    arrival_bps: Decimal | None
    vwap_bps: Decimal | None


@fact("execution.slippage")
class SlippageIncident(Fact, frozen=True):
    """A parent slipped further than the cap; with the market around it: mids doubled, in ticks, and its volume."""

    parent: str
    arrival_bps: Decimal
    limit_bps: Decimal
    decision_mid2: int
    arrival_mid2: int
    last_mid2: int
    market_lots: int


class ParentQuality:
    """Follow one parent of a linear instrument. Mids come doubled, in ticks; all sums are exact.

    decision_mid2  when the parent was decided;  arrival_mid2  when the first child could leave
    """

    __slots__ = (
        "_arrival", "_arrived_at", "_decision", "_fees", "_filled", "_impact2", "_instrument", "_last", "_lots",
        "_market_lots", "_market_value", "_parent", "_side", "_spread2", "_time", "_timing2", "_value", "instance",
    )  # fmt: skip

    def __init__(
        self, parent: str, instance: str, instrument: Instrument, side: Side, lots: int, *, decision_mid2: int,
        arrival_mid2: int, arrived_at: int,
    ) -> None:
        if lots <= 0 or decision_mid2 <= 0 or arrival_mid2 <= 0:
            raise ValueError(f"expected lots and mids above 0, was {(lots, decision_mid2, arrival_mid2)}")
        self._parent, self.instance, self._instrument, self._side = parent, instance, instrument, side
        self._lots = lots
        self._decision, self._arrival, self._last = decision_mid2, arrival_mid2, arrival_mid2
        self._arrived_at = arrived_at
        self._filled = self._value = self._time = 0
        self._timing2 = self._impact2 = self._spread2 = 0
        self._market_lots = self._market_value = 0
        self._fees = Decimal(0)

    def on_mid(self, mid2: int) -> None:
        """Take the market's doubled mid: the last one prices what was not filled."""
        self._last = mid2

    def on_trade(self, price: int, lots: int) -> None:
        """Take a trade of the market while the parent works: they make the VWAP benchmark."""
        self._market_lots += lots
        self._market_value += price * lots

    def on_fill(self, price: int, lots: int, ts: int, *, sent_mid2: int, mid2: int, fee: Decimal) -> None:
        """Take a child's fill: the doubled mid when the child was sent, and at the fill."""
        sign = int(self._side) * lots
        self._filled += lots
        self._value += price * lots
        self._time += (ts - self._arrived_at) * lots
        self._timing2 += sign * (sent_mid2 - self._arrival)
        self._impact2 += sign * (mid2 - sent_mid2)
        self._spread2 += sign * (2 * price - mid2)
        self._fees += fee
        self._last = mid2

    def finish(self, policy: QualityPolicy) -> tuple[ExecutionQuality, SlippageIncident | None]:
        """Return the parent's quality, and the incident where it slipped beyond the cap."""
        side, filled = int(self._side), self._filled
        delay2 = side * filled * (self._arrival - self._decision)
        missed2 = side * (self._lots - filled) * (self._last - self._decision)
        delay, opportunity = self._money(delay2), self._money(missed2)
        timing, impact, spread = self._money(self._timing2), self._money(self._impact2), self._money(self._spread2)
        arrival = self._bps(self._arrival)
        vwap = None
        if filled and self._market_lots:
            market = Decimal(self._market_value) / self._market_lots
            vwap = side * (Decimal(self._value) / filled - market) / market * BPS
        told = ExecutionQuality(
            self._parent, self.instance, self._instrument.instrument_id, self._side, self._lots, filled,
            Decimal(filled) / self._lots, self._time // filled if filled else None, delay, timing, impact, spread,
            opportunity, self._fees, delay + timing + impact + spread + opportunity + self._fees,
            self._bps(self._decision), arrival, vwap,
        )
        if arrival is None or arrival <= policy.slippage_bps_max:
            return told, None
        return told, SlippageIncident(
            self._parent, arrival, policy.slippage_bps_max, self._decision, self._arrival, self._last,
            self._market_lots,
        )

    def _money(self, doubled: int) -> Decimal:
        return Decimal(doubled * self._instrument.value_nanos) / _TWO

    def _bps(self, mid2: int) -> Decimal | None:
        """Return the slippage of the mean fill price against a benchmark, None where nothing was filled."""
        if not self._filled:
            return None
        return int(self._side) * (2 * Decimal(self._value) / self._filled - mid2) / mid2 * BPS
