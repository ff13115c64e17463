"""RK-10: the same order twice in a moment, or the same key ever again."""

from tradeworthy.trading.model import Intent, Violation
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import Control
from tradeworthy.trading.risk.policy import RiskPolicy


class DuplicateOrder(Control):
    """Refuse a known idempotency key always, and an opening like the last within the window."""

    __slots__ = ("_window",)
    code = "risk.duplicate_order"

    def __init__(self, policy: RiskPolicy) -> None:
        self._window = policy.duplicate_window

    def review(self, intent: Intent, ctx: RiskContext) -> Violation | None:
        """Look the key up, then instance, instrument, side, lots and price."""
        if intent.intent_id in ctx.seen:
            return Violation(self.code, f"key {intent.intent_id} again", "a key once")
        holding = ctx.holding
        if ctx.now - holding.recent_ts >= self._window or not ctx.opening:
            return None
        last = holding.recent.get((intent.side, intent.lots, intent.price))
        if last is None or ctx.now - last >= self._window:
            return None
        return Violation(self.code, f"{ctx.now - last} ns after the same order", f"{self._window} ns")
