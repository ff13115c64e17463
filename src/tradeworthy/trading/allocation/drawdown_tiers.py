"""Budgets shrink with drawdown (AL-02): 5 % takes a fifth, 10 % a half, 15 % all."""

from decimal import Decimal

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.kernel.facts import Fact, fact


class TierPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Drawdowns as fractions of the peak, mildest first, and the factor of the budget each leaves.

    recovery       drawdown must be this far below the tier's edge for `recovery_time` (nanoseconds)
    """

    edges: tuple[Decimal, ...] = (Decimal("0.05"), Decimal("0.10"), Decimal("0.15"))
    factors: tuple[Decimal, ...] = (Decimal("0.8"), Decimal("0.5"), Decimal(0))
    recovery: Decimal = Decimal("0.01")
    recovery_time: int = NANOS_PER_DAY

    def __post_init__(self) -> None:
        if len(self.edges) != len(self.factors) or not self.edges:
            raise ConfigurationRefused(f"each edge needs a factor, were {len(self.edges)} and {len(self.factors)}")
        if list(self.edges) != sorted(set(self.edges)) or list(self.factors) != sorted(set(self.factors), reverse=True):
            raise ConfigurationRefused(f"edges must rise and factors fall, were {self.edges} and {self.factors}")


FAR_BELOW = -(1 << 200)


@fact("operator.release_tier")
class ReleaseTier(Fact, frozen=True):
    """A person lets an instance leave its last drawdown tier."""

    instance: str
    author: str


@fact("allocation.tier")
class TierChanged(Fact, frozen=True):
    """An instance's drawdown tier changed; 0 is none. `factor` scales its budget from now on."""

    instance: str
    before: int
    after: int
    factor: Decimal
    cause: str


class DrawdownTiers:
    """Follow each instance's worth. A tier is entered at once, left step by step; the last one by an operator only.

    frozen  no tier changes while it is set
    """

    __slots__ = ("_eases", "_edges", "_peaks", "_policy", "_since", "_tiers", "frozen")

    def __init__(self, policy: TierPolicy) -> None:
        self._policy = policy
        self._edges = tuple(edge.as_integer_ratio() for edge in policy.edges)
        self._eases = tuple((edge - policy.recovery).as_integer_ratio() for edge in policy.edges)
        self._peaks: dict[str, int] = {}
        self._tiers: dict[str, int] = {}
        self._since: dict[str, int] = {}
        self.frozen = False

    def tier(self, instance: str) -> int:
        """Return the tier in force, 0 for none."""
        return self._tiers.get(instance, 0)

    def factor(self, instance: str) -> Decimal:
        """Return the factor of the budget in force."""
        return self._factor(self.tier(instance))

    def observe(self, instance: str, worth_nanos: int, now: int) -> TierChanged | None:
        """Take an instance's worth (budget basis plus profit and loss); return the change of tier."""
        peak = self._peaks.get(instance, worth_nanos)
        if worth_nanos >= peak:
            peak = self._peaks[instance] = worth_nanos
        if self.frozen:
            return None
        lost = peak - worth_nanos
        tier = self._tiers.get(instance, 0)
        reached = sum(1 for num, den in self._edges if lost * den >= peak * num and lost > 0)
        if reached > tier:
            self._since.pop(instance, None)
            return self._move(instance, reached, f"drawdown {Decimal(lost) / peak if peak > 0 else 1:.6f}")
        if tier == 0 or tier == len(self._edges):
            return None
        num, den = self._eases[tier - 1]
        if lost * den > peak * num:
            self._since.pop(instance, None)
            return None
        since = self._since.setdefault(instance, now)
        if now - since < self._policy.recovery_time:
            return None
        del self._since[instance]
        return self._move(instance, tier - 1, f"recovered for {now - since} ns")

    def bounds(self, instance: str) -> tuple[int, int]:
        """Return the worth (nanos) at which the next tier is reached, and the peak; call after `observe`."""
        peak, tier = self._peaks[instance], self.tier(instance)
        if tier == len(self._edges) or peak <= 0:
            return FAR_BELOW, peak
        num, den = self._edges[tier]
        return peak - -(-peak * num // den), peak

    def release(self, instance: str, person: str) -> TierChanged | None:
        """Leave the last tier by an operator's act: the peak starts anew; None in any other tier."""
        if self.tier(instance) != len(self._edges):
            return None
        self._peaks.pop(instance, None)
        return self._move(instance, 0, f"released by {person}")

    def memory(self, instance: str) -> tuple[int | None, int, int | None]:
        """Return the peak, the tier, and since when it eases."""
        return self._peaks.get(instance), self.tier(instance), self._since.get(instance)

    def restore(self, instance: str, memory: tuple[int | None, int, int | None]) -> None:
        """Go on with the peak and the tier an earlier desk left; raises `ConfigurationRefused` for no such tier."""
        peak, tier, since = memory
        if tier > len(self._edges):
            raise ConfigurationRefused(f"{instance}: the desk left drawdown tier {tier}, the policy has no such tier")
        self._tiers[instance] = tier
        if peak is not None:
            self._peaks[instance] = peak
        if since is not None:
            self._since[instance] = since

    def _move(self, instance: str, tier: int, cause: str) -> TierChanged:
        before = self.tier(instance)
        self._tiers[instance] = tier
        return TierChanged(instance, before, tier, self._factor(tier), cause)

    def _factor(self, tier: int) -> Decimal:
        return self._policy.factors[tier - 1] if tier else Decimal(1)
