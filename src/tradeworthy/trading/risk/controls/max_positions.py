"""RK-24: how many positions an instance and the desk have open at once."""

from tradeworthy.trading.model import Intent, Violation
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import Control
from tradeworthy.trading.risk.policy import RiskPolicy


class MaxPositions(Control):
    """Refuse an opening in one instrument more; what is projected counts, adding to a position does not."""

    __slots__ = ("_desk", "_instance")
    code = "risk.max_positions"

    def __init__(self, policy: RiskPolicy) -> None:
        self._instance = policy.positions_instance
        self._desk = policy.positions_desk

    def review(self, intent: Intent, ctx: RiskContext) -> Violation | None:
        """Count the instance's positions, then the desk's."""
        holding = ctx.holding
        if holding.projected or not ctx.opening:
            return None
        mine = holding.account.positions
        if mine >= self._instance:
            return Violation(self.code, f"{mine + 1} positions", f"{self._instance} positions")
        if ctx.positions >= self._desk:
            return Violation(self.code, f"{ctx.positions + 1} desk positions", f"{self._desk} desk positions")
        return None
