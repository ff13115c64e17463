"""RK-26: what all positions together lose when every stop is reached, as a fraction of equity."""

from tradeworthy.trading.model import Intent
from tradeworthy.trading.risk.context import RiskContext, stop_risk2
from tradeworthy.trading.risk.equity_cap import EquityCap
from tradeworthy.trading.risk.policy import RiskPolicy


class OpenRisk(EquityCap):
    """Cap the sum of projected lots times distance to the stop over all holdings.

    A holding is measured by its widest stop since it was flat, until `RiskContext.set_stop` tells another.
    """

    __slots__ = ()
    code = "risk.open_risk"

    def __init__(self, policy: RiskPolicy) -> None:
        super().__init__(policy.open_risk)

    def exposure2(self, intent: Intent, ctx: RiskContext) -> int:
        """Add what the holding's growth, and a wider stop for all of it, put at stake."""
        holding = ctx.holding
        if holding.quoting:
            return 0
        lot2 = max(holding.risk_lot2, stop_risk2(intent, ctx.book))
        return ctx.risk2 - holding.projected * holding.risk_lot2 + (holding.projected + ctx.grow) * lot2
