"""Every default of the market maker, named."""

from typing import Literal

import msgspec

from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.trading.model import NANOS
from tradeworthy.trading.sensing.regime import Regime, RegimePolicy

Sides = Literal["both", "buy_only", "sell_only"]


class RegimeQuoting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one regime is quoted; `target` is the spot share of equity, sizes are fractions of equity."""

    spread_min: float
    spread_max: float
    levels_min: int
    levels_max: int
    refresh_s: int
    target: float
    size_min: float
    size_max: float
    sides: Sides = "both"


class EdgeGatePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When evidence closes, probes and opens the gate (MM-06)."""

    window_ns: int = 86_400 * NANOS
    fills_min: int = 50
    close_below: float = 0.0001
    reopen_above: float = 0.0004
    shadow_fills_min: int = 20
    probe_fills_min: int = 10
    change_ns_min: int = 120 * NANOS


class ExitPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Barriers on the net position (MM-09), fractions of the average entry."""

    stop: float = 0.002
    take_profit: float = 0.004
    touch_after_ns: int = 300 * NANOS
    market_after_ns: int = 30 * NANOS


MICRO_CAP_NOTIONAL_MAX = 100.0
"""Quote currency that a micro-cap instance may risk (MM-11)."""


class MarketMakerPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The market maker's defaults.

    clock               `timers`: `evaluate` and `sample` events;  `bars`: each real bar is both
    fixed_spread        replaces the candidate (smoke tests), never the floor
    min_edge_unproven   used until `unproven_fills` measured fills; a live profile sets 0.0003 and 100
    funding_assumed     rate per funding interval, against us, until the venue tells one
    one_sided_on_perp   whether a perpetual may be quoted on one side
    order_cap, instance_cap   quote currency: one order; all quotes of one side
    profile             `micro_cap` refuses caps above its own; `micro_cap()` gives the whole profile
    """

    profile: Literal["standard", "micro_cap"] = "standard"
    mode: Literal["live", "observe", "disabled"] = "live"
    clock: Literal["timers", "bars"] = "timers"
    bar_interval_ns: int = 60 * NANOS
    ema: int = 50
    atr: int = 14
    drift_age_min_ns: int = 30 * NANOS
    drift_age_max_ns: int = 45 * NANOS
    regime: RegimePolicy = RegimePolicy()
    neutral: RegimeQuoting = RegimeQuoting(0.0025, 0.0045, 2, 4, 90, 0.50, 0.0008, 0.0012)
    up: RegimeQuoting = RegimeQuoting(0.0030, 0.0055, 2, 3, 70, 0.60, 0.0006, 0.0010)
    down: RegimeQuoting = RegimeQuoting(0.0035, 0.0080, 2, 3, 60, 0.35, 0.0005, 0.0008)
    shock: RegimeQuoting = RegimeQuoting(0.0080, 0.0200, 1, 2, 120, 0.40, 0.0003, 0.0005)
    one_sided_on_perp: bool = False
    turnover_soft: float = 3.0
    turnover_penalty: float = 0.0010
    drift_widening: float = 0.8
    drift_scale: float = 0.0005
    drift_ewma: float = 0.25
    fixed_spread: float | None = None
    adverse_min: float = 0.00015
    adverse_fills: int = 200
    adverse_fills_min: int = 30
    markout_ns: int = 30 * NANOS
    confidence_z: float = 1.645
    exit_slippage: float = 0.0005
    min_edge: float = 0.0001
    min_edge_unproven: float = 0.0001
    unproven_fills: int = 0
    fill_factor: float = 0.4
    fill_factor_fills_min: int = 100
    fill_factor_min: float = 0.05
    fill_factor_max: float = 0.5
    band_in_floor: float = 0.5
    edge_ewma_period: int = 6
    funding_refresh_s_min: float = 30.0
    funding_assumed: float = 0.0001
    skew_max: float = 0.0030
    skew_share: float = 0.10
    skew_trend: float = 0.8
    skew_calm: float = 0.5
    skew_band: float = 0.0080
    level_step: float = 0.4
    side_floor_min: float = 0.0001
    side_floor_extra: float = 0.0001
    order_cap: float = 250.0
    instance_cap: float = 1000.0
    market_spread_min: float = 0.0
    market_spread_hold_ns: int = 10 * NANOS
    high_vol_trip: float = 0.0160
    high_vol_release: float = 0.0120
    high_vol_hold_ns: int = 60 * NANOS
    spot_share_min: float = 0.15
    spot_share_max: float = 0.90
    perp_gross_max: float = 0.90
    inventory_hold_ns: int = 10 * NANOS
    edge_gate: EdgeGatePolicy = EdgeGatePolicy()
    exits: ExitPolicy | None = None

    def __post_init__(self) -> None:
        cap = MICRO_CAP_NOTIONAL_MAX
        if self.profile == "micro_cap" and max(self.order_cap, self.instance_cap) > cap:
            found = max(self.order_cap, self.instance_cap)
            raise ConfigurationRefused(f"a micro-cap maker may quote {cap:g} at most, was {found:g}")

    def quoting(self, regime: Regime) -> RegimeQuoting:
        """Return the row of the regime table; an unknown regime has none."""
        match regime:
            case Regime.NEUTRAL:
                return self.neutral
            case Regime.UP:
                return self.up
            case Regime.DOWN:
                return self.down
            case Regime.SHOCK:
                return self.shock
            case Regime.UNKNOWN:
                raise ValueError("an unknown regime is not quoted")


class MicroCapProfile(msgspec.Struct, frozen=True):
    """The first live profile (MM-11): the maker's policy, and what other rooms hold it to.

    leverage  1 = no borrowing;  cancels_minute  the cancel budget;  turnover_max  of equity a day
    """

    maker: MarketMakerPolicy
    leverage: int = 1
    cancels_minute: int = 20
    turnover_max: float = 1.5


def micro_cap(cap: float = MICRO_CAP_NOTIONAL_MAX) -> MicroCapProfile:
    """Return the micro-cap profile with `cap` quote currency; more than its limit raises `ConfigurationRefused`."""
    return MicroCapProfile(
        MarketMakerPolicy(
            profile="micro_cap", fixed_spread=0.0035, exit_slippage=0.0007, turnover_soft=1.5, order_cap=cap,
            instance_cap=cap, min_edge_unproven=0.0003, unproven_fills=100, exits=ExitPolicy(),
        )
    )
