"""RK-01: an order is made of whole, positive numbers for a known instrument."""

from tradeworthy.trading.model import Intent, OrderType, Side, Violation
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import Control


class Malformed(Control):
    """Refuse what no venue should ever see; reducing orders too."""

    __slots__ = ()
    code = "risk.malformed"

    def review(self, intent: Intent, ctx: RiskContext) -> Violation | None:
        """Return the first fault of form."""
        if (
            type(intent.lots) is int
            and (intent.price is None or (type(intent.price) is int and intent.price > 0))
            and (intent.trigger is None or (type(intent.trigger) is int and intent.trigger > 0))
            and (intent.stop is None or (type(intent.stop) is int and intent.stop > 0))
            and type(intent.side) is Side
            and type(intent.type) is OrderType
        ):
            return None
        shown = (
            f"{intent.side!r} {intent.type!r} lots={intent.lots!r} price={intent.price!r} trigger={intent.trigger!r} "
            f"stop={intent.stop!r}"
        )
        return Violation(self.code, shown, "whole lots above zero, whole ticks above zero, known side and type")
