"""MD-11: corporate actions at read time. Raw prices stay as they were recorded."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import msgspec

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.facts import Fact, fact


class Factor(msgspec.Struct, frozen=True):
    """Factors of all days up to and including `day`: price (dividends) and split, fractions above zero."""

    day: date
    price: Decimal
    split: Decimal


@fact("corporate.split")
class Split(Fact, frozen=True):
    """`ratio` new shares for one old, effective on the first trading day after `last_day`; the ledger books it."""

    instrument: str
    last_day: date
    ratio: Decimal


def parse_factors(text: str) -> tuple[Factor, ...]:
    """Return the rows of a LEAN factor file, `YYYYMMDD, price factor, split factor, reference price`."""
    factors: list[Factor] = []
    for line in text.split():
        fields = line.split(",")
        if len(fields) != 4 or len(fields[0]) != 8:
            raise InvalidInput(f"a factor row must be YYYYMMDD and three numbers, was {line!r}")
        when = fields[0]
        factor = Factor(date(int(when[:4]), int(when[4:6]), int(when[6:])), Decimal(fields[1]), Decimal(fields[2]))
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
        """Return the splits between the rows, oldest first; ratios as the file's digits give them, 6 places."""
        places = Decimal("0.000001")
        return tuple(
            Split(self._instrument, row.day, (after.split / row.split).quantize(places))
            for row, after in zip(self._factors, self._factors[1:], strict=False)
            if row.split != after.split
        )
