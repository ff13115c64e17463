"""Shadow orders: quotes at a simulated venue of their own, while a gate keeps them off the market (MM-06)."""

from tradeworthy.trading.model import (
    Bar,
    CancelOrder,
    Instrument,
    MarketEvent,
    OrderType,
    Quote,
    QuoteTarget,
    ReportType,
    Side,
    SubmitOrder,
    TimeInForce,
    Trade,
)
from tradeworthy.trading.simulation.latency import NO_LATENCY, LatencyModel
from tradeworthy.trading.simulation.rules import VenueRules
from tradeworthy.trading.simulation.venue import Matching, SimulatedVenue

SHADOW = "shadow"
SIDES_OF_LEVELS_MAX = 200
"""Open shadow orders; a maker quotes a few levels on two sides."""


class VenueShadow:
    """Rest post-only orders at a venue without account, and say which of them fill, by the venue's own rules.

    The queue before an order is honoured, so a fill here is what the same order had got at the market.
    """

    __slots__ = ("_instrument", "_matching", "_number", "_resting", "_slots", "_venue")

    def __init__(
        self, instrument: Instrument, *, matching: Matching = Matching.L1, latency: LatencyModel = NO_LATENCY
    ) -> None:
        self._instrument = instrument.instrument_id
        self._matching = matching
        rules = VenueRules(open_orders_max=SIDES_OF_LEVELS_MAX)
        self._venue = SimulatedVenue([instrument], latency=latency, matching=matching, rules=rules)
        self._slots: dict[tuple[Side, int], str] = {}
        self._resting: dict[str, QuoteTarget] = {}
        self._number = 0

    def quote(self, quotes: tuple[QuoteTarget, ...], now: int) -> None:
        """Bring the resting orders to `quotes`; an order that did not change keeps its place in the queue."""
        if not quotes and not self._slots:
            return
        wanted = {(one.side, one.level): one for one in quotes}
        for slot, name in list(self._slots.items()):
            held, wish = self._resting[name], wanted.get(slot)
            if wish is None or (wish.price, wish.lots) != (held.price, held.lots):
                self._forget(name)
                self._venue.send(CancelOrder(name, self._instrument, "shadow.replaced"), now)
        for slot, wish in wanted.items():
            if slot not in self._slots:
                self._number += 1
                name = f"{SHADOW}-{self._number}"
                self._slots[slot], self._resting[name] = name, wish
                self._venue.send(
                    SubmitOrder(
                        name, name, SHADOW, self._instrument, wish.side, wish.lots, OrderType.LIMIT, TimeInForce.GTC,
                        wish.price, post_only=True,
                    ),
                    now,
                )

    def on_print(self, fact: Trade | Bar, now: int) -> list[QuoteTarget]:
        """Show the venue a trade or a bar; return what filled, with the lots of each fill."""
        if not self._slots or (isinstance(fact, Bar) and self._matching is not Matching.BARS):
            return []
        return self._show(fact, now)

    def on_touch(
        self, bid: int, ask: int, bid_lots: int | None, ask_lots: int | None, now: int
    ) -> list[QuoteTarget]:
        """Show the venue the best bid and ask; return what filled."""
        if self._matching is not Matching.L1:
            return []
        return self._show(Quote(self._instrument, bid, ask, bid_lots, ask_lots), now)

    def _show(self, fact: MarketEvent, now: int) -> list[QuoteTarget]:
        self._venue.advance(now)
        self._venue.on_market(fact, now)
        filled: list[QuoteTarget] = []
        for _, report in self._venue.advance(now):
            wish = self._resting.get(report.client_order_id)
            if wish is None:
                continue
            if report.type is ReportType.FILL:
                filled.append(
                    QuoteTarget(wish.instrument, wish.side, wish.level, report.price, report.lots, wish.reason)
                )
            if report.leaves_lots == 0 and report.type is not ReportType.ACKNOWLEDGED:
                self._forget(report.client_order_id)
        return filled

    def _forget(self, name: str) -> None:
        wish = self._resting.pop(name, None)
        if wish is not None and self._slots.get((wish.side, wish.level)) == name:
            del self._slots[wish.side, wish.level]
