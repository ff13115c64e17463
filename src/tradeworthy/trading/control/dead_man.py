"""The dead-man timer: a desk that nobody says to be watched any more is stopped (KS-01). Off unless a limit is set."""

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import ConfigurationRefused

LIMIT_MIN_S = 60.0


class DeadMan:
    """Count from the last sign of a person, by the monotonic clock; due when the limit is reached, once a silence.

    Raises `ConfigurationRefused` for a limit below a minute: people sleep and walk.
    """

    __slots__ = ("_limit", "_seen", "_told")

    def __init__(self, limit_s: float, now: int) -> None:
        if not limit_s >= LIMIT_MIN_S:
            raise ConfigurationRefused(f"a dead-man timer takes {LIMIT_MIN_S:g} s or more, was {limit_s:g}")
        self._limit, self._seen, self._told = int(limit_s * NANOS_PER_SECOND), now, False

    def renew(self, now: int) -> None:
        """Take a sign of a person."""
        self._seen, self._told = now, False

    def due(self, now: int) -> bool:
        """Tell whether the desk is to be stopped now."""
        if self._told or now - self._seen < self._limit:
            return False
        self._told = True
        return True
