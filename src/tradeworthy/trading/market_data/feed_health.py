"""MD-05: the health of one data stream; other traffic is no evidence for it."""

from enum import Enum

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.severity import Severity


class Cadence(Enum):
    """How often a data set speaks; the value is its name, the limit is in `AGE_MAX_NS`."""

    DAILY = "daily"
    INTRADAY = "intraday"
    MACRO = "macro"


AGE_MAX_NS = {
    Cadence.DAILY: 6 * 3_600 * NANOS_PER_SECOND,
    Cadence.INTRADAY: 15 * 60 * NANOS_PER_SECOND,
    Cadence.MACRO: 24 * 3_600 * NANOS_PER_SECOND,
}


@fact("telemetry.data_feed.health")
class FeedHealthJudged(Fact, frozen=True):
    """Counts since the start and the age of the last message; age None: no message ever."""

    stream: str
    severity: Severity
    age_ns: int | None
    messages: int
    gaps: int
    reconnects: int
    stale_spells: int
    conflations: int


class FeedHealth:
    """Count what one stream does. Inside a session age runs from the last message or the session's open."""

    __slots__ = ("_age_max_ns", "_last", "_stale", "_stream", "conflations", "gaps", "messages", "reconnects",
                 "stale_spells")

    def __init__(self, stream: str, cadence: Cadence) -> None:
        self._stream = stream
        self._age_max_ns = AGE_MAX_NS[cadence]
        self._last: int | None = None
        self._stale = False
        self.messages = self.gaps = self.reconnects = self.stale_spells = self.conflations = 0

    def on_message(self, ts_init: int) -> None:
        """A message of this very stream arrived."""
        self.messages += 1
        self._last = ts_init

    def judge(self, now: int, session_open: int | None) -> FeedHealthJudged:
        """Return the verdict at `now`; `session_open` is the running session's begin, None outside sessions.

        A last message from the future is FAIL; a stream that never spoke is UNKNOWN until its limit, then FAIL.
        """
        last = self._last
        severity = Severity.OK if last is not None else Severity.UNKNOWN
        if last is not None and last > now:
            severity = Severity.FAIL
        elif session_open is not None:
            since = session_open if last is None else max(last, session_open)
            stale = now - since >= self._age_max_ns
            if stale:
                severity = Severity.FAIL
            if stale and not self._stale:
                self.stale_spells += 1
            self._stale = stale
        return FeedHealthJudged(
            self._stream, severity, None if last is None else now - last, self.messages, self.gaps, self.reconnects,
            self.stale_spells, self.conflations,
        )
