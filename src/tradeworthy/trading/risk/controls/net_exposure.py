"""RK-21: the desk's net exposure, as a fraction of equity."""

from tradeworthy.trading.model import Intent, Side
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.equity_cap import EquityCap
from tradeworthy.trading.risk.policy import RiskPolicy

BUY = Side.BUY


class NetExposure(EquityCap):
    """Refuse an opening that takes the desk's net beyond the limit on the order's side."""

    __slots__ = ()
    code = "risk.net_exposure"

    def __init__(self, policy: RiskPolicy) -> None:
        super().__init__(policy.net_exposure)

    def exposure2(self, intent: Intent, ctx: RiskContext) -> int:
        """Add the order to the net if all working orders of its side fill."""
        net2 = ctx.net_up2 if intent.side is BUY else -ctx.net_down2
        return net2 + (intent.lots + ctx.ahead) * ctx.book.lot2
