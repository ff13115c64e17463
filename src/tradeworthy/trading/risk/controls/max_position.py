"""RK-18: the position in one instrument, as a fraction of equity."""

from tradeworthy.trading.model import Intent
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.equity_cap import EquityCap
from tradeworthy.trading.risk.policy import RiskPolicy


class MaxPosition(EquityCap):
    """Cap the projected lots of each side, added over instances.

    Opposite holdings of two instances are not netted: one of them could reduce at any time, and that is never refused.
    """

    __slots__ = ()
    code = "risk.max_position"
    scales = True

    def __init__(self, policy: RiskPolicy) -> None:
        super().__init__(policy.max_position)

    def exposure2(self, intent: Intent, ctx: RiskContext) -> int:
        """Value the side's lots, those of other instances included."""
        return ctx.side_lots * ctx.book.lot2

    def cap_lots(self, intent: Intent, ctx: RiskContext) -> int | None:
        """Return what the limit leaves beside the side's other lots."""
        lot2 = ctx.book.lot2
        if ctx.basis is None or not lot2:
            return 0
        return max(0, self.limit2(ctx.basis) // lot2 - (ctx.side_lots - intent.lots))
