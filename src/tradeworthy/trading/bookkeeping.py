"""The desk's books while it trades: a row and books each minute, books on each fill, the day as it rolls (AC-01)."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.trading.control.guard import Guard
from tradeworthy.trading.execution.orders import WorkingOrders
from tradeworthy.trading.instance_watch import InstanceWatch
from tradeworthy.trading.ledger.day import DayLine, EquitySampled
from tradeworthy.trading.ledger.day_projection import DayProjection
from tradeworthy.trading.ledger.ledger import Ledger
from tradeworthy.trading.ledger.snapshot import AccountingSnapshot, SnapshotPolicy, take_snapshot
from tradeworthy.trading.market_data.quality import MarketQuality
from tradeworthy.trading.minute import MINUTE_NS, minute_row
from tradeworthy.trading.model import NANOS, CancelOrder, FillBooked, Instrument, Timer, Unknown
from tradeworthy.trading.unwinding import applies
from tradeworthy.trading.view import Seat

MINUTE, DAY_ROLL = "minute", "day_roll"
"""Timers at whose firing the rows are told, and the days as they ended."""
WHOLE_DESK = "desk"
"""Under this name the equity of all instances and the reserve together is sampled."""
CANCELS_KEPT = 1_024
"""Cancel stamps kept an instance; a maker's budget is fifty a minute."""


class Bookkeeping:
    """Add books and rows to the outcome in hand. `quality` is None where market data passes unwatched."""

    __slots__ = ("_cancels", "_days", "_equity_ts", "_guard", "_ledger", "_orders", "_policy", "_quality", "_seats",
                 "_watch")  # fmt: skip

    def __init__(
        self, seats: Sequence[Seat], *, instruments: Mapping[str, Instrument], ledger: Ledger, watch: InstanceWatch,
        guard: Guard, orders: WorkingOrders, quality: MarketQuality | None, rollover_hour: int,
        policy: SnapshotPolicy,
    ) -> None:  # fmt: skip
        self._seats = {seat.instance: seat for seat in seats}
        if WHOLE_DESK in self._seats:
            raise ConfigurationRefused(f"an instance may not be called {WHOLE_DESK!r}: the whole desk is")
        self._ledger, self._watch, self._guard, self._orders = ledger, watch, guard, orders
        self._quality, self._policy = quality, policy
        self._days = DayProjection(instruments, ledger.base_currency, rollover_hour=rollover_hour)
        self._equity_ts: dict[str, int] = {}
        self._cancels: dict[str, deque[int]] = {seat.instance: deque(maxlen=CANCELS_KEPT) for seat in seats}

    def memory(self) -> tuple[tuple[DayLine, tuple[tuple[int, int], ...]], ...]:
        """Return each instance's day with the hours of its peaks."""
        return tuple((day.line(), day.peaks()) for day in self._days.days.values())

    def restore(self, memory: Iterable[tuple[DayLine, tuple[tuple[int, int], ...]]], now: int) -> None:
        """Go on with the days that an earlier desk of the same name left."""
        for line, peaks in memory:
            if line.instance in self._seats or line.instance == WHOLE_DESK:
                self._days.day(line.instance, now).restore(line, peaks)

    def close(self, event: Event, facts: list[Fact], now: int) -> None:
        """Show one event's facts and add what they lead to: rolled days, books on a fill, rows at the minute."""
        timer = event.payload.name if isinstance(event.payload, Timer) else None
        if timer == DAY_ROLL:
            self._lines(facts)
        for one in tuple(facts):
            facts += self._days.take(one, now)
            kind = type(one)
            if kind is FillBooked:
                facts.append(self._books(self._seats[one.instance], facts, now))  # type: ignore[attr-defined]
            elif kind is CancelOrder:
                order = self._orders.get(one.client_order_id)  # type: ignore[attr-defined]
                if order is not None:
                    self._cancels[order.instance].append(now)
        if timer == MINUTE:
            for seat in self._seats.values():
                self._minute(seat, facts, now)
            equity = self._ledger.marks.desk()
            sampled = EquitySampled(WHOLE_DESK, None if isinstance(equity, Unknown) else equity)
            facts += (sampled, *self._days.take(sampled, now))

    def _minute(self, seat: Seat, facts: list[Fact], now: int) -> None:
        books, cancels = self._books(seat, facts, now), self._cancels[seat.instance]
        while cancels and now - cancels[0] >= MINUTE_NS:
            cancels.popleft()
        day, quality = self._days.day(seat.instance, now), self._quality
        reasons = tuple(f"{one.owner}.{one.code}" for one in self._guard.reasons() if applies(one.scope, seat))
        facts += (
            books,
            minute_row(
                seat, books, reasons=reasons, turnover=day.turnover, fills=day.fills, cancels=len(cancels),
                stale=None if quality is None else quality.stale(seat.instrument_id),
                withheld=None if quality is None else seat.instrument_id in quality.withheld,
            ),
        )  # fmt: skip

    def _lines(self, facts: list[Fact]) -> None:
        """Tell each instance's day as it ended; the projection begins the next with the next fact it takes."""
        facts += [day.line() for day in self._days.days.values()]

    def _sample(self, instance: str, equity: int | None, facts: list[Fact], now: int) -> None:
        """Tell an instance's equity where it is known, so that the journal alone gives the same day again."""
        if equity is not None:
            sampled = EquitySampled(instance, equity)
            facts += (sampled, *self._days.take(sampled, now))

    def _books(self, seat: Seat, facts: list[Fact], now: int) -> AccountingSnapshot:
        top, instance = seat.top, seat.instance
        basis, age = self._watch.basis(instance), now - top.ts
        if self._days.day(instance, now).equity is None:
            self._sample(instance, basis, facts, now)  # the first day opens with what was lent
        if 0 <= age < self._policy.price_age_ns_max:
            self._sample(instance, self._watch.worth(instance), facts, now)
            self._equity_ts[instance] = now
        mark2 = 2 * top.mark if seat.instrument.perpetual and top.mark is not None else top.mid2
        books = take_snapshot(
            self._ledger, seat.instrument, self._days.day(instance, now), mid2=mark2, price_ts=top.ts or None,
            equity_ts=self._equity_ts.get(instance), now=now, policy=self._policy,
            capital=Decimal(basis or 0) / NANOS,
        )  # fmt: skip
        facts += self._days.take(books, now)
        return books
