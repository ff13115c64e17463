"""What the exposure caps share: a limit that is a fraction of equity, kept as an integer between equity changes."""

from decimal import Decimal

from tradeworthy.trading.model import Intent, Violation
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import Control, money, ratio


class EquityCap(Control):
    """Cap what an opening brings an exposure to; equality passes. Money is twice nanos, as in the context."""

    __slots__ = ("_basis", "_den", "_limit2", "_num2")

    def __init__(self, fraction: Decimal) -> None:
        numerator, self._den = ratio(fraction)
        self._num2 = 2 * numerator
        self._basis: int | None = None
        self._limit2 = 0

    def exposure2(self, intent: Intent, ctx: RiskContext) -> int:
        """Return twice the exposure in nanos once the order has filled."""
        raise NotImplementedError

    def review(self, intent: Intent, ctx: RiskContext) -> Violation | None:
        """Compare the exposure afterwards with its fraction of equity."""
        if not ctx.opening:
            return None
        basis = ctx.basis
        if basis is None or not ctx.book.lot2:
            return self.unknown("no equity" if basis is None else "no reference")
        limit2 = self._limit2 if basis is self._basis else self.limit2(basis)
        exposure2 = self.exposure2(intent, ctx)
        if exposure2 <= limit2:
            return None
        return Violation(self.code, money(exposure2), money(limit2))

    def limit2(self, basis: int) -> int:
        """Return twice the limit in nanos for this equity, rounded down, and keep it."""
        self._basis = basis
        self._limit2 = basis * self._num2 // self._den
        return self._limit2
