"""A strategy that never trades and never lets go of what it saw, for tests of what watches memory."""

import msgspec

from tradeworthy.trading.model import Abstain, Quote


class LeakyWatcherPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bytes kept of each quote."""

    bytes_kept: int = 1_000_000


class LeakyWatcher:
    """Keep a block of memory for each quote."""

    def __init__(self, instance, instrument, policy):
        self.instance, self.instrument_id = instance, instrument.instrument_id
        self.observes, self.decides_on = (), (Quote,)
        self._size, self._kept = policy.bytes_kept, []

    def observe(self, view):
        """Nothing to fold."""

    def decide(self, view):
        self._kept.append(bytes([view.now % 251]) * self._size)
        return Abstain("watching")
