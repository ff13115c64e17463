"""The desk day out of the journal: the same day, and the same loss budget, after any restart (AC-01)."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.trading.ledger.accounts import ZERO
from tradeworthy.trading.ledger.bookings import FeeBooked, FlowBooked, FundingBooked, SplitBooked
from tradeworthy.trading.ledger.day import DayRolled, DayState, EquitySampled, nanos
from tradeworthy.trading.ledger.snapshot import AccountingSnapshot, nanos_of
from tradeworthy.trading.model.instrument import Instrument
from tradeworthy.trading.model.order import CancelOrder, FillBooked, SubmitOrder


class DayProjection:
    """Fold journaled events into the days of all instances; nothing else writes them.

    rollover_hour  UTC hour of the policy at which every day rolls
    rates          base currency a unit of another currency; an amount without one is `unvalued` and not guessed
    """

    __slots__ = ("_base", "_instruments", "_orders", "_rates", "_rollover", "days", "unvalued")

    def __init__(
        self, instruments: Mapping[str, Instrument], base_currency: str, *, rollover_hour: int = 0,
        rates: Mapping[str, Decimal] | None = None,
    ) -> None:
        self._instruments, self._base, self._rates = instruments, base_currency, rates or {}
        self._rollover = rollover_hour
        self._orders: dict[str, str] = {}
        self.days: dict[str, DayState] = {}
        self.unvalued: set[str] = set()

    def apply(self, event: Event) -> tuple[DayRolled, ...]:
        """Take one event; return the days that its time ended."""
        return self.take(event.payload, event.ts_init)

    def take(self, booked: Fact, ts: int) -> tuple[DayRolled, ...]:
        """Take one fact of time `ts`; return the days that the time ended."""
        rolled = self._roll(ts)
        match booked:
            case FillBooked():
                self._fill(booked, ts)
            case FeeBooked():
                change = self._value(booked.fee, booked.fee_currency)
                self.day(booked.instance, ts).fees += change
            case FundingBooked():
                self.day(booked.instance, ts).on_funding(self._value(booked.amount, booked.currency))
            case FlowBooked():
                self.day(booked.instance, ts).on_flow(nanos(self._value(booked.amount, booked.currency)))
            case SplitBooked():
                for day in self.days.values():
                    day.on_split(booked.instrument, booked.new, booked.old)
            case AccountingSnapshot():
                equity = nanos_of(booked.equity)
                if equity is not None:
                    self.day(booked.instance, ts).on_equity(ts, equity)
            case EquitySampled(equity=int(known)):
                self.day(booked.instance, ts).on_equity(ts, known)
            case SubmitOrder():
                self.day(booked.instance, ts)
                self._orders[booked.client_order_id] = booked.instance
            case CancelOrder():
                instance = self._orders.pop(booked.client_order_id, None)
                if instance is not None:
                    self.day(instance, ts).on_cancel()
        return rolled

    def _fill(self, booked: FillBooked, ts: int) -> None:
        instrument = self._instruments[booked.instrument]
        day = self.day(booked.instance, ts)
        notional = instrument.notional_nanos(booked.price, booked.lots)
        if instrument.quote != self._base:
            notional = int(notional * self._rate(instrument.quote))
        fee = ZERO if booked.fee is None else self._value(booked.fee, booked.fee_currency)
        day.on_fill(booked, notional if booked.lots > 0 else -notional, fee)

    def day(self, instance: str, ts: int) -> DayState:
        """Return the day of an instance, begun at `ts` where there was none."""
        day = self.days.get(instance)
        if day is None:
            day = self.days[instance] = DayState(instance, self._rollover)
            day.on_time(ts)
        return day

    def _roll(self, ts: int) -> tuple[DayRolled, ...]:
        ended = [day.on_time(ts) for day in self.days.values()]
        return tuple(one for one in ended if one is not None)

    def _value(self, amount: Decimal, currency: str) -> Decimal:
        return amount if currency in ("", self._base) else amount * self._rate(currency)

    def _rate(self, currency: str) -> Decimal:
        rate = self._rates.get(currency)
        if rate is None:
            self.unvalued.add(currency)
            return ZERO
        return rate


def days_of(events: Iterable[Event], projection: DayProjection) -> dict[str, DayState]:
    """Return the days that `events` leave behind."""
    for event in events:
        projection.apply(event)
    return projection.days
