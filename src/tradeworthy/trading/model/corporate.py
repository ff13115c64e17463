"""What happens to a share and what holding it short costs: events that the ledger books (MD-11, LG-08, SV-14)."""

from datetime import date
from decimal import Decimal

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.facts import Fact, fact


@fact("corporate.split")
class Split(Fact, frozen=True):
    """`new` shares for `old`, in force after the close of `last_day`; raw prices and lots change, values do not."""

    instrument: str
    last_day: date
    new: int
    old: int

    def __post_init__(self) -> None:
        if self.new <= 0 or self.old <= 0 or self.new == self.old:
            raise InvalidInput(f"{self.instrument}: a split needs two counts above 0, was {self.new}:{self.old}")


@fact("corporate.dividend")
class Dividend(Fact, frozen=True):
    """Cash of `per_unit` for each share held over the close of `last_day`, booked on its pay date."""

    instrument: str
    last_day: date
    per_unit: Decimal


@fact("venue.borrow_charged")
class BorrowCharged(Fact, frozen=True):
    """What the venue charged for one day of a short share position: negative `cash`; None where it had no price.

    day  days since the epoch
    """

    instance: str
    instrument: str
    lots: int
    cash: Decimal | None
    currency: str
    day: int
