"""Average cost of one position: what an addition costs, what a reduction realises (LG-02).

Linear kinds count cost in integer quote nanos. Inverse contracts are worth `lots / price` of the base currency, so
their cost is a Decimal in units of contract value a tick, and the average is the harmonic mean weighted by contracts.
"""

from decimal import Decimal
from fractions import Fraction

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.trading.model.instrument import NANOS, Instrument

INVERSE_QUANTUM = Decimal("1e-18")
"""Inverse cost and profit are kept to this fraction of the base currency."""
_ZERO = Decimal(0)
_NANO = Decimal("1e-9")


class AverageCost:
    """Signed `lots` with the cost of what is held: signed like the lots; `average` in ticks, None when flat."""

    __slots__ = ("_face", "_inverse", "_tick", "_value", "average", "cost", "lots")

    def __init__(self, instrument: Instrument) -> None:
        self._inverse = instrument.inverse
        self._value = 0 if instrument.inverse else instrument.value_nanos
        self._face = instrument.lot * instrument.multiplier  # quote value of one inverse lot
        self._tick = instrument.tick
        self.lots = 0
        self.cost: Decimal = _ZERO
        self.average: Decimal | None = None

    def copy(self) -> "AverageCost":
        twin = object.__new__(AverageCost)
        twin._inverse, twin._value, twin._face, twin._tick = self._inverse, self._value, self._face, self._tick
        twin.lots, twin.cost, twin.average = self.lots, self.cost, self.average
        return twin

    def restore(self, lots: int, cost: Decimal, average: Decimal) -> None:
        """Hold `lots` that cost `cost`, as an earlier desk did."""
        self.lots, self.cost, self.average = lots, cost, average if lots else None

    def value(self, price2: int, lots: int) -> Decimal:
        """Return the signed value of `lots` at twice a price: quote currency, inverse minus the base currency.

        An inverse contract is short the base currency's price of itself, hence the sign: it makes profit the
        difference of two values for every kind.
        """
        if self._inverse:
            return (-2 * lots * self._face / (price2 * self._tick)).quantize(INVERSE_QUANTUM)
        return lots * price2 * self._value * _NANO / 2

    def trade(self, signed_lots: int, price: int) -> Decimal:
        """Fold one fill and return what it realised, in the settlement currency."""
        lots = self.lots
        if lots == 0 or (lots > 0) == (signed_lots > 0):
            self.cost += self.value(2 * price, signed_lots)
            self.lots = lots + signed_lots
            self.average = self._mean()
            return _ZERO
        left = lots + signed_lots
        if left == 0 or (left > 0) == (lots > 0):  # a reduction: the average stays
            share = self._share(-signed_lots)
            self.cost -= share
            self.lots = left
            if left == 0:
                self.average = None
            return self.value(2 * price, -signed_lots) - share
        realized = self.value(2 * price, lots) - self.cost  # through zero: all is closed, the rest opens anew
        self.lots, self.cost = left, self.value(2 * price, left)
        self.average = Decimal(price)
        return realized

    def split(self, ratio: Fraction) -> None:
        """Scale the lots by `ratio`; cost stays, the average falls with it. Raises `InvalidInput` for part lots."""
        lots = self.lots * ratio
        if lots.denominator != 1:
            raise InvalidInput(f"a split must leave whole lots, was {self.lots} x {ratio}: sell the odd lots first")
        self.lots = int(lots)
        if self.average is not None:
            self.average = self.average * ratio.denominator / ratio.numerator

    def _share(self, lots: int) -> Decimal:
        if lots == self.lots:
            return self.cost
        share = self.cost * lots / self.lots
        return share.quantize(INVERSE_QUANTUM if self._inverse else _NANO)

    def _mean(self) -> Decimal:
        if self._inverse:
            return -self.lots * self._face / (self.cost * self._tick)
        return self.cost * NANOS / (self.lots * self._value)
