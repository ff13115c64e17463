"""What a desk knows when it starts again: the memory that an earlier desk of its name left (AC-01, RK-10..RK-12).

The earlier desk is rebuilt from its own journal and asked; what it says is journaled as the first input of the new
run, so that the new journal alone replays. Indicators and quotes are not part of it, they are learnt anew. Orders are
where the venue outlived the desk: each is looked up, so that a fill of the meantime is booked by the venue's own word.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from itertools import islice

import msgspec

from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.kernel.facts import Event, Fact, fact
from tradeworthy.trading.bookkeeping import Bookkeeping
from tradeworthy.trading.budgeting import Budgeting
from tradeworthy.trading.control.guard import Guard
from tradeworthy.trading.execution.execution import Execution
from tradeworthy.trading.execution.intake import Intake, IntentTaken
from tradeworthy.trading.execution.open_order import OpenOrder
from tradeworthy.trading.instance_watch import InstanceDay, InstanceWatch
from tradeworthy.trading.ledger.day import DayLine
from tradeworthy.trading.ledger.ledger import Ledger
from tradeworthy.trading.model import GuardReason, Instrument, Side, Unknown
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.exposure import LONG_AGO, MessageWindow
from tradeworthy.trading.risk.monitors import DeskLosses, RepeatedExecution
from tradeworthy.trading.view import Seat

KEYS_MAX = 10_000
"""Idempotency keys that a restart carries over: the newest."""
DISABLED = ("risk", "repeated_execution")
"""Owner and code of the reason that only `control/enabling.py` takes away."""
Stamps = tuple[int, ...]
Openings = tuple[tuple[int, int], ...]


class HeldPosition(msgspec.Struct, frozen=True):
    """Signed lots, their cost in the settlement currency, and the average entry in ticks."""

    instance: str
    instrument: str
    lots: int
    cost: Decimal
    average: Decimal


class Price(msgspec.Struct, frozen=True):
    """The last price of an instrument: twice the mid in ticks, and when it came."""

    instrument: str
    mid2: int
    ts: int


class Activity(msgspec.Struct, frozen=True):
    """What review counts of one instance in one instrument; stamps in nanoseconds UTC, oldest first.

    buys, sells  openings in the throttle's window with twice their nanos;  recent  orders as (side, lots, price, stamp)
    """

    instance: str
    instrument: str
    buys: Openings
    sells: Openings
    messages: Stamps
    recent: tuple[tuple[int, int, int | None, int], ...]
    recent_ts: int


class SeatDay(msgspec.Struct, frozen=True):
    """One instance's day and its traded notional in nanos."""

    instance: str
    day: InstanceDay
    traded: int


@fact("desk.restored")
class DeskRestored(Fact, frozen=True):
    """The memory of an earlier run of this desk, taken over at the start; money in nanos of the base currency.

    run, seq     the earlier run's folder and the last event of its journal;  ts  when that came
    equity       at the last prices, None where they were not known
    day, opened, peak, peaks  of the desk: the day, its open, its peak, the peaks of the days before
    losses       what `DeskLosses` told;  runs  of executions without an opposite fill (RK-12)
    keys         of intents, oldest first;  books  the days as they stand, with the hours of their peaks
    orders       whose end the earlier run did not hear of, where their venue outlived it
    """

    run: str
    seq: int
    ts: int
    equity: int | None
    balances: tuple[tuple[str, str, str, Decimal], ...]
    positions: tuple[HeldPosition, ...]
    prices: tuple[Price, ...]
    day: int
    opened: int | None
    peak: int
    peaks: Openings
    losses: tuple[int, int, int | None]
    seats: tuple[SeatDay, ...]
    activities: tuple[Activity, ...]
    runs: tuple[tuple[str, str, int, Stamps], ...]
    keys: tuple[str, ...]
    books: tuple[tuple[DayLine, Openings], ...] = ()
    wishes: tuple[IntentTaken, ...] = ()
    orders: tuple[OpenOrder, ...] = ()


