"""What a desk knew at each moment, worked out anew from its journal: prices, guard, positions, orders, equity."""

from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.operations.assessments.collectors.exposure import Key, SentOrder
from tradeworthy.trading.allocation.static_split import Budget
from tradeworthy.trading.control.break_glass import BreakGlassActivated, BreakGlassEnded
from tradeworthy.trading.control.guard import HeldReason
from tradeworthy.trading.ledger.day import EquitySampled
from tradeworthy.trading.market_data.false_tick import TickSuspect
from tradeworthy.trading.model import (
    NANOS,
    AmendOrder,
    Bar,
    DepthDiff,
    DepthSnapshot,
    FillBooked,
    GuardChanged,
    GuardLevel,
    Instrument,
    Mark,
    OrderState,
    Quote,
    RunStarted,
    Status,
    SubmitOrder,
    Trade,
    TradingStatus,
)
from tradeworthy.trading.model.order import TERMINAL, ApprovedIntent, OrderChanged
from tradeworthy.trading.restoring import DeskRestored
from tradeworthy.trading.risk.policy import RiskPolicy

KNOWN_NS = 300 * NANOS_PER_SECOND
"""Equity and budgets that are older judge nothing."""
KEPT = 20_000
"""Approvals, orders and recent orders that are remembered."""
DESK = "desk"


