"""The market maker's own guard reasons (MM-10): each with value, limit, and a release that needs time."""

import msgspec

from tradeworthy.trading.model import GuardLevel
from tradeworthy.trading.sensing.regime import Regime
from tradeworthy.trading.strategies.market_maker_formulas.policy import MarketMakerPolicy

WARMING, INVENTORY = "strategy.warming", "strategy.inventory"


class GuardReason(msgspec.Struct, frozen=True):
    """One cause that stands, its level, the value seen and the limit it met."""

    code: str
    level: GuardLevel
    value: float
    limit: float


class Latch:
    """Set at once by `trip`, cleared when `clear` held for a time."""

    __slots__ = ("_clear_since", "_hold", "on")

    def __init__(self, hold_ns: int) -> None:
        self._hold = hold_ns
        self._clear_since: int | None = None
        self.on = False

    def update(self, now: int, *, trip: bool, clear: bool) -> bool:
        """Take one observation and return whether the latch is on."""
        if trip:
            self.on, self._clear_since = True, None
        elif self.on and clear:
            if self._clear_since is None:
                self._clear_since = now
            self.on = now - self._clear_since < self._hold
        else:
            self._clear_since = None
        return self.on


class MakerGuard:
    """Fold the maker's measures into its guard reasons."""

    __slots__ = ("_high_vol", "_inventory", "_market_spread", "_policy", "_spot", "reasons")

    def __init__(self, policy: MarketMakerPolicy, *, spot: bool) -> None:
        self._policy, self._spot = policy, spot
        self._high_vol = Latch(policy.high_vol_hold_ns)
        self._market_spread = Latch(policy.market_spread_hold_ns)
        self._inventory = Latch(policy.inventory_hold_ns)
        self.reasons: tuple[GuardReason, ...] = ()

    @property
    def raised(self) -> tuple[GuardReason, ...]:
        """The reasons for the desk's guard. Too little of a spot asset stays here: only buying mends it."""
        return tuple(
            one for one in self.reasons if one.code != INVENTORY or not self._spot or one.value > one.limit
        )

    def warming(self) -> None:
        """Note an evaluation that could not be made: an input is missing; what else stood still stands."""
        reason = GuardReason(WARMING, GuardLevel.PAUSED, 0.0, float(self._policy.regime.samples))
        self.reasons = (reason, *(one for one in self.reasons if one.code != WARMING))

    def update(
        self, now: int, regime: Regime, band: float, market_spread: float, share: float, *, edge: float | None = None
    ) -> None:
        """Judge one evaluation. `share` is the base share (spot) or the signed net share (perpetual); `edge` is the
        evidence that keeps the gate closed, None while it is not.
        """
        policy = self._policy
        reasons = []
        if regime is Regime.UNKNOWN:
            reasons.append(GuardReason(WARMING, GuardLevel.PAUSED, 0.0, float(policy.regime.samples)))
        if edge is not None:
            reasons.append(GuardReason("strategy.edge", GuardLevel.PAUSED, edge, policy.edge_gate.close_below))
        if self._high_vol.update(now, trip=band >= policy.high_vol_trip, clear=band < policy.high_vol_release):
            reasons.append(GuardReason("strategy.high_vol", GuardLevel.PAUSED, band, policy.high_vol_trip))
        least = policy.market_spread_min
        if self._market_spread.update(now, trip=market_spread < least, clear=market_spread >= least):
            reasons.append(GuardReason("strategy.market_spread", GuardLevel.PAUSED, market_spread, least))
        low, high = (policy.spot_share_min, policy.spot_share_max) if self._spot else (
            -policy.perp_gross_max, policy.perp_gross_max)
        outside = share < low or share > high
        if self._inventory.update(now, trip=outside, clear=not outside):
            limit = low if share < (low + high) / 2.0 else high
            reasons.append(GuardReason(INVENTORY, GuardLevel.REDUCING, share, limit))
        self.reasons = tuple(reasons)

    def holds(self, code: str) -> bool:
        """Tell whether this reason stands."""
        return any(reason.code == code for reason in self.reasons)
