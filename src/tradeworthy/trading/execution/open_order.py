"""An order as one desk leaves it to the next: what was wanted, and what of it was booked (RC-02, RC-03)."""

import msgspec

from tradeworthy.trading.execution.orders import Order
from tradeworthy.trading.model.order import Intent, OrderState


class OpenOrder(msgspec.Struct, frozen=True):
    """One order whose end was not heard of; `trades` are trade id, lots and price of each fill that was booked."""

    client_order_id: str
    intent: Intent
    lots: int
    cum_lots: int
    venue_order_id: str | None
    trades: tuple[tuple[str, int, int], ...] = ()

    @classmethod
    def of(cls, order: Order) -> "OpenOrder":
        """Return what the next desk must know of a live order."""
        return cls(
            order.client_order_id, order.intent, order.lots, order.cum_lots, order.venue_order_id,
            tuple((trade_id, lots, price) for trade_id, (lots, price) in order.trades.items()),
        )  # fmt: skip

    @property
    def leaves(self) -> int:
        """Lots that may have filled since."""
        return self.lots - self.cum_lots

    def order(self, ts: int) -> Order:
        """Return the order as one that was sent and of which nothing is heard at `ts`."""
        order = Order(self.intent, self.client_order_id, ts)
        order.lots, order.cum_lots, order.leaves = self.lots, self.cum_lots, self.leaves
        order.venue_order_id = self.venue_order_id
        order.trades = {trade_id: (lots, price) for trade_id, lots, price in self.trades}
        order.state, order.restored = OrderState.SUBMITTED, True
        return order
