"""What every way of matching shares: own resting orders by price and time, and waiting triggers."""

from bisect import insort
from typing import Protocol

from tradeworthy.trading.model import (
    Index,
    Instrument,
    Liquidity,
    Mark,
    MarketEvent,
    OrderType,
    ReportType,
    Side,
    Split,
    Status,
    TimeInForce,
    Trade,
    TradingStatus,
    TriggerPrice,
)
from tradeworthy.trading.simulation import queue
from tradeworthy.trading.simulation.rules import VenueRules
from tradeworthy.trading.simulation.venue_order import VenueOrder

BEYOND_DEPTH = "venue.beyond_depth"
"""On a fill: the market order's remainder beyond known depth, priced one tick worse by declaration."""


class Exchange(Protocol):
    """What a market asks of its venue: book a fill (returns the lots that counted), end an order, take a split."""

    def fill(
        self, order: VenueOrder, lots: int, price: int, liquidity: Liquidity, ts: int, code: str | None = None,
        text: str | None = None,
    ) -> int: ...
    def end(self, order: VenueOrder, type: ReportType, code: str, ts: int) -> None: ...
    def on_split(self, split: Split, ts: int) -> None: ...


class Market:
    """One instrument at the venue. Subclasses tell how orders meet the market.

    live  own orders that rest or wait; nothing is matched while it is zero
    """

    __slots__ = (
        "asks", "bids", "exchange", "index", "instrument", "last", "live", "mark", "rules", "status", "triggers",
    )

    def __init__(self, instrument: Instrument, exchange: Exchange, rules: VenueRules) -> None:
        self.instrument, self.exchange, self.rules = instrument, exchange, rules
        self.status: TradingStatus | None = None
        self.mark: int | None = None
        self.index: int | None = None
        self.last: int | None = None
        self.bids: list[VenueOrder] = []
        self.asks: list[VenueOrder] = []
        self.triggers: list[VenueOrder] = []
        self.live = 0

    def on_fact(self, fact: MarketEvent, ts: int) -> None:
        """Take in one market event and match what it meets; subclasses take their own prices before."""
        kind = type(fact)
        if kind is Trade:
            self.last = fact.price  # type: ignore[union-attr]
            if self.live and not self.halted:
                self._match_trade(fact, ts)  # type: ignore[arg-type]
                if self.triggers:
                    self.check_triggers(ts)
        elif kind is Mark:
            self.mark = fact.price  # type: ignore[union-attr]
            if self.triggers and not self.halted:
                self.check_triggers(ts)
        elif kind is Index:
            self.index = fact.price  # type: ignore[union-attr]
            if self.triggers and not self.halted:
                self.check_triggers(ts)
        elif kind is Status:
            self.status = fact.status  # type: ignore[union-attr]
        elif kind is Split:
            self.exchange.on_split(fact, ts)  # type: ignore[arg-type]

    def forget_prices(self) -> None:
        """Drop every price: a split makes those of before another share's."""
        self.mark = self.index = self.last = None

    def best(self, side: Side) -> int | None:
        """Return the best price on `side` of the market in ticks, None where unknown."""
        raise NotImplementedError

    def take(self, order: VenueOrder, ts: int) -> None:
        """Fill what of an arriving order crosses."""
        raise NotImplementedError

    def fillable(self, order: VenueOrder) -> int | None:
        """Return the lots that could be filled at once, None for all (no size was told)."""
        raise NotImplementedError

    def join_queue(self, order: VenueOrder) -> None:
        """Give a resting order its place in the queue of its level."""
        raise NotImplementedError

    @property
    def reference(self) -> int | None:
        """The price in ticks that rules and margin use: mark, else mid, else last; None where unknown."""
        if self.mark is not None:
            return self.mark
        bid, ask = self.best(Side.BUY), self.best(Side.SELL)
        if bid is not None and ask is not None:
            return (bid + ask) // 2
        return self.last

    @property
    def halted(self) -> bool:
        return self.status is not None and self.status is not TradingStatus.OPEN

    def crosses(self, order: VenueOrder) -> bool:
        """Tell whether the order would trade at once."""
        best = self.best(order.side.opposite)
        return best is not None and (order.price is None or (best - order.price) * order.side <= 0)

    def enter(self, order: VenueOrder, ts: int) -> None:
        """Let an accepted order act: wait for its trigger, take, rest, or end by its time in force."""
        if order.trigger is not None:
            self.triggers.append(order)
            self.live += 1
            if self._hit(order):
                self._fire(order, ts)
            return
        self.act(order, ts)

    def act(self, order: VenueOrder, ts: int) -> None:
        """Let an order act that has no trigger, or whose trigger was reached."""
        if order.tif is TimeInForce.FOK:
            fillable = self.fillable(order)
            if fillable is not None and fillable < order.leaves:
                self.exchange.end(order, ReportType.CANCELLED, "venue.fok_not_filled", ts)
                return
        self.take(order, ts)
        if order.leaves == 0:
            return
        if order.price is None:
            self.exchange.end(order, ReportType.CANCELLED, "venue.no_market", ts)
        elif order.tif is TimeInForce.IOC:
            self.exchange.end(order, ReportType.CANCELLED, "venue.ioc_remainder", ts)
        else:
            self.rest(order)

    def rest(self, order: VenueOrder) -> None:
        """Put a limit order on the own book, behind its equals."""
        if order.side is Side.BUY:
            insort(self.bids, order, key=_bid_key)
        else:
            insort(self.asks, order, key=_ask_key)
        self.live += 1
        self.join_queue(order)

    def remove(self, order: VenueOrder) -> None:
        """Take an order off the own book, wherever it stands."""
        for orders in (self.bids if order.side is Side.BUY else self.asks, self.triggers):
            if order in orders:
                orders.remove(order)
                self.live -= 1

    def check_triggers(self, ts: int) -> None:
        """Fire every waiting order whose trigger was reached, oldest first."""
        for order in tuple(self.triggers):
            if order.ended is None and self._hit(order):
                self._fire(order, ts)

    def _fire(self, order: VenueOrder, ts: int) -> None:
        self.remove(order)
        order.trigger = None
        if order.post_only and self.crosses(order):
            self.exchange.end(order, ReportType.CANCELLED, "venue.post_only_crosses", ts)
            return
        self.act(order, ts)

    def _match_trade(self, trade: Trade, ts: int) -> None:
        """Fill resting orders by a trade's evidence: through the price up to its size, at it behind the queue."""
        for side, orders in ((Side.BUY, self.bids), (Side.SELL, self.asks)):
            if not orders or trade.aggressor is side:
                continue
            own = 0
            for order in tuple(orders):
                if order.price is None or (order.price - trade.price) * side < 0 or own >= trade.lots:
                    break
                if order.ended is not None:
                    continue
                if order.price == trade.price:
                    reach = queue.traded(order, trade.lots, own)
                else:
                    reach = trade.lots - own
                lots = min(reach, order.leaves)
                if lots > 0:
                    label = None if self.rules.queue is queue.QueueModel.RISK_AVERSE else "queue=pro_rata"
                    own += self.exchange.fill(order, lots, order.price, Liquidity.MAKER, ts, None, label)

    def _hit(self, order: VenueOrder) -> bool:
        by = order.trigger_by
        price = self.mark if by is TriggerPrice.MARK else self.index if by is TriggerPrice.INDEX else self.last
        if price is None and by is TriggerPrice.LAST:
            price = self.best(order.side.opposite)  # a source without trades: what the order would pay stands for last
        if price is None or order.trigger is None:
            return False
        away = (price - order.trigger) * order.side
        return away <= 0 if order.type is OrderType.TAKE_PROFIT else away >= 0


def _bid_key(order: VenueOrder) -> tuple[int, int]:
    return -(order.price or 0), order.number


def _ask_key(order: VenueOrder) -> tuple[int, int]:
    return order.price or 0, order.number
