"""Desk capital split by role (AL-01): maker, directional, reserve; the parts add up exactly."""

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.kernel.facts import Fact, fact

RESERVE = "reserve"
"""Names the part that no instance may use."""

WHOLE = (1, 1)


class Role(Enum):
    MAKER = "maker"
    DIRECTIONAL = "directional"


class AllocationPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Shares of desk capital; periods in nanoseconds. The reserve is what the shares leave.

    change_min  fraction by which capital must move to be split again before the period ends
    """

    maker: Decimal = Decimal("0.60")
    directional: Decimal = Decimal("0.30")
    reserve: Decimal = Decimal("0.10")
    period: int = 60 * NANOS_PER_SECOND
    ttl: int = 300 * NANOS_PER_SECOND
    change_min: Decimal = Decimal("0.01")
    dry_run: bool = False

    def __post_init__(self) -> None:
        shares = (self.maker, self.directional, self.reserve)
        if any(not share.is_finite() or share < 0 for share in shares) or sum(shares) != 1:
            raise ConfigurationRefused(f"maker, directional and reserve must add up to 1, were {shares}")
        if not 0 < self.period < self.ttl:
            raise ConfigurationRefused(f"period must be above zero and below ttl, was {self.period} of {self.ttl}")


@fact("allocation.budget")
class Budget(Fact, frozen=True):
    """What one instance (or the reserve) may use until `expires_at`; nanos of base currency."""

    instance: str
    nanos: int
    capital_nanos: int
    expires_at: int
    dry_run: bool = False


class StaticSplit:
    """Split the desk's capital among instances, equally within a role; an empty role's share joins the reserve."""

    __slots__ = ("_capital", "_factors", "_next", "_policy", "_roles", "_shares")

    def __init__(self, policy: AllocationPolicy, roles: Mapping[str, Role]) -> None:
        if RESERVE in roles:
            raise ConfigurationRefused(f"an instance may not be called {RESERVE!r}")
        self._policy = policy
        self._roles = dict(roles)
        self._factors = dict.fromkeys(roles, WHOLE)
        self._next: int | None = None
        self._capital = 0
        self._shares = self._divide()

    def set_factor(self, instance: str, factor: Decimal) -> None:
        """Scale one instance's budget (AL-02), from the next split, due at once; the rest joins the reserve."""
        if not 0 <= factor <= 1:
            raise ValueError(f"factor must be in [0, 1], was {factor}")
        self._factors[instance] = factor.as_integer_ratio()
        self._shares = self._divide()
        self._next = None

    def on_equity(self, capital_nanos: int, now: int) -> tuple[Budget, ...]:
        """Return new budgets when the period is over or capital moved by `change_min`; else nothing."""
        if self._next is not None and now < self._next and not self._moved(capital_nanos):
            return ()
        self._next = now + self._policy.period
        self._capital = capital_nanos
        return self.split(capital_nanos, now)

    def split(self, capital_nanos: int, now: int) -> tuple[Budget, ...]:
        """Return every instance's budget and the reserve; they add up to the capital (zero for a negative one)."""
        policy = self._policy
        capital = max(0, capital_nanos)
        until = now + policy.ttl
        budgets: list[Budget] = []
        rest = capital
        for instance, numerator, denominator in self._shares:
            nanos = capital * numerator // denominator
            rest -= nanos
            budgets.append(Budget(instance, nanos, capital, until, policy.dry_run))
        budgets.append(Budget(RESERVE, rest, capital, until, policy.dry_run))
        return tuple(budgets)

    def _divide(self) -> tuple[tuple[str, int, int], ...]:
        """Return each instance's part of the capital as an exact fraction, makers first."""
        shares = []
        for role, share in ((Role.MAKER, self._policy.maker), (Role.DIRECTIONAL, self._policy.directional)):
            members = [instance for instance, of in self._roles.items() if of is role]
            numerator, denominator = share.as_integer_ratio()
            for instance in members:
                up, down = self._factors[instance]
                shares.append((instance, numerator * up, denominator * len(members) * down))
        return tuple(shares)

    def _moved(self, capital: int) -> bool:
        numerator, denominator = self._policy.change_min.as_integer_ratio()
        return capital != self._capital and abs(capital - self._capital) * denominator >= abs(self._capital) * numerator
