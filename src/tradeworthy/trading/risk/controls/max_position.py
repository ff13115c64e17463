"""RK-18: the position in one instrument, as a fraction of equity."""

from tradeworthy.trading.model import Intent, Side
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.equity_cap import EquityCap
from tradeworthy.trading.risk.policy import RiskPolicy

BUY = Side.BUY


class MaxPosition(EquityCap):
    """Cap the projected lots of each side, added over instances and over instruments of one issuer.

    Opposite holdings of two instances are not netted: one of them could reduce at any time, and that is never refused.
    """

    __slots__ = ()
    code = "risk.max_position"
    scales = True

    def __init__(self, policy: RiskPolicy) -> None:
        super().__init__(policy.max_position)

    def exposure2(self, intent: Intent, ctx: RiskContext) -> int:
        """Value the side's lots, those of other instances and share classes included."""
        return ctx.side_lots * ctx.book.lot2 + _siblings2(intent, ctx)

    def cap_lots(self, intent: Intent, ctx: RiskContext) -> int | None:
        """Return what the limit leaves beside the side's other lots."""
        lot2 = ctx.book.lot2
        if ctx.basis is None or not lot2:
            return 0
        room2 = max(0, self.limit2(ctx.basis) - _siblings2(intent, ctx))
        return max(0, room2 // lot2 - (ctx.side_lots - intent.lots))


def _siblings2(intent: Intent, ctx: RiskContext) -> int:
    """Return what the issuer's other instruments hold on the order's side."""
    long = intent.side is BUY
    return sum((other.long_lots if long else other.short_lots) * other.lot2 for other in ctx.book.siblings)
