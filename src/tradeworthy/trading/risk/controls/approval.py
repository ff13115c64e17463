"""RK-14: what is approved has an expiry, and it lies ahead."""

from tradeworthy.trading.model import Intent, Violation
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import Control


class Approval(Control):
    """Refuse an intent whose time is over, reducing ones too; an unreadable expiry is expired.

    That an approval is genuine is its type's matter (only the reviewer makes one), that it is used once is the key's.
    """

    __slots__ = ()
    code = "risk.approval"

    def review(self, intent: Intent, ctx: RiskContext) -> Violation | None:
        """Compare the expiry with now, a failure budget."""
        if type(intent.expires_at) is int and ctx.now < intent.expires_at:
            return None
        return Violation(self.code, f"expires_at {intent.expires_at!r} at {ctx.now}", "an expiry ahead")
