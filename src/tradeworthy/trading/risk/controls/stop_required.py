"""RK-27: a directional opening carries a protective stop at a sensible distance."""

from tradeworthy.trading.model import Intent, Side, Violation
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import Control, ratio
from tradeworthy.trading.risk.policy import RiskPolicy

BUY = Side.BUY


class StopRequired(Control):
    """Refuse a directional opening without a stop, on the wrong side, too near or too far; quotes are exempt."""

    __slots__ = ("_far", "_limits", "_near", "_research")
    code = "risk.stop_required"

    def __init__(self, policy: RiskPolicy) -> None:
        self._near = ratio(policy.stop_distance_min)
        self._far = ratio(policy.stop_distance_max)
        self._research = policy.research
        self._limits = f"{policy.stop_distance_min} to {policy.stop_distance_max} away"

    def review(self, intent: Intent, ctx: RiskContext) -> Violation | None:
        """Measure the stop from the limit price, else from the reference; both edges pass."""
        if not ctx.opening or ctx.holding.quoting or self._research:
            return None
        if intent.stop is None:
            return Violation(self.code, "no stop", self._limits)
        entry2 = ctx.book.mid2 if intent.price is None else 2 * intent.price
        if entry2 is None:
            return self.unknown("no reference")
        away2 = entry2 - 2 * intent.stop if intent.side is BUY else 2 * intent.stop - entry2
        near, far = self._near, self._far
        if entry2 * near[0] <= away2 * near[1] and away2 * far[1] <= entry2 * far[0]:
            return None
        return Violation(self.code, f"{away2}/{entry2}", self._limits)