class Memory:
    """Tell what the desk knows, and take over what an earlier one knew.

    apply  brings reasons to the guard;  on_price  takes the last mid of an instrument;  on_day  rolls a day that ended
    while nobody traded;  day_of  gives the desk day of a time;  facts  takes what is asked of the venue
    """

    __slots__ = ("_apply", "_books", "_budgeting", "_context", "_day_of", "_execution", "_facts", "_guard",
                 "_instruments", "_intake", "_ledger", "_losses", "_mid2", "_on_day", "_positions", "_repeated",
                 "_seats", "_watch")  # fmt: skip

    def __init__(
        self, seats: Sequence[Seat], *, instruments: Mapping[str, Instrument], context: RiskContext, ledger: Ledger,
        losses: DeskLosses, repeated: RepeatedExecution, watch: InstanceWatch, guard: Guard, budgeting: Budgeting,
        books: Bookkeeping | None, mid2: dict[str, int | None], positions: Mapping[str, dict[str, int]],
        apply: Callable[[Sequence[GuardReason]], None], on_day: Callable[[], None], day_of: Callable[[int], int],
        execution: Execution, facts: list[Fact], intake: Intake | None = None,
    ) -> None:  # fmt: skip
        self._execution, self._facts = execution, facts
        self._seats, self._instruments, self._context, self._ledger = seats, instruments, context, ledger
        self._losses, self._repeated, self._watch, self._guard = losses, repeated, watch, guard
        self._budgeting, self._books, self._mid2, self._positions = budgeting, books, mid2, positions
        self._apply, self._on_day, self._day_of, self._intake = apply, on_day, day_of, intake

    def told(self, run: str, seq: int, ts: int) -> DeskRestored:
        """Return what a desk of the same name needs to go on."""
        ctx, ledger = self._context, self._ledger
        names = {seat.instance for seat in self._seats}
        held = [one for one in ledger.positions() if one.lots]
        equity = ledger.marks.desk()
        return DeskRestored(
            run, seq, ts, None if isinstance(equity, Unknown) else equity,
            tuple(row for row in ledger.balances() if row[0] in names),
            tuple(
                HeldPosition(
                    one.instance, one.instrument, one.lots, ledger.cost(one.instance, one.instrument),
                    one.average or Decimal(0),
                )
                for one in held
            ),
            tuple(
                Price(name, mid2, ctx.books[name].reference_ts)
                for name, mid2 in self._mid2.items() if mid2 is not None
            ),
            ctx.day, ctx.equity_open_nanos, ctx.peak_nanos, ctx.peaks(), self._losses.memory(),
            tuple(SeatDay(one.instance, self._watch.memory(one.instance), one.traded_nanos) for one in self._seats),
            tuple(self._activities()), self._repeated.memory(),
            tuple(islice(ctx.seen, max(0, len(ctx.seen) - KEYS_MAX), None)),
            () if self._books is None else self._books.memory(),
            () if self._intake is None else self._intake.memory(ts),
            tuple(OpenOrder.of(order) for order in self._execution.orders.all_live()),
        )  # fmt: skip

    def on_restored(self, event: Event, memory: DeskRestored) -> None:
        """Take the memory over; raises `ConfigurationRefused` where it holds what this desk does not know."""
        self._require_known(memory)
        ctx, ledger, now = self._context, self._ledger, self._context.now
        ledger.restore(
            memory.balances,
            ((one.instance, one.instrument, one.lots, one.cost, one.average) for one in memory.positions),
        )
        for price in memory.prices:
            if price.instrument in self._instruments:
                self._mid2[price.instrument] = price.mid2
                ledger.marks.mark(price.instrument, price.mid2)
                ctx.mark(price.instrument, price.mid2, False, price.ts)
        for one in memory.positions:
            side = Side.BUY if one.lots > 0 else Side.SELL
            ctx.book_fill(one.instance, one.instrument, side, abs(one.lots), round(one.average) or 1, now)
            self._positions[one.instance][one.instrument] = one.lots
        equity = ledger.marks.desk()
        ctx.restore_day(memory.day, memory.opened, memory.peak, memory.peaks)
        ctx.set_equity(None if isinstance(equity, Unknown) else equity)
        ctx.equity_ts = memory.ts  # nothing opens on a price of before the start
        self._losses.restore(memory.losses)
        disabled = {one.scope.partition(":")[2] for one in self._guard.reasons() if (one.owner, one.code) == DISABLED}
        self._repeated.restore(memory.runs, disabled)
        ctx.seen.update(dict.fromkeys(memory.keys))
        if self._intake is not None:
            for taken in memory.wishes:
                self._intake.restore(taken)
        self._restore_orders(memory)
        self._restore_seats(memory)
        if self._books is not None:
            self._books.restore(memory.books, memory.ts)
        if self._day_of(now) > self._day_of(memory.ts):
            self._on_day()
        self._apply(self._losses.on_equity())
        self._budgeting.renew()
        ctx.equity_ts = memory.ts

    def _require_known(self, memory: DeskRestored) -> None:
        seats = {(seat.instance, seat.instrument_id) for seat in self._seats}
        strange = [f"{one.lots} lots of {one.instrument} in {one.instance}" for one in memory.positions
                   if (one.instance, one.instrument) not in seats]  # fmt: skip
        strange += [f"order {one.client_order_id} of {one.intent.instance}" for one in memory.orders
                    if (one.intent.instance, one.intent.instrument) not in seats]  # fmt: skip
        if strange:
            raise ConfigurationRefused(
                f"{memory.run} left {', '.join(strange)}: name these instances in the document, or give the desk "
                "another name to begin without its memory"
            )

    def _restore_orders(self, memory: DeskRestored) -> None:
        """Hold the capacity of what may have filled, and ask the venue; what was counted at its sending stays so."""
        ctx = self._context
        for one in memory.orders:
            ctx.reserve(one.intent).trade_ts = None
            if one.leaves < one.intent.lots:
                ctx.release(one.intent.intent_id, one.intent.lots - one.leaves)
            ctx.hold_unknown(one.intent.intent_id)
        self._facts += self._execution.restore(memory.orders, ctx.now)

    def _restore_seats(self, memory: DeskRestored) -> None:
        by_name = {seat.instance: seat for seat in self._seats}
        for one in memory.seats:
            seat = by_name.get(one.instance)
            if seat is not None:
                self._watch.restore(one.instance, one.day)
                seat.traded_nanos = one.traded
        venues: dict[str, list[int]] = {}
        for activity in memory.activities:
            seat = by_name.get(activity.instance)
            if seat is None or seat.instrument_id != activity.instrument:
                continue
            holding = self._context.holding_of(activity.instance, activity.instrument)
            for window, openings in ((holding.throttle_buys, activity.buys), (holding.throttle_sells, activity.sells)):
                window.stamps[:] = [ts for ts, _ in openings]
                window.values2[:] = [value2 for _, value2 in openings]
            for ts in activity.messages:
                holding.messages.count(ts)
            venues.setdefault(holding.book.venue, []).extend(activity.messages)
            holding.recent = {(side, lots, price): ts for side, lots, price, ts in activity.recent}
            holding.recent_ts = activity.recent_ts
        for book in self._context.books.values():
            for ts in sorted(venues.pop(book.venue, ())):
                book.messages.count(ts)

    def _activities(self) -> list[Activity]:
        found = []
        for seat in self._seats:
            holding = self._context.holding_of(seat.instance, seat.instrument_id)
            buys, sells = holding.throttle_buys, holding.throttle_sells
            found.append(
                Activity(
                    seat.instance, seat.instrument_id, tuple(zip(buys.stamps, buys.values2, strict=True)),
                    tuple(zip(sells.stamps, sells.values2, strict=True)), _stamps(holding.messages),
                    tuple((int(side), lots, price, ts) for (side, lots, price), ts in holding.recent.items()),
                    holding.recent_ts,
                )
            )  # fmt: skip
        return found


def _stamps(window: MessageWindow) -> Stamps:
    """Return a ring's stamps, oldest first."""
    ring = window.stamps[window.next :] + window.stamps[: window.next]
    return tuple(ts for ts in ring if ts != LONG_AGO)
