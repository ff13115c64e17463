"""RK-09: live orders of an instance in an instrument and of the desk; one a level."""

from tradeworthy.trading.model import Intent, Violation
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import Control
from tradeworthy.trading.risk.policy import RiskPolicy


class MaxWorkingOrders(Control):
    """Refuse an opening that would be one order too many, or the second on its level."""

    __slots__ = ("_desk", "_instance")
    code = "risk.max_working_orders"

    def __init__(self, policy: RiskPolicy) -> None:
        self._instance = policy.working_orders_instance
        self._desk = policy.working_orders_desk

    def review(self, intent: Intent, ctx: RiskContext) -> Violation | None:
        """Count reserved, working and unknown orders."""
        if not ctx.opening:
            return None
        holding = ctx.holding
        ahead = ctx.ahead_orders
        if holding.orders + ahead >= self._instance:
            return Violation(self.code, f"{holding.orders + ahead + 1} orders", f"{self._instance} orders")
        if ctx.orders + ahead >= self._desk:
            return Violation(self.code, f"{ctx.orders + ahead + 1} desk orders", f"{self._desk} desk orders")
        if intent.level >= 0 and (intent.side, intent.level) in holding.slots:
            return Violation(self.code, f"level {intent.level} is live", "one order a level")
        return None
