"""Capital levels beside strategy and desk (RK-15, RK-33): clients, traders and the firm."""

from decimal import Decimal
from typing import Literal

import msgspec

from tradeworthy.trading.model import NANOS
from tradeworthy.trading.risk.exposure import LONG_AGO, Holding


class CapitalGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One client, trader or firm and its limits; money in base currency.

    instances      its members; empty = every instance of the desk
    capital_limit  None = equity times `gross_leverage`
    orders_max     live orders of all members together; None = the desk's own limit
    outside        the group holds positions at other desks too: their notional must be told, and be fresh
    """

    level: Literal["client", "trader", "firm"]
    name: str
    instances: tuple[str, ...] = ()
    capital_limit: Decimal | None = None
    orders_max: int | None = None
    outside: bool = False

    @property
    def scope(self) -> str:
        """`level:name`."""
        return f"{self.level}:{self.name}"

    def covers(self, instance: str) -> bool:
        """Tell whether `instance` is a member."""
        return not self.instances or instance in self.instances

    def faults(self) -> list[str]:
        """Return what is wrong with the limits."""
        limit, found = self.capital_limit, []
        if not self.name:
            found.append(f"a {self.level} in capital_groups needs a name")
        if limit is not None and not (limit.is_finite() and limit > 0):
            found.append(f"{self.scope}: capital_limit must be above zero, was {limit}")
        if self.orders_max is not None and self.orders_max <= 0:
            found.append(f"{self.scope}: orders_max must be above zero, was {self.orders_max}")
        return found


class GroupAccount:
    """What one group holds: its members' holdings and live orders, and what it holds at other desks.

    limit2         twice the capital limit in nanos; None = equity times the allowed leverage
    outside_nanos  notional at other desks, valid before `outside_until`
    """

    __slots__ = ("holdings", "limit2", "orders", "outside", "outside_nanos", "outside_until", "permitted", "scope")

    def __init__(self, group: CapitalGroup) -> None:
        self.scope = group.scope
        self.limit2 = None if group.capital_limit is None else int(group.capital_limit * NANOS * 2)
        self.outside = group.outside
        self.outside_nanos = 0
        self.outside_until = LONG_AGO
        self.permitted = True
        self.orders = 0
        self.holdings: list[Holding] = []

    def gross2(self) -> int:
        """Return twice the projected gross notional in nanos, that of other desks included."""
        total = 2 * self.outside_nanos
        for holding in self.holdings:
            total += holding.projected * holding.book.lot2
        return total
