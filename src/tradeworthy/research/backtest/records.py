"""What a run leaves for its report: a fold over the journal's events, exact in its totals, bounded in its curves."""

from collections import Counter, deque
from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.research.backtest.fills import FillRecord, MidWatch
from tradeworthy.research.backtest.series import Series
from tradeworthy.research.backtest.statistics import HoldingQueue
from tradeworthy.trading.ledger.bookings import FeeBooked, FundingBooked
from tradeworthy.trading.model.instrument import NANOS, Instrument
from tradeworthy.trading.model.market import Bar, Quote
from tradeworthy.trading.model.order import (
    TERMINAL,
    ApprovedIntent,
    CancelOrder,
    FillBooked,
    OrderChanged,
    OrderType,
    Refused,
    SubmitOrder,
)
from tradeworthy.trading.model.state import Abstained, GuardChanged

POINTS_MAX = 4000
FILLS_MAX = 100_000
"""Fills kept one by one for intervals and tables; totals count all."""
QUOTES_MAX = 4000
GUARD_CHANGES_MAX = 1000
CLOSED_ORDERS_MAX = 4096
"""Orders remembered after their end, for a fill that is booked after the order's last state."""
HALF_NANOS = 2 * NANOS
"""Doubled mids times whole nanos a tick give money in halves of a nano: exact."""


class OwnQuote:
    """One limit order on the market: price in ticks from `start` to `end` (None while it works)."""

    __slots__ = ("end", "price", "side", "start")

    def __init__(self, start: int, side: int, price: int) -> None:
        self.start = start
        self.end: int | None = None
        self.side = side
        self.price = price


class OrderRecord:
    """A submitted order until some time after its end."""

    __slots__ = ("filled", "level", "lots", "quote")

    def __init__(self, lots: int, level: int | None, quote: OwnQuote | None) -> None:
        self.lots = lots
        self.level = level
        self.quote = quote
        self.filled = 0


class InstanceRecord:
    """One instance's totals in quote currency: trade cash in half nanos, signed lots by instrument."""

    __slots__ = ("cash2", "fees", "fills", "funding", "positions")

    def __init__(self) -> None:
        self.cash2 = 0
        self.fees = Decimal(0)
        self.funding = Decimal(0)
        self.fills = 0
        self.positions: dict[str, int] = {}


class InstrumentRecord:
    """One instrument's market and position; mids are doubled ticks, money is in half nanos."""

    __slots__ = (
        "_keep_every", "_quotes_seen", "captured2", "funding", "instrument", "inventory", "inventory2", "mid2",
        "position", "price", "quoted", "quotes", "spread", "value", "watch",
    )

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.value = instrument.value_nanos
        self.mid2 = 0
        self.spread = 0
        self.quoted = False
        self.position = 0
        self.captured2 = 0
        self.inventory2 = 0
        self.funding = Decimal(0)
        self.watch = MidWatch()
        self.price = Series(POINTS_MAX)
        self.inventory = Series(POINTS_MAX)
        self.quotes: list[OwnQuote] = []
        self._quotes_seen = 0
        self._keep_every = 1

    def keep_quote(self, quote: OwnQuote) -> None:
        """Keep an even sample of at most `QUOTES_MAX` own quotes."""
        if self._quotes_seen % self._keep_every == 0:
            if len(self.quotes) >= QUOTES_MAX:
                del self.quotes[1::2]
                self._keep_every *= 2
            self.quotes.append(quote)
        self._quotes_seen += 1


