"""After a restart: what the desk remembers against what the venue holds; a break is told, never repaired (APP-08)."""

from collections import Counter
from collections.abc import Mapping

import msgspec

from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.trading.control.forensic import CLEAN, LOTS, agreement, differences_in, told
from tradeworthy.trading.control.venue_view import VenueView
from tradeworthy.trading.desk import Desk


@fact("reconciliation.report")
class Reconciled(Fact, frozen=True):
    """Positions and orders compared with the venue's; `agreement` says `clean`, or what differs or is unknown.

    drift  the largest difference of a position, as a share of the larger side; None where the venue is unknown
    """

    positions: int
    orders: int
    agreement: str
    drift: float | None = None

    @property
    def clean(self) -> bool:
        """Whether nothing differs and nothing is unknown."""
        return self.agreement == CLEAN

    @property
    def differences(self) -> tuple[str, ...]:
        """What differs, one by one; none also where the venue is unknown."""
        return differences_in(self.agreement)

    def common_with(self, before: "Reconciled") -> "Reconciled":
        """Return itself with the differences alone that an earlier comparison found too."""
        stayed = [one for one in self.differences if one in before.differences]
        if not self.differences:
            return self
        moved = any(LOTS in one for one in stayed)
        return msgspec.structs.replace(self, agreement=told(stayed), drift=self.drift if moved else 0.0)


def reconcile(desk: Desk, view: VenueView | None) -> Reconciled:
    """Compare a desk with its venue's own view."""
    lots: Counter[str] = Counter()
    for one in desk.ledger.positions():
        lots[one.instrument] += one.lots
    live = [order.client_order_id for order in desk.execution.orders.all_live()]
    return Reconciled(len(+lots), len(live), agreement(live, lots, view), None if view is None else _drift(lots, view))


def _drift(lots: Mapping[str, int], view: VenueView) -> float:
    """Return the largest difference of an instrument's lots as a share of the larger side; 0 where none differs."""
    shares = [0.0]
    for name in lots.keys() | view.positions.keys():
        ours, theirs = lots.get(name, 0), view.positions.get(name, 0)
        if ours != theirs:
            shares.append(abs(ours - theirs) / max(abs(ours), abs(theirs)))
    return max(shares)
