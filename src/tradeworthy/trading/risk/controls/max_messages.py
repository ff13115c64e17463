"""RK-08: messages of an instance to a venue in a second and a minute, and of the whole desk to the venue."""

from collections.abc import Iterable

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.trading.model import Instrument, Intent, Violation
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import Control
from tradeworthy.trading.risk.exposure import MESSAGES_KEPT, Holding
from tradeworthy.trading.risk.policy import RiskPolicy

MINUTE = 60 * NANOS_PER_SECOND


class MaxMessages(Control):
    """Refuse openings beyond the budget; cancels and reducing orders are counted, never refused.

    Half of what a venue publishes is shared by all instances that trade there.
    """

    __slots__ = ("_minute", "_second", "_shared")
    code = "risk.max_messages"

    def __init__(self, policy: RiskPolicy, instruments: Iterable[Instrument]) -> None:
        self._minute = policy.messages_per_minute
        if self._minute > MESSAGES_KEPT:
            raise ConfigurationRefused(f"messages_per_minute must be at most {MESSAGES_KEPT}, was {self._minute}")
        self._second = policy.messages_per_second
        self._shared = {
            one.instrument_id: half_of(policy.venue_messages[one.venue])
            for one in instruments if one.venue in policy.venue_messages
        }  # fmt: skip

    def review(self, intent: Intent, ctx: RiskContext) -> Violation | None:
        """Look at the n-th message before this one: is it inside the window?"""
        return self.exceeded(ctx.holding, ctx.now) if ctx.opening else None

    def exceeded(self, holding: Holding, now: int) -> Violation | None:
        """Return the budget that one message more would exceed; amends ask too."""
        window = holding.messages
        stamps, at, second = window.stamps, window.next, self._second
        if now - stamps[at - second] < NANOS_PER_SECOND:
            return Violation(self.code, f"{second + 1} in 1 s", f"{second} in 1 s")
        if now - stamps[at - self._minute] < MINUTE:
            return Violation(self.code, f"{self._minute + 1} in 60 s", f"{self._minute} in 60 s")
        shared = self._shared.get(holding.book.instrument_id)
        if shared is None:
            return None
        venue = holding.book.messages
        if now - venue.stamps[venue.next - shared] >= NANOS_PER_SECOND:
            return None
        return Violation(self.code, f"{shared + 1} in 1 s to {holding.book.venue}", f"{shared} in 1 s")


def half_of(published: int) -> int:
    """Return the part of a venue's published messages a second that the desk uses, at least one."""
    return max(1, published // 2)
