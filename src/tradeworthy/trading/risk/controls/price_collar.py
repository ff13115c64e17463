"""RK-04: a limit price lies near the reference."""

from collections.abc import Iterable

from tradeworthy.trading.model import Instrument, Intent, OrderType, Violation
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import Control, ratio
from tradeworthy.trading.risk.policy import RiskPolicy

WIDE = 2
"""A reducing order has this many times the tolerance."""

TRIGGERED = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT})


class PriceCollar(Control):
    """Refuse a limit further from the reference than the collar; a triggered order is measured from its trigger."""

    __slots__ = ("_collars",)
    code = "risk.price_collar"

    def __init__(self, policy: RiskPolicy, instruments: Iterable[Instrument]) -> None:
        self._collars = {i.instrument_id: ratio(policy.collars.of(i.kind)) for i in instruments}

    def review(self, intent: Intent, ctx: RiskContext) -> Violation | None:
        """Compare twice the distance in ticks with the collar of twice the reference; the edge passes."""
        if intent.price is None:
            return None
        around = ctx.book.mid2
        if intent.type in TRIGGERED and intent.trigger is not None:
            around = 2 * intent.trigger
        if around is None:
            return self.unknown("no reference") if ctx.opening else None
        numerator, denominator = self._collars[intent.instrument]
        if not ctx.opening:
            numerator *= WIDE
        away = 2 * intent.price - around
        if -around * numerator <= away * denominator <= around * numerator:
            return None
        return Violation(self.code, f"{intent.price} ticks", f"{numerator}/{denominator} around {around}/2 ticks")
