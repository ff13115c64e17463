"""RK-03: an opening needs a fresh, sound reference price."""

from tradeworthy.trading.model import Intent, Violation
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import Control
from tradeworthy.trading.risk.policy import RiskPolicy


class ReferenceStale(Control):
    """Refuse openings on a reference that is old, crossed, quarantined or missing; reducing orders pass."""

    __slots__ = ("_age",)
    code = "risk.reference_stale"

    def __init__(self, policy: RiskPolicy) -> None:
        self._age = policy.reference_age

    def review(self, intent: Intent, ctx: RiskContext) -> Violation | None:
        """Compare the reference's age with the limit, a failure budget."""
        book = ctx.book
        if book.usable and ctx.now - book.reference_ts < self._age and book.mid2 is not None:
            return None
        if not ctx.opening:
            return None
        if book.mid2 is None:
            return self.unknown("no reference")
        if not book.usable:
            return Violation(self.code, "reference not usable", "usable")
        return Violation(self.code, f"{ctx.now - book.reference_ts} ns", f"{self._age} ns")
