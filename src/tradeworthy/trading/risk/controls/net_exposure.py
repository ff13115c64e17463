"""RK-21: the desk's net exposure, as a fraction of equity."""

from tradeworthy.trading.model import Intent, Side, Violation
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import Control, money, ratio
from tradeworthy.trading.risk.policy import RiskPolicy

BUY = Side.BUY


class NetExposure(Control):
    """Refuse an opening that takes the desk's net beyond the limit on the order's side."""

    __slots__ = ("_basis", "_den", "_limit2", "_num2")
    code = "risk.net_exposure"

    def __init__(self, policy: RiskPolicy) -> None:
        numerator, self._den = ratio(policy.net_exposure)
        self._num2 = 2 * numerator
        self._basis: int | None = None
        self._limit2 = 0

    def review(self, intent: Intent, ctx: RiskContext) -> Violation | None:
        """Add the order to the net if all working orders of its side fill; equality passes."""
        if not ctx.opening:
            return None
        lot2 = ctx.book.lot2
        basis = ctx.basis
        if basis is None or not lot2:
            return self.unknown("no equity" if basis is None else "no reference")
        limit2 = self._limit2 if basis is self._basis else self._refit(basis)
        net2 = (ctx.net_up2 if intent.side is BUY else -ctx.net_down2) + (intent.lots + ctx.ahead) * lot2
        if net2 <= limit2:
            return None
        return Violation(self.code, money(net2), money(limit2))

    def _refit(self, basis: int) -> int:
        """Return twice the limit in nanos for a new equity, rounded down, and keep it."""
        self._basis = basis
        self._limit2 = basis * self._num2 // self._den
        return self._limit2
