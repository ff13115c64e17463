"""Working orders: every order of the desk from its creation until a minute after its end."""

from collections import deque
from collections.abc import Collection

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import HaltTrading
from tradeworthy.kernel.facts import Fact
from tradeworthy.trading.execution.states import after_fill, after_report
from tradeworthy.trading.model.market import Side
from tradeworthy.trading.model.order import (
    TERMINAL,
    Approved,
    ExecReport,
    Fill,
    Intent,
    Liquidity,
    OrderAnomaly,
    OrderChanged,
    OrderState,
    ReportType,
)

TERMINAL_KEPT_NS = 60 * NANOS_PER_SECOND
"""A finished order stays this long, so that a late fill or a repeated report still finds it."""
ORDERS_MAX = 65_536
"""Orders held at once; a desk that needs more has lost control of its flow."""

Slot = tuple[str, str, int, Side, int]
"""`(instance, instrument, level, side, slice)`: one live order stands in it (OM-06).

Slices of one decision share a level."""
OpenKey = tuple[str, str, Side]
Change = tuple[tuple[Fact, ...], Fill | None]
_NO_CHANGE: Change = ((), None)
_S, _R = OrderState, ReportType
_ENDED_BY = {_R.CANCELLED: _S.CANCELLED, _R.EXPIRED: _S.EXPIRED, _R.REJECTED: _S.REJECTED}
"""The ends that a venue tells of a restored order twice: to whoever was there, and to whoever asked."""


class Order:
    """One order. `leaves` are the lots still open; `trades` maps a venue trade id to its lots and price."""

    __slots__ = (
        "acknowledged_at", "amend_lots", "awaited_at", "cancel_sent", "changed_at", "client_order_id", "created_at",
        "cum_lots", "instance", "instrument", "intent", "leaves", "level", "live", "lots", "open_key", "partial_at",
        "price", "restored", "side", "slot", "state", "trades", "venue_order_id",
    )  # fmt: skip

    def __init__(self, intent: Intent, client_order_id: str, ts: int) -> None:
        self.intent = intent
        self.client_order_id = client_order_id
        self.venue_order_id: str | None = None
        self.instance = intent.instance
        self.instrument = intent.instrument
        self.side = intent.side
        self.level = intent.level
        self.price = intent.price
        self.lots = intent.lots
        self.cum_lots = 0
        self.leaves = intent.lots
        self.state = _S.CREATED
        self.live = True
        self.created_at = ts
        self.changed_at = ts
        self.acknowledged_at: int | None = None
        self.partial_at: int | None = None
        self.awaited_at: int | None = None
        self.cancel_sent = False
        self.restored = False
        self.amend_lots: int | None = None
        self.trades: dict[str, tuple[int, int]] = {}
        self.slot: Slot = (intent.instance, intent.instrument, intent.level, intent.side, intent.slice_no or 0)
        self.open_key: OpenKey = (intent.instance, intent.instrument, intent.side)

    @property
    def settled(self) -> bool:
        """True while nothing is under way: the order rests at the venue and no answer is awaited."""
        return (self.state is _S.WORKING or self.state is _S.PARTIALLY_FILLED) and not self.cancel_sent


