"""RK-08: messages an instance may send to a venue in a second and a minute."""

from collections.abc import Iterable

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.trading.model import Instrument, Intent, Violation
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import Control
from tradeworthy.trading.risk.exposure import MESSAGES_KEPT
from tradeworthy.trading.risk.policy import RiskPolicy

MINUTE = 60 * NANOS_PER_SECOND


class MaxMessages(Control):
    """Refuse openings beyond the budget; cancels and reducing orders are counted, never refused."""

    __slots__ = ("_minute", "_second")
    code = "risk.max_messages"

    def __init__(self, policy: RiskPolicy, instruments: Iterable[Instrument]) -> None:
        self._minute = policy.messages_per_minute
        if self._minute > MESSAGES_KEPT:
            raise ConfigurationRefused(f"messages_per_minute must be at most {MESSAGES_KEPT}, was {self._minute}")
        self._second: dict[str, int] = {}
        for instrument in instruments:
            published = policy.venue_messages.get(instrument.venue)
            half = policy.messages_per_second if published is None else max(1, published // 2)
            self._second[instrument.instrument_id] = min(policy.messages_per_second, half)

    def review(self, intent: Intent, ctx: RiskContext) -> Violation | None:
        """Look at the n-th message before this one: is it inside the window?"""
        window = ctx.holding.messages
        second = self._second[intent.instrument]
        stamps, at, now = window.stamps, window.next, ctx.now
        if now - stamps[at - second] >= NANOS_PER_SECOND and now - stamps[at - self._minute] >= MINUTE:
            return None
        if not ctx.opening:
            return None
        if now - stamps[at - second] < NANOS_PER_SECOND:
            return Violation(self.code, f"{second + 1} in 1 s", f"{second} in 1 s")
        return Violation(self.code, f"{self._minute + 1} in 60 s", f"{self._minute} in 60 s")
