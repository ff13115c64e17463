"""The loop: one event in, one outcome out. Stages in the house's order; no I/O, no clock, no randomness."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.trading.allocation import ReleaseTier, StaticSplit
from tradeworthy.trading.asking import Asking, Measured
from tradeworthy.trading.bookkeeping import Bookkeeping
from tradeworthy.trading.budgeting import Budgeting
from tradeworthy.trading.carrying import Carrying, CarryMonitors
from tradeworthy.trading.control.guard import Guard
from tradeworthy.trading.control.policy import USUAL, PeoplePolicy
from tradeworthy.trading.control.repair import LedgerRepair, LedgerRepaired, LedgerRepairRefused
from tradeworthy.trading.execution.execution import Execution
from tradeworthy.trading.execution.intake import Intake
from tradeworthy.trading.execution.planner import PlanPolicy, plan
from tradeworthy.trading.faulting import Faulting
from tradeworthy.trading.guarding import Guarding
from tradeworthy.trading.instance_watch import InstanceWatch
from tradeworthy.trading.ledger.day import HOUR_NS
from tradeworthy.trading.ledger.ledger import Ledger
from tradeworthy.trading.ledger.snapshot import SnapshotPolicy
from tradeworthy.trading.lines import InstanceLine as InstanceLine
from tradeworthy.trading.lines import line_of
from tradeworthy.trading.loss_stops import LossStops
from tradeworthy.trading.market_data.false_tick import FalseTickPolicy, TickSuspect
from tradeworthy.trading.market_data.quality import MarketQuality
from tradeworthy.trading.market_data.top import MarketState
from tradeworthy.trading.market_door import MarketDoor
from tradeworthy.trading.model import (
    NANOS,
    NOTHING,
    AmendOrder,
    Bar,
    BorrowCharged,
    CancelOrder,
    DepthDiff,
    DepthSnapshot,
    Dividend,
    ExecReport,
    Fill,
    FillBooked,
    Funding,
    Instrument,
    Liquidity,
    Mark,
    OrderState,
    Outcome,
    QueryOrder,
    Quote,
    ReportType,
    Split,
    Status,
    SubmitOrder,
    Targets,
    Timer,
    Trade,
    TradingStatus,
    Unknown,
)
from tradeworthy.trading.model.run import DeskDayBegan
from tradeworthy.trading.ordering import Ordering
from tradeworthy.trading.restoring import DeskRestored, Memory
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.monitors import DeskLosses, RepeatedExecution, SelfFailure
from tradeworthy.trading.risk.review import Reviewer
from tradeworthy.trading.risk.runaway import Runaway
from tradeworthy.trading.unwinding import UnwindPolicy, Unwinds
from tradeworthy.trading.view import Seat

COMMANDS = frozenset({SubmitOrder, CancelOrder, AmendOrder, QueryOrder})
HOUSEKEEPING_NS = NANOS_PER_SECOND
"""Time-outs of orders and guard expiries are looked at once a second of event time."""
PLAN = PlanPolicy()


class Desk:
    """The whole desk behind one method. Parts are wired by `app/bootstrap.py`."""

    def __init__(
        self, *, instruments: Mapping[str, Instrument], strategies: Sequence[tuple[str, Any]], context: RiskContext,
        reviewer: Reviewer, losses: DeskLosses, repeated: RepeatedExecution, execution: Execution, ledger: Ledger,
        guard: Guard, split: StaticSplit, watch: InstanceWatch, failure: SelfFailure, currency: str,
        unwind: UnwindPolicy, quality: MarketQuality | None = None, false_tick: FalseTickPolicy | None = None,
        books: SnapshotPolicy | None = None, rollover_hour: int = 0, carry: CarryMonitors | None = None,
        runaway: Runaway | None = None, intake: Intake | None = None, people: PeoplePolicy = USUAL,
        measured: Measured = lambda stage, function: function,
    ) -> None:  # fmt: skip
        self.currency, self.guard, self.context = currency, guard, context
        self.ledger, self.execution = ledger, execution
        self._losses, self._repeated = losses, repeated
        self._marks = ledger.marks
        self._bands = watch.bands
        self.markets = {name: MarketState(name, false_tick=false_tick) for name in instruments}
        self.seats = [
            Seat(
                name, one, instruments[one.instrument_id], self.markets[one.instrument_id], context, ledger,
                execution.orders,
            )
            for name, one in strategies
        ]  # fmt: skip
        self._by_instance = {seat.instance: seat for seat in self.seats}
        self._facts: list[Fact] = []  # what the step in hand found
        self._mid2: dict[str, int | None] = dict.fromkeys(instruments)
        self._ordering = Ordering(reviewer, execution, context)
        self._unwinds = Unwinds(
            unwind, ordering=self._ordering, guard=guard, seats=self.seats,
            on_change=lambda: self._asking.seat_all(),
        )
        stops = LossStops(losses, watch, carry)
        self._guarding = Guarding(
            guard, execution=execution, context=context, seats=self._by_instance, unwinds=self._unwinds,
            failure=failure, facts=self._facts, ordering=self._ordering, intake=intake, people=people,
            rollover_ns=rollover_hour * HOUR_NS, outside=stops.outside, on_rearmed=stops.rearmed,
        )  # fmt: skip
        self._guard_reasons, self._drain = self._guarding.apply, self._guarding.drain
        if runaway is not None:
            self._ordering.watch(runaway, self._guard_reasons)
        self._budgeting = Budgeting(
            split, watch, context, instances=self._by_instance, mid2=self._mid2, facts=self._facts,
            apply=self._guard_reasons, told=books is not None,
        )  # fmt: skip
        self._judge = self._budgeting.judge
        self._books = None if books is None else Bookkeeping(
            self.seats, instruments=instruments, ledger=ledger, watch=watch, guard=guard, orders=execution.orders,
            quality=quality, rollover_hour=rollover_hour, policy=books,
        )  # fmt: skip
        self._door = None if quality is None else MarketDoor(
            quality, markets=self.markets, context=context, facts=self._facts, apply=self._guard_reasons,
            on_withheld=lambda: self._asking.withhold(),
        )
        self._asking = Asking(
            self.seats, orders=execution.orders, unwinding=lambda name: name in self._unwinds.active,
            withheld=self._withheld, observed=self._guarding.raise_own,
            faulting=Faulting(self._facts, self._guard_reasons), facts=self._facts, follow=self._follow,
            cancel=self._cancel, measured=measured,
        )  # fmt: skip
        self._listeners, self._tell = self._asking.listeners, self._asking.tell
        self._asking.seat_all()
        self._positions: dict[str, dict[str, int]] = {seat.instance: {} for seat in self.seats}
        carrying = self._carrying = Carrying(
            self.seats, ledger=ledger, markets=self.markets, context=context, mid2=self._mid2, facts=self._facts,
            positions=self._positions, apply=self._guard_reasons, on_worth=self._on_worth, monitors=carry,
        )  # fmt: skip
        self.memory = Memory(
            self.seats, instruments=instruments, context=context, ledger=ledger, losses=losses, repeated=repeated,
            watch=watch, guard=guard, budgeting=self._budgeting, books=self._books, mid2=self._mid2,
            positions=self._positions, apply=self._guard_reasons, on_day=self._roll_day, intake=intake,
            day_of=lambda ts: (ts - rollover_hour * HOUR_NS) // NANOS_PER_DAY, execution=execution, facts=self._facts,
        )  # fmt: skip
        self._housekeeping = 0
        self.now = 0
        self._handlers: dict[type[Fact], Callable[[Event, Any], None]] = {
            **dict.fromkeys((Quote, Bar, DepthDiff, DepthSnapshot, Trade, Mark), self._on_market),
            Funding: self._carried(carrying.on_funding), Split: self._carried(carrying.on_split),
            Dividend: self._carried(carrying.on_dividend), BorrowCharged: carrying.on_borrow,
            Status: self._on_status, Timer: self._on_timer, ExecReport: self._on_report,
            ReleaseTier: self._budgeting.on_release, DeskRestored: self.memory.on_restored,
            LedgerRepair: self._on_repair, **self._guarding.handlers,
        }  # fmt: skip
        if self._door is not None:
            self._handlers |= self._door.handlers(self._handlers)
        self._tell_equity()

    def step(self, event: Event) -> Outcome:
        """Fold one event and return what it led to."""
        handler = self._handlers.get(event.payload.__class__)
        if handler is None:
            return NOTHING
        self.now = self.context.now = now = event.ts_init
        try:
            if now >= self._housekeeping:
                self._keep_house(now)
            handler(event, event.payload)
            if self._books is not None:
                self._books.close(event, self._facts, now)
        except Exception:
            self._facts.clear()  # what half a step found is no outcome
            raise
        facts = self._facts
        if not facts:
            return NOTHING
        outcome = Outcome(tuple(facts), tuple([one for one in facts if one.__class__ in COMMANDS]))  # type: ignore[misc]
        facts.clear()
        return outcome

    def lines(self) -> list[InstanceLine]:
        """Return one row an instance."""
        return [line_of(seat, self.ledger, self._mid2[seat.instrument_id]) for seat in self.seats]

    # market

    def _on_market(self, event: Event, fact: Any) -> None:
        name = fact.instrument
        market = self.markets[name]
        found = market.apply(fact, event.ts_event)
        if found:
            self._facts += found
            if found[0].__class__ is TickSuspect:  # no mark and no signal (MD-06)
                return
        mid2, usable = market.mid2, market.usable
        ctx = self.context
        if mid2 != self._mid2[name]:
            self._mid2[name] = mid2
            ctx.mark(name, mid2, usable, self.now)
            equity = self._marks.mark(name, mid2)
            ctx.set_equity(None if isinstance(equity, Unknown) else equity)
            reasons = self._losses.on_equity()
            if reasons:
                self._guard_reasons(reasons)
            if self._bands:
                band = self._bands.get(name)
                if band is not None and mid2 is not None and not band[0] < mid2 < band[1]:
                    self._judge(name)
        else:
            ctx.mark(name, mid2, usable, self.now)
            ctx.equity_ts = self.now
        listeners = self._listeners.get((fact.__class__, name))
        if listeners is not None:
            self._tell(listeners, event, fact, self.now)

    def _carried(self, handler: Callable[[Event, Any], None]) -> Callable[[Event, Any], None]:
        """Return a handler that books what holding brings and then tells who listens."""

        def carry(event: Event, fact: Any) -> None:
            handler(event, fact)
            self._tell(self._listeners.get((fact.__class__, fact.instrument), ()), event, fact, self.now)

        return carry

    def _on_worth(self, instrument: str) -> None:
        self._tell_equity()
        self._judge(instrument)

    def _on_status(self, event: Event, status: Status) -> None:
        self.markets[status.instrument].apply(status, event.ts_event)
        self.context.set_cause(status.instrument, "halted", status.status is TradingStatus.HALTED)
        closed = status.status in (TradingStatus.CLOSED, TradingStatus.AUCTION)
        self.context.set_cause(status.instrument, "session_closed", closed)

    def _on_timer(self, event: Event, timer: Timer) -> None:
        if timer.name == "day_roll":
            self._roll_day()
        for seat in self.seats:
            listeners = self._listeners.get((timer.name, seat.instrument_id))
            if listeners is not None:
                self._tell([one for one in listeners if one[0] is seat], event, timer, self.now)

    # strategies

    def _withheld(self, instrument: str) -> bool:
        return self._door is not None and self._door.holds(instrument)

    def _follow(self, seat: Seat, targets: Targets, event: Event) -> None:
        intents, cancels = plan(
            seat.instance, targets, owner="strategy", decision_id=f"{seat.instance}@{event.event_id}",
            positions=self._positions[seat.instance], orders=self.execution.orders, now=self.now, policy=PLAN,
        )  # fmt: skip
        if cancels:
            self._cancel(cancels)
        for intent in intents:
            self._ordering.propose(seat, intent, self._facts)

    def _cancel(self, cancels: Iterable[CancelOrder]) -> None:
        self._ordering.cancel(cancels, self._facts)
        self._drain()

    # venue

    def _on_report(self, event: Event, report: ExecReport) -> None:
        order = self.execution.orders.get(report.client_order_id)
        mid2 = self._mid2.get(report.instrument)
        facts, fill = self.execution.on_report(report, self.now, mid2)
        self._facts += facts
        if order is not None:
            if fill is not None:
                self._book(fill, order.intent.intent_id, mid2, report.type)
            self._unwinds.on_report(order, 0 if fill is None else fill.lots, self._facts)
            if not order.live:
                self._ordering.on_end(order)
            elif order.state is OrderState.UNKNOWN:
                self.context.hold_unknown(order.intent.intent_id)
        self._drain()

    def _book(self, fill: Fill, intent_id: str, mid2: int | None, kind: ReportType) -> None:
        ledger, ctx = self.ledger, self.context
        if kind is ReportType.BUST:
            booked = ledger.bust(fill, mid2)
        elif kind is ReportType.CORRECTION:
            booked = ledger.correct(fill, mid2)
        else:
            booked = ledger.book(fill, mid2)
        self._facts.append(booked)
        ctx.book_fill(fill.instance, fill.instrument, fill.side, booked.lots, fill.price, self.now)
        ctx.release(intent_id, max(0, booked.lots))
        self._tell_equity()
        self._positions[fill.instance][fill.instrument] = booked.position
        seat = self._by_instance[fill.instance]
        seat.fills += 1
        seat.traded_nanos += seat.instrument.notional_nanos(fill.price, fill.lots)
        repeated = self._repeated.on_fill(fill.instance, fill.instrument, fill.side, self.now)
        if repeated is not None:
            self._guard_reasons((repeated,))
        reasons = self._losses.on_equity()
        if reasons:
            self._guard_reasons(reasons)
        self._carrying.on_position(fill.instrument)
        self._judge(fill.instrument)
        if FillBooked in seat.strategy.observes:
            self._asking.show_fill(seat, booked, self.now)

    def _on_repair(self, event: Event, asked: LedgerRepair) -> None:
        """Book one trade that two people signed, or say why not; the fill is told as any other."""
        seat = self._by_instance.get(asked.instance)
        if seat is None or seat.instrument_id != asked.instrument:
            held = f"expected an instance and its instrument, found {asked.instance} and {asked.instrument}"
            self._facts.append(LedgerRepairRefused(asked.pack, (held,)))
            return
        if self.ledger.booked(asked.instance, asked.instrument, asked.trade_id):
            self._facts.append(LedgerRepairRefused(asked.pack, (f"trade {asked.trade_id} is booked already",)))
            return
        before = self.ledger.lots(asked.instance, asked.instrument)
        fill = Fill(
            asked.trade_id, asked.order, asked.instance, asked.instrument, asked.side, asked.lots, asked.price,
            Liquidity.TAKER, asked.fee, asked.fee_currency, self.now,
        )  # fmt: skip
        self._book(fill, asked.order, self._mid2.get(asked.instrument), ReportType.FILL)
        after = self.ledger.lots(asked.instance, asked.instrument)
        self._facts.append(LedgerRepaired(asked.pack, asked.trade_id, before, after))

    # time

    def _tell_equity(self) -> None:
        """Give risk the ledger's equity at the last marks; an unknown one closes openings."""
        equity = self._marks.desk()
        self.context.set_equity(None if isinstance(equity, Unknown) else equity)

    def _keep_house(self, now: int) -> None:
        self._housekeeping = now + HOUSEKEEPING_NS
        self._guarding.expire()
        self._ordering.on_second(now, self._facts)
        self._drain()
        self._unwinds.on_time(now, self._facts)
        if self._door is not None:
            self._door.on_second(now)
        self._budgeting.on_second(now)
        self._carrying.on_second()

    def _roll_day(self) -> None:
        self.context.day_roll(self.now)
        self.execution.on_day()
        for seat in self.seats:
            seat.traded_nanos = 0
        self._guard_reasons(self._losses.on_day())
        self._budgeting.on_day()
        equity = self.context.equity_nanos
        self._facts.append(DeskDayBegan(None if equity is None else Decimal(equity) / NANOS))
