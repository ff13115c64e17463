"""Matching against best quotes (SV-02)."""

from tradeworthy.trading.model import Instrument, Liquidity, MarketEvent, Quote, Side
from tradeworthy.trading.simulation import queue
from tradeworthy.trading.simulation.market import BEYOND_DEPTH, Exchange, Market
from tradeworthy.trading.simulation.rules import VenueRules
from tradeworthy.trading.simulation.venue_order import VenueOrder


class L1Market(Market):
    """Takers fill at the opposite best up to its displayed size; resting limits when the opposite best reaches them,
    or when trades at their price have used up what was displayed before them.

    A size that was not told stands for any size. What own orders used of a quote is gone until the next one.
    """

    __slots__ = ("quote", "used_ask", "used_bid")

    def __init__(self, instrument: Instrument, exchange: Exchange, rules: VenueRules) -> None:
        super().__init__(instrument, exchange, rules)
        self.quote: Quote | None = None
        self.used_bid = 0
        self.used_ask = 0

    def on_fact(self, fact: MarketEvent, ts: int) -> None:
        if type(fact) is Quote:
            self.quote = fact
            self.used_bid = self.used_ask = 0
            if self.live and not self.halted:
                self._cross(ts)
                if self.triggers:
                    self.check_triggers(ts)
        else:
            super().on_fact(fact, ts)

    def forget_prices(self) -> None:
        super().forget_prices()
        self.quote = None

    def best(self, side: Side) -> int | None:
        if self.quote is None:
            return None
        price: int = self.quote.bid if side is Side.BUY else self.quote.ask
        return price if price > 0 else None

    def fillable(self, order: VenueOrder) -> int | None:
        return self._shown(order.side) if self.crosses(order) else 0

    def take(self, order: VenueOrder, ts: int) -> None:
        best = self.best(order.side.opposite)
        if best is None or not self.crosses(order):
            return
        slippage = self.rules.slippage
        ticks = slippage.ticks(best, slippage.quotes_bps)
        text = f"slippage_ticks={ticks}" if ticks else None
        shown = self._shown(order.side)
        lots = order.leaves if shown is None else min(order.leaves, shown)
        if lots:
            self._use(order.side, lots)
            self.exchange.fill(order, lots, _within(order, best + order.side * ticks), Liquidity.TAKER, ts, None, text)
        if order.leaves and order.price is None:
            price = best + order.side * (ticks + 1)
            self.exchange.fill(order, order.leaves, max(1, price), Liquidity.TAKER, ts, BEYOND_DEPTH, text)

    def join_queue(self, order: VenueOrder) -> None:
        own = self.best(order.side)
        if own is None or order.price is None or self.quote is None:
            queue.join(order, None)
        elif order.price == own:
            queue.join(order, self.quote.bid_lots if order.side is Side.BUY else self.quote.ask_lots)
        else:  # better than the best: first in its level; worse: nobody told what stands there
            queue.join(order, 0 if (order.price - own) * order.side > 0 else None)

    def _cross(self, ts: int) -> None:
        for side, orders in ((Side.BUY, self.bids), (Side.SELL, self.asks)):
            if not orders:
                continue
            best = self.best(side.opposite)
            if best is None:
                continue
            for order in tuple(orders):
                if order.price is None or (best - order.price) * side > 0:
                    break
                if order.ended is not None:
                    continue
                shown = self._shown(side)
                lots = order.leaves if shown is None else min(order.leaves, shown)
                if not lots:
                    break
                self._use(side, lots)
                self.exchange.fill(order, lots, order.price, Liquidity.MAKER, ts)

    def _shown(self, side: Side) -> int | None:
        """Lots that a taker of `side` still meets; None where no size was told."""
        if self.quote is None:
            return 0
        shown: int | None = self.quote.ask_lots if side is Side.BUY else self.quote.bid_lots
        used = self.used_ask if side is Side.BUY else self.used_bid
        return None if shown is None else max(0, shown - used)

    def _use(self, side: Side, lots: int) -> None:
        if side is Side.BUY:
            self.used_ask += lots
        else:
            self.used_bid += lots


def _within(order: VenueOrder, price: int) -> int:
    """Return `price`, never worse than the order's limit, never below one tick."""
    if order.price is None:
        return max(1, price)
    return min(price, order.price) if order.side is Side.BUY else max(price, order.price)
