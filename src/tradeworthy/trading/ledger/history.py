"""The fills behind one position, so that a bust or correction gives what the position were without it (OM-03)."""

from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.trading.ledger.accounts import ZERO
from tradeworthy.trading.ledger.average_cost import AverageCost
from tradeworthy.trading.model.instrument import Instrument
from tradeworthy.trading.model.market import Side
from tradeworthy.trading.model.order import Fill

FILLS_KEPT = 10_000
"""Fills of one position that can still be busted; older ones are folded into its origin."""


class Booked(NamedTuple):
    """One booked fill with what it paid."""

    client_order_id: str
    trade_id: str
    side: Side
    lots: int
    price: int
    fee: Decimal
    asset: str


class Restated(NamedTuple):
    """The position after a restatement, the change of realised profit, the fill before and after."""

    cost: AverageCost
    realized: Decimal
    before: Booked
    after: Booked


class FillHistory:
    """Fills and splits since the origin, oldest first."""

    __slots__ = ("_items", "_origin", "_realized")

    def __init__(self, instrument: Instrument) -> None:
        self._origin = AverageCost(instrument)
        self._items: list[Booked | Fraction] = []
        self._realized = ZERO

    def add(self, fill: Fill, realized: Decimal, fee: Decimal, asset: str) -> None:
        """Append a booked fill."""
        self._items.append(
            Booked(fill.client_order_id, fill.trade_id, fill.side, fill.lots, fill.price, fee, asset)
        )
        self._realized += realized
        if len(self._items) >= 2 * FILLS_KEPT:
            self._realized -= _fold(self._origin, self._items[:FILLS_KEPT])
            del self._items[:FILLS_KEPT]

    def restore(self, lots: int, cost: Decimal, average: Decimal) -> None:
        """Begin with what an earlier desk held: a bust takes one fill back, not the position before it."""
        self._origin.restore(lots, cost, average)

    def split(self, ratio: Fraction) -> None:
        """Append a split."""
        self._items.append(ratio)

    def set_fee(self, fill: Fill, fee: Decimal, asset: str) -> None:
        """Remember the fee that was told late; a fill that is folded away already needs none."""
        index = self._find(fill)
        if index is not None:
            item = self._items[index]
            assert isinstance(item, Booked)
            self._items[index] = item._replace(fee=fee, asset=asset)

    def restate(self, fill: Fill, replacement: Fill | None) -> Restated:
        """Take a fill back (None) or replace its lots, price and told fee; raises `InvalidInput` when not held."""
        index = self._find(fill)
        if index is None:
            raise InvalidInput(f"a booked fill was expected for trade {fill.trade_id}, found none")
        before = self._items[index]
        assert isinstance(before, Booked)
        if replacement is None:
            after = before._replace(lots=0, fee=ZERO)
            items = self._items[:index] + self._items[index + 1 :]
        else:
            after = before._replace(lots=replacement.lots, price=replacement.price)
            if replacement.fee is not None:
                after = after._replace(fee=replacement.fee, asset=replacement.fee_currency or before.asset)
            items = [*self._items[:index], after, *self._items[index + 1 :]]
        cost = self._origin.copy()
        realized = _fold(cost, items)
        change = realized - self._realized
        self._items, self._realized = items, realized
        return Restated(cost, change, before, after)

    def holds(self, trade_id: str) -> bool:
        """Tell whether a trade is among the fills that can still be busted."""
        return any(isinstance(one, Booked) and one.trade_id == trade_id for one in self._items)

    def _find(self, fill: Fill) -> int | None:
        for index in range(len(self._items) - 1, -1, -1):  # a bust is mostly of a late fill
            item = self._items[index]
            if (
                isinstance(item, Booked)
                and item.trade_id == fill.trade_id
                and item.client_order_id == fill.client_order_id
            ):
                return index
        return None


def _fold(cost: AverageCost, items: list[Booked | Fraction]) -> Decimal:
    """Fold `items` into `cost` and return what they realised."""
    realized = ZERO
    for item in items:
        if isinstance(item, Fraction):
            cost.split(item)
        else:
            realized += cost.trade(item.side * item.lots, item.price)
    return realized
