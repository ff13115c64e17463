"""RK-20: the desk's gross exposure, as a multiple of equity."""

from tradeworthy.trading.model import Intent
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.equity_cap import EquityCap
from tradeworthy.trading.risk.policy import RiskPolicy


class GrossLeverage(EquityCap):
    """Cap the sum of all projected absolute positions."""

    __slots__ = ()
    code = "risk.gross_leverage"
    scales = True

    def __init__(self, policy: RiskPolicy) -> None:
        super().__init__(policy.gross_leverage)

    def exposure2(self, intent: Intent, ctx: RiskContext) -> int:
        """Add the growth of the holding's projected lots to the desk's gross."""
        return ctx.gross2 + ctx.grow * ctx.book.lot2

    def cap_lots(self, intent: Intent, ctx: RiskContext) -> int | None:
        """Return the lots by which the holding's worse side may grow, beside what its own side holds."""
        lot2 = ctx.book.lot2
        if ctx.basis is None or not lot2:
            return 0
        room2 = self.limit2(ctx.basis) - ctx.gross2
        if room2 < 0:
            return 0
        return max(0, ctx.holding.projected + room2 // lot2 - (ctx.own_side - intent.lots))
