"""RK-11: opening orders of an instance and instrument in a window, spacing and cooldown."""

from tradeworthy.trading.model import Intent, Violation
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import Control
from tradeworthy.trading.risk.policy import RiskPolicy


class Throttle(Control):
    """Refuse an opening too soon; the limit text carries `retry_at` in nanoseconds UTC."""

    __slots__ = ("_directional", "_quoting", "_spacing", "_window")
    code = "risk.throttle"

    def __init__(self, policy: RiskPolicy) -> None:
        self._window = policy.throttle_window
        self._directional = policy.throttle_directional
        self._quoting = policy.throttle_quoting
        self._spacing = policy.throttle_spacing

    def review(self, intent: Intent, ctx: RiskContext) -> Violation | None:
        """Judge cooldown, spacing and rate, in this order."""
        if not ctx.opening:
            return None
        holding = ctx.holding
        now = ctx.now
        if now < holding.cooldown_until:
            return Violation(self.code, "cooldown", f"retry_at={holding.cooldown_until}")
        trades = holding.trades
        if not trades:
            return None
        if now - trades[-1] < self._spacing:
            return Violation(self.code, "min_interval", f"retry_at={trades[-1] + self._spacing}")
        limit = self._quoting if holding.quoting else self._directional
        if len(trades) < limit or now - trades[-limit] >= self._window:
            return None
        retry_at = trades[-limit] + self._window
        return Violation(self.code, "rate_limited", f"{limit} in {self._window} ns, retry_at={retry_at}")
