"""Exits of the net position (MM-09): one stop, one target, then the touch, then the market."""

from math import ceil, floor

from tradeworthy.trading.model import PositionTarget, QuoteTarget, Side
from tradeworthy.trading.strategies.market_maker_formulas.policy import ExitPolicy

EXIT_LEVEL = 90
"""The slot of the exit at the touch, past every quoted level."""


class Exits:
    """Follow the age of the net position and say how it is left; never a barrier per fill."""

    __slots__ = ("_instrument", "_policy", "_side", "_since")

    def __init__(self, instrument: str, policy: ExitPolicy) -> None:
        self._instrument, self._policy = instrument, policy
        self._side = 0
        self._since = 0

    def observe(self, now: int, position: int) -> None:
        """Note the sign of the position; a new sign starts its age."""
        side = (position > 0) - (position < 0)
        if side != self._side:
            self._side, self._since = side, now

    def targets(
        self, now: int, position: int, average: float, bid: int, ask: int,
    ) -> tuple[PositionTarget | None, QuoteTarget | None]:
        """Return the barriers of the position, or its way out at the touch, or to the market."""
        side, policy = self._side, self._policy
        if side == 0:
            return None, None
        age = now - self._since
        if age >= policy.touch_after_ns + policy.market_after_ns:
            return PositionTarget(self._instrument, 0, "exit_market"), None
        if side > 0:
            stop, take = floor(average * (1.0 - policy.stop)), ceil(average * (1.0 + policy.take_profit))
        else:
            stop, take = ceil(average * (1.0 + policy.stop)), floor(average * (1.0 - policy.take_profit))
        barrier = PositionTarget(self._instrument, position, "exit_barriers", stop, take)
        if age < policy.touch_after_ns:
            return barrier, None
        exit_side, price = (Side.SELL, ask) if side > 0 else (Side.BUY, bid)
        return barrier, QuoteTarget(self._instrument, exit_side, EXIT_LEVEL, price, abs(position), "exit_touch")
