"""What can be traded, and the only place where text and Decimal numbers become ticks, lots and nanos."""

from decimal import Decimal, InvalidOperation
from functools import cached_property

import msgspec

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.words import Word

NANOS = 1_000_000_000
"""Money on the hot path is an integer count of 1e-9 currency units."""


class InstrumentKind(Word):
    SPOT = "spot"
    LINEAR_PERP = "linear_perp"
    INVERSE_PERP = "inverse_perp"
    EQUITY = "equity"
    FX = "fx"


class FeeRates(msgspec.Struct, frozen=True):
    """Fractions of notional; a negative rate is a rebate."""

    maker: Decimal
    taker: Decimal


class MarginRates(msgspec.Struct, frozen=True):
    """Fractions of notional."""

    initial: Decimal
    maintenance: Decimal


class Instrument(msgspec.Struct, frozen=True, dict=True):
    """One instrument of one venue (MO-01). Prices are integer ticks, quantities integer lots.

    instrument_id    `SYMBOL.VENUE`
    tick, lot        price of one tick in quote currency, quantity of one lot in base units
    multiplier       quote value of one base unit and one price unit (linear)
    min_notional     in quote currency;  price_band  fraction around the reference, None where unlimited
    funding_hours    UTC hours of funding, empty where there is none
    max_order_lots   RK-06; absent means not tradable
    valid_from/to    nanoseconds UTC, None where unbounded
    """

    symbol: str
    venue: str
    kind: InstrumentKind
    tick: Decimal
    lot: Decimal
    base: str
    quote: str
    fees: FeeRates
    multiplier: Decimal = Decimal(1)
    min_lots: int = 1
    min_notional: Decimal = Decimal(0)
    price_band: Decimal | None = None
    calendar: str = "24/7"
    funding_hours: tuple[int, ...] = ()
    margin: MarginRates | None = None
    max_order_lots: int | None = None
    valid_from: int | None = None
    valid_to: int | None = None

    def __post_init__(self) -> None:
        for name in ("tick", "lot", "multiplier"):
            value = getattr(self, name)
            if not value.is_finite() or value <= 0:
                raise InvalidInput(f"{self.symbol}: {name} must be finite and above zero, was {value}")
        exact = self.tick * self.lot * self.multiplier * NANOS
        if not self.inverse and exact != int(exact):
            raise InvalidInput(f"{self.symbol}: tick x lot x multiplier must be a whole number of 1e-9, was {exact}e-9")

    @cached_property
    def instrument_id(self) -> str:
        return f"{self.symbol}.{self.venue}"

    @property
    def inverse(self) -> bool:
        return self.kind is InstrumentKind.INVERSE_PERP

    @property
    def perpetual(self) -> bool:
        return self.kind in (InstrumentKind.LINEAR_PERP, InstrumentKind.INVERSE_PERP)

    @property
    def settlement(self) -> str:
        """The currency in which profit and fees are settled."""
        return self.base if self.inverse else self.quote

    @cached_property
    def value_nanos(self) -> int:
        """Quote nanos of one lot per tick of price (linear kinds)."""
        return int(self.tick * self.lot * self.multiplier * NANOS)

    def notional_nanos(self, price: int, lots: int) -> int:
        """Return the absolute value in quote nanos of `lots` at `price` ticks (inverse: contracts in quote)."""
        if self.inverse:
            return int(abs(lots) * self.lot * self.multiplier * NANOS)
        return abs(price * lots) * self.value_nanos

    def notional(self, price: int, lots: int) -> Decimal:
        """Return the absolute value in quote currency."""
        return Decimal(self.notional_nanos(price, lots)) / NANOS

    def ticks(self, price: str | Decimal) -> int:
        """Return `price` in ticks; raises `InvalidInput` for a price that is no whole positive tick."""
        return self._whole("price", price, self.tick, positive=True)

    def lots(self, quantity: str | Decimal) -> int:
        """Return `quantity` in lots; raises `InvalidInput` for a quantity that is negative or no whole lot."""
        return self._whole("quantity", quantity, self.lot, positive=False)

    def price(self, ticks: int) -> Decimal:
        return ticks * self.tick

    def quantity(self, lots: int) -> Decimal:
        return lots * self.lot

    def valid_at(self, ts: int) -> bool:
        return (self.valid_from is None or ts >= self.valid_from) and (self.valid_to is None or ts < self.valid_to)

    def _whole(self, name: str, text: str | Decimal, unit: Decimal, *, positive: bool) -> int:
        if isinstance(text, float):  # a float has lost the venue's digits already
            raise InvalidInput(f"{self.symbol}: {name} must come as text or Decimal, was the float {text!r}")
        try:
            value = Decimal(text)
        except InvalidOperation:
            raise InvalidInput(f"{self.symbol}: {name} must be a number, was {text!r}") from None
        if not value.is_finite():
            raise InvalidInput(f"{self.symbol}: {name} must be finite, was {text}")
        units = value / unit
        whole = int(units)
        if whole != units:
            raise InvalidInput(f"{self.symbol}: {name} must be a multiple of {unit}, was {text}")
        if whole < 0 or (positive and whole == 0):
            raise InvalidInput(f"{self.symbol}: {name} must be {'above' if positive else 'at least'} zero, was {text}")
        return whole
