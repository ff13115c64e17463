"""What of a desk's own outcomes is missing, by kind: each has its number, and leaves its counterpart behind (GT-02).

The desk numbers what it decides without a gap. Which kind a missing number was is told by what refers to it: an order
without the intent that was approved for it, an order that was made and never sent. What nothing refers to any more
was a decision: the desk refused, abstained, booked or changed its guard there.
"""

from tradeworthy.kernel.facts import Event
from tradeworthy.trading.execution.execution import ExecutionRefused
from tradeworthy.trading.model import OrderState, RunStarted, SubmitOrder
from tradeworthy.trading.model.order import ApprovedIntent, OrderChanged


class LostOutcomes:
    """Take a run's events in order; `counts` divides the numbers that are missing among orders, intents, decisions."""

    def __init__(self) -> None:
        self._approved: set[str] = set()
        self._made: set[str] = set()
        self._intents = self._orders = 0

    def take(self, event: Event) -> None:
        """Take the next event."""
        match event.payload:
            case ApprovedIntent(intent=intent):
                self._approved.add(intent.intent_id)
            case OrderChanged(before=OrderState.CREATED, after=OrderState.SUBMITTED, client_order_id=name):
                self._made.add(name)
            case SubmitOrder(intent_id=intent_id, client_order_id=name):
                self._used(intent_id)
                self._made.discard(name)
            case ExecutionRefused(intent_id=intent_id):
                self._used(intent_id)
            case RunStarted():
                self._close()

    def counts(self, missing: int) -> dict[str, int]:
        """Return how many were lost by kind, of that many numbers that are missing."""
        self._close()
        named = self._intents + self._orders
        return {"orders": self._orders, "intents": self._intents, "decisions": max(0, missing - named)}

    def _used(self, intent_id: str) -> None:
        if intent_id in self._approved:
            self._approved.discard(intent_id)
        else:
            self._intents += 1

    def _close(self) -> None:
        self._orders += len(self._made)
        self._approved.clear()
        self._made.clear()
