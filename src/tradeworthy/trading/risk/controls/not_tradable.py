"""RK-02: the account may trade, the instrument is listed, open and not halted, the instance is permitted."""

from tradeworthy.trading.model import Intent, Violation
from tradeworthy.trading.risk.context import CAUSES, RiskContext
from tradeworthy.trading.risk.control import Control


class NotTradable(Control):
    """Refuse with the first cause; a missing permission stops openings only."""

    __slots__ = ()
    code = "risk.not_tradable"

    def review(self, intent: Intent, ctx: RiskContext) -> Violation | None:
        """Return the first cause in the order of `CAUSES`, then validity, then permission."""
        book = ctx.book
        if book.causes:
            first = (book.causes & -book.causes).bit_length() - 1
            return Violation(self.code, CAUSES[first], "tradable")
        if book.bounded and not book.instrument.valid_at(ctx.now):
            return Violation(self.code, "outside_validity", "tradable")
        if ctx.opening and not ctx.holding.account.permitted:
            return Violation(self.code, "not_permitted", "permitted")
        return None
