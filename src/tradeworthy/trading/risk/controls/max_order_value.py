"""RK-05: the value of one order."""

from tradeworthy.trading.model import NANOS, Intent, Violation
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import Control, money
from tradeworthy.trading.risk.policy import RiskPolicy


class MaxOrderValue(Control):
    """Cap an order's notional at the reference, in base currency."""

    __slots__ = ("_limit2",)
    code = "risk.max_order_value"
    scales = True
    slices = True

    def __init__(self, policy: RiskPolicy) -> None:
        self._limit2 = int(policy.max_order_value * NANOS * 2)

    def review(self, intent: Intent, ctx: RiskContext) -> Violation | None:
        """Compare the order's notional with the cap; equality passes."""
        value2 = intent.lots * ctx.book.lot2
        if 0 < value2 <= self._limit2:
            return None
        if value2 == 0:
            return self.unknown("no reference") if ctx.opening else None
        return Violation(self.code, money(value2), money(self._limit2))

    def cap_lots(self, intent: Intent, ctx: RiskContext) -> int | None:
        """Return the lots worth the cap; None while no reference was ever known."""
        return self._limit2 // ctx.book.lot2 if ctx.book.lot2 else None
