"""Orders that ended at the simulated venue: whole for a while, then only what their ids must still say."""

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.trading.model import ReportType
from tradeworthy.trading.simulation.venue_order import VenueOrder

ENDED_KEPT_NS = NANOS_PER_DAY
"""An ended order is told of in full for so long on the venue's time: a desk in doubt asks each half minute."""
ENDED_KEPT_MAX = 10_000
"""Ended orders held in full at most, some 10 MB; the oldest are retired first."""
IDS_KEPT_MAX = 100_000
"""Ids of retired orders that still count as used, with how each ended, some 17 MB; the oldest are forgotten first."""


class EndedOrders:
    """Keep ended orders by client order id. Of a retired one the id and the end are known, and it stays used."""

    __slots__ = ("_retired", "_whole")

    def __init__(self) -> None:
        self._whole: dict[str, VenueOrder] = {}
        self._retired: dict[str, ReportType] = {}

    def __contains__(self, client_order_id: object) -> bool:
        return client_order_id in self._whole or client_order_id in self._retired

    def __len__(self) -> int:
        """Return how many are held in full."""
        return len(self._whole)

    def keep(self, order: VenueOrder, ts: int) -> None:
        """Take an order that ended at `ts`, and retire what had its time."""
        order.ended_at = ts
        whole, retired = self._whole, self._retired
        whole[order.client_order_id] = order
        while len(whole) > 1:
            oldest = next(iter(whole.values()))
            if len(whole) <= ENDED_KEPT_MAX and ts - oldest.ended_at < ENDED_KEPT_NS:
                break
            del whole[oldest.client_order_id]
            retired[oldest.client_order_id] = oldest.ended or ReportType.CANCELLED
        while len(retired) > IDS_KEPT_MAX:
            del retired[next(iter(retired))]

    def get(self, client_order_id: str) -> VenueOrder | None:
        """Return an order that is still held in full."""
        return self._whole.get(client_order_id)

    def how(self, client_order_id: str) -> ReportType | None:
        """Return how a known order ended, None for one that nobody sent."""
        order = self._whole.get(client_order_id)
        return self._retired.get(client_order_id) if order is None else order.ended
