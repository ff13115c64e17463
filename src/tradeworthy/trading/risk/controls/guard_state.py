"""RK-14: the guard's level allows this order."""

from tradeworthy.trading.model import GuardLevel, Intent, Violation
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import Control

OPERATOR = "operator"
"""While stopped only a person's own reducing order passes (GRD-03)."""


class GuardState(Control):
    """Refuse openings unless running; while stopped also every reducing order that no person owns."""

    __slots__ = ()
    code = "risk.guard"

    def review(self, intent: Intent, ctx: RiskContext) -> Violation | None:
        """Judge the worst level of desk, strategy, instrument and venue."""
        level = ctx.holding.guard
        if level == 0:
            return None
        if not ctx.opening and (level < GuardLevel.STOPPED or intent.owner == OPERATOR):
            return None
        return Violation(self.code, level.name.lower(), "running" if ctx.opening else "below stopped")
