"""Opening orders of one throttle scope in a moving window, and what the throttle answers (RK-11)."""

from bisect import bisect_right
from typing import Literal

import msgspec

LONG_AGO = -(1 << 62)
"""Before every timestamp, with room to subtract a window."""

ThrottleState = Literal["open", "cooldown", "min_interval", "rate_limited", "notional_limit", "scaled"]


class ThrottleAnswer(msgspec.Struct, frozen=True):
    """The throttle's state for one more opening.

    retry_at          nanoseconds UTC at which the same order may come again; None where waiting does not help
    remaining_nanos   notional that still fits into the window, None without a notional limit
    used, limit       openings in the window, and how many it takes
    """

    state: ThrottleState
    retry_at: int | None
    remaining_nanos: int | None
    used: int
    limit: int


class ThrottleLimits(msgspec.Struct, frozen=True):
    """Nanoseconds and counts; `cooldown` follows the opening that fills the window."""

    window: int
    count: int
    spacing: int
    cooldown: int


class ThrottleWindow:
    """The stamps and values of the last openings, oldest first; a rejected one is taken out again.

    cooldown_until  a cooldown that somebody else applied; nanoseconds UTC
    """

    __slots__ = ("cooldown_until", "stamps", "values2")

    def __init__(self) -> None:
        self.stamps: list[int] = []
        self.values2: list[int] = []
        self.cooldown_until = LONG_AGO

    def add(self, ts: int, value2: int, kept: int) -> None:
        """Count one opening worth `value2` (twice nanos); the last `kept` are remembered."""
        self.stamps.append(ts)
        self.values2.append(value2)
        if len(self.stamps) > kept:
            del self.stamps[0], self.values2[0]

    def roll_back(self, ts: int, value2: int) -> None:
        """Take out an opening that the venue rejected: count, notional, spacing and cooldown forget it."""
        for at in range(len(self.stamps) - 1, -1, -1):
            if self.stamps[at] == ts and self.values2[at] == value2:
                del self.stamps[at], self.values2[at]
                return

    def answer(self, now: int, value2: int, lot2: int, limits: ThrottleLimits, notional2: int | None) -> ThrottleAnswer:
        """Judge an opening worth `value2`: cooldown, spacing, rate, notional, in this order.

        lot2       twice the nanos of one lot: what remains is `scaled` to, or is no lot at all
        notional2  twice the notional that the window takes; None = no limit
        """
        stamps, window, count = self.stamps, limits.window, limits.count
        begin = bisect_right(stamps, now - window)
        used = len(stamps) - begin
        left2 = None if notional2 is None else max(0, notional2 - sum(self.values2[begin:]))
        remaining = None if left2 is None else left2 // 2

        def say(state: ThrottleState, retry_at: int | None) -> ThrottleAnswer:
            return ThrottleAnswer(state, retry_at, remaining, used, count)

        until = self.cooldown_until
        if limits.cooldown and len(stamps) >= count and stamps[-1] - stamps[-count] < window:
            until = max(until, stamps[-1] + limits.cooldown)
        if now < until:
            return say("cooldown", until)
        if stamps and now - stamps[-1] < limits.spacing:
            return say("min_interval", stamps[-1] + limits.spacing)
        if used >= count:
            return say("rate_limited", stamps[-count] + window)
        if left2 is None or notional2 is None or value2 <= left2:
            return say("open", now)
        if lot2 and left2 >= lot2:
            return say("scaled", now)
        freed2, retry_at = left2, None
        for stamp, freed in zip(stamps[begin:], self.values2[begin:], strict=True):
            freed2 += freed
            if freed2 >= min(value2, notional2):
                retry_at = stamp + window
                break
        return say("notional_limit", retry_at)
