"""After a restart: what the desk remembers against what the venue holds; a break is told, never repaired (APP-08)."""

from collections.abc import Mapping
from typing import Protocol

from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.trading.desk import Desk


class VenueBook(Protocol):
    """The venue's own view: positions in lots by instrument, and the open orders by client order id."""

    def positions(self) -> Mapping[str, int]: ...
    def open_orders(self) -> tuple[str, ...]: ...


@fact("reconciliation.report")
class Reconciled(Fact, frozen=True):
    """Positions and orders compared; `breaks` says each difference, `venue` whether the venue gave its own view."""

    venue: bool
    positions: int
    orders: int
    breaks: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing differs."""
        return not self.breaks


def reconcile(desk: Desk, book: VenueBook | None) -> Reconciled:
    """Compare a desk with the venue; without a venue of its own the desk's orders died with it, so none may be live."""
    held: dict[str, int] = {}
    for seat in desk.seats:
        held[seat.instrument_id] = held.get(seat.instrument_id, 0) + seat.position
    mine = {order.client_order_id for order in desk.execution.orders.all_live()}
    if book is None:
        breaks = tuple(f"order {name} is live at the desk, its venue is gone" for name in sorted(mine))
        return Reconciled(False, len(held), len(mine), breaks)
    theirs, positions = set(book.open_orders()), book.positions()
    breaks_found = [
        f"{name}: the desk holds {held.get(name, 0)} lots, the venue {positions.get(name, 0)}"
        for name in sorted({*held, *positions})
        if held.get(name, 0) != positions.get(name, 0)
    ]
    breaks_found += [f"order {name} is open at the venue, the desk does not know it" for name in sorted(theirs - mine)]
    breaks_found += [f"order {name} is live at the desk, the venue does not hold it" for name in sorted(mine - theirs)]
    return Reconciled(True, len(held), len(mine | theirs), tuple(breaks_found))
