"""MD-09: the offset between a feed's stamps and the desk's clock; stamps are judged, never altered."""

from collections import deque
from statistics import median

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_MILLI, NANOS_PER_SECOND
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.severity import Severity


class FeedClockPolicy(msgspec.Struct, frozen=True):
    """Nanoseconds. `correction_ns` is added to the desk's stamps of this feed, for judging only."""

    window_ns: int = 60 * NANOS_PER_SECOND
    sample_ns: int = 100 * NANOS_PER_MILLI
    warn_ns: int = 500 * NANOS_PER_MILLI
    fail_ns: int = NANOS_PER_SECOND
    correction_ns: int = 0


@fact("feed.clock")
class FeedClockJudged(Fact, frozen=True):
    """The feed's offset (desk minus venue, correction added) as median of the window; None: nothing to judge."""

    feed: str
    severity: Severity
    offset_ns: int | None
    correction_ns: int
    future_stamps: int


class FeedClock:
    """Sample the offset at most every 100 ms, which bounds the window at 600; count stamps from the future always."""

    __slots__ = ("_feed", "_future", "_last_sample", "_policy", "_samples")

    def __init__(self, feed: str, policy: FeedClockPolicy | None = None) -> None:
        self._feed = feed
        self._policy = policy or FeedClockPolicy()
        self._samples: deque[tuple[int, int]] = deque(maxlen=self._policy.window_ns // self._policy.sample_ns)
        self._future: deque[int] = deque(maxlen=self._samples.maxlen)
        self._last_sample: int | None = None

    def observe(self, ts_event: int, ts_init: int) -> None:
        """Take one message's stamps; a message that carries no venue time must not be shown here."""
        offset = ts_init + self._policy.correction_ns - ts_event
        if offset < 0:
            self._future.append(ts_init)
        if self._last_sample is None or ts_init - self._last_sample >= self._policy.sample_ns:
            self._last_sample = ts_init
            self._samples.append((ts_init, offset))

    def judge(self, now: int) -> FeedClockJudged:
        """Return the verdict at `now`: no sample is UNKNOWN, a stamp from the future FAIL."""
        policy = self._policy
        start = now - policy.window_ns
        for kept in (self._samples, self._future):
            while kept and (kept[0][0] if isinstance(kept[0], tuple) else kept[0]) < start:
                kept.popleft()
        if not self._samples:
            return FeedClockJudged(self._feed, Severity.UNKNOWN, None, policy.correction_ns, 0)
        offset = int(median(offset for _, offset in self._samples))
        if self._future or abs(offset) >= policy.fail_ns:
            severity = Severity.FAIL
        else:
            severity = Severity.WARN if abs(offset) >= policy.warn_ns else Severity.OK
        return FeedClockJudged(self._feed, severity, offset, policy.correction_ns, len(self._future))
