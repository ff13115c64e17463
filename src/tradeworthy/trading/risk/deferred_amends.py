"""Amends wait while the message budget is used up (RK-08): the last wish of each order, sent when there is room."""

from tradeworthy.trading.model import AmendOrder
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.controls.max_messages import MaxMessages


class DeferredAmends:
    """Let an amend pass or keep it. At most one waits an order, so the queue is bounded by the working orders."""

    __slots__ = ("_budget", "_context", "_waiting")

    def __init__(self, budget: MaxMessages, context: RiskContext) -> None:
        self._budget = budget
        self._context = context
        self._waiting: dict[str, tuple[str, AmendOrder]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def offer(self, instance: str, amend: AmendOrder) -> AmendOrder | None:
        """Return the amend when it may leave now; else keep it in place of an older one of the same order."""
        self._waiting.pop(amend.client_order_id, None)
        if self._free(instance, amend.instrument):
            return amend
        self._waiting[amend.client_order_id] = (instance, amend)
        return None

    def withdraw(self, client_order_id: str) -> None:
        """Forget the amend of an order that ended or is being cancelled."""
        self._waiting.pop(client_order_id, None)

    def due(self) -> list[AmendOrder]:
        """Return the amends that may leave now, oldest first, each counted as a message."""
        ready: list[AmendOrder] = []
        for order_id, (instance, amend) in list(self._waiting.items()):
            if self._free(instance, amend.instrument):
                del self._waiting[order_id]
                self._context.count_message(instance, amend.instrument, self._context.now)
                ready.append(amend)
        return ready

    def _free(self, instance: str, instrument_id: str) -> bool:
        ctx = self._context
        return self._budget.exceeded(ctx.holding_of(instance, instrument_id), ctx.now) is None
