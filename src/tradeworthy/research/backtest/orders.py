"""Orders of a run: counts, fill shares, own quotes and the level of each working order."""

from collections import deque

from tradeworthy.research.backtest.instrument_record import InstrumentRecord, OwnQuote
from tradeworthy.trading.model.order import TERMINAL, ApprovedIntent, OrderChanged, OrderState, OrderType, SubmitOrder

CLOSED_ORDERS_MAX = 1024
"""Orders remembered after their end, for a fill that is booked after the order's last state."""


class OrderRecord:
    """A submitted order until some time after its end."""

    __slots__ = ("filled", "level", "lots", "quote")

    def __init__(self, lots: int, level: int | None, quote: OwnQuote | None) -> None:
        self.lots = lots
        self.level = level
        self.quote = quote
        self.filled = 0


class OrderRecords:
    """Fold approvals, submits and ends of orders; memory is bounded by the working orders and `CLOSED_ORDERS_MAX`."""

    __slots__ = ("_closed", "_levels", "_working", "ended_unfilled", "filled", "lots_ordered", "orders", "rejected")

    def __init__(self) -> None:
        self.orders = self.filled = self.rejected = self.ended_unfilled = 0
        self.lots_ordered = 0
        self._levels: dict[str, int] = {}
        self._working: dict[str, OrderRecord] = {}
        self._closed: deque[str] = deque()

    @property
    def unresolved(self) -> int:
        """Orders that neither filled nor came to an end."""
        return self.orders - self.filled - self.ended_unfilled

    def approved(self, approved: ApprovedIntent) -> None:
        """Remember the quote level of an approval until its order is sent."""
        self._levels[approved.intent.intent_id] = approved.intent.level
        if len(self._levels) > CLOSED_ORDERS_MAX:  # approvals that never became an order
            del self._levels[next(iter(self._levels))]

    def submitted(self, ts: int, order: SubmitOrder, record: InstrumentRecord | None) -> None:
        """Count an order; a limit order is also an own quote of its instrument."""
        self.orders += 1
        self.lots_ordered += order.lots
        quote = None
        if order.type is OrderType.LIMIT and order.price is not None:
            quote = OwnQuote(ts, order.side, order.price)
            if record is not None:
                record.keep_quote(quote)
        level = self._levels.pop(order.intent_id, None)
        self._working[order.client_order_id] = OrderRecord(order.lots, level, quote)

    def fill(self, client_order_id: str, lots: int) -> int | None:
        """Take up filled lots and return the order's quote level."""
        order = self._working.get(client_order_id)
        if order is None:
            return None
        self.filled += order.filled == 0
        order.filled += lots
        return order.level

    def changed(self, ts: int, change: OrderChanged) -> None:
        """Close an order that came to its end."""
        if change.after not in TERMINAL:
            return
        order = self._working.get(change.client_order_id)
        if order is None:
            return
        if order.quote is not None:
            order.quote.end = ts
        self.rejected += change.after is OrderState.REJECTED
        self.ended_unfilled += not change.cum_lots
        self._closed.append(change.client_order_id)
        if len(self._closed) > CLOSED_ORDERS_MAX:
            self._working.pop(self._closed.popleft(), None)
