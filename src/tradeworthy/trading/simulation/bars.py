"""Matching against bars (SV-11): orders act on the first bar that opened at or after they were sent."""

from tradeworthy.trading.model import (
    Bar,
    Instrument,
    Liquidity,
    MarketEvent,
    OrderType,
    ReportType,
    Side,
    TimeInForce,
    TriggerPrice,
)
from tradeworthy.trading.simulation.market import Exchange, Market
from tradeworthy.trading.simulation.rules import VenueRules
from tradeworthy.trading.simulation.venue_order import VenueOrder

FILL_BIAS = "fill_bias=optimistic_estimated"
_TURN = {OrderType.MARKET: 0, OrderType.STOP: 1, OrderType.STOP_LIMIT: 2, OrderType.LIMIT: 3, OrderType.TAKE_PROFIT: 4}
"""Within one bar the path is not known: what hurts comes first, so a stop precedes a target."""


class BarMarket(Market):
    """A market order fills at the next bar's open plus half the synthetic spread and slippage; a limit only when the
    bar passed it by a tick; volume, where told, caps what one bar fills. Bars made for missing intervals fill nothing.
    """

    __slots__ = ("bar", "orders")

    def __init__(self, instrument: Instrument, exchange: Exchange, rules: VenueRules) -> None:
        super().__init__(instrument, exchange, rules)
        self.orders: list[VenueOrder] = []
        self.bar: Bar | None = None

    def on_fact(self, fact: MarketEvent, ts: int) -> None:
        if type(fact) is Bar:
            self.bar = fact
            if self.live and not fact.filled and not self.halted:
                self._match(fact, ts)
        else:
            super().on_fact(fact, ts)

    def forget_prices(self) -> None:
        super().forget_prices()
        self.bar = None

    def best(self, side: Side) -> int | None:
        return None

    @property
    def reference(self) -> int | None:
        if self.mark is not None or self.bar is None:
            return self.mark
        close: int = self.bar.close
        return close

    def enter(self, order: VenueOrder, ts: int) -> None:
        self.orders.append(order)
        self.live += 1

    def rest(self, order: VenueOrder) -> None:
        self.enter(order, 0)

    def remove(self, order: VenueOrder) -> None:
        if order in self.orders:
            self.orders.remove(order)
            self.live -= 1

    def _match(self, bar: Bar, ts: int) -> None:
        opened = ts - bar.interval_ns
        volume = bar.volume
        for order in sorted(self.orders, key=_turn):
            if order.ended is not None or order.sent_at > opened:
                continue
            found = self._fill_price(order, bar)
            order.seen = True
            if found is not None:
                price, liquidity, text = found
                lots = order.leaves if volume is None else min(order.leaves, volume)
                if order.tif is TimeInForce.FOK and lots < order.leaves:
                    lots = 0
                if lots > 0:
                    filled = self.exchange.fill(order, lots, price, liquidity, ts, None, text)
                    volume = None if volume is None else volume - filled
            if order.leaves and order.trigger is None and order.tif in (TimeInForce.IOC, TimeInForce.FOK):
                code = "venue.ioc_remainder" if order.tif is TimeInForce.IOC else "venue.fok_not_filled"
                self.exchange.end(order, ReportType.CANCELLED, code, ts)

    def _fill_price(self, order: VenueOrder, bar: Bar) -> tuple[int, Liquidity, str] | None:
        side = order.side
        if order.trigger is not None:
            reached = self._reached(order, bar)
            if reached is None:
                return None
            order.trigger = None
            if order.price is not None:
                return None  # a stop-limit's limit acts from the next bar
            return self._taken(order, reached)
        if order.price is None:
            return self._taken(order, bar.open)
        if not order.seen and (bar.open + side * self.rules.slippage.half_spread - order.price) * side <= 0:
            if order.post_only:
                return None
            return self._taken(order, bar.open)
        passed = bar.low < order.price if side is Side.BUY else bar.high > order.price
        return (order.price, Liquidity.MAKER, FILL_BIAS) if passed else None

    def _reached(self, order: VenueOrder, bar: Bar) -> int | None:
        """Return the price at which the trigger fired, the worse of trigger and open for a stop; None: not reached."""
        trigger = order.trigger or 0
        if order.trigger_by is not TriggerPrice.LAST:
            price = self.mark if order.trigger_by is TriggerPrice.MARK else self.index
            if price is None:
                return None
            away = (price - trigger) * order.side
            hit = away <= 0 if order.type is OrderType.TAKE_PROFIT else away >= 0
            return int(bar.close) if hit else None
        rising = (order.side is Side.BUY) != (order.type is OrderType.TAKE_PROFIT)
        if not (bar.high >= trigger if rising else bar.low <= trigger):
            return None
        if order.type is OrderType.TAKE_PROFIT:
            return trigger
        return max(trigger, bar.open) if order.side is Side.BUY else min(trigger, bar.open)

    def _taken(self, order: VenueOrder, base: int) -> tuple[int, Liquidity, str]:
        slippage = self.rules.slippage
        half, ticks = slippage.half_spread, slippage.ticks(base, slippage.bars_bps)
        price = max(1, base + order.side * (half + ticks))
        if order.price is not None:
            price = min(price, order.price) if order.side is Side.BUY else max(price, order.price)
        return price, Liquidity.TAKER, f"half_spread_ticks={half} slippage_ticks={ticks} {FILL_BIAS}"


def _turn(order: VenueOrder) -> tuple[int, int]:
    return _TURN[order.type], order.number
