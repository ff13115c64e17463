"""RK-40: nothing is opened around a high-impact event."""

from bisect import bisect_left

from tradeworthy.trading.model import Intent, Violation
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import Control
from tradeworthy.trading.risk.policy import RiskPolicy


class EventWindow(Control):
    """Refuse openings from `event_before` ahead of an event to `event_after` behind it, both edges included."""

    __slots__ = ("_after", "_before", "_events")
    code = "risk.event_window"

    def __init__(self, policy: RiskPolicy) -> None:
        self._events = tuple(sorted(policy.events))
        self._before = policy.event_before
        self._after = policy.event_after

    def review(self, intent: Intent, ctx: RiskContext) -> Violation | None:
        """Look at the first event that is not over for good."""
        if not self._events or not ctx.opening:
            return None
        at = bisect_left(self._events, ctx.now - self._after)
        if at < len(self._events) and self._events[at] - self._before <= ctx.now:
            event = self._events[at]
            limit = f"{self._before} ns before to {self._after} ns after"
            return Violation(self.code, f"{ctx.now - event} ns from the event at {event}", limit)
        return None
