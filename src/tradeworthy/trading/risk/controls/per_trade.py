"""RK-25: what one order may lose between its entry and its stop, as a fraction of equity."""

from tradeworthy.trading.model import Intent
from tradeworthy.trading.risk.context import RiskContext, stop_risk2
from tradeworthy.trading.risk.equity_cap import EquityCap
from tradeworthy.trading.risk.policy import RiskPolicy


class PerTrade(EquityCap):
    """Cap lots times the distance to the stop; an opening without a stop is `StopRequired`'s matter."""

    __slots__ = ()
    code = "risk.per_trade"
    scales = True

    def __init__(self, policy: RiskPolicy) -> None:
        super().__init__(policy.per_trade)

    def exposure2(self, intent: Intent, ctx: RiskContext) -> int:
        """Value the way from the limit price, else from the reference, to the stop."""
        return 0 if ctx.holding.quoting else intent.lots * stop_risk2(intent, ctx.book)

    def cap_lots(self, intent: Intent, ctx: RiskContext) -> int | None:
        """Return the lots whose stop costs the limit: half the distance doubles them."""
        lot2 = 0 if ctx.holding.quoting else stop_risk2(intent, ctx.book)
        if ctx.basis is None:
            return 0
        return self.limit2(ctx.basis) // lot2 if lot2 else None
