"""RK-20: the desk's gross exposure, as a multiple of equity."""

from tradeworthy.trading.model import Intent, Violation
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import Control, money, ratio
from tradeworthy.trading.risk.policy import RiskPolicy


class GrossLeverage(Control):
    """Cap the sum of all projected absolute positions."""

    __slots__ = ("_basis", "_den", "_limit2", "_num2")
    code = "risk.gross_leverage"
    scales = True

    def __init__(self, policy: RiskPolicy) -> None:
        numerator, self._den = ratio(policy.gross_leverage)
        self._num2 = 2 * numerator
        self._basis: int | None = None
        self._limit2 = 0

    def review(self, intent: Intent, ctx: RiskContext) -> Violation | None:
        """Compare the gross afterwards with its multiple of equity; equality passes."""
        if not ctx.opening:
            return None
        lot2 = ctx.book.lot2
        basis = ctx.basis
        if basis is None or not lot2:
            return self.unknown("no equity" if basis is None else "no reference")
        limit2 = self._limit2 if basis is self._basis else self._refit(basis)
        gross2 = ctx.gross2 + ctx.grow * lot2
        if gross2 <= limit2:
            return None
        return Violation(self.code, money(gross2), money(limit2))

    def cap_lots(self, intent: Intent, ctx: RiskContext) -> int | None:
        """Return the lots by which the holding's worse side may grow, beside what its own side holds."""
        lot2 = ctx.book.lot2
        if ctx.basis is None or not lot2:
            return 0
        room2 = ctx.basis * self._num2 // self._den - ctx.gross2
        if room2 < 0:
            return 0
        return max(0, ctx.holding.projected + room2 // lot2 - (ctx.own_side - intent.lots))

    def _refit(self, basis: int) -> int:
        """Return twice the limit in nanos for a new equity, rounded down, and keep it."""
        self._basis = basis
        self._limit2 = basis * self._num2 // self._den
        return self._limit2
