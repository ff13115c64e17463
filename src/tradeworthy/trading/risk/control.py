"""What every pre-trade control is: a code, a review, and for the scalable ones the largest lots that pass."""

from decimal import Decimal

from tradeworthy.trading.model import Intent, Violation
from tradeworthy.trading.risk.context import RiskContext


class Control:
    """Base of the controls; a context has `propose`d the intent before any method is called.

    scales   an opening that breaches may be cut down to `cap_lots` (RK-61)
    slices   the limit holds for reducing orders too, which are cut into allowed pieces instead of refused
    """

    __slots__ = ()
    code = ""
    scales = False
    slices = False

    def review(self, intent: Intent, ctx: RiskContext) -> Violation | None:
        """Return the violation, None when the intent passes."""
        raise NotImplementedError

    def cap_lots(self, intent: Intent, ctx: RiskContext) -> int | None:
        """Return the largest lots of this intent that pass, None where lots do not matter."""
        return None

    def unknown(self, what: str) -> Violation:
        """Return the refusal of an opening whose input nobody knows."""
        return Violation(f"{self.code}.unknown", what, "known")


def ratio(value: Decimal) -> tuple[int, int]:
    """Return a fraction as exact integers, numerator and denominator."""
    return value.as_integer_ratio()


def money(nanos2: int) -> str:
    """Return twice-nanos as exact text in currency units."""
    return format((Decimal(nanos2) / 2_000_000_000).normalize(), "f")
