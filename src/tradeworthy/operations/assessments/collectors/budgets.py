"""Fold a desk's journal into good and bad events of its objectives, by minute, over three days; bounded (AS-45)."""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tradeworthy.kernel.clock import NANOS_PER_MILLI, NANOS_PER_SECOND
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.journal.records import Heartbeat
from tradeworthy.operations.assessments.burn_rate import WINDOWS
from tradeworthy.operations.assessments.collectors.freshness import (
    interval_of,
    open_since,
    sessions_of,
    silence_ns,
    stale_minutes,
)
from tradeworthy.operations.assessments.collectors.objectives import Objective
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.framework.values import Observation, Provenance
from tradeworthy.trading.ledger.snapshot import AccountingSnapshot
from tradeworthy.trading.market_data.calendar import Calendar
from tradeworthy.trading.minute import DeskMinute
from tradeworthy.trading.model.order import FillBooked, Liquidity, SubmitOrder
from tradeworthy.trading.timing import STEP, DeskTiming

MINUTE_NS = 60 * NANOS_PER_SECOND
MINUTES_KEPT = max(WINDOWS.values())
ORDERS_KEPT = 20_000
FEEDS_KEPT = 1_000
BY_DEMAND = frozenset({"order_to_fill"})
"""Of these, no event is no failure: nobody asked."""
OVER_THE_VENUE = frozenset({"order_to_fill", "reconciliation"})