class RunRecords:
    """Fold a journal into curves and totals, event by event.

    instruments   by instrument id; linear kinds that settle in one currency, the base currency of `capital`

    Equity is capital + captured spread + inventory move - fees + funding, exactly. Captured spread is counted against
    the quoted mid at the fill; without quotes (bars only) all of it is inventory move. Raises `InvalidInput` for
    inverse instruments or several currencies. Call `finish` after the last event.
    """

    def __init__(self, instruments: Mapping[str, Instrument], capital: Decimal) -> None:
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
        self.now = self.start = 0
        self.events = 0
        self.equity2 = self.peak2 = int(capital * HALF_NANOS)
        self.peak_ts = 0
        self.drawdown = 0.0
        self.drawdown_length_ns = 0
        self.equity = Series(POINTS_MAX)
        self.days: list[tuple[int, int]] = []
        self.fees = Decimal(0)
        self.fees_unknown = 0
        self.restatements = 0
        self.traded = Decimal(0)
        self.gains = Decimal(0)
        self.losses = Decimal(0)
        self.closes = self.wins = 0
        self.fill_count = self.maker_count = 0
        self.fills: list[FillRecord] = []
        self.held_lot_ns = self.held_lots = self.held_ns_max = 0
        self.exposed_ns = 0
        self.orders = self.cancels = self.orders_filled = 0
        self.lots_ordered = self.lots_filled = 0
        self.refusals: Counter[str] = Counter()
        self.abstentions: Counter[str] = Counter()
        self.guard_changes: list[tuple[int, GuardChanged]] = []
        self.guard_change_count = 0
        self._trough2 = self.equity2
        self._day_end = 0
        self._exposed_since = 0
        self._exposed = 0
        self._holdings: dict[tuple[str, str], HoldingQueue] = {}
        self._levels: dict[str, int] = {}
        self._working: dict[str, OrderRecord] = {}
        self._closed: deque[str] = deque()
        self._finished = False
        self._handlers: dict[type[Fact], Callable[[int, Any], None]] = {
            Quote: self._quote, Bar: self._bar, FundingBooked: self._funding, FeeBooked: self._late_fee,
            FillBooked: self._fill,
            ApprovedIntent: self._approved, SubmitOrder: self._submit, CancelOrder: self._cancel,
            OrderChanged: self._changed, Refused: self._refused, Abstained: self._abstained,
            GuardChanged: self._guard,
        }

    def on_event(self, event: Event) -> None:
        """Take up one event in journal order; kinds that the report does not need only move the time."""
        ts = event.ts_event
        if ts > self.now:
            if ts >= self._day_end:
                self._roll(ts)
            self.now = ts
        self.events += 1
        handler = self._handlers.get(type(event.payload))
        if handler is not None:
            handler(ts, event.payload)

    def finish(self) -> None:
        """Close the last day, the exposure and every horizon that has ended; a second call changes nothing."""
        if self._finished or not self.events:
            return
        self._finished = True
        for record in self.instruments.values():
            if record.quoted:
                record.watch.settle(self.now + 1, record.mid2)
            record.inventory.add(self.now, record.position)
        if self._exposed:
            self.exposed_ns += self.now - self._exposed_since
        if self.equity2 < self.peak2:
            self.drawdown_length_ns = max(self.drawdown_length_ns, self.now - self.peak_ts)
        self.equity.add(self.now, self.equity2)
        self.days.append((self.now // NANOS_PER_DAY, self.equity2))

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
        """Funding received less paid, in base currency."""
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

    def daily_returns(self) -> list[float]:
        """Return simple returns of the days' closing equity (UTC), the first from the capital."""
        levels = [int(self.capital * HALF_NANOS), *(equity for _, equity in self.days)]
        return [after / before - 1 for before, after in pairwise(levels) if before > 0]

    def _roll(self, ts: int) -> None:
        day = ts // NANOS_PER_DAY
        if self._day_end:
            self.days.append((self._day_end // NANOS_PER_DAY - 1, self.equity2))
        else:
            self.start = self.peak_ts = ts
            self.equity.add(ts, self.equity2)
        self._day_end = (day + 1) * NANOS_PER_DAY

    def _quote(self, ts: int, quote: Quote) -> None:
        record = self.instruments.get(quote.instrument)
        if record is None or quote.bid <= 0 or quote.ask <= 0:
            return
        if ts > record.watch.due and record.quoted:
            record.watch.settle(ts, record.mid2)
        record.quoted = True
        record.spread = quote.ask - quote.bid
        mid2 = quote.bid + quote.ask
        if mid2 != record.mid2:
            self._move(ts, record, mid2)
            record.price.add(ts, mid2)

    def _bar(self, ts: int, bar: Bar) -> None:
        record = self.instruments.get(bar.instrument)
        if record is None or record.quoted:  # quotes know the mid better than a bar's close
            return
        self._move(ts, record, 2 * bar.close)
        price = record.price
        price.add(ts, 2 * bar.low)
        price.add(ts, 2 * bar.high)
        price.add(ts, 2 * bar.close)

    def _move(self, ts: int, record: InstrumentRecord, mid2: int) -> None:
        if record.position:
            gain2 = record.position * (mid2 - record.mid2) * record.value
            record.inventory2 += gain2
            self._gain(ts, gain2)
        record.mid2 = mid2

    def _gain(self, ts: int, gain2: int) -> None:
        equity2 = self.equity2 = self.equity2 + gain2
        if equity2 >= self.peak2:
            if self._trough2 < self.peak2:
                self.drawdown_length_ns = max(self.drawdown_length_ns, ts - self.peak_ts)
            self.peak2 = self._trough2 = equity2
            self.peak_ts = ts
        elif equity2 < self._trough2:
            self._trough2 = equity2
            self.drawdown = max(self.drawdown, 1 - equity2 / self.peak2)
        self.equity.add(ts, equity2)

    def _funding(self, ts: int, booked: FundingBooked) -> None:
        record = self.instruments.get(booked.instrument)
        if record is not None:
            record.funding += booked.amount
            self.instances.setdefault(booked.instance, InstanceRecord()).funding += booked.amount
            self._gain(ts, int(booked.amount * HALF_NANOS))

    def _late_fee(self, ts: int, booked: FeeBooked) -> None:
        """Take up a fee that came after its fill; one in a third currency stays unknown."""
        if booked.fee_currency == self.currency:
            self.fees_unknown -= 1
            self.fees += booked.fee
            self.instances.setdefault(booked.instance, InstanceRecord()).fees += booked.fee
            self._gain(ts, -int(booked.fee * HALF_NANOS))

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
        self._expose(ts, record.position, record.position + signed)
        record.position += signed
        record.inventory.add(ts, record.position)
        if fee is None:
            self.fees_unknown += 1
        else:
            self.fees += fee
            instance.fees += fee
        self._gain(ts, captured2 - int((fee or 0) * HALF_NANOS))
        if fill.lots <= 0:  # a bust or correction moves the money but is no fill of its own
            self.restatements += 1
            return
        self._count(ts, fill, signed)
        order = self._working.get(fill.client_order_id)
        if order is not None:
            self.orders_filled += order.filled == 0
            order.filled += fill.lots
        notional = record.instrument.notional(fill.price, fill.lots)
        self.traded += notional
        if len(self.fills) < FILLS_MAX:
            kept = FillRecord(
                ts=ts, instrument=fill.instrument, instance=fill.instance, side=fill.side, lots=fill.lots,
                price=fill.price, liquidity=fill.liquidity, notional=notional, fee=fee, realized=fill.realized,
                level=None if order is None else order.level, mid2=record.mid2 if record.quoted else None,
                spread=record.spread if record.quoted else None,
            )
            self.fills.append(kept)
            record.watch.add(kept)

    def _fee(self, instrument: Instrument, fill: FillBooked) -> Decimal | None:
        if fill.fee is None or fill.fee_currency == self.currency or not fill.fee:
            return fill.fee
        return fill.fee * instrument.price(fill.price) if fill.fee_currency == instrument.base else None

    def _count(self, ts: int, fill: FillBooked, signed: int) -> None:
        self.fill_count += 1
        self.maker_count += fill.liquidity.value == "maker"
        self.lots_filled += fill.lots
        closed = self._holdings.setdefault((fill.instance, fill.instrument), HoldingQueue()).add(ts, signed)
        for nanos, lots in closed:
            self.held_lot_ns += nanos * lots
            self.held_lots += lots
            self.held_ns_max = max(self.held_ns_max, nanos)
        if closed:
            self.closes += 1
            if fill.realized > 0:
                self.wins += 1
                self.gains += fill.realized
            else:
                self.losses -= fill.realized

    def _expose(self, ts: int, before: int, after: int) -> None:
        if before == 0 and after:
            if self._exposed == 0:
                self._exposed_since = ts
            self._exposed += 1
        elif before and after == 0:
            self._exposed -= 1
            if self._exposed == 0:
                self.exposed_ns += ts - self._exposed_since

    def _approved(self, ts: int, approved: ApprovedIntent) -> None:
        self._levels[approved.intent.intent_id] = approved.intent.level
        if len(self._levels) > CLOSED_ORDERS_MAX:  # approvals that never became an order
            del self._levels[next(iter(self._levels))]

    def _submit(self, ts: int, order: SubmitOrder) -> None:
        self.orders += 1
        self.lots_ordered += order.lots
        quote = None
        if order.type is OrderType.LIMIT and order.price is not None:
            quote = OwnQuote(ts, order.side, order.price)
            record = self.instruments.get(order.instrument)
            if record is not None:
                record.keep_quote(quote)
        self._working[order.client_order_id] = OrderRecord(order.lots, self._levels.pop(order.intent_id, None), quote)

    def _cancel(self, ts: int, cancel: CancelOrder) -> None:
        self.cancels += 1

    def _changed(self, ts: int, change: OrderChanged) -> None:
        if change.after not in TERMINAL:
            return
        order = self._working.get(change.client_order_id)
        if order is None:
            return
        if order.quote is not None:
            order.quote.end = ts
        self._closed.append(change.client_order_id)
        if len(self._closed) > CLOSED_ORDERS_MAX:
            self._working.pop(self._closed.popleft(), None)

    def _refused(self, ts: int, refused: Refused) -> None:
        self.refusals[refused.code] += 1

    def _abstained(self, ts: int, abstained: Abstained) -> None:
        self.abstentions[abstained.code] += 1

    def _guard(self, ts: int, change: GuardChanged) -> None:
        self.guard_change_count += 1
        if len(self.guard_changes) < GUARD_CHANGES_MAX:
            self.guard_changes.append((ts, change))
