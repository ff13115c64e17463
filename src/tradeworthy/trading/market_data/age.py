"""MD-04: the age of a stream: of its transport (any frame), and of each instrument's book (last diff)."""

from enum import Enum

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import Fact, fact


class AgePolicy(msgspec.Struct, frozen=True):
    """Nanoseconds; an age breaches its limit when it reaches it."""

    transport_max_ns: int = 30 * NANOS_PER_SECOND
    book_max_ns: int = 30 * NANOS_PER_SECOND
    quoting_max_ns: int = 5 * NANOS_PER_SECOND
    release_ns: int = 5 * NANOS_PER_SECOND


class AgeAct(Enum):
    """What the age asks for now."""

    NONE = "none"
    FETCH_SNAPSHOT = "fetch_snapshot"
    RESYNC = "resync"


@fact("market_data.stale")
class StreamStale(Fact, frozen=True):
    """A stream is stale: `reason` is transport (silent) or book (diffs were lost); the desk pauses."""

    stream: str
    reason: str
    age_ns: int


@fact("market_data.fresh")
class StreamFresh(Fact, frozen=True):
    """The stream has been in order for five seconds after its resync; the pause ends."""

    stream: str


class StreamAge:
    """Ages of one instrument's stream. All times are monotonic nanoseconds."""

    __slots__ = ("_book", "_checked", "_fetching", "_policy", "_resynced", "_stream", "_transport", "stale")

    def __init__(self, stream: str, now: int, policy: AgePolicy | None = None) -> None:
        self._stream = stream
        self._policy = policy or AgePolicy()
        self._transport = now
        self._book = now
        self._checked = now
        self._fetching = False
        self._resynced: int | None = None
        self.stale = False

    def on_frame(self, now: int) -> None:
        """Any frame arrived, a heartbeat too."""
        self._transport = now

    def on_diff(self, now: int) -> None:
        """A diff or top of this instrument arrived."""
        self._transport = self._book = self._checked = now
        self._fetching = False

    def quoting_allowed(self, now: int) -> bool:
        """Live quoting needs fresh data: younger than five seconds, and no stale spell."""
        return not self.stale and now - self._book < self._policy.quoting_max_ns

    def check(self, now: int) -> tuple[AgeAct, tuple[Fact, ...]]:
        """Return what to do and what changed; to be asked about each second."""
        policy = self._policy
        silent = now - self._transport
        if silent >= policy.transport_max_ns:
            self._resynced = None
            return AgeAct.RESYNC, self._set_stale("transport", silent)
        if self.stale:
            if self._resynced is not None and now - self._resynced >= policy.release_ns:
                self.stale, self._resynced = False, None
                return AgeAct.NONE, (StreamFresh(self._stream),)
            return (AgeAct.RESYNC if self._resynced is None else AgeAct.NONE), ()
        if now - self._checked >= policy.book_max_ns and not self._fetching:
            self._fetching = True
            return AgeAct.FETCH_SNAPSHOT, ()
        return AgeAct.NONE, ()

    def on_snapshot(self, equal: bool, now: int) -> tuple[Fact, ...]:
        """The fetched snapshot equals the book: a static market, asked again in 30 s; else diffs were lost."""
        self._fetching = False
        self._checked = now
        return () if equal else self._set_stale("book", now - self._book)

    def on_resync(self, now: int) -> None:
        """The book stands on a new snapshot."""
        self._transport = self._book = self._checked = now
        if self.stale and self._resynced is None:
            self._resynced = now

    def _set_stale(self, reason: str, age_ns: int) -> tuple[Fact, ...]:
        if self.stale:
            return ()
        self.stale = True
        return (StreamStale(self._stream, reason, age_ns),)
