"""Whose profit it is: closed profit goes to the instance that opened the lot (LG-10)."""

from collections import deque
from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from tradeworthy.kernel.severity import Severity
from tradeworthy.trading.model.instrument import Instrument
from tradeworthy.trading.model.market import Side
from tradeworthy.trading.model.order import Fill

COVERAGE_MIN = Decimal("0.90")


class Coverage(msgspec.Struct, frozen=True):
    """How many fills name their strategy and decision; nothing to judge is UNKNOWN."""

    named: int
    total: int
    severity: Severity


def coverage(fills: Iterable[Fill], decisions: Mapping[str, str]) -> Coverage:
    """Judge how many `fills` have an instance and an order among `decisions` (client order id to decision id)."""
    total = named = 0
    for fill in fills:
        total += 1
        named += bool(fill.instance and decisions.get(fill.client_order_id))
    if total == 0:
        return Coverage(0, 0, Severity.UNKNOWN)
    return Coverage(named, total, Severity.OK if named >= COVERAGE_MIN * total else Severity.WARN)


class _OpenLot:
    """Signed lots that one instance opened at one price."""

    __slots__ = ("instance", "price", "signed")

    def __init__(self, instance: str, signed: int, price: int) -> None:
        self.instance, self.signed, self.price = instance, signed, price


class Attribution:
    """Open lots of a shared account with their openers, first in first out; linear kinds."""

    __slots__ = ("_instruments", "_open", "profit")

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self._instruments = instruments
        self._open: dict[str, deque[_OpenLot]] = {}
        self.profit: dict[str, int] = {}  # closed profit by opener, quote nanos

    def book(self, fill: Fill) -> None:
        """Close the oldest opposite lots for their openers; what is left opens a lot of the fill's instance."""
        value = self._instruments[fill.instrument].value_nanos
        lots = self._open.setdefault(fill.instrument, deque())
        left = fill.lots if fill.side is Side.BUY else -fill.lots
        while left and lots and (lots[0].signed > 0) != (left > 0):
            oldest = lots[0]
            closed = min(abs(left), abs(oldest.signed))
            direction = 1 if oldest.signed > 0 else -1
            gain = (fill.price - oldest.price) * closed * direction * value
            self.profit[oldest.instance] = self.profit.get(oldest.instance, 0) + gain
            left += direction * closed
            oldest.signed -= direction * closed
            if oldest.signed == 0:
                lots.popleft()
        if left:
            lots.append(_OpenLot(fill.instance, left, fill.price))
