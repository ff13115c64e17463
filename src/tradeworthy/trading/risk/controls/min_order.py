"""RK-07: the venue's minimum lots and notional; a residual can always be closed."""

from collections.abc import Iterable

from tradeworthy.trading.model import NANOS, Instrument, Intent, Violation
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import Control, money


class MinOrder(Control):
    """Refuse openings below the venue's floors."""

    __slots__ = ("_floors",)
    code = "risk.min_order"

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        self._floors = {i.instrument_id: (i.min_lots, int(i.min_notional * NANOS * 2)) for i in instruments}

    def review(self, intent: Intent, ctx: RiskContext) -> Violation | None:
        """Compare lots and notional with the floors; equality passes."""
        lots, value2 = self._floors[intent.instrument]
        if (intent.lots >= lots and intent.lots * ctx.book.lot2 >= value2) or not ctx.opening:
            return None
        if intent.lots < lots:
            return Violation(self.code, f"{intent.lots} lots", f"{lots} lots")
        return Violation(self.code, money(intent.lots * ctx.book.lot2), money(value2))
