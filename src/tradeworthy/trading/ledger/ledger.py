"""The ledger: a fold of fills, fees, funding, flows and corporate actions into accounts and positions."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction

import msgspec

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.ids import digest_of
from tradeworthy.trading.ledger.accounts import ZERO, Account, Accounts, Entry, plain
from tradeworthy.trading.ledger.average_cost import AverageCost
from tradeworthy.trading.ledger.bookings import (
    BorrowBooked,
    DividendBooked,
    FeeBooked,
    FlowBooked,
    FlowKind,
    FundingBooked,
    SplitBooked,
)
from tradeworthy.trading.ledger.history import FillHistory
from tradeworthy.trading.ledger.marks import EquityMarks
from tradeworthy.trading.model.instrument import Instrument, InstrumentKind
from tradeworthy.trading.model.market import Side
from tradeworthy.trading.model.order import Fill, FillBooked, Liquidity, Position
from tradeworthy.trading.model.state import Unknown

_CASH, _POSITION, _FEE, _REALISED = (
    int(Account.CASH), int(Account.POSITION), int(Account.FEE), int(Account.REALISED),
)  # fmt: skip
_HELD = frozenset({InstrumentKind.SPOT, InstrumentKind.EQUITY, InstrumentKind.FX})
"""Kinds whose base is held as an asset; the others are contracts against a wallet."""


class _Book:
    """One position with what its fills need at hand."""

    __slots__ = ("base", "cost", "held", "history", "instrument", "lot", "settlement")

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.held = instrument.kind in _HELD
        self.base, self.settlement, self.lot = instrument.base, instrument.settlement, instrument.lot
        self.cost = AverageCost(instrument)
        self.history = FillHistory(instrument)


class Ledger:
    """Accounts and positions of every instance; nothing else writes them (LG-11).

    instruments    by instrument id
    base_currency  the currency in which the desk's equity is told
    """

    def __init__(self, instruments: Mapping[str, Instrument], base_currency: str) -> None:
        self._instruments = instruments
        self.base_currency = base_currency
        self.accounts = Accounts()
        self.marks = EquityMarks(instruments, base_currency)
        self._books: dict[tuple[str, str], _Book] = {}
        self._estimated: dict[str, tuple[str, str, str, Decimal]] = {}  # fill key -> instance, instrument, asset, fee

    def book(self, fill: Fill, mid2: int | None) -> FillBooked:
        """Book one fill and return what it did.

        mid2  twice the mid in ticks at the fill, None where it is not known

        A fee that the venue has not told is booked by the instrument's rate and stays `estimated` until `settle_fee`.
        """
        book = self._book(fill.instance, fill.instrument)
        signed = fill.lots if fill.side is Side.BUY else -fill.lots
        cost = book.cost
        before = cost.cost
        realized = cost.trade(signed, fill.price)
        self._post_trade(fill.instance, book, signed, cost.cost - before, realized)
        fee, asset = fill.fee, fill.fee_currency or book.settlement
        if fee is None:
            fee = self._estimate(fill, book.instrument)
            self._estimated[_key(fill)] = (fill.instance, fill.instrument, asset, fee)
        if fee:
            self._move(fill.instance, asset, _FEE, -fee)
        book.history.add(fill, realized, fee, asset)
        return FillBooked(
            fill.trade_id, fill.client_order_id, fill.instance, fill.instrument, fill.side, fill.lots, fill.price,
            fill.liquidity, realized, fill.fee, asset, cost.lots, cost.average,
            None if mid2 is None else Decimal(mid2) / 2,
        )  # fmt: skip

    def bust(self, fill: Fill, mid2: int | None) -> FillBooked:
        """Reverse the fill of this order and trade id: the position is what it were without it, the fee comes back.

        The result carries the lots reversed as a negative number, and the change of realised profit.
        Raises `InvalidInput` for a fill that was never booked.
        """
        return self._restate(fill, None, mid2)

    def correct(self, fill: Fill, mid2: int | None) -> FillBooked:
        """Replace lots, price and (where told) fee of a booked fill; the result carries the change in lots."""
        return self._restate(fill, fill, mid2)

    def settle_fee(self, fill: Fill, fee: Decimal, fee_currency: str) -> FeeBooked:
        """Replace an estimated fee by the one that the venue told; raises `InvalidInput` where none was estimated."""
        key = _key(fill)
        if key not in self._estimated:
            raise InvalidInput(f"an estimated fee was expected for {key}, found none")
        instance, _, asset, estimate = self._estimated.pop(key)
        self._move(instance, asset, _FEE, estimate)
        self._move(instance, fee_currency, _FEE, -fee)
        self._book(fill.instance, fill.instrument).history.set_fee(fill, fee, fee_currency)
        return FeeBooked(fill.trade_id, fill.client_order_id, instance, fill.instrument, fee, fee_currency, estimate)

    def funding(self, instance: str, instrument: str, rate: Decimal, mark2: int) -> FundingBooked:
        """Book one funding time: longs pay `rate` of the position's value at the mark, shorts receive it (LG-05)."""
        book = self._book(instance, instrument)
        if not book.instrument.perpetual:
            raise InvalidInput(f"{instrument} is {book.instrument.kind.value}: only a perpetual pays funding")
        value = abs(book.cost.value(mark2, book.cost.lots))
        amount = -rate * (value if book.cost.lots > 0 else -value)
        self._move(instance, book.settlement, Account.FUNDING, amount)
        return FundingBooked(instance, instrument, rate, amount, book.settlement)

    def flow(self, instance: str, currency: str, amount: Decimal, kind: FlowKind) -> FlowBooked:
        """Book money that came (positive) or went: never profit, drawdown or return (LG-07)."""
        self._move(instance, currency, Account.TRANSFER, amount)
        return FlowBooked(instance, currency, amount, kind)

    def transfer(self, source: str, target: str, currency: str, amount: Decimal) -> tuple[FlowBooked, FlowBooked]:
        """Move money between two instances."""
        return (
            self.flow(source, currency, -amount, FlowKind.TRANSFER),
            self.flow(target, currency, amount, FlowKind.TRANSFER),
        )

    def borrow(self, instance: str, currency: str, cost: Decimal) -> BorrowBooked:
        """Book what borrowing an asset cost."""
        self._move(instance, currency, Account.BORROW, -cost)
        return BorrowBooked(instance, currency, cost)

    def split(self, instrument: str, new: int, old: int) -> SplitBooked:
        """Scale every position of an instrument by new : old; its value stays (LG-08)."""
        ratio = Fraction(new, old)
        held = [(owner, book) for (owner, name), book in self._books.items() if name == instrument]
        for _, book in held:
            book.cost.copy().split(ratio)  # refuse part lots before anything moved
        for owner, book in held:
            before = book.cost.lots
            book.cost.split(ratio)
            book.history.split(ratio)
            if book.held:
                added = (book.cost.lots - before) * book.lot
                self._move(owner, book.base, _POSITION, added)
        return SplitBooked(instrument, new, old)

    def dividend(self, instance: str, instrument: str, per_unit: Decimal) -> DividendBooked:
        """Book a cash dividend on its pay date; a short position pays it."""
        book = self._book(instance, instrument)
        amount = per_unit * book.cost.lots * book.lot
        self._move(instance, book.settlement, Account.DIVIDEND, amount)
        return DividendBooked(instance, instrument, per_unit, amount, book.settlement)

    def repeat(self, booked: FundingBooked | FlowBooked | BorrowBooked | DividendBooked) -> None:
        """Book again what the journal says was booked, by its recorded amount (LG-11)."""
        match booked:
            case FundingBooked():
                self._book(booked.instance, booked.instrument)
                self._move(booked.instance, booked.currency, Account.FUNDING, booked.amount)
            case FlowBooked():
                self._move(booked.instance, booked.currency, Account.TRANSFER, booked.amount)
            case BorrowBooked():
                self._move(booked.instance, booked.currency, Account.BORROW, -booked.cost)
            case DividendBooked():
                self._book(booked.instance, booked.instrument)
                self._move(booked.instance, booked.currency, Account.DIVIDEND, booked.amount)

    def balances(self) -> list[tuple[str, str, str, Decimal]]:
        """Return `(instance, currency, account, balance)` of every account that is not zero, sorted."""
        return [(owner, currency, name, Decimal(text)) for owner, currency, name, text in self.accounts.rows()]

    def restore(
        self, balances: Iterable[tuple[str, str, str, Decimal]],
        positions: Iterable[tuple[str, str, int, Decimal, Decimal]],
    ) -> None:
        """Take over what an earlier ledger held of instances that this one does not know: AC-01's day goes on.

        positions  instance, instrument, signed lots, their cost in the settlement currency, average in ticks
        """
        entries: dict[tuple[str, str], list[Entry]] = {}
        for instance, currency, name, amount in balances:
            entries.setdefault((instance, currency), []).append((Account[name.upper()], amount))
        for (instance, currency), posted in entries.items():
            self.accounts.post(instance, currency, *posted)
            cash = self.accounts.balance(instance, currency, Account.CASH)
            if cash:
                self.marks.money(instance, currency, cash)
        for instance, instrument, lots, cost, average in positions:
            book = self._book(instance, instrument)
            book.cost.restore(lots, cost, average)
            book.history.restore(lots, cost, average)
            if not book.held:
                self.marks.contract(instance, book.instrument, lots, cost)

    def booked(self, instance: str, instrument: str, trade_id: str) -> bool:
        """Tell whether a trade is among the fills that were booked since the start, under whatever order."""
        book = self._books.get((instance, instrument))
        return book is not None and book.history.holds(trade_id)

    def lots(self, instance: str, instrument: str) -> int:
        book = self._books.get((instance, instrument))
        return 0 if book is None else book.cost.lots

    def position(self, instance: str, instrument: str) -> Position:
        book = self._books.get((instance, instrument))
        if book is None:
            return Position(instance, instrument, 0, None)
        return Position(instance, instrument, book.cost.lots, book.cost.average)

    def cost(self, instance: str, instrument: str) -> Decimal:
        """Return what is held has cost, signed like the lots, in the settlement currency."""
        book = self._books.get((instance, instrument))
        return ZERO if book is None else book.cost.cost

    def positions(self) -> tuple[Position, ...]:
        """Return every position that was ever opened, by instance and instrument."""
        return tuple(self.position(*key) for key in sorted(self._books))

    def cash(self, instance: str, currency: str) -> Decimal:
        """Return what is held of a currency or asset, after fees paid in it."""
        return self.accounts.balance(instance, currency, Account.CASH)

    def realized(self, instance: str, currency: str) -> Decimal:
        """Return realised profit, gross of fees; `fees` gives what they cost."""
        return -self.accounts.balance(instance, currency, Account.REALISED)

    def fees(self, instance: str, currency: str) -> Decimal:
        return self.accounts.balance(instance, currency, Account.FEE)

    def estimated_fees(self) -> int:
        """Return how many fills wait for their fee."""
        return len(self._estimated)

    def unrealized(self, instance: str, instrument: str, mark2: int | None) -> Decimal | Unknown:
        """Return the profit of the open position at twice the mark (perp) or mid (spot), settlement currency."""
        book = self._books.get((instance, instrument))
        if book is None or book.cost.lots == 0:
            return ZERO
        if mark2 is None:
            return Unknown(f"no mark of {instrument}")
        return book.cost.value(mark2, book.cost.lots) - book.cost.cost

    def equity(
        self, instance: str, marks2: Mapping[str, int | None], rates: Mapping[str, Decimal]
    ) -> Decimal | Unknown:
        """Return the instance's equity in the base currency (LG-06).

        marks2  twice the mid (spot) or mark (perp) in ticks; a stale one is absent
        rates   base currency a unit of another currency; an asset held by a spot position needs none

        A missing mark or rate makes the equity unknown.
        """
        wealth: dict[str, Decimal] = {}
        valued: dict[str, Decimal] = {}  # base asset -> quote value of one unit, and in which quote
        quotes: dict[str, str] = {}
        for currency in self.accounts.currencies(instance):
            wealth[currency] = self.cash(instance, currency)
        for (owner, instrument_id), book in self._books.items():
            if owner != instance:
                continue
            mark2 = marks2.get(instrument_id)
            if book.held:
                if mark2 is not None:
                    valued[book.base] = mark2 * book.instrument.tick * book.instrument.multiplier / 2
                    quotes[book.base] = book.settlement
                continue
            open_profit = self.unrealized(instance, instrument_id, mark2)
            if isinstance(open_profit, Unknown):
                return open_profit
            wealth[book.settlement] = wealth.get(book.settlement, ZERO) + open_profit
        for asset in sorted(quotes):
            if wealth.get(asset) and asset != self.base_currency:
                quote = quotes[asset]
                wealth[quote] = wealth.get(quote, ZERO) + wealth.pop(asset) * valued[asset]
        total = ZERO
        for currency, amount in wealth.items():
            if not amount or currency == self.base_currency:
                total += amount
            elif currency in rates:
                total += amount * rates[currency]
            else:
                return Unknown(f"no rate of {currency} in {self.base_currency}")
        return total

    def state_hash(self) -> str:
        """Return the SHA-256 of all balances, positions and estimated fees in canonical order (LG-11)."""
        positions = [
            (owner, name, book.cost.lots, plain(book.cost.cost))
            for (owner, name), book in sorted(self._books.items(), key=lambda item: item[0])
        ]
        estimated = sorted((key, asset, plain(fee)) for key, (_, _, asset, fee) in self._estimated.items())
        return digest_of(msgspec.json.encode([self.accounts.rows(), positions, estimated]).decode())

    def _book(self, instance: str, instrument: str) -> _Book:
        book = self._books.get((instance, instrument))
        if book is None:
            if instrument not in self._instruments:
                raise InvalidInput(f"an instrument of the catalogue was expected, found {instrument!r}")
            book = self._books[(instance, instrument)] = _Book(self._instruments[instrument])
        return book

    def _post_trade(
        self, instance: str, book: _Book, signed: int, cost: Decimal, realized: Decimal
    ) -> None:
        """Post a trade: held kinds swap cash for the asset, contracts move the wallet by what was realised."""
        marks = self.marks
        if book.held:
            quantity = signed * book.lot
            value = cost - realized  # what was paid: the cost that changed, less the profit that came with it
            self.accounts.post(
                instance, book.settlement, (_CASH, -value), (_POSITION, cost), (_REALISED, -realized)
            )
            self.accounts.post(instance, book.base, (_CASH, quantity), (_POSITION, -quantity))
            marks.money(instance, book.settlement, -value)
            marks.money(instance, book.base, quantity)
            return
        if realized:
            self._move(instance, book.settlement, _REALISED, realized)
        marks.contract(instance, book.instrument, signed, cost)

    def _move(self, instance: str, currency: str, account: int, amount: Decimal) -> None:
        """Bring `amount` into cash from `account`."""
        self.accounts.post(instance, currency, (_CASH, amount), (account, -amount))
        self.marks.money(instance, currency, amount)

    def _restate(self, fill: Fill, replacement: Fill | None, mid2: int | None) -> FillBooked:
        book = self._book(fill.instance, fill.instrument)
        restated = book.history.restate(fill, replacement)
        old, new = book.cost, restated.cost
        lots_change = new.lots - old.lots
        book.cost = new
        self._post_trade(fill.instance, book, lots_change, new.cost - old.cost, restated.realized)
        before, after = restated.before, restated.after
        if (before.fee, before.asset) != (after.fee, after.asset):
            if before.fee:
                self._move(fill.instance, before.asset, _FEE, before.fee)
            if after.fee:
                self._move(fill.instance, after.asset, _FEE, -after.fee)
            self._estimated.pop(_key(fill), None)
        fee = after.fee - before.fee if before.asset == after.asset else after.fee
        lots = after.lots - before.lots
        return FillBooked(
            fill.trade_id, fill.client_order_id, fill.instance, fill.instrument, fill.side, lots,
            fill.price, fill.liquidity, restated.realized, fee, after.asset, new.lots, new.average,
            None if mid2 is None else Decimal(mid2) / 2,
        )  # fmt: skip

    def _estimate(self, fill: Fill, instrument: Instrument) -> Decimal:
        rates = instrument.fees
        rate = rates.maker if fill.liquidity is Liquidity.MAKER else rates.taker
        return abs(AverageCost(instrument).value(2 * fill.price, fill.lots)) * rate


def _key(fill: Fill) -> str:
    return f"{fill.client_order_id}:{fill.trade_id}"
