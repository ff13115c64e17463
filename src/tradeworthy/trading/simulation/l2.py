"""Matching against the whole book (SV-03, SV-04)."""

from tradeworthy.trading.model import (
    DepthDiff,
    DepthSnapshot,
    Instrument,
    Liquidity,
    MarketEvent,
    Side,
)
from tradeworthy.trading.simulation import queue
from tradeworthy.trading.simulation.book import VenueBook
from tradeworthy.trading.simulation.market import BEYOND_DEPTH, Exchange, Market
from tradeworthy.trading.simulation.rules import VenueRules
from tradeworthy.trading.simulation.venue_order import VenueOrder


class L2Market(Market):
    """Takers sweep levels; resting orders wait in their level's queue. Best quotes are no book and are passed over."""

    __slots__ = ("book",)

    def __init__(self, instrument: Instrument, exchange: Exchange, rules: VenueRules) -> None:
        super().__init__(instrument, exchange, rules)
        self.book = VenueBook()

    def on_fact(self, fact: MarketEvent, ts: int) -> None:
        kind = type(fact)
        if kind is DepthDiff:
            self.book.apply(fact)  # type: ignore[arg-type]
        elif kind is DepthSnapshot:
            self.book.restore(fact)  # type: ignore[arg-type]
        else:
            super().on_fact(fact, ts)
            return
        if self.live:
            self._book_changed(ts)

    def forget_prices(self) -> None:
        super().forget_prices()
        self.book = VenueBook()

    def best(self, side: Side) -> int | None:
        return self.book.best_bid() if side is Side.BUY else self.book.best_ask()

    def fillable(self, order: VenueOrder) -> int | None:
        found = 0
        for price, lots in self.book.levels(bids=order.side is Side.SELL):
            if found >= order.leaves or (order.price is not None and (price - order.price) * order.side > 0):
                break
            found += lots
        return found

    def take(self, order: VenueOrder, ts: int) -> None:
        levels = self.book.asks if order.side is Side.BUY else self.book.bids
        worst: int | None = None
        while order.leaves and self.crosses(order):
            best = self.best(order.side.opposite)
            if best is None:
                break
            lots = min(order.leaves, levels[best])
            self.book.take(levels, best, lots)
            self.exchange.fill(order, lots, best, Liquidity.TAKER, ts)
            worst = best
        if order.leaves and order.price is None and worst is not None:
            price = max(1, worst + order.side)
            self.exchange.fill(order, order.leaves, price, Liquidity.TAKER, ts, BEYOND_DEPTH)

    def join_queue(self, order: VenueOrder) -> None:
        queue.join(order, self._displayed(order))

    def _displayed(self, order: VenueOrder) -> int:
        levels = self.book.bids if order.side is Side.BUY else self.book.asks
        return levels.get(order.price or 0, 0)

    def _book_changed(self, ts: int) -> None:
        model = self.rules.queue
        for order in self.bids:
            queue.depth_changed(order, self._displayed(order), model)
        for order in self.asks:
            queue.depth_changed(order, self._displayed(order), model)
        if self.halted:
            return
        for orders, levels in ((self.bids, self.book.asks), (self.asks, self.book.bids)):
            for order in tuple(orders):
                if not self.crosses(order):
                    break
                while order.leaves and order.price is not None and self.crosses(order):
                    best = self.best(order.side.opposite)
                    if best is None:
                        break
                    lots = min(order.leaves, levels[best])
                    self.book.take(levels, best, lots)
                    self.exchange.fill(order, lots, order.price, Liquidity.MAKER, ts)
        if self.triggers:
            self.check_triggers(ts)
