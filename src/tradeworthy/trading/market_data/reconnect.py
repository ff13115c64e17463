"""MD-13: when to try again after a cut: 1 to 60 seconds, doubling, with jitter from a passed generator."""

from random import Random

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import Fact, fact


class BackoffPolicy(msgspec.Struct, frozen=True):
    """Nanoseconds; the delay doubles from `first_ns` to `max_ns`, then up to `jitter` of it is taken off."""

    first_ns: int = NANOS_PER_SECOND
    max_ns: int = 60 * NANOS_PER_SECOND
    jitter: float = 0.5


@fact("stream.cut")
class StreamCut(Fact, frozen=True):
    """A stream's connection was lost."""

    stream: str
    reason: str


@fact("stream.restored")
class StreamRestored(Fact, frozen=True):
    """Connected, resubscribed and in sequence again."""

    stream: str
    attempts: int
    down_ns: int
    reconnects: int


class Reconnect:
    """The plan of one stream: `on_cut`, then per attempt `next_delay`, at last `on_restored` (after the resync)."""

    __slots__ = ("_attempts", "_cut_at", "_policy", "_random", "_stream", "reconnects")

    def __init__(self, stream: str, random: Random, policy: BackoffPolicy | None = None) -> None:
        self._stream = stream
        self._random = random
        self._policy = policy or BackoffPolicy()
        self._attempts = 0
        self._cut_at: int | None = None
        self.reconnects = 0

    @property
    def down(self) -> bool:
        return self._cut_at is not None

    def on_cut(self, reason: str, now: int) -> tuple[Fact, ...]:
        """The connection is gone; a cut during the repair is the same cut."""
        if self._cut_at is not None:
            return ()
        self._cut_at, self._attempts = now, 0
        return (StreamCut(self._stream, reason),)

    def next_delay(self) -> int:
        """Return the nanoseconds to wait before the next attempt, never below `first_ns`."""
        policy = self._policy
        full = min(policy.max_ns, policy.first_ns << min(self._attempts, 32))
        self._attempts += 1
        return max(policy.first_ns, int(full * (1 - policy.jitter * self._random.random())))

    def on_restored(self, now: int) -> tuple[Fact, ...]:
        """The book is in sequence again; counted once a cut."""
        if self._cut_at is None:
            return ()
        self.reconnects += 1
        down_ns, self._cut_at = now - self._cut_at, None
        return (StreamRestored(self._stream, self._attempts, down_ns, self.reconnects),)
