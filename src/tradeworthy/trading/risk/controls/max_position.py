"""RK-18: the position in one instrument, as a fraction of equity."""

from tradeworthy.trading.model import Intent, Violation
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import Control, money, ratio
from tradeworthy.trading.risk.policy import RiskPolicy


class MaxPosition(Control):
    """Cap the projected lots of each side, added over instances.

    Opposite holdings of two instances are not netted: one of them could reduce at any time, and that is never refused.
    """

    __slots__ = ("_basis", "_den", "_limit2", "_num2")
    code = "risk.max_position"
    scales = True

    def __init__(self, policy: RiskPolicy) -> None:
        numerator, self._den = ratio(policy.max_position)
        self._num2 = 2 * numerator
        self._basis: int | None = None
        self._limit2 = 0

    def review(self, intent: Intent, ctx: RiskContext) -> Violation | None:
        """Compare the side's value with its fraction of equity; equality passes."""
        if not ctx.opening:
            return None
        lot2 = ctx.book.lot2
        basis = ctx.basis
        if basis is None or not lot2:
            return self.unknown("no equity" if basis is None else "no reference")
        limit2 = self._limit2 if basis is self._basis else self._refit(basis)
        value2 = ctx.side_lots * lot2
        if value2 <= limit2:
            return None
        return Violation(self.code, money(value2), money(limit2))

    def cap_lots(self, intent: Intent, ctx: RiskContext) -> int | None:
        """Return what the limit leaves beside the side's other lots."""
        lot2 = ctx.book.lot2
        if ctx.basis is None or not lot2:
            return 0
        return max(0, ctx.basis * self._num2 // (self._den * lot2) - (ctx.side_lots - intent.lots))

    def _refit(self, basis: int) -> int:
        """Return twice the limit in nanos for a new equity, rounded down, and keep it."""
        self._basis = basis
        self._limit2 = basis * self._num2 // self._den
        return self._limit2
