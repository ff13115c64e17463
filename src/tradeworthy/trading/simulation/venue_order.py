"""One order as the venue holds it."""

from tradeworthy.trading.model import ExecReport, OrderType, ReportType, Side, SubmitOrder, TimeInForce, TriggerPrice


class VenueOrder:
    """Mutable state of one accepted order. `price` None means: at any price.

    number  arrival number, the time priority;  sent_at  when the desk sent it;  ahead  lots queued before it, None
    where nobody knows;  shown, traded  the level's displayed size and trades at the last look (pro-rata queue only)
    """

    __slots__ = (
        "ahead", "client_order_id", "cum", "ended", "ended_at", "expires_at", "fills", "instance", "instrument", "lots",
        "number", "post_only", "price", "reduce_only", "seen", "sent_at", "shown", "side", "tif", "traded", "trigger",
        "trigger_by", "type", "venue_order_id",
    )

    def __init__(self, command: SubmitOrder, number: int, venue_order_id: str, sent_at: int) -> None:
        self.client_order_id: str = command.client_order_id
        self.venue_order_id = venue_order_id
        self.instance: str = command.instance
        self.instrument: str = command.instrument
        self.side: Side = command.side
        self.type: OrderType = command.type
        self.tif: TimeInForce = command.tif
        priced = command.type is OrderType.LIMIT or command.type is OrderType.STOP_LIMIT
        self.price: int | None = command.price if priced else None
        self.trigger: int | None = None
        if command.type not in (OrderType.MARKET, OrderType.LIMIT):
            self.trigger = command.trigger
        self.trigger_by: TriggerPrice = command.trigger_by
        self.lots: int = command.lots
        self.reduce_only: bool = command.reduce_only
        self.post_only: bool = command.post_only
        self.number = number
        self.sent_at = sent_at
        self.cum = 0
        self.ahead: int | None = None
        self.shown = 0
        self.traded = 0
        self.seen = False
        self.expires_at: int | None = None
        self.ended: ReportType | None = None
        self.ended_at = 0
        self.fills: list[ExecReport] = []

    @property
    def leaves(self) -> int:
        """Lots still open; none once the order ended."""
        return 0 if self.ended is not None else self.lots - self.cum
