"""How long to wait before the next attempt, and how many attempts a window allows."""

from collections import deque
from random import Random

from tradeworthy.kernel.supervision.policy import nanos

DOUBLINGS_MAX = 62
"""Past this exponent every cap is reached; it keeps the power finite."""


def delay_s(failures: int, *, base_s: float, cap_s: float, random: Random) -> float:
    """Return a full-jitter delay: uniform between 0 and `min(cap, base * 2^(failures-1))`, failures from 1."""
    return random.uniform(0.0, min(cap_s, base_s * 2.0 ** min(failures - 1, DOUBLINGS_MAX)))


class RestartBudget:
    """Allow so many restarts in a rolling window; times are nanoseconds of the monotonic clock."""

    __slots__ = ("_granted", "_restarts", "_window")

    def __init__(self, restarts: int, window_s: float) -> None:
        self._restarts, self._window = restarts, nanos(window_s)
        self._granted: deque[int] = deque()

    def grant(self, now: int) -> bool:
        """Take one restart; False, and nothing taken, when the window holds as many as it may."""
        self._forget(now)
        if len(self._granted) >= self._restarts:
            return False
        self._granted.append(now)
        return True

    def used(self, now: int) -> int:
        """Return the restarts of the window that ends now."""
        if self._granted:
            self._forget(now)
        return len(self._granted)

    def clear(self) -> None:
        """Start over, as a scope that starts again gives its children a new window."""
        self._granted.clear()

    def _forget(self, now: int) -> None:
        while self._granted and now - self._granted[0] >= self._window:
            self._granted.popleft()
