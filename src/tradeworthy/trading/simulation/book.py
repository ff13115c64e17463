"""The venue's own L2 book: sizes by price, best prices by heap."""

from collections.abc import Iterable
from heapq import heapify, heappop, heappush

from tradeworthy.trading.model import DepthDiff, DepthSnapshot, Level

STALE_MIN = 4_096
"""A heap may hold this many entries of removed prices before it is rebuilt."""


class VenueBook:
    """Levels in integer ticks and lots. Changing a known level costs one dict store; best is amortised O(log n).

    A price that left stays in its heap until it surfaces or the heap is rebuilt.
    """

    __slots__ = ("_ask_heap", "_bid_heap", "asks", "bids")

    def __init__(self) -> None:
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}
        self._bid_heap: list[int] = []
        self._ask_heap: list[int] = []

    def restore(self, snapshot: DepthSnapshot) -> None:
        """Replace everything by a snapshot."""
        self.bids = {price: lots for price, lots in snapshot.bids if lots > 0}
        self.asks = {price: lots for price, lots in snapshot.asks if lots > 0}
        self._rebuild()

    def apply(self, diff: DepthDiff) -> None:
        """Set the changed levels; zero lots remove one."""
        bids, heap = self.bids, self._bid_heap
        for price, lots in diff.bids:
            if lots:
                if price not in bids:
                    heappush(heap, -price)
                bids[price] = lots
            elif price in bids:
                del bids[price]
        asks, heap = self.asks, self._ask_heap
        for price, lots in diff.asks:
            if lots:
                if price not in asks:
                    heappush(heap, price)
                asks[price] = lots
            elif price in asks:
                del asks[price]
        if len(self._bid_heap) > 2 * len(bids) + STALE_MIN or len(heap) > 2 * len(asks) + STALE_MIN:
            self._rebuild()

    def best_bid(self) -> int | None:
        """Return the highest bid in ticks, None where there is none."""
        heap, bids = self._bid_heap, self.bids
        while heap:
            if -heap[0] in bids:
                return -heap[0]
            heappop(heap)
        return None

    def best_ask(self) -> int | None:
        """Return the lowest ask in ticks, None where there is none."""
        heap, asks = self._ask_heap, self.asks
        while heap:
            if heap[0] in asks:
                return heap[0]
            heappop(heap)
        return None

    def take(self, side_levels: dict[int, int], price: int, lots: int) -> None:
        """Use up `lots` of a level; they are gone until a diff sets the level again."""
        left = side_levels[price] - lots
        if left > 0:
            side_levels[price] = left
        else:
            del side_levels[price]

    def levels(self, *, bids: bool) -> Iterable[Level]:
        """Return one side's levels, best first."""
        levels = self.bids if bids else self.asks
        return sorted(levels.items(), reverse=bids)

    def _rebuild(self) -> None:
        self._bid_heap = [-price for price in self.bids]
        self._ask_heap = list(self.asks)
        heapify(self._bid_heap)
        heapify(self._ask_heap)