class WorkingOrders:
    """All orders, found by client order id, by instance and by slot in one look-up each."""

    __slots__ = ("_by_instance", "_finished", "_last_created", "_open", "_orders", "_slots", "duplicates")

    def __init__(self) -> None:
        self._orders: dict[str, Order] = {}
        self._slots: dict[Slot, Order] = {}
        self._by_instance: dict[str, dict[str, Order]] = {}
        self._open: dict[OpenKey, int] = {}
        self._last_created: dict[Slot, int] = {}
        self._finished: deque[tuple[int, Order]] = deque()
        self.duplicates = 0

    def create(self, approved: Approved[Intent], client_order_id: str, ts: int) -> Order:
        """Open an order in its slot; the caller has asked `in_slot` first.

        Raises `HaltTrading` for a taken slot, a repeated id or a full book: two live orders would follow.
        """
        self.retire(ts)
        order = Order(approved.intent, client_order_id, ts)
        if order.slot in self._slots:
            raise HaltTrading(f"slot {order.slot} must be free, holds {self._slots[order.slot].client_order_id}")
        if client_order_id in self._orders:
            raise HaltTrading(f"client order id must be new, {client_order_id} exists already")
        if len(self._orders) >= ORDERS_MAX:
            raise HaltTrading(f"at most {ORDERS_MAX} orders may be held, found {len(self._orders)}")
        self._orders[client_order_id] = self._slots[order.slot] = order
        self._by_instance.setdefault(order.instance, {})[client_order_id] = order
        self._open[order.open_key] = self._open.get(order.open_key, 0) + order.leaves
        self._last_created[order.slot] = ts
        return order

    def adopt(self, order: Order, ts: int) -> None:
        """Hold an order that an earlier desk sent, in its slot; raises `HaltTrading` for a taken slot or id."""
        if order.slot in self._slots or order.client_order_id in self._orders:
            raise HaltTrading(f"slot {order.slot} and id {order.client_order_id} must be free for a restored order")
        self._orders[order.client_order_id] = self._slots[order.slot] = order
        self._by_instance.setdefault(order.instance, {})[order.client_order_id] = order
        self._open[order.open_key] = self._open.get(order.open_key, 0) + order.leaves
        self._last_created[order.slot] = ts

    def get(self, client_order_id: str) -> Order | None:
        return self._orders.get(client_order_id)

    def in_slot(self, slot: Slot) -> Order | None:
        """Return the live order of a slot; unknown and pending orders are live."""
        return self._slots.get(slot)

    def live(self, instance: str) -> Collection[Order]:
        """Return the live orders of an instance, oldest first."""
        orders = self._by_instance.get(instance)
        return () if orders is None else orders.values()

    def all_live(self) -> list[Order]:
        return [order for orders in self._by_instance.values() for order in orders.values()]

    def open_lots(self, instance: str, instrument: str, side: Side) -> int:
        """Return the lots that may still fill; an unknown order counts in full (OM-02)."""
        return self._open.get((instance, instrument, side), 0)

    def last_created(self, slot: Slot) -> int | None:
        """Return when the last order of a slot was created, None when there was none."""
        return self._last_created.get(slot)

    def move(self, order: Order, state: OrderState, ts: int, code: str | None = None) -> OrderChanged:
        """Put a live order into `state` and say so; the caller vouches for the arrow."""
        before, order.state, order.changed_at = order.state, state, ts
        if state in TERMINAL:
            self._finish(order, ts)
        return OrderChanged(
            order.client_order_id, order.instance, order.instrument, before, state, order.cum_lots, code
        )

    def set_open(self, order: Order, lots: int, leaves: int) -> None:
        """Change the quantities of a live order; the running open quantity follows."""
        self._open[order.open_key] += leaves - order.leaves
        order.lots, order.leaves = lots, leaves

    def apply(self, report: ExecReport, ts: int) -> Change:
        """Fold one report: facts, and the fill to book (for a bust the fill that it takes back)."""
        order = self._orders.get(report.client_order_id)
        if order is None:
            return _anomaly(report, None, "the order is not known")
        if order.instrument != report.instrument or (report.side is not None and report.side != order.side):
            return _anomaly(report, order, f"expected {order.instrument} {order.side.name}")
        if report.venue_order_id is not None:
            order.venue_order_id = report.venue_order_id
        kind = report.type
        if kind is _R.FILL:
            return self._fill(order, report, ts)
        if kind is _R.BUST or kind is _R.CORRECTION:
            return self._restate(order, report, ts)
        return self._advance(order, report, ts)

    def retire(self, ts: int) -> None:
        """Drop orders that ended `TERMINAL_KEPT_NS` ago."""
        finished = self._finished
        while finished and ts - finished[0][0] >= TERMINAL_KEPT_NS:
            del self._orders[finished.popleft()[1].client_order_id]

    def _fill(self, order: Order, report: ExecReport, ts: int) -> Change:
        trade_id, lots = report.trade_id, report.lots
        if trade_id is None or lots <= 0 or report.price <= 0:
            return _anomaly(report, order, "a fill needs trade id, lots and price above zero")
        if trade_id in order.trades:
            self.duplicates += 1
            return _NO_CHANGE
        room = order.leaves if order.live else order.lots - order.cum_lots
        if lots > room:
            return _anomaly(report, order, f"filled {lots} lots where {room} were open")
        order.trades[trade_id] = (lots, report.price)
        order.cum_lots += lots
        fill = _fill_of(order, report, lots, report.price, ts)
        if not order.live:
            return (), fill
        self.set_open(order, order.lots, order.leaves - lots)
        order.partial_at = ts if order.leaves else None
        return (self.move(order, after_fill(order.state, order.leaves), ts),), fill

    def _restate(self, order: Order, report: ExecReport, ts: int) -> Change:
        held = order.trades.get(report.trade_id or "")
        if held is None or report.trade_id is None:
            return _anomaly(report, order, f"trade {report.trade_id} is not among the order's fills")
        if report.type is _R.BUST:
            if held[0] == 0:
                self.duplicates += 1
                return _NO_CHANGE
            order.cum_lots -= held[0]
            order.trades[report.trade_id] = (0, held[1])  # kept, so that the busted fill repeated stays a duplicate
            return (), _fill_of(order, report, held[0], held[1], ts)
        cum = order.cum_lots - held[0] + report.lots
        if not 0 < report.lots <= held[0] or report.price <= 0 or held[0] == 0:
            return _anomaly(report, order, f"a correction keeps or lowers {held[0]} lots, was {report.lots}")
        if held == (report.lots, report.price) and report.fee is None:
            self.duplicates += 1
            return _NO_CHANGE
        order.cum_lots = cum
        order.trades[report.trade_id] = (report.lots, report.price)
        return (), _fill_of(order, report, report.lots, report.price, ts)

    def _advance(self, order: Order, report: ExecReport, ts: int) -> Change:
        kind, state = report.type, order.state
        first_ack = kind is _R.ACKNOWLEDGED and order.acknowledged_at is None
        if first_ack:
            order.acknowledged_at = ts
        after = after_report(state, kind, order.cum_lots)
        if after is None:
            return self._without_arrow(order, report, first_ack)
        if kind is _R.CANCEL_REJECTED:
            order.cancel_sent = False
        if kind is _R.AMENDED and order.amend_lots is not None:
            self.set_open(order, order.amend_lots, max(0, order.amend_lots - order.cum_lots))
        if state is _S.PENDING_AMEND:
            order.amend_lots = None
        changed = self.move(order, after, ts, report.code)
        if kind is _R.ACKNOWLEDGED and order.cancel_sent:  # the cancel left before the venue had told of the order
            return (changed, self.move(order, _S.PENDING_CANCEL, ts)), None
        return (changed,), None

    def _without_arrow(self, order: Order, report: ExecReport, first_ack: bool) -> Change:
        """Answers that change no state: an acknowledgement behind its own fill, a second unknown, a late cancel."""
        kind = report.type
        if kind is _R.CANCEL_REJECTED and order.cancel_sent:
            order.cancel_sent = False
            return _NO_CHANGE
        if kind is _R.UNKNOWN and order.state is _S.UNKNOWN:
            return _NO_CHANGE
        if order.restored and _ENDED_BY.get(kind) is order.state:  # on its way to the desk before, and looked up
            return _NO_CHANGE
        if first_ack and order.live:
            return _NO_CHANGE
        return _anomaly(report, order, "no arrow of the order's life allows this report")

    def _finish(self, order: Order, ts: int) -> None:
        order.live = False
        if order.leaves:
            self._open[order.open_key] -= order.leaves
        order.partial_at = None
        del self._slots[order.slot]
        del self._by_instance[order.instance][order.client_order_id]
        self._finished.append((ts, order))


def _anomaly(report: ExecReport, order: Order | None, text: str) -> Change:
    state = None if order is None else order.state
    return (OrderAnomaly(report.client_order_id, state, report.type, text),), None


def _fill_of(order: Order, report: ExecReport, lots: int, price: int, ts: int) -> Fill:
    # A venue that does not tell the liquidity side is taken at the dearer one; an unnamed fee currency is the
    # settlement currency, which the ledger knows.
    return Fill(
        report.trade_id or "", order.client_order_id, order.instance, order.instrument, order.side, lots, price,
        report.liquidity or Liquidity.TAKER, report.fee, report.fee_currency or "", ts,
    )  # fmt: skip
