"""Execution: approved intents become orders, reports become facts, silence becomes doubt."""

from collections import deque
from collections.abc import Iterable
from decimal import Decimal
from typing import Protocol

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.ids import client_order_id
from tradeworthy.trading.execution.open_order import OpenOrder
from tradeworthy.trading.execution.orders import Change, Order, WorkingOrders
from tradeworthy.trading.execution.streaks import GuardReason, Streaks
from tradeworthy.trading.model.market import Side
from tradeworthy.trading.model.order import (
    AmendOrder,
    Approved,
    CancelOrder,
    ExecReport,
    Intent,
    OrderAnomaly,
    OrderState,
    OrderType,
    QueryOrder,
    ReportType,
    SubmitOrder,
    TimeInForce,
)
from tradeworthy.trading.model.state import GuardLevel

_S, _R = OrderState, ReportType
_AWAITING = frozenset({_S.SUBMITTED, _S.PENDING_AMEND, _S.PENDING_CANCEL, _S.UNKNOWN})
_PPM = 1_000_000


class ExecutionPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds of the orders room; ages in nanoseconds, each a failure budget breached at its value.

    active_max        live orders of one instance (OM-06)
    fill_from_mid     fraction of the mid at which a fill is remarked on (OM-08)
    cancels_minute    cancels in 60 s that may be used up; live micro 20 (OM-09)
    benign_codes      rejections that are part of quoting, or of a halt, and no failed execution
    """

    ack_timeout_ns: int = 30 * NANOS_PER_SECOND
    partial_age_ns: int = 60 * NANOS_PER_SECOND
    active_max: int = 10
    fill_from_mid: Decimal = Decimal("0.01")
    cancels_minute: int = 50
    cancel_pause_ns: int = 120 * NANOS_PER_SECOND
    cancel_breaches_day: int = 3
    failed_cancels: int = 8
    failed_evaluations: int = 6
    failed_executions: int = 3
    benign_codes: frozenset[str] = frozenset({"control.halted", "venue.post_only_crosses", "venue.session_blocked"})


class ReservationsPort(Protocol):
    """Risk's reservations: does an approval stand for exactly this intent?"""

    def matches(self, intent: Intent, /) -> bool: ...


@fact("execution.refused_altered")
class RefusedAltered(Fact, frozen=True):
    """An intent that is not the one risk approved (OM-05); nothing was sent."""

    intent: Intent


@fact("execution.refused")
class ExecutionRefused(Fact, frozen=True):
    """An approved intent that found no free slot, was late or came twice."""

    intent_id: str
    instance: str
    instrument: str
    code: str
    observed: str
    limit: str


@fact("execution.fill_far")
class FillFar(Fact, frozen=True):
    """A fill far from the mid: WARN. `deviation_ppm` in millionths of the mid."""

    client_order_id: str
    trade_id: str
    price: int
    mid2: int
    deviation_ppm: int


@fact("execution.partial_stale")
class PartialStale(Fact, frozen=True):
    """A partly filled order got no further fill in time: WARN, with what is proposed."""

    client_order_id: str
    age_ns: int
    leaves: int
    proposal: str


@fact("execution.escalated")
class Escalated(Fact, frozen=True):
    """Executions failed in a row: orders are being cancelled, a person is wanted."""

    reason: str
    count: int


