"""What a run leaves for its report: a fold over the journal's events, exact in its totals, bounded in its curves."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.research.backtest.costs import told_costs
from tradeworthy.research.backtest.equity import HALF_NANOS, POINTS_MAX, EquityCurve
from tradeworthy.research.backtest.fills import FillRecord
from tradeworthy.research.backtest.instance_record import InstanceRecord, bring_forward
from tradeworthy.research.backtest.instrument_record import InstrumentRecord
from tradeworthy.research.backtest.orders import OrderRecords
from tradeworthy.research.backtest.positions import PositionRecords
from tradeworthy.research.backtest.row_writer import MINUTE_NS, RowWriter
from tradeworthy.research.backtest.rows import RowSink
from tradeworthy.research.backtest.sample import EvenSample
from tradeworthy.research.backtest.series import Series
from tradeworthy.research.backtest.strategy_state import StateRecord, StrategyState
from tradeworthy.trading.ledger.bookings import DividendBooked, FeeBooked, FundingBooked, SplitBooked
from tradeworthy.trading.model.corporate import BorrowCharged
from tradeworthy.trading.model.instrument import NANOS, Instrument
from tradeworthy.trading.model.market import Bar, DepthDiff, DepthSnapshot, Quote
from tradeworthy.trading.model.order import (
    ApprovedIntent,
    CancelOrder,
    ExecReport,
    FillBooked,
    OrderChanged,
    Refused,
    ReportType,
    SubmitOrder,
)
from tradeworthy.trading.model.state import Abstained, GuardChanged
from tradeworthy.trading.restoring import DeskRestored

FILLS_MAX = 100_000
"""Fills kept one by one for intervals and tables, an even sample where there are more; totals count all."""
LIVE_FILLS_MAX = 10_000
"""The same for a desk that may run for months: some 9 MB."""
GUARD_CHANGES_MAX = 1000
SOURCES = ("captured", "inventory", "fees", "funding")


class RunRecords:
    """Fold a journal into curves and totals, event by event.

    instruments   by instrument id; linear kinds that settle in one currency, the base currency of `capital`
    states        asked at each minute's end for what the strategies think; by default they think nothing
    sink          takes the rows of bars, fills and net asset value as they are made
    fills_max     fills kept one by one

    Equity is capital + what an earlier run brought + captured spread + inventory move - fees + funding, exactly.
    Captured spread is counted against the quoted mid at the fill; without quotes (bars only) all of it is inventory
    move. Raises `InvalidInput` for inverse instruments or several currencies. Call `finish` after the last event.
    """

    def __init__(
        self, instruments: Mapping[str, Instrument], capital: Decimal, *,
        states: Callable[[], Iterable[StrategyState]] = lambda: (), sink: RowSink | None = None,
        fills_max: int = FILLS_MAX,
    ) -> None:
        currencies = sorted({i.settlement for i in instruments.values()})
        if len(currencies) != 1:
            raise InvalidInput(f"expected instruments that settle in one currency, found {currencies}")
        inverse = sorted(name for name, i in instruments.items() if i.inverse)
        if inverse:
            raise InvalidInput(f"expected linear instruments, found the inverse {inverse}")
        if not capital.is_finite() or capital <= 0:
            raise InvalidInput(f"capital must be finite and above zero, was {capital}")
        self.capital = capital
        self.currency = currencies[0]
        self.instruments = {name: InstrumentRecord(i) for name, i in instruments.items()}
        self.instances: dict[str, InstanceRecord] = {}
        self.states: dict[str, StateRecord] = {}
        self.now = self.start = 0
        self.events = 0
        self.equity = EquityCurve(int(capital * HALF_NANOS))
        self.sources = {name: Series(POINTS_MAX) for name in SOURCES}
        self.fees = self.brought = Decimal(0)
        self.fees_unknown = 0
        self.restatements = 0
        self.traded = Decimal(0)
        self.positions = PositionRecords()
        self._kept = EvenSample[FillRecord](fills_max)
        self.fills = self._kept.kept
        self.orders = OrderRecords()
        self.cancels = 0
        self.bars_seen = False
        self.refusals: Counter[str] = Counter()
        self.abstentions: Counter[str] = Counter()
        self.guard_changes: list[tuple[int, GuardChanged]] = []
        self.guard_change_count = 0
        self._ask_states = states
        self._rows = None if sink is None else RowWriter(sink)
        self._minute_end = self._day_end = 0
        self._told: dict[str, tuple[int, int]] = {}
        self._details: dict[str, dict[str, msgspec.Raw]] = {}
        self._finished = False
        self._handlers: dict[type[Fact], Callable[[int, Any], None]] = {
            Quote: self._quote, Bar: self._bar, DepthDiff: self._depth, DepthSnapshot: self._depth,
            FundingBooked: self._funding, DividendBooked: self._funding, BorrowCharged: self._borrow,
            SplitBooked: self._split, FeeBooked: self._late_fee, FillBooked: self._fill,
            ApprovedIntent: self._approved, SubmitOrder: self._submit, CancelOrder: self._cancel,
            OrderChanged: self._changed, Refused: self._refused, Abstained: self._abstained,
            GuardChanged: self._guard, ExecReport: self._report, DeskRestored: self._restored,
        }

    def on_event(self, event: Event) -> None:
        """Take up one event in journal order; kinds that the report does not need only move the time."""
        ts = event.ts_event
        if ts > self.now:
            if ts >= self._minute_end:
                self._minute(ts)
            self.now = ts
        self.events += 1
        handler = self._handlers.get(type(event.payload))
        if handler is not None:
            handler(ts, event.payload)

    def finish(self) -> None:
        """Close the last minute and day, the exposure and every horizon that has ended; later calls change nothing."""
        if self._finished or not self.events:
            return
        self._finished = True
        for record in self.instruments.values():
            if record.quoted:
                record.watch.settle(self.now + 1, record.mid2)
            record.inventory.add(self.now, record.position)
        self.positions.finish(self.now)
        self._sample(self.now)
        for name, state in self.states.items():
            state.close(self.now, self._pnl_of(name))
        self.equity.finish(self.now)

    @property
    def captured(self) -> Decimal:
        """Captured spread in base currency."""
        return Decimal(sum(r.captured2 for r in self.instruments.values())) / HALF_NANOS

    @property
    def inventory_move(self) -> Decimal:
        """What the positions gained by the move of their mids, in base currency."""
        return Decimal(sum(r.inventory2 for r in self.instruments.values())) / HALF_NANOS

    @property
    def funding(self) -> Decimal:
        """Funding and dividends received less paid, less borrow fees, in base currency."""
        return sum((r.funding for r in self.instruments.values()), Decimal(0))

    @property
    def pnl(self) -> Decimal:
        """Net P&L: captured + inventory move - fees + funding."""
        return self.captured + self.inventory_move - self.fees + self.funding

    def instance_pnl(self, instance: str) -> Decimal:
        """Return one instance's net P&L with its open positions at the last mids."""
        record = self.instances[instance]
        open2 = sum(
            lots * self.instruments[name].mid2 * self.instruments[name].value for name, lots in record.positions.items()
        )
        return Decimal(record.cash2 + open2) / HALF_NANOS - record.fees + record.funding

    # time

    def _minute(self, ts: int) -> None:
        if self._minute_end:
            self._sample(self._minute_end)
            if ts >= self._day_end:
                self.equity.roll(ts)
                self._day_end = (ts // NANOS_PER_DAY + 1) * NANOS_PER_DAY
        else:
            self.start = ts
            self.equity.begin(ts)
            self._day_end = (ts // NANOS_PER_DAY + 1) * NANOS_PER_DAY
        self._minute_end = (ts // MINUTE_NS + 1) * MINUTE_NS

    def _sample(self, ts: int) -> None:
        """Keep what the events up to the minute's end `ts` left: strategies, sources of P&L, candles."""
        details: dict[str, dict[str, msgspec.Raw]] = {}
        for state in self._ask_states():
            kept = self.states.get(state.instance)
            if kept is None:
                kept = self.states[state.instance] = StateRecord(state.instrument)
            kept.sample(ts, state, self._pnl_of(state.instance))
            details.setdefault(state.instrument, {})[state.instance] = state.detail
        self._details = details
        totals = (
            sum(r.captured2 for r in self.instruments.values()), sum(r.inventory2 for r in self.instruments.values()),
            -int(self.fees * HALF_NANOS), int(self.funding * HALF_NANOS),
        )
        for series, total2 in zip(self.sources.values(), totals, strict=True):
            series.add(ts, total2)
        if self._rows is not None:
            self._rows.nav(
                ts, equity2=self.equity.value2, captured2=totals[0], inventory2=totals[1], fees=self.fees,
                funding=self.funding, drawdown=self.equity.below_peak,
            )
        for record in self.instruments.values():
            if self._rows is not None and record.candle.seen:
                self._rows.candle(ts, record, details.get(record.instrument.instrument_id, {}))
            record.candle.restart()

    def _pnl_of(self, instance: str) -> Decimal:
        return self.instance_pnl(instance) if instance in self.instances else Decimal(0)

    # market

    def _quote(self, ts: int, quote: Quote) -> None:
        record = self.instruments.get(quote.instrument)
        if record is not None:
            record.top_told = True
            self._touch(ts, record, quote.bid, quote.ask)

    def _depth(self, ts: int, depth: DepthDiff | DepthSnapshot) -> None:
        """Take the mid from the book, unless the venue tells its best prices apart: those are ahead of its diffs."""
        record = self.instruments.get(depth.instrument)
        if record is None or record.top_told:
            return
        book = record.book
        book.apply(depth, ts)
        if book.usable and book.bid is not None and book.ask is not None:
            self._touch(ts, record, book.bid, book.ask)

    def _touch(self, ts: int, record: InstrumentRecord, bid: int, ask: int) -> None:
        if bid <= 0 or ask <= 0:
            return
        if ts > record.watch.due and record.quoted:
            record.watch.settle(ts, record.mid2)
        record.quoted = True
        record.spread = ask - bid
        mid2 = bid + ask
        if mid2 != record.mid2:
            self._move(ts, record, mid2)
            record.candle.add(mid2)
            record.price.add(ts, mid2)

    def _bar(self, ts: int, bar: Bar) -> None:
        self.bars_seen = True
        record = self.instruments.get(bar.instrument)
        if record is None or record.quoted:  # quotes know the mid better than a bar's close
            return
        self._move(ts, record, 2 * bar.close)
        price = record.price
        for value in (bar.open, bar.low, bar.high, bar.close):
            price.add(ts, 2 * value)
        if self._rows is not None:
            self._rows.bar(ts, bar, record, self._details.get(bar.instrument, {}))

    def _move(self, ts: int, record: InstrumentRecord, mid2: int) -> None:
        if record.position:
            gain2 = record.position * (mid2 - record.mid2) * record.value
            record.inventory2 += gain2
            self.equity.gain(ts, gain2)
        record.mid2 = mid2

    # ledger

    def _funding(self, ts: int, booked: FundingBooked | DividendBooked) -> None:
        self._carry(ts, booked.instance, booked.instrument, booked.amount)

    def _borrow(self, ts: int, charged: BorrowCharged) -> None:
        if charged.cash is not None:
            self._carry(ts, charged.instance, charged.instrument, charged.cash)

    def _carry(self, ts: int, instance: str, instrument: str, amount: Decimal) -> None:
        record = self.instruments.get(instrument)
        if record is not None:
            record.funding += amount
            self.instances.setdefault(instance, InstanceRecord()).funding += amount
            self.equity.gain(ts, int(amount * HALF_NANOS))

    def _split(self, ts: int, booked: SplitBooked) -> None:
        record, name = self.instruments[booked.instrument], booked.instrument
        self.equity.gain(ts, record.split(booked.new, booked.old))
        self.positions.split(name, booked.new, booked.old)
        for one in self.instances.values():
            one.positions[name] = one.positions.get(name, 0) * booked.new // booked.old

    def _late_fee(self, ts: int, booked: FeeBooked) -> None:
        """Take up a fee that came after its fill; one in a third currency stays unknown."""
        if booked.fee_currency == self.currency:
            self.fees_unknown -= 1
            self.fees += booked.fee
            self.equity.today.fees += booked.fee
            self.instances.setdefault(booked.instance, InstanceRecord()).fees += booked.fee
            self.equity.gain(ts, -int(booked.fee * HALF_NANOS))
            record = self.instruments.get(booked.instrument)
            late = next((f for f in reversed(self.fills) if f.trade_id == booked.trade_id), None)
            if record is not None and late is not None:
                late.fee = booked.fee
                record.costs.late_fee(booked.fee, late.liquidity)

    def _report(self, ts: int, report: ExecReport) -> None:
        """Keep what the venue says a fill cost, until the fill is booked with the same event."""
        if report.type is ReportType.FILL and report.trade_id is not None:
            told = told_costs(report.text)
            if told is not None:
                self._told = {report.trade_id: told}

    def _fill(self, ts: int, fill: FillBooked) -> None:
        record = self.instruments.get(fill.instrument)
        if record is None:
            raise InvalidInput(f"expected fills of {sorted(self.instruments)}, found {fill.instrument}")
        signed = fill.side * fill.lots
        price2 = 2 * fill.price
        if not record.quoted:
            self._move(ts, record, price2)
        fee = self._fee(record.instrument, fill)
        captured2 = signed * (record.mid2 - price2) * record.value
        record.captured2 += captured2
        instance = self.instances.setdefault(fill.instance, InstanceRecord())
        instance.cash2 -= signed * price2 * record.value
        instance.positions[fill.instrument] = instance.positions.get(fill.instrument, 0) + signed
        instance.fills += 1
        self.positions.expose(ts, record.position, record.position + signed)
        record.position += signed
        record.inventory.add(ts, record.position)
        if fee is None:
            self.fees_unknown += 1
        else:
            self.fees += fee
            instance.fees += fee
            self.equity.today.fees += fee
        self.equity.gain(ts, captured2 - int((fee or 0) * HALF_NANOS))
        level = self.orders.fill(fill.client_order_id, fill.lots) if fill.lots > 0 else None
        state = self.states.get(fill.instance)
        regime = None if state is None else state.regime
        if self._rows is not None:
            self._rows.fill(ts, fill, record, fee=fee, level=level, regime=regime)
        if fill.lots <= 0:  # a bust or correction moves the money but is no fill of its own
            self.restatements += 1
            return
        self.positions.add(ts, fill)
        notional = record.instrument.notional(fill.price, fill.lots)
        self.traded += notional
        self.equity.today.fills += 1
        self.equity.today.traded += notional
        if state is not None:
            total = state.total()
            total.fills += 1
            total.traded += notional
            total.captured2 += captured2
            total.fees += fee or 0
        record.costs.add(
            side=fill.side, price=fill.price, weight=fill.lots * record.value, liquidity=fill.liquidity, fee=fee,
            mid2=record.mid2 if record.quoted else None, spread=record.spread, told=self._told.get(fill.trade_id),
        )
        if self._kept.due():
            kept = FillRecord(
                ts=ts, instrument=fill.instrument, instance=fill.instance, side=fill.side, lots=fill.lots,
                price=fill.price, liquidity=fill.liquidity, notional=notional, fee=fee, realized=fill.realized,
                level=level, mid2=record.mid2 if record.quoted else None,
                spread=record.spread if record.quoted else None, regime=regime, trade_id=fill.trade_id,
            )
            self._kept.add(kept)
            record.watch.add(kept)

    def _fee(self, instrument: Instrument, fill: FillBooked) -> Decimal | None:
        if fill.fee is None or fill.fee_currency == self.currency or not fill.fee:
            return fill.fee
        return fill.fee * instrument.price(fill.price) if fill.fee_currency == instrument.base else None

    def _restored(self, ts: int, memory: DeskRestored) -> None:
        """Begin with what an earlier run left: its profit is brought forward, its positions count from their prices."""
        if memory.equity is not None:
            self.brought = Decimal(memory.equity) / NANOS - self.capital
            self.equity.gain(ts, int(self.brought * HALF_NANOS))
        for held in bring_forward(memory, self.instruments, self.instances):
            self.positions.expose(ts, 0, held)

    # orders, refusals, guard

    def _approved(self, ts: int, approved: ApprovedIntent) -> None:
        self.orders.approved(approved)

    def _submit(self, ts: int, order: SubmitOrder) -> None:
        self.orders.submitted(ts, order, self.instruments.get(order.instrument))

    def _cancel(self, ts: int, cancel: CancelOrder) -> None:
        self.cancels += 1

    def _changed(self, ts: int, change: OrderChanged) -> None:
        self.orders.changed(ts, change)

    def _refused(self, ts: int, refused: Refused) -> None:
        self.refusals[refused.code] += 1

    def _abstained(self, ts: int, abstained: Abstained) -> None:
        self.abstentions[abstained.code] += 1

    def _guard(self, ts: int, change: GuardChanged) -> None:
        self.guard_change_count += 1
        if len(self.guard_changes) < GUARD_CHANGES_MAX:
            self.guard_changes.append((ts, change))
