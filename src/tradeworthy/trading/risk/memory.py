"""What review remembers over a restart, told again from the journal: keys and throttle windows (RK-10, RK-11)."""

from tradeworthy.kernel.facts import Fact
from tradeworthy.trading.model import ApprovedIntent, OrderChanged, OrderState, SubmitOrder
from tradeworthy.trading.risk.context import RiskContext


class RiskMemory:
    """Fold journaled facts of the time before a start into a fresh context, oldest first.

    It takes positions and equity from nobody: they are the ledger's. An opening is worth what its lots are worth at
    the first reference of the new start, so mark the instruments before.
    """

    __slots__ = ("_context", "_openings", "_sent")

    def __init__(self, context: RiskContext) -> None:
        self._context = context
        self._sent: dict[str, str] = {}
        self._openings: dict[str, tuple[ApprovedIntent, int, int]] = {}

    def on_fact(self, fact: Fact, ts: int) -> None:
        """Remember an approval, or forget the opening that the venue rejected; other facts are none of its matter."""
        if isinstance(fact, ApprovedIntent):
            intent = fact.intent
            book = self._context.books.get(intent.instrument)
            if book is None:
                return
            value2 = fact.opening_lots * book.lot2
            self._context.recall(intent, fact.opening_lots, value2, ts)
            if fact.opening_lots:
                self._openings[intent.intent_id] = (fact, value2, ts)
        elif isinstance(fact, SubmitOrder):
            self._sent[fact.client_order_id] = fact.intent_id
        elif isinstance(fact, OrderChanged) and fact.after is OrderState.REJECTED:
            self._roll_back(self._openings.pop(self._sent.get(fact.client_order_id, ""), None))

    def _roll_back(self, opening: tuple[ApprovedIntent, int, int] | None) -> None:
        if opening is not None:
            approved, value2, ts = opening
            intent = approved.intent
            holding = self._context.holding_of(intent.instance, intent.instrument)
            window = holding.throttle_buys if intent.side > 0 else holding.throttle_sells
            window.roll_back(ts, value2)
