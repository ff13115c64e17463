"""From intent to command and from wish to cancel: review, reserve, send. Facts are added to the caller's list."""

from collections.abc import Callable, Iterable

from tradeworthy.kernel.facts import Fact
from tradeworthy.trading.execution.execution import Execution
from tradeworthy.trading.execution.orders import Order
from tradeworthy.trading.model import Approved, CancelOrder, GuardReason, Intent, OrderState, SubmitOrder
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.review import Reviewer
from tradeworthy.trading.risk.runaway import Runaway
from tradeworthy.trading.view import Seat


class Ordering:
    """The one way from an intent to the venue."""

    __slots__ = ("_apply", "_context", "_execution", "_review_all", "_review_parent", "_runaway",
                 "reviewer")  # fmt: skip

    def __init__(self, reviewer: Reviewer, execution: Execution, context: RiskContext) -> None:
        self._execution, self._context = execution, context
        self._runaway: Runaway | None = None
        self._apply: Callable[[Iterable[GuardReason]], None] | None = None
        self.reviewer = reviewer
        self._review_all, self._review_parent = reviewer.review_all, reviewer.review_parent

    def watch(self, runaway: Runaway, apply: Callable[[Iterable[GuardReason]], None]) -> None:
        """Have each order and each rejection counted; what is found goes to the guard (RK-13)."""
        self._runaway, self._apply = runaway, apply

    def propose(self, seat: Seat, intent: Intent, facts: list[Fact]) -> None:
        """Review, reserve, send: each leg's capacity is held before the next one is judged."""
        for approved, verdict in self._review_all(intent):
            facts.append(verdict)
            if approved is not None:
                self._send(seat, approved, facts)

    def propose_first(self, seat: Seat, intent: Intent, facts: list[Fact]) -> str | None:
        """Send the first leg only and return its client order id; what risk cuts off is for a later slice."""
        approved, verdict = self._review_all(intent)[0]
        facts.append(verdict)
        return None if approved is None else self._send(seat, approved, facts)

    def approve_parent(self, intent: Intent, facts: list[Fact]) -> Approved[Intent] | None:
        """Review a parent: nothing of it leaves, its children do (EA-01)."""
        approved, verdict = self._review_parent(intent)
        facts.append(verdict)
        return approved

    def cancel(self, cancels: Iterable[CancelOrder], facts: list[Fact]) -> None:
        """Take orders off; an order that ended or is being cancelled needs none."""
        execution, ctx = self._execution, self._context
        for one in cancels:
            order = execution.orders.get(one.client_order_id)
            sent = execution.cancel(one, ctx.now)
            if sent and order is not None:
                facts += sent
                ctx.count_message(order.instance, one.instrument, ctx.now)

    def on_end(self, order: Order) -> None:
        """Free what an ended order held; a rejection by the venue counts against its instance."""
        rejected = order.state is OrderState.REJECTED
        self._context.release(order.intent.intent_id, rejected=rejected)
        if rejected and self._runaway is not None and self._apply is not None:
            self._apply(self._runaway.on_reject(order.instance, self._context.now))

    def on_second(self, now: int, facts: list[Fact]) -> None:
        """Tell what silence led to; an order whose outcome nobody knows keeps its capacity (OM-02)."""
        silent = self._execution.on_timer(now)
        if not silent:
            return
        facts += silent
        for one in silent:
            order_id = getattr(one, "client_order_id", None)
            order = None if order_id is None else self._execution.orders.get(order_id)
            if order is not None and order.state is OrderState.UNKNOWN:
                self._context.hold_unknown(order.intent.intent_id)

    def _send(self, seat: Seat, approved: Approved[Intent], facts: list[Fact]) -> str | None:
        ctx, leg = self._context, approved.intent
        ctx.reserve(leg)
        sent = self._execution.submit(approved, ctx.now)
        facts += sent
        last = sent[-1]
        if type(last) is not SubmitOrder:
            ctx.release(leg.intent_id, rejected=True)
            return None
        seat.orders += 1
        ctx.count_message(seat.instance, leg.instrument, ctx.now)
        if self._runaway is not None and self._apply is not None:
            reasons = self._runaway.on_order(seat.instance, ctx.now)
            if reasons:
                self._apply(reasons)
        return last.client_order_id
