"""Fold a run's journal into what soaks are judged by: minutes, guard, orders, rates, ages, holds, equity."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.kernel.host import HostMemory
from tradeworthy.research.backtest.records import RunRecords
from tradeworthy.trading.model import (
    TERMINAL,
    AmendOrder,
    ApprovedIntent,
    CancelOrder,
    FillBooked,
    Funding,
    GuardChanged,
    GuardLevel,
    MarketEvent,
    OrderChanged,
    OrderState,
    QueryOrder,
    SubmitOrder,
    Timer,
)

MINUTE = 60 * NANOS_PER_SECOND
COMMANDS = (SubmitOrder, CancelOrder, AmendOrder, QueryOrder)
MARKET: tuple[type, ...] = MarketEvent.__args__
STOP = "stop"
"""How strategies name the reason of a protective exit."""
ACTIVE = frozenset({OrderState.WORKING, OrderState.PARTIALLY_FILLED, OrderState.FILLED})


class SoakWatch:
    """Take events in journal order; times are nanoseconds UTC by the desk's clock.

    held  the guard's level at the start
    """

    def __init__(self, records: RunRecords, *, held: GuardLevel = GuardLevel.RUNNING) -> None:
        self.records = records
        self.start: int | None = None
        self.end = 0
        self.first_active: int | None = None
        self.fills = self.trades = self.stops = self.day_rolls = 0
        self.hold_ns = 0
        self.rejects: list[int] = []
        self.cancels: Counter[tuple[str, int]] = Counter()
        self.messages_a_second: Counter[int] = Counter()
        self.live_max = 0
        self.age_max_ns: int | None = None
        self.funding_times: set[int] = set()
        self.memory: list[tuple[int, int]] = []
        self.days: dict[int, list[int]] = {}
        self._level = held
        self._minutes: dict[int, bool] = {}
        self._live: set[str] = set()
        self._instance: dict[str, str] = {}
        self._reasons: dict[str, str] = {}
        self._entered: dict[tuple[str, str], int] = {}
        self._handlers: dict[type[Fact], Callable[[int, Any], None]] = {
            GuardChanged: self._guard, OrderChanged: self._order, FillBooked: self._fill, CancelOrder: self._cancel,
            SubmitOrder: self._submit, ApprovedIntent: self._approved, Timer: self._timer, Funding: self._funding,
            HostMemory: self._memory,
        }  # fmt: skip

    def on_event(self, event: Event) -> None:
        """Take one event."""
        ts, payload = event.ts_init, event.payload
        kind = type(payload)
        self.records.on_event(event)
        if self.start is None:
            self.start = ts
        self.end = max(self.end, ts)
        minute = ts // MINUTE
        self._minutes[minute] = self._minutes.get(minute, True) and self._level is GuardLevel.RUNNING
        if kind in COMMANDS:
            self.messages_a_second[ts // NANOS_PER_SECOND] += 1
        elif kind in MARKET:
            self.age_max_ns = max(self.age_max_ns or 0, ts - event.ts_event)
        handler = self._handlers.get(kind)
        if handler is not None:
            handler(ts, payload)
        value2 = self.records.equity.value2
        day = self.days.setdefault(ts // NANOS_PER_DAY, [value2, value2, value2])
        day[1], day[2] = min(day[1], value2), value2

    @property
    def nanos(self) -> int:
        """How long the run lasted."""
        return 0 if self.start is None else self.end - self.start

    def minutes(self) -> tuple[int, int, int]:
        """Return the whole minutes of the run's span, those with an event, and those that ran from end to end."""
        if self.start is None:
            return 0, 0, 0
        first = -(-self.start // MINUTE)
        last = self.end // MINUTE
        seen = [self._minutes[minute] for minute in range(first, last) if minute in self._minutes]
        return max(0, last - first), len(seen), sum(seen)

    def missing_minutes(self) -> list[int]:
        """Return the start of each whole minute without an event."""
        if self.start is None:
            return []
        whole = range(-(-self.start // MINUTE), self.end // MINUTE)
        return [minute * MINUTE for minute in whole if minute not in self._minutes]

    def day_loss(self) -> float:
        """Return the largest loss within a UTC day as a fraction of its opening equity."""
        return max((1 - low / opening for opening, low, _ in self.days.values() if opening > 0), default=0.0)

    def cancels_in_budget(self, budget: int) -> float | None:
        """Return the share of whole minutes in which no instance cancelled more than `budget`; None without one."""
        whole = self.minutes()[0]
        over = {minute for (_, minute), count in self.cancels.items() if count > budget}
        return None if whole == 0 else max(0.0, 1 - len(over) / whole)

    def _guard(self, ts: int, changed: GuardChanged) -> None:
        self._level = changed.level
        minute = ts // MINUTE
        self._minutes[minute] = self._minutes[minute] and changed.level is GuardLevel.RUNNING

    def _approved(self, ts: int, approved: ApprovedIntent) -> None:
        self._reasons[approved.intent.intent_id] = approved.intent.reason

    def _submit(self, ts: int, order: SubmitOrder) -> None:
        self._instance[order.client_order_id] = order.instance
        reason = self._reasons.pop(order.intent_id, None)
        if reason == STOP:
            self._reasons[order.client_order_id] = reason

    def _cancel(self, ts: int, cancel: CancelOrder) -> None:
        self.cancels[self._instance.get(cancel.client_order_id, ""), ts // MINUTE] += 1

    def _order(self, ts: int, changed: OrderChanged) -> None:
        if changed.after in ACTIVE and self.first_active is None:
            self.first_active = ts
        if changed.after is OrderState.REJECTED:
            self.rejects.append(ts)
        if changed.after in TERMINAL:
            self._live.discard(changed.client_order_id)
            if changed.after is not OrderState.FILLED:
                self._instance.pop(changed.client_order_id, None)
        else:
            self._live.add(changed.client_order_id)
            self.live_max = max(self.live_max, len(self._live))

    def _fill(self, ts: int, fill: FillBooked) -> None:
        self.fills += 1
        key = fill.instance, fill.instrument
        before = fill.position - fill.side * fill.lots
        if before and (fill.position == 0 or before * fill.position < 0):
            self.trades += 1
            self.stops += self._reasons.pop(fill.client_order_id, "") == STOP
            self.hold_ns += ts - self._entered.pop(key, ts)
        if fill.position and key not in self._entered:
            self._entered[key] = ts

    def _timer(self, ts: int, timer: Timer) -> None:
        self.day_rolls += timer.name == "day_roll"

    def _funding(self, ts: int, funding: Funding) -> None:
        self.funding_times.add(ts)

    def _memory(self, ts: int, sample: HostMemory) -> None:
        self.memory.append((ts, sample.rss_bytes))
