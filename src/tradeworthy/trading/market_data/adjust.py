"""MD-11: corporate actions at read time. Raw prices stay as they were recorded."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

import msgspec

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.trading.model import Dividend, Split


class Factor(msgspec.Struct, frozen=True):
    """Factors of all days up to and including `day`: price (dividends) and split, fractions above zero.

    close  the raw close of `day`, zero where the file tells none
    """

    day: date
    price: Decimal
    split: Decimal
    close: Decimal = Decimal(0)


DIVIDEND_QUANTUM = Decimal("0.0001")
"""A dividend is told to a hundredth of a cent: the factors' digits give no more."""
RATIO_TERM_MAX = 50
"""Largest count on either side of a split; a factor file's six digits name such a ratio without doubt."""


def parse_factors(text: str) -> tuple[Factor, ...]:
    """Return the rows of a LEAN factor file, `YYYYMMDD, price factor, split factor, reference price`."""
    factors: list[Factor] = []
    for line in text.split():
        fields = line.split(",")
        if len(fields) != 4 or len(fields[0]) != 8:
            raise InvalidInput(f"a factor row must be YYYYMMDD and three numbers, was {line!r}")
        when = fields[0]
        day = date(int(when[:4]), int(when[4:6]), int(when[6:]))
        factor = Factor(day, *(Decimal(field) for field in fields[1:]))
        if factor.price <= 0 or factor.split <= 0 or (factors and factor.day <= factors[-1].day):
            raise InvalidInput(f"factors must be above zero and days must go forward, was {line!r}")
        factors.append(factor)
    return tuple(factors)


class Adjuster:
    """Adjust raw prices of one instrument to the scale of its last day."""

    __slots__ = ("_days", "_factors", "_instrument")

    def __init__(self, instrument: str, factors: Sequence[Factor]) -> None:
        if not factors:
            raise InvalidInput(f"{instrument}: an adjustment needs factors, had none")
        self._instrument = instrument
        self._factors = tuple(factors)
        self._days = [factor.day for factor in factors]

    def factor(self, day: date, *, dividends: bool = True) -> Decimal:
        """Return what a raw price of `day` is multiplied with; 1 after the last row."""
        at = bisect_left(self._days, day)
        if at == len(self._days):
            return Decimal(1)
        row = self._factors[at]
        return row.price * row.split if dividends else row.split

    def adjusted(self, price: Decimal, day: date) -> Decimal:
        """Return the raw `price` of `day` on today's scale."""
        return price * self.factor(day)

    def splits(self) -> tuple[Split, ...]:
        """Return the splits between the rows, oldest first, as whole counts: the file's digits are rounded ratios."""
        found: list[Split] = []
        for row, after in zip(self._factors, self._factors[1:], strict=False):
            if row.split != after.split:
                ratio = Fraction(after.split / row.split).limit_denominator(RATIO_TERM_MAX)
                found.append(Split(self._instrument, row.day, ratio.numerator, ratio.denominator))
        return tuple(found)

    def dividends(self) -> tuple[Dividend, ...]:
        """Return the cash dividends between the rows, oldest first, out of `price factor = 1 - dividend / close`."""
        found: list[Dividend] = []
        for row, after in zip(self._factors, self._factors[1:], strict=False):
            if row.price == after.price:
                continue
            if row.close <= 0:
                raise InvalidInput(f"{self._instrument}: the dividend after {row.day} needs that day's close, was none")
            per_unit = (row.close * (1 - row.price / after.price)).quantize(DIVIDEND_QUANTUM)
            found.append(Dividend(self._instrument, row.day, per_unit))
        return tuple(found)
