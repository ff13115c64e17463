"""MD-06: a price that jumps away from its neighbours is suspect until others agree with it."""

from collections import deque
from statistics import median

import msgspec

from tradeworthy.kernel.facts import Fact, fact


class FalseTickPolicy(msgspec.Struct, frozen=True):
    """window in ticks; `z_min` robust standard deviations and `jump_min` (fraction) must both be reached."""

    window: int = 20
    z_min: float = 6.0
    jump_min: float = 0.02
    agreeing: int = 3


@fact("tick.suspect")
class TickSuspect(Fact, frozen=True):
    """A price not used for marks or signals, kept with its reference (the window's median); ticks or half ticks."""

    instrument: str
    price: int
    reference: int
    agreeing: int


MAD_TO_SIGMA = 1.4826
"""Median absolute deviation to standard deviation, for normal data."""


class FalseTickFilter:
    """Judge each price against the last accepted ones. Source: Brownlees and Gallo (2006), robust form."""

    __slots__ = ("_agreeing", "_candidate", "_instrument", "_last", "_policy", "_window", "suspects")

    def __init__(self, instrument: str, policy: FalseTickPolicy) -> None:
        self._instrument = instrument
        self._policy = policy
        self._window: deque[int] = deque(maxlen=policy.window)
        self._last = 0
        self._candidate: int | None = None
        self._agreeing = 0
        self.suspects = 0

    def judge(self, price: int) -> TickSuspect | None:
        """Return None for an accepted `price`; the third agreeing suspect is accepted as a true jump."""
        window, policy = self._window, self._policy
        if len(window) < policy.window or abs(price - self._last) < policy.jump_min * self._last:
            self._accept(price)
            return None
        centre = median(window)
        spread = MAD_TO_SIGMA * median(abs(x - centre) for x in window)
        distance = abs(price - centre)
        if distance < policy.jump_min * centre or (spread > 0 and distance / spread < policy.z_min):
            self._accept(price)
            return None
        if self._candidate is not None and abs(price - self._candidate) < policy.jump_min * self._candidate:
            self._agreeing += 1
        else:
            self._candidate, self._agreeing = price, 1
        if self._agreeing >= policy.agreeing:
            window.clear()
            self._accept(price)
            return None
        self.suspects += 1
        return TickSuspect(self._instrument, price, int(centre), self._agreeing)

    def confirm(self, price: int) -> bool:
        """A second source trades at `price`: accept a waiting suspect that agrees with it."""
        candidate = self._candidate
        if candidate is None or abs(price - candidate) >= self._policy.jump_min * candidate:
            return False
        self._window.clear()
        self._accept(candidate)
        return True

    def forget(self) -> None:
        """Begin anew: the price's scale has changed."""
        self._window.clear()
        self._candidate, self._agreeing = None, 0

    def _accept(self, price: int) -> None:
        self._window.append(price)
        self._last = price
        self._candidate, self._agreeing = None, 0