class DeskKnowledge:
    """Take a desk's events in order; the attributes are what it knew at the newest of them.

    instruments, policy, capital  of the run's document
    """

    def __init__(
        self, instruments: Mapping[str, Instrument], policy: RiskPolicy, capital: Decimal
    ) -> None:
        self.instruments, self.policy = dict(instruments), policy
        self._capital = int(capital * NANOS)
        self.equity: tuple[int, int] | None = None
        self.mid2: dict[str, tuple[int, int]] = {}
        self.seen: dict[str, int] = {}
        self._quoted: set[str] = set()
        self._before: dict[str, int] = {}
        self.closed: set[str] = set()
        self.held: dict[tuple[str, str], GuardLevel] = {}
        self.glass: dict[str, str] = {}
        self.approved: OrderedDict[str, ApprovedIntent] = OrderedDict()
        self._sent: OrderedDict[str, SentOrder] = OrderedDict()
        self.live: dict[str, SentOrder] = {}
        self.lots: dict[Key, int] = {}
        self.stop2: dict[Key, int] = {}
        self.messages: dict[Key, deque[int]] = {}
        self.openings: dict[tuple[Any, ...], deque[tuple[int, str]]] = {}
        self.recent: OrderedDict[tuple[Any, ...], int] = OrderedDict()
        self.budgets: dict[str, tuple[int, int]] = {}
        self._takes: dict[type[Fact], Callable[[Any, int], None]] = {
            Quote: self._quote, Bar: self._bar, Trade: self._trade, Mark: self._seen, DepthDiff: self._seen,
            DepthSnapshot: self._seen, TickSuspect: self._suspect, Status: self._status, GuardChanged: self._guard,
            BreakGlassActivated: self._glass_on, BreakGlassEnded: self._glass_off, EquitySampled: self._sampled,
            Budget: self._budget, ApprovedIntent: self._approve, OrderChanged: self._changed, AmendOrder: self._amend,
            FillBooked: self._fill, DeskRestored: self._restored, RunStarted: self._started,
        }  # fmt: skip

    def take(self, event: Event) -> None:
        """Fold one event; its cost does not depend on how many came before."""
        payload, ts = event.payload, event.ts_init
        if self.equity is None:
            self.equity = self._capital, ts
        handler = self._takes.get(payload.__class__)
        if handler is not None:
            handler(payload, ts)

    def sent_order(self, order: SubmitOrder, ts: int, level: int) -> None:
        """Take an order that left."""
        key = order.instance, order.instrument
        sent = SentOrder(key=key, side=order.side, lots=order.lots, level=level, reduce_only=order.reduce_only)
        keep(self._sent, order.client_order_id, sent)
        if len(self.live) < KEPT:
            self.live[order.client_order_id] = sent
        self.messages.setdefault(key, deque(maxlen=self.policy.messages_per_minute)).append(ts)

    # what was known

    def _price(self, name: str, mid2: int, ts: int) -> None:
        known = self.mid2.get(name)
        if known is not None:
            self._before[name] = known[0]
        self.mid2[name], self.seen[name] = (mid2, ts), ts

    def _quote(self, quote: Quote, ts: int) -> None:
        self._quoted.add(quote.instrument)
        self._price(quote.instrument, quote.bid + quote.ask, ts)

    def _bar(self, bar: Bar, ts: int) -> None:
        if bar.instrument in self._quoted:  # a bar is older than the quotes that it is made of
            self.seen[bar.instrument] = ts
        else:
            self._price(bar.instrument, 2 * bar.close, ts)

    def _trade(self, trade: Trade, ts: int) -> None:
        known = self.mid2.get(trade.instrument)
        self._price(trade.instrument, 2 * trade.price if known is None else known[0], ts)

    def _seen(self, fact: Any, ts: int) -> None:
        self.seen[fact.instrument] = ts  # what depth is worth is not worked out here

    def _suspect(self, found: TickSuspect, ts: int) -> None:
        if found.instrument in self._before:
            self.mid2[found.instrument] = self._before[found.instrument], ts

    def _status(self, status: Status, ts: int) -> None:
        shut = status.status in (TradingStatus.HALTED, TradingStatus.CLOSED, TradingStatus.AUCTION)
        (self.closed.add if shut else self.closed.discard)(status.instrument)

    def _guard(self, changed: GuardChanged, ts: int) -> None:
        key = changed.reason, changed.scope
        if changed.set:
            self.held[key] = changed.reason_level
        else:
            self.held.pop(key, None)

    def _glass_on(self, glass: BreakGlassActivated, ts: int) -> None:
        self.glass[glass.glass_id] = glass.control

    def _glass_off(self, glass: BreakGlassEnded, ts: int) -> None:
        self.glass.pop(glass.glass_id, None)

    def _sampled(self, sample: EquitySampled, ts: int) -> None:
        if sample.instance == DESK and sample.equity is not None:
            self.equity = sample.equity, ts

    def _budget(self, budget: Budget, ts: int) -> None:
        if not budget.dry_run:
            self.budgets[budget.instance] = budget.nanos, ts

    def _approve(self, approved: ApprovedIntent, ts: int) -> None:
        keep(self.approved, approved.intent.intent_id, approved)

    def _changed(self, changed: OrderChanged, ts: int) -> None:
        sent = self._sent.get(changed.client_order_id)
        if sent is None:
            return
        sent.filled = changed.cum_lots
        if changed.after in TERMINAL:
            del self._sent[changed.client_order_id]
            self.live.pop(changed.client_order_id, None)
        if changed.after is OrderState.REJECTED:  # the throttle counts it no more
            for stamps in self.openings.values():
                if stamps and stamps[-1][1] == changed.client_order_id:
                    stamps.pop()

    def _amend(self, amend: AmendOrder, ts: int) -> None:
        sent = self._sent.get(amend.client_order_id)
        if sent is not None and amend.lots is not None:
            sent.lots = min(sent.lots, amend.lots)

    def _fill(self, fill: FillBooked, ts: int) -> None:
        key = fill.instance, fill.instrument
        self.lots[key] = fill.position
        if not fill.position:
            self.stop2.pop(key, None)

    def _restored(self, memory: DeskRestored, ts: int) -> None:
        self.lots = {(one.instance, one.instrument): one.lots for one in memory.positions}
        self.equity = self._capital, ts - KNOWN_NS  # what it is worth by now is told at the next minute

    def _started(self, started: RunStarted, ts: int) -> None:
        for kept in (self._sent, self.live, self.lots, self.stop2, self.held, self.glass):
            kept.clear()
        for one in msgspec.json.decode(started.guard, type=tuple[HeldReason, ...]):
            self.held[(f"{one.owner}.{one.code}", one.scope)] = one.level


def keep(kept: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    """Keep a value as the newest; beyond `KEPT` the oldest goes."""
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > KEPT:
        kept.popitem(last=False)
