"""The account as the venue keeps it: positions, balances, entry cost."""

from collections import deque
from collections.abc import Mapping
from decimal import Decimal

from tradeworthy.trading.model import Instrument, InstrumentKind
from tradeworthy.trading.model.funding import funding_cash

_CASH = frozenset({InstrumentKind.SPOT, InstrumentKind.EQUITY})
_ZERO = Decimal(0)


class Account:
    """Positions in signed lots, balances by currency. Cash kinds exchange money; the others settle profit.

    funded     False: no capital was declared, so balances are counted from zero and judge nothing
    unsettled  sale proceeds in a balance that cannot be spent yet: (due, currency, amount), oldest first
    """

    __slots__ = ("balances", "entry", "funded", "positions", "unsettled")

    def __init__(self, capital: Mapping[str, Decimal] | None) -> None:
        self.funded = capital is not None
        self.balances: dict[str, Decimal] = dict(capital or {})
        self.positions: dict[str, int] = {}
        self.entry: dict[str, Decimal] = {}
        self.unsettled: deque[tuple[int, str, Decimal]] = deque()

    def book(self, instrument: Instrument, signed: int, price: int, fee: Decimal) -> None:
        """Book a fill of `signed` lots at `price` ticks and its fee in the settlement currency."""
        name = instrument.instrument_id
        before = self.positions.get(name, 0)
        after = before + signed
        self.positions[name] = after
        if instrument.kind in _CASH:
            value = instrument.notional(price, signed)
            self.add(instrument.quote, (-value if signed > 0 else value) - fee)
            if instrument.kind is InstrumentKind.SPOT:
                self.add(instrument.base, instrument.quantity(signed))
            return
        entry = self.entry.get(name, _ZERO)
        closed = min(abs(before), abs(signed)) if before * signed < 0 else 0
        if closed:
            self.add(instrument.settlement, profit(instrument, closed if before > 0 else -closed, entry, price) - fee)
            if after * before < 0:
                self.entry[name] = Decimal(price)
            elif not after:
                self.entry.pop(name, None)
            return
        self.add(instrument.settlement, -fee)
        if instrument.inverse and before:
            self.entry[name] = after / (before / entry + Decimal(signed) / price)
        else:
            self.entry[name] = (entry * before + Decimal(price * signed)) / after

    def add(self, currency: str, amount: Decimal) -> None:
        """Change one balance."""
        self.balances[currency] = self.balances.get(currency, _ZERO) + amount

    def settle(self, ts: int) -> None:
        """Free the proceeds whose settlement has come."""
        while self.unsettled and self.unsettled[0][0] <= ts:
            self.unsettled.popleft()

    def spendable(self, currency: str) -> Decimal:
        """Return the balance less what has not settled."""
        held = self.balances.get(currency, _ZERO)
        for _, of, amount in self.unsettled:
            if of == currency:
                held -= amount
        return held

    def unrealized(self, instrument: Instrument, price: int) -> Decimal:
        """Return the open profit at `price` ticks; zero for cash kinds, whose value is no wallet."""
        name = instrument.instrument_id
        lots = self.positions.get(name, 0)
        if not lots or instrument.kind in _CASH:
            return _ZERO
        return profit(instrument, lots, self.entry[name], price)

    def fund(self, instrument: Instrument, mark: int, rate: Decimal) -> Decimal:
        """Book a funding time and return its cash."""
        cash = funding_cash(instrument, self.positions.get(instrument.instrument_id, 0), mark, rate)
        self.add(instrument.settlement, cash)
        return cash


def profit(instrument: Instrument, lots: int, entry: Decimal, price: int) -> Decimal:
    """Return the profit of signed `lots` from `entry` to `price` (ticks) in the settlement currency."""
    size = instrument.quantity(lots) * instrument.multiplier
    if instrument.inverse:
        return size * (1 / (entry * instrument.tick) - 1 / (price * instrument.tick))
    return size * (price - entry) * instrument.tick
