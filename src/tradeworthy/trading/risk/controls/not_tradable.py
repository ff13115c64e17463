"""RK-02: account and instrument may be traded now; instance, trader and client are permitted."""

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
        if ctx.opening:
            account = ctx.holding.account
            if not account.permitted:
                return Violation(self.code, "not_permitted", "permitted")
            for group in account.groups:
                if not group.permitted:
                    return Violation(self.code, f"{group.scope} not_permitted", "permitted")
        return None
