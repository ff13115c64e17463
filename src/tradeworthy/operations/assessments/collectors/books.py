"""Fold depth streams into facts: how they come, what breaks, and how much they take; bounded (AS-118)."""

from collections.abc import Mapping

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.journal.records import FeedConflated
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.collectors.windows import MinuteCounts
from tradeworthy.operations.assessments.framework.values import Observation
from tradeworthy.trading.market_data.calendar import Calendar
from tradeworthy.trading.market_data.depth import BookGap
from tradeworthy.trading.model.market import DepthDiff, DepthSnapshot

HOUR_NS = 3_600 * NANOS_PER_SECOND
STREAMS_KEPT = 1_000
FIRST = frozenset({DepthDiff, DepthSnapshot})
"""Without any of these there is nothing to count."""
CROSSED, DEPTH, ALL, THINNED = "crossed", "depth", "all", "thinned"


class _Depth:
    """One instrument's depth: counts of the last hour, the newest event, and the largest of this hour and the last."""

    __slots__ = ("before", "counts", "hour", "largest", "last", "levels")

    def __init__(self) -> None:
        self.counts = MinuteCounts()
        self.last = self.hour = self.levels = self.largest = self.before = 0


class BookFold:
    """Take a run's events in order.

    calendars  of the instruments, by id;  expected  whether the desk's venue is matched by depth
    """

    def __init__(self, calendars: Mapping[str, Calendar], *, expected: bool = False) -> None:
        self._calendars, self._expected = dict(calendars), expected
        self._depths: dict[str, _Depth] = {}
        self.now = 0

    def on_event(self, event: Event) -> None:
        """Take the next event; the cost does not depend on how many came before."""
        ts = self.now = max(self.now, event.ts_init)
        if not self._depths and event.payload.__class__ not in FIRST:
            return
        match event.payload:
            case DepthDiff() | DepthSnapshot() as depth:
                self._depth(depth, ts)
            case BookGap(instrument=instrument, reason=reason) if instrument in self._depths:
                self._depths[instrument].counts.add(CROSSED if reason == CROSSED else "gap", ts)
            case FeedConflated(kind_of=kind, instrument=instrument, count=count) if instrument in self._depths:
                if kind in (DepthDiff.kind, DepthSnapshot.kind):
                    self._depths[instrument].counts.add(THINNED, ts, by=count)
            case payload if event.kind.startswith("market."):
                known = self._depths.get(getattr(payload, "instrument", ""))
                if known is not None:
                    known.counts.add(ALL, ts)

    def facts(self, tell: Teller) -> list[Observation]:
        """Return the facts of `book_quality`, by instrument with depth."""
        found = [tell("expected", self._expected), tell("streams", len(self._depths))]
        for name, one in sorted(self._depths.items()):
            depth, others, thinned = (one.counts.total(what, self.now) for what in (DEPTH, ALL, THINNED))
            calendar = self._calendars.get(name)
            recent = self.now // HOUR_NS - one.hour
            largest = max(one.largest, one.before) if recent == 0 else one.largest if recent == 1 else 0
            found += [
                tell("in_session", calendar is None or calendar.session_at(self.now) is not None, name),
                tell("last_depth", one.last, name), tell("gaps", one.counts.total("gap", self.now), name),
                tell("crossed", one.counts.total(CROSSED, self.now), name), tell("sampled", depth, name),
                tell("raw_ratio", (depth + thinned) / depth if depth else None, name, why="no depth within the hour"),
                tell("share", depth / (depth + others) if others else None if not depth else 1.0, name,
                     why="no event within the hour"),
                tell("event_bytes", largest, name),
            ]  # fmt: skip
        return found

    def _depth(self, depth: DepthDiff | DepthSnapshot, ts: int) -> None:
        one = self._depths.get(depth.instrument)
        if one is None:
            if len(self._depths) >= STREAMS_KEPT:
                return
            one = self._depths[depth.instrument] = _Depth()
        one.counts.add(DEPTH, ts)
        one.last = ts
        hour, levels = ts // HOUR_NS, len(depth.bids) + len(depth.asks)
        if hour != one.hour:
            one.before = one.largest if hour == one.hour + 1 else 0
            one.hour, one.levels, one.largest = hour, 0, 0
        if levels > one.levels and isinstance(depth, DepthDiff):  # only a deeper one than all of its hour can be larger
            one.levels, one.largest = levels, len(msgspec.json.encode(depth))
