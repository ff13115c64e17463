"""RK-33: live orders of a client, trader or firm; one at its limit does not block another."""

from tradeworthy.trading.model import Intent, Violation
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import Control
from tradeworthy.trading.risk.policy import RiskPolicy


class ClientLimit(Control):
    """Refuse an opening that would be one live order too many for a group; their notional is the capital gate's."""

    __slots__ = ("_orders",)
    code = "risk.client_limit"

    def __init__(self, policy: RiskPolicy) -> None:
        self._orders = {g.scope: g.orders_max for g in policy.capital_groups if g.orders_max is not None}

    def review(self, intent: Intent, ctx: RiskContext) -> Violation | None:
        """Count reserved, working and unknown orders of each group that the instance belongs to."""
        if not self._orders or not ctx.opening:
            return None
        for group in ctx.holding.account.groups:
            most = self._orders.get(group.scope)
            if most is not None and group.orders + ctx.ahead_orders >= most:
                observed = f"{group.orders + ctx.ahead_orders + 1} orders of {group.scope}"
                return Violation(self.code, observed, f"{most} orders")
        return None
