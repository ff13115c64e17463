"""Hedge mode: a long and a short position of one instance, side by side (LG-09).

Each leg is a partition of its own in the ledger, so that its cost, profit and postings stay apart by construction.
"""

from enum import Enum

import msgspec

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.trading.ledger.ledger import Ledger
from tradeworthy.trading.model.market import Side
from tradeworthy.trading.model.order import Fill, FillBooked, Position


class Leg(Enum):
    """Which of the two positions."""

    LONG = "long"
    SHORT = "short"


class HedgedPosition(msgspec.Struct, frozen=True):
    """Both legs; `long` has lots at or above zero, `short` at or below."""

    long: Position
    short: Position

    @property
    def net(self) -> int:
        return self.long.lots + self.short.lots

    @property
    def gross(self) -> int:
        return self.long.lots - self.short.lots


def leg_of(side: Side, *, opens: bool) -> Leg:
    """Return the leg that an order trades, by its intent: an opening buy is long, a closing buy is short."""
    return Leg.LONG if (side is Side.BUY) is opens else Leg.SHORT


def partition(instance: str, leg: Leg) -> str:
    """Return the leg's name in the ledger."""
    return f"{instance}#{leg.value}"


def book_leg(ledger: Ledger, fill: Fill, mid2: int | None, *, opens: bool) -> FillBooked:
    """Book a fill into its leg; raises `InvalidInput` for a closing fill that the leg does not hold."""
    leg = leg_of(fill.side, opens=opens)
    owner = partition(fill.instance, leg)
    held = abs(ledger.lots(owner, fill.instrument))
    if not opens and fill.lots > held:
        raise InvalidInput(f"{owner} holds {held} lots of {fill.instrument}, a closing fill of {fill.lots} is not its")
    return ledger.book(msgspec.structs.replace(fill, instance=owner), mid2)


def hedged(ledger: Ledger, instance: str, instrument: str) -> HedgedPosition:
    """Return both legs of an instance in one instrument."""
    return HedgedPosition(*(ledger.position(partition(instance, leg), instrument) for leg in (Leg.LONG, Leg.SHORT)))
