"""Fold a desk's journal into facts of its streams: holes, suspect prices, timing, and who reports at all; bounded."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_MILLI, NANOS_PER_SECOND
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.journal.records import Heartbeat
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.collectors.windows import MinuteCounts
from tradeworthy.operations.assessments.framework.values import Observation
from tradeworthy.trading.ledger.snapshot import AccountingSnapshot
from tradeworthy.trading.market_data.calendar import Calendar, Session
from tradeworthy.trading.market_data.depth import BookGap
from tradeworthy.trading.market_data.false_tick import TickSuspect
from tradeworthy.trading.minute import DeskMinute
from tradeworthy.trading.model import Bar
from tradeworthy.trading.timing import DeskTiming

HOUR_NS = 3_600 * NANOS_PER_SECOND
FEEDS_KEPT = 1_000
SOURCES_KEPT = 1_000


class FeedSeen(NamedTuple):
    """What one feed brought: its instrument, interval of bars, rows, and when the newest came."""

    instrument: str
    interval_ns: int
    events: int
    last: int


class _Feed:
    """One feed: its instrument, interval, events, last event, and the longest hole by hour."""

    __slots__ = ("before", "events", "hour", "instrument", "interval_ns", "last", "longest", "session")

    def __init__(self, instrument: str) -> None:
        self.instrument = instrument
        self.interval_ns = self.events = self.last = 0
        self.session: Session | None = None
        self.hour = self.longest = self.before = 0

    def take(self, ts: int, interval_ns: int, *, joined: bool) -> None:
        hour = ts // HOUR_NS
        if hour != self.hour:
            self.before = self.longest if hour == self.hour + 1 else 0
            self.hour, self.longest = hour, 0
        if joined:
            self.longest = max(self.longest, ts - self.last - interval_ns)
        self.interval_ns, self.last = interval_ns, ts
        self.events += 1


class StreamsFold:
    """Take a desk's events in order; each call of a `..._facts` tells what they came to.

    calendars  of the instruments, by id;  expected  seconds between two words of each source that must report
    declared   sources that may speak when they like
    """

    def __init__(
        self, calendars: Mapping[str, Calendar], expected: Mapping[str, float], *,
        declared: frozenset[str] = frozenset(),
    ) -> None:  # fmt: skip
        self._calendars, self._expected, self._declared = dict(calendars), dict(expected), declared
        self._feeds: dict[str, _Feed] = {}
        self._suspects, self._gaps = MinuteCounts(), MinuteCounts()
        self._timing: DeskTiming | None = None
        self._heard: dict[str, int] = {}
        self.first = self.now = 0

    def on_event(self, event: Event) -> None:
        """Take the next event; the cost does not depend on how many came before."""
        ts = self.now = max(self.now, event.ts_init)
        self.first = self.first or ts
        payload = event.payload
        if event.kind.startswith("market."):
            self._market(event.source, payload, ts)
            return
        match payload:
            case TickSuspect(instrument=instrument):
                self._suspects.add(instrument, ts)
            case BookGap(instrument=instrument):
                self._gaps.add(instrument, ts)
            case DeskTiming():
                self._timing = payload
            case DeskMinute(instance=instance):
                self._hear(f"minute:{instance}", ts)
            case AccountingSnapshot(instance=instance):
                self._hear(f"books:{instance}", ts)
            case Heartbeat():
                self._hear("heartbeat", ts)

    def feed_facts(self, tell: Teller) -> list[Observation]:
        """Return the facts of `data_feed`: by feed age and longest hole of two hours, by instrument counts."""
        found: list[Observation] = []
        for name, feed in sorted(self._feeds.items()):
            daily = feed.interval_ns >= NANOS_PER_DAY
            calendar = self._calendars.get(feed.instrument)
            hole = max(feed.longest, feed.before) if self.now - feed.last < 2 * HOUR_NS else feed.longest
            found += [
                tell("cadence", "daily" if daily else "intraday", name),
                tell("interval", feed.interval_ns / NANOS_PER_SECOND, name), tell("events", feed.events, name),
                tell("last_event", feed.last, name),
                tell("in_session", calendar is None or calendar.session_at(self.now) is not None, name),
                tell("longest_gap", 0.0 if daily else max(0.0, hole / NANOS_PER_SECOND), name),
            ]  # fmt: skip
        for instrument in sorted({one.instrument for one in self._feeds.values()} | set(self._calendars)):
            found += [
                tell("false_ticks", self._suspects.total(instrument, self.now), instrument),
                tell("book_gaps", self._gaps.total(instrument, self.now), instrument),
            ]  # fmt: skip
        return found

    def feeds(self) -> list[FeedSeen]:
        """Return what each feed brought, in the order of their names."""
        feeds = (one for _, one in sorted(self._feeds.items()))
        return [FeedSeen(one.instrument, one.interval_ns, one.events, one.last) for one in feeds]

    @property
    def sources(self) -> Collection[str]:
        """The sources of market data."""
        return self._feeds.keys()

    def performance_facts(self, tell: Teller) -> list[Observation]:
        """Return the facts of `runtime_performance`: each stage of the last period, by p99 or the maximum."""
        found: list[Observation] = []
        for one in () if self._timing is None else self._timing.stages:
            worst = one.max_ns if one.p99_ns is None else one.p99_ns
            found += [
                tell("stage", one.stage.partition(":")[0], one.stage), tell("samples", one.samples, one.stage),
                tell("worst", worst / NANOS_PER_MILLI, one.stage),
            ]  # fmt: skip
        return found

    def completeness_facts(self, tell: Teller) -> list[Observation]:
        """Return the facts of `telemetry_completeness`; one that was never heard is as old as the journal."""
        found: list[Observation] = []
        for name, period_s in sorted(self._expected.items()):
            found += [tell("last_heard", self._heard.get(name, self.first), name), tell("period", period_s, name)]
        return [*found, tell("undeclared", len(set(self._heard) - set(self._expected) - self._declared))]

    def _market(self, source: str, payload: Any, ts: int) -> None:
        feed = self._feeds.get(source)
        if feed is None:
            if len(self._feeds) >= FEEDS_KEPT:
                return
            feed = self._feeds[source] = _Feed(payload.instrument)
        interval = payload.interval_ns if isinstance(payload, Bar) else 0
        hole = ts - feed.last - interval
        joined = feed.events > 0
        if joined and hole > NANOS_PER_SECOND:  # a hole of a closed market is none: both ends in one session
            calendar = self._calendars.get(feed.instrument)
            if calendar is not None:
                known = feed.session
                if known is None or not known.open <= feed.last < known.close:
                    known = feed.session = calendar.session_at(feed.last)
                joined = known is not None and known.open <= ts < known.close
        feed.take(ts, interval, joined=joined)
        self._hear(source, ts)

    def _hear(self, source: str, ts: int) -> None:
        if source in self._heard or len(self._heard) < SOURCES_KEPT:
            self._heard[source] = ts