class MinuteBudget:
    """Good and bad events by minute, as running sums: a window is two look-ups, however long it is."""

    __slots__ = ("_bad", "_minutes", "_total", "_was")

    def __init__(self) -> None:
        self._minutes: list[int] = []
        self._bad: list[int] = []
        self._total: list[int] = []
        self._was = (0, 0)

    def add(self, ts: int, *, bad: int, total: int) -> None:
        """Count events at `ts`, nanoseconds UTC; one of an earlier minute joins the newest."""
        minute = ts // MINUTE_NS
        if self._minutes and minute <= self._minutes[-1]:
            self._bad[-1] += bad
            self._total[-1] += total
            return
        before = (self._bad[-1], self._total[-1]) if self._minutes else self._was
        self._minutes.append(minute)
        self._bad.append(before[0] + bad)
        self._total.append(before[1] + total)
        if len(self._minutes) > 2 * MINUTES_KEPT:
            cut = len(self._minutes) - MINUTES_KEPT
            self._was = self._bad[cut - 1], self._total[cut - 1]
            for kept in (self._minutes, self._bad, self._total):
                del kept[:cut]

    def counts(self, now: int, minutes: int) -> tuple[int, int]:
        """Return bad and all events of the last so many minutes before `now`."""
        if not self._minutes:
            return 0, 0
        at = bisect_right(self._minutes, now // MINUTE_NS - minutes) - 1
        bad, total = (self._bad[at], self._total[at]) if at >= 0 else self._was
        return self._bad[-1] - bad, self._total[-1] - total


class BudgetFold:
    """Take a desk's events in order and count them against its objectives.

    calendars  of the instruments, by id;  expected  seconds between two words of each source that must report
    fresh_s    silence in seconds from which a feed is not fresh, as `market_data_freshness` has it; an objective with
               a value of its own has that
    agreed     whether a comparison of desk and venue found no break; None for another fact
    """

    def __init__(
        self, objectives: Iterable[Objective], calendars: Mapping[str, Calendar], expected: Mapping[str, float], *,
        fresh_s: float, agreed: Callable[[Any], bool | None] = lambda fact: None,
    ) -> None:  # fmt: skip
        self._objectives = tuple(objectives)
        self._of: dict[str, list[tuple[Objective, MinuteBudget]]] = {}
        for one in self._objectives:
            self._of.setdefault(one.indicator, []).append((one, MinuteBudget()))
        self._sessions, self._fresh_s, self._agreed = sessions_of(dict(calendars)), fresh_s, agreed
        self._expected = {name: round(period * NANOS_PER_SECOND) for name, period in expected.items()}
        self._heard: dict[str, int] = {}
        self._feeds: dict[str, tuple[str, int, int]] = {}
        self._sent: OrderedDict[str, int] = OrderedDict()
        self._slot: int | None = None
        self.first = self.now = 0

    def on_event(self, event: Event) -> None:
        """Take the next event; the cost does not depend on how many came before."""
        ts = self.now = max(self.now, event.ts_init)
        self.first = self.first or ts
        if event.kind.startswith("market."):
            self._market(event.source, event.payload, ts)
            return
        match event.payload:
            case SubmitOrder() as order:
                self._sent[order.client_order_id] = ts
                if len(self._sent) > ORDERS_KEPT:
                    self._sent.popitem(last=False)
            case FillBooked(liquidity=Liquidity.TAKER) as fill if fill.client_order_id in self._sent:
                self._measured("order_to_fill", ts, (ts - self._sent[fill.client_order_id]) / NANOS_PER_MILLI)
            case DeskTiming() as timing:
                for one in timing.stages:
                    if one.stage == STEP:
                        worst = one.max_ns if one.p99_ns is None else one.p99_ns
                        self._measured("decision_latency", ts, worst / NANOS_PER_MILLI)
            case DeskMinute(instance=instance):
                self._reported(f"minute:{instance}", ts)
            case AccountingSnapshot(instance=instance):
                self._reported(f"books:{instance}", ts)
            case Heartbeat(slot=slot):
                missed = 0 if self._slot is None else max(0, slot - self._slot - 1)
                self._slot = slot
                self._counted("availability", ts, bad=missed, total=missed + 1)
            case fact if (clean := self._agreed(fact)) is not None:
                self._counted("reconciliation", ts, bad=not clean, total=1)

    def facts(self, tell: Teller, venue: Provenance = Provenance.MEASURED) -> list[Observation]:
        """Return the facts of `burn_rate`, by objective; `venue` is what facts over the venue are worth."""
        found: list[Observation] = []
        longest = max(WINDOWS, key=lambda name: WINDOWS[name])
        for indicator, some in sorted(self._of.items()):
            for one, budget in some:
                silent, counts = self._silent(one), dict[str, tuple[int, int]]()
                for name, minutes in WINDOWS.items():
                    bad, total = budget.counts(self.now, minutes)
                    counts[name] = bad + min(silent, minutes), total + min(silent, minutes)
                known = counts[longest][1] > 0 or indicator in BY_DEMAND
                worth = venue if indicator in OVER_THE_VENUE else None
                found.append(tell("target", one.target, one.name, provenance=worth))
                for name, (bad, total) in counts.items():
                    why = f"no event of {indicator} was told yet"
                    found.append(tell(f"bad_{name}", bad if known else None, one.name, why=why, provenance=worth))
                    found.append(tell(f"total_{name}", total if known else None, one.name, why=why, provenance=worth))
        return found

    def _market(self, source: str, payload: Any, ts: int) -> None:
        """Count the minutes of a feed since its last event in which its market was open."""
        known = self._feeds.get(source)
        if known is None and len(self._feeds) >= FEEDS_KEPT:
            return
        interval = interval_of(payload)
        if known is not None:
            minutes = ts // MINUTE_NS - known[1] // MINUTE_NS
            if minutes <= 0:
                self._feeds[source] = known[0], ts, interval
                return
            opened = known[1] if minutes == 1 else open_since(self._sessions, known[0], ts, back_to=known[1])
            minutes = 1 if opened is None else max(1, ts // MINUTE_NS - max(opened, known[1]) // MINUTE_NS)
            silent = 0 if opened is None else max(0, ts - max(opened, known[1] + interval))
            for one, budget in self._of.get("freshness", ()):
                budget.add(ts, bad=min(minutes, self._stale(silent, one)), total=minutes)
        self._feeds[source] = payload.instrument, ts, interval

    def _silent(self, one: Objective) -> int:
        """Return the minutes, or reports, that are bad by now because nobody spoke since."""
        if one.indicator == "freshness":
            silent = (
                silence_ns(self._sessions, instrument, self.now, last=last, interval_ns=interval)
                for instrument, last, interval in self._feeds.values()
            )
            return sum(self._stale(silence, one) for silence in silent if silence is not None)
        if one.indicator == "completeness":
            return sum(
                max(0, (self.now - self._heard.get(name, self.first)) // period - 1)
                for name, period in self._expected.items()
            )
        return 0

    def _reported(self, name: str, ts: int) -> None:
        period = self._expected.get(name)
        if period is None:
            return
        due = max(1, round((ts - self._heard[name]) / period)) if name in self._heard else 1
        self._heard[name] = ts
        self._counted("completeness", ts, bad=due - 1, total=due)

    def _stale(self, silence: int, one: Objective) -> int:
        return stale_minutes(silence, one.value or self._fresh_s)

    def _measured(self, indicator: str, ts: int, value: float) -> None:
        for one, budget in self._of.get(indicator, ()):
            budget.add(ts, bad=not one.keeps(value), total=1)

    def _counted(self, indicator: str, ts: int, *, bad: int, total: int) -> None:
        for _, budget in self._of.get(indicator, ()):
            budget.add(ts, bad=bad, total=total)
