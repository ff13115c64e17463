"""One row an instance for people: what the command line shows while and after a run."""

from decimal import Decimal

import msgspec

from tradeworthy.trading.ledger.ledger import Ledger
from tradeworthy.trading.view import Seat


class InstanceLine(msgspec.Struct, frozen=True):
    """One row for people: money in base currency, position in base units; unrealized None where no price is known."""

    instance: str
    strategy: str
    instrument: str
    position: Decimal
    orders: int
    fills: int
    realized: Decimal
    unrealized: Decimal | None
    fees: Decimal
    state: str


def line_of(seat: Seat, ledger: Ledger, mid2: int | None) -> InstanceLine:
    """Return the row of one seat; `mid2` is twice the mid in ticks."""
    currency = seat.instrument.settlement
    unrealized = ledger.unrealized(seat.instance, seat.instrument_id, mid2)
    return InstanceLine(
        seat.instance, seat.name, seat.instrument_id, seat.instrument.quantity(seat.position), seat.orders, seat.fills,
        ledger.realized(seat.instance, currency), unrealized if isinstance(unrealized, Decimal) else None,
        ledger.fees(seat.instance, currency), seat.guard.name.lower(),
    )  # fmt: skip
