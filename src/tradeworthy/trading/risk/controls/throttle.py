"""RK-11: opening orders of one scope in a window: cooldown, spacing, count and notional."""

from tradeworthy.trading.model import NANOS, Intent, Side, Violation
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import Control, money, ratio
from tradeworthy.trading.risk.policy import RiskPolicy
from tradeworthy.trading.risk.throttle_window import ThrottleAnswer, ThrottleLimits, ThrottleWindow

BUY = Side.BUY


class Throttle(Control):
    """Refuse an opening too soon, scale one that is too large for what the window still takes.

    The refusal carries state, retry_at (nanoseconds UTC), remaining notional and utilisation.
    """

    __slots__ = ("_directional", "_multiplier", "_notional2", "_quoting")
    code = "risk.throttle"
    scales = True

    def __init__(self, policy: RiskPolicy) -> None:
        window, spacing, cooldown = policy.throttle_window, policy.throttle_spacing, policy.throttle_cooldown
        self._directional = ThrottleLimits(window, policy.throttle_directional, spacing, cooldown)
        self._quoting = ThrottleLimits(window, policy.throttle_quoting, spacing, cooldown)
        self._notional2 = None if policy.throttle_notional is None else int(policy.throttle_notional * NANOS * 2)
        self._multiplier = None if policy.throttle_multiplier is None else ratio(policy.throttle_multiplier)

    def review(self, intent: Intent, ctx: RiskContext) -> Violation | None:
        """Judge cooldown, spacing, rate and notional, in this order."""
        if not ctx.opening:
            return None
        window = self._window(intent, ctx)
        unpriced = self._notional2 is None and self._multiplier is None
        if unpriced and not window.stamps and ctx.now >= window.cooldown_until:
            return None
        answer = self.answer(intent, ctx)
        if answer.state == "open":
            return None
        left = "off" if answer.remaining_nanos is None else money(2 * answer.remaining_nanos)
        limit = f"retry_at={answer.retry_at} remaining={left} utilisation={answer.used}/{answer.limit}"
        return Violation(self.code, answer.state, limit)

    def cap_lots(self, intent: Intent, ctx: RiskContext) -> int | None:
        """Return the lots that the window's notional still takes; 0 while it takes no opening at all."""
        answer = self.answer(intent, ctx)
        if answer.state == "open":
            return None
        if answer.state != "scaled" or answer.remaining_nanos is None:
            return 0
        return (2 * answer.remaining_nanos) // ctx.book.lot2

    def answer(self, intent: Intent, ctx: RiskContext) -> ThrottleAnswer:
        """Return what the throttle says to a proposed opening."""
        holding, lot2 = ctx.holding, ctx.book.lot2
        limits = self._quoting if holding.quoting else self._directional
        window, value2 = self._window(intent, ctx), ctx.opening * lot2
        return window.answer(ctx.now, value2, lot2, limits, self._allowed2(holding.account.allocated))

    def _allowed2(self, budget: int | None) -> int | None:
        """Return the smaller of the amount and the multiple of the budget, None when both are off."""
        if self._multiplier is None:
            return self._notional2
        by_budget2 = 2 * (budget or 0) * self._multiplier[0] // self._multiplier[1]
        return by_budget2 if self._notional2 is None else min(by_budget2, self._notional2)

    def _window(self, intent: Intent, ctx: RiskContext) -> ThrottleWindow:
        return ctx.holding.throttle_buys if intent.side is BUY else ctx.holding.throttle_sells