class Execution:
    """The only door from approved intents to commands, and the keeper of the orders."""

    __slots__ = ("_awaited", "_far_ppm", "_partials", "_policy", "_reservations", "_streaks", "orders")

    def __init__(self, reservations: ReservationsPort, policy: ExecutionPolicy) -> None:
        self._reservations = reservations
        self._policy = policy
        self._far_ppm = int(policy.fill_from_mid * _PPM)
        self._streaks = Streaks(
            cancels_minute=policy.cancels_minute, cancel_pause_ns=policy.cancel_pause_ns,
            cancel_breaches_day=policy.cancel_breaches_day, failed_cancels=policy.failed_cancels,
            failed_evaluations=policy.failed_evaluations, failed_executions=policy.failed_executions,
        )  # fmt: skip
        self._awaited: deque[tuple[int, Order]] = deque()  # answers awaited, oldest first: one timeout for all
        self._partials: deque[tuple[int, Order]] = deque()
        self.orders = WorkingOrders()

    def submit(self, approved: Approved[Intent], ts: int) -> tuple[Fact, ...]:
        """Return the order's first change and its command, or why nothing is sent.

        Raises `TypeError` for anything but an `Approved`: that is a hole in the wiring, not a refusal.
        """
        if type(approved) is not Approved:
            raise TypeError(f"execution takes Approved[Intent] only, was {type(approved).__name__}")
        intent = approved.intent
        if not self._reservations.matches(intent):
            return (RefusedAltered(intent),)
        if ts >= intent.expires_at:
            return (_refused(intent, "execution.expired", str(ts), str(intent.expires_at)),)
        orders = self.orders
        held = orders.in_slot((intent.instance, intent.instrument, intent.level, intent.side, intent.slice_no or 0))
        if held is not None:
            return (_refused(intent, "execution.slot_taken", held.client_order_id, "1 live order a slot"),)
        active = len(orders.live(intent.instance))
        if active >= self._policy.active_max and not intent.reduce_only:
            return (_refused(intent, "execution.active_orders", str(active + 1), str(self._policy.active_max)),)
        order_id = client_order_id(intent.intent_id, intent.slice_no or 0, 0)
        if orders.get(order_id) is not None:
            return (_refused(intent, "execution.duplicate", order_id, "each intent is sent once"),)
        order = orders.create(approved, order_id, ts)
        changed = orders.move(order, _S.SUBMITTED, ts)
        self._await(order, ts)
        kind, tif, price = intent.type, intent.tif, intent.price
        if approved.worst_price is not None:  # RK-04: a market order never leaves without a limit
            kind, tif, price = OrderType.LIMIT, TimeInForce.IOC, approved.worst_price
        return changed, SubmitOrder(
            order_id, intent.intent_id, intent.instance, intent.instrument, intent.side, intent.lots, kind,
            tif, price, intent.trigger, intent.trigger_by, intent.reduce_only, intent.post_only,
        )  # fmt: skip

    def restore(self, left: Iterable[OpenOrder], ts: int) -> tuple[Fact, ...]:
        """Take over orders whose end an earlier desk did not hear of: unknown, looked up, and taken off (RC-03).

        What the venue tells of their fills is booked as of any other order. A protective stop is looked up alone.
        """
        facts: list[Fact] = []
        for one in left:
            order = one.order(ts)
            self.orders.adopt(order, ts)
            facts += (
                self.orders.move(order, _S.UNKNOWN, ts, "execution.restored"),
                QueryOrder(order.client_order_id, order.instrument),
            )
            if not (one.intent.reduce_only and one.intent.trigger is not None):
                facts.append(CancelOrder(order.client_order_id, order.instrument, "execution.restored"))
                order.cancel_sent = True
                self._streaks.cancelled(ts)
            self._await(order, ts)
        return tuple(facts)

    def on_report(self, report: ExecReport, ts: int, mid2: int | None = None) -> Change:
        """Fold one report: facts and commands in order, and the fill to book.

        mid2  twice the instrument's mid in ticks at the fill, None where it is not known
        """
        change = self.orders.apply(report, ts)
        kind = report.type
        if kind is _R.ACKNOWLEDGED:
            self._streaks.execution_worked()
        elif kind is _R.FILL:
            self._streaks.execution_worked()
            fill = change[1]
            if fill is not None:
                order = self.orders.get(report.client_order_id)
                if order is not None and order.partial_at is not None:
                    self._partials.append((ts, order))
                if mid2 is not None and mid2 > 0:
                    ppm = abs(2 * fill.price - mid2) * _PPM // mid2
                    if ppm >= self._far_ppm:
                        far = FillFar(fill.client_order_id, fill.trade_id, fill.price, mid2, ppm)
                        return (*change[0], far), fill
        if change[0] and type(change[0][0]) is OrderAnomaly:
            self._streaks.set("execution.anomaly", GuardLevel.PAUSED)
            return change
        if kind is _R.ACKNOWLEDGED or kind is _R.FILL:
            return change
        return (*change[0], *self._answered(report, ts)), change[1]

    def on_timer(self, ts: int) -> tuple[Fact, ...]:
        """Return what silence led to: unknown orders with look-up and cancel, stale partial fills."""
        facts: list[Fact] = []
        while self._awaited and ts - self._awaited[0][0] >= self._policy.ack_timeout_ns:
            since, order = self._awaited.popleft()
            if order.awaited_at == since and order.live and order.state in _AWAITING and order.changed_at <= since:
                self._doubt(order, ts, facts)
        while self._partials and ts - self._partials[0][0] >= self._policy.partial_age_ns:
            since, order = self._partials.popleft()
            if order.partial_at == since:
                proposal = "reprice" if order.intent.type is OrderType.LIMIT else "cancel"
                facts.append(PartialStale(order.client_order_id, ts - since, order.leaves, proposal))
        self._streaks.on_timer(ts)
        self.orders.retire(ts)
        return tuple(facts)

    def on_evaluation(self, *, venue_ready: bool, balances_consistent: bool) -> None:
        """Count evaluations in a row that found the venue not ready or the balances inconsistent."""
        self._streaks.evaluated(good=venue_ready and balances_consistent)

    def on_day(self) -> None:
        """Begin a desk day: breaches of the cancel budget count from zero."""
        self._streaks.on_day()

    def cancel(self, command: CancelOrder, ts: int) -> tuple[Fact, ...]:
        """Take one order off; nothing for an order that ended or is being cancelled already."""
        order = self.orders.get(command.client_order_id)
        if order is None or not order.live or order.cancel_sent:
            return ()
        return self._cancel(order, command.reason, ts)

    def cancel_all(self, reason: str, ts: int, instance: str | None = None) -> tuple[Fact, ...]:
        """Take every live order off, of one instance or of all; counted in the cancel budget, never refused."""
        orders = self.orders.all_live() if instance is None else list(self.orders.live(instance))
        return tuple(item for order in orders if not order.cancel_sent for item in self._cancel(order, reason, ts))

    def shrink(self, client_order_id: str, lots: int, ts: int) -> tuple[Fact, ...]:
        """Lower a resting order's total to `lots`; the approval covers less, never more or another price (OM-05)."""
        order = self.orders.get(client_order_id)
        if order is None or not order.settled or not order.cum_lots < lots < order.lots:
            return ()
        order.amend_lots = lots
        changed = self.orders.move(order, _S.PENDING_AMEND, ts)
        self._await(order, ts)
        return changed, AmendOrder(client_order_id, order.instrument, order.price, lots)

    def open_lots(self, instance: str, instrument: str, side: Side) -> int:
        """Return the lots of live orders that may still fill."""
        return self.orders.open_lots(instance, instrument, side)

    def drain_reasons(self) -> tuple[GuardReason, ...]:
        """Return guard reasons that changed since the last call; level `RUNNING` clears one."""
        return self._streaks.drain()

    def clear_reason(self, reason: str) -> None:
        """Clear one of this room's own reasons, after a person or a reconciliation settled it."""
        self._streaks.set(reason, GuardLevel.RUNNING)

    def _answered(self, report: ExecReport, ts: int) -> tuple[Fact, ...]:
        order = self.orders.get(report.client_order_id)
        kind = report.type
        if order is None:
            return ()
        if kind is _R.CANCELLED:
            self._streaks.cancel_worked()
        elif kind is _R.CANCEL_REJECTED and order.live:  # the order outlived its cancel; a filled one needs none
            self._streaks.cancel_failed()
        elif kind is _R.REJECTED and report.code not in self._policy.benign_codes:
            return self._failed(ts)
        elif kind is _R.UNKNOWN and order.live:
            self._await(order, ts)
            failed = self._failed(ts) if order.acknowledged_at is None else ()
            return (QueryOrder(order.client_order_id, order.instrument), *failed)
        return ()

    def _failed(self, ts: int) -> tuple[Fact, ...]:
        if not self._streaks.execution_failed():
            return ()
        count = self._policy.failed_executions
        return (Escalated("execution.failed_in_row", count), *self.cancel_all("execution.failed_in_row", ts))

    def _doubt(self, order: Order, ts: int, facts: list[Fact]) -> None:
        """Make a silent order unknown, look it up and cancel it; ask again each timeout until the venue tells."""
        if order.state is not _S.UNKNOWN:
            facts.append(self.orders.move(order, _S.UNKNOWN, ts, "execution.ack_timeout"))
            if order.cancel_sent:
                self._streaks.cancel_failed()
        facts.append(QueryOrder(order.client_order_id, order.instrument))
        facts.append(CancelOrder(order.client_order_id, order.instrument, "execution.ack_timeout"))
        order.cancel_sent = True
        self._streaks.cancelled(ts)
        self._await(order, ts)

    def _await(self, order: Order, ts: int) -> None:
        """Wait for an order's answer from now on; an earlier wait is over, so that no doubt is told twice."""
        order.awaited_at = ts
        self._awaited.append((ts, order))

    def _cancel(self, order: Order, reason: str, ts: int) -> tuple[Fact, ...]:
        rests = order.settled
        order.cancel_sent = True
        self._streaks.cancelled(ts)
        command = CancelOrder(order.client_order_id, order.instrument, reason)
        if not rests:  # no arrow yet: the state follows when the venue tells of the order
            return (command,)
        changed = self.orders.move(order, _S.PENDING_CANCEL, ts, reason)
        self._await(order, ts)
        return changed, command


def _refused(intent: Intent, code: str, observed: str, limit: str) -> ExecutionRefused:
    return ExecutionRefused(intent.intent_id, intent.instance, intent.instrument, code, observed, limit)
