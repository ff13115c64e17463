"""After a restart: what the desk remembers against what the venue holds; a break is told, never repaired (APP-08)."""

from collections import Counter

from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.trading.control.forensic import CLEAN, agreement
from tradeworthy.trading.control.venue_view import VenueView
from tradeworthy.trading.desk import Desk


@fact("reconciliation.report")
class Reconciled(Fact, frozen=True):
    """Positions and orders compared with the venue's; `agreement` says `clean`, or what differs or is unknown."""

    positions: int
    orders: int
    agreement: str

    @property
    def clean(self) -> bool:
        """Whether nothing differs and nothing is unknown."""
        return self.agreement == CLEAN


def reconcile(desk: Desk, view: VenueView | None) -> Reconciled:
    """Compare a desk with its venue's own view."""
    lots: Counter[str] = Counter()
    for one in desk.ledger.positions():
        lots[one.instrument] += one.lots
    live = [order.client_order_id for order in desk.execution.orders.all_live()]
    return Reconciled(len(+lots), len(live), agreement(live, lots, view))
