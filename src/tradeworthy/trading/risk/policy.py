"""The risk policy: every limit of pre-trade review and loss monitors, typed, validated and hashed."""

import hashlib
from decimal import Decimal
from functools import cached_property
from typing import Literal

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.trading.model import Instrument, InstrumentKind
from tradeworthy.trading.risk.groups import CapitalGroup
from tradeworthy.trading.risk.windows import NoTradeWindow

LEVERAGE_CAP = Decimal(5)
"""RK-20: a configured leverage above it does not start."""


class Collars(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """RK-04: fraction around the reference within which a limit price must lie."""

    equity: Decimal = Decimal("0.05")
    crypto: Decimal = Decimal("0.03")
    fx: Decimal = Decimal("0.01")

    def of(self, kind: InstrumentKind) -> Decimal:
        """Return the collar of one kind of instrument."""
        if kind is InstrumentKind.EQUITY:
            return self.equity
        return self.fx if kind is InstrumentKind.FX else self.crypto


class RestrictedEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """CO-01: one name of the restricted list: instrument id, symbol, base or issuer; `aliases` are other names."""

    name: str
    aliases: tuple[str, ...] = ()
    no_trade: bool = False


class RestrictedList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """CO-01: the list, its version and its end in nanoseconds UTC (None = open)."""

    version: str = "empty"
    entries: tuple[RestrictedEntry, ...] = ()
    expires_at: int | None = None


class RiskPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True, kw_only=True):
    """Limits of the desk. Money in base currency, fractions of their basis, windows in nanoseconds.

    base_currency     of the desk;  restricted  CO-01: what may not be opened, or not be traded
    reference_age, equity_age  older prices or equity judge nothing (ns)
    collars           RK-04: how far a price may lie from its reference
    max_order_value   RK-05: of one order, in base currency
    messages_per_second, messages_per_minute  RK-08: to one venue
    working_orders_instance, working_orders_desk  RK-09: open at once
    duplicate_window  RK-10: the same order again within it is refused (ns)
    throttle_window, throttle_directional, throttle_quoting  RK-11: openings a window (ns), by role
    throttle_spacing, throttle_cooldown  RK-11: least time between openings, and after the limit was reached (ns)
    repeated_executions, repeated_window  RK-12: executions within the window (ns) that pause
    max_position      RK-18: of one instrument, of equity
    sector_budgets, sector_gross, sector_unmapped  RK-19: of equity: by sector, of any other sector, of no sector
    currency_net      RK-23: net of one foreign currency, of equity
    positions_instance, positions_desk  RK-24: open at once
    gross_leverage, net_exposure  RK-20, RK-21: gross and net notional, of equity
    per_trade, open_risk  RK-25, RK-26: what one stop, and all stops together, may lose, of equity
    stop_distance_min, stop_distance_max  RK-27: of a stop from its price, as a fraction
    daily_loss_*      RK-43: of the day's equity at its start, what pauses, pages and stops the desk
    instance_loss_*   RK-43: the same of an instance's budget
    drawdown_*        RK-44: from the peak of the last days, what stops an instance, reduces and stops the desk
    heartbeat_age     RK-54: a component that was silent for so long has failed (ns)
    event_before, event_after  RK-40: no opening so long before and after an event (ns)
    scale             RK-61: an opening above a limit is made smaller instead of refused
    slices_max        pieces of a reduction that is larger than one order may be
    par_currencies    quote currencies taken at one to one with the base currency; others need a conversion
    quoting           instances that quote (RK-11, RK-27); all others are directional
    venue_messages    published messages a second of a venue; half of it is used (RK-08)
    capital_limit     RK-15, desk; None = equity times `gross_leverage`, judged by RK-20
    capital_groups    RK-15, RK-33: clients, traders and the firm, beside strategy and desk
    median_window, median_sample  RK-04: the median reference and how often it takes a sample
    throttle_scope    RK-11: openings that share these share one window; empty = the desk
    throttle_notional, throttle_multiplier  RK-11: money of a window, as an amount and as a multiple of the budget
    issuers           RK-18: instrument id to issuer; instruments of one issuer are one name
    sectors           RK-19: instrument id to sector; an equity without one is unmapped, other kinds are not judged
    asset_net         RK-21: net of one asset that quoting may reach, at least two minimum orders of the venue
    asset_net_value   RK-21: and as an amount, in base currency; None = off
    min_provenance    RK-16: the least that an opening's input must be; None = anything that is not quarantined
    runaway_*         RK-13: orders a minute, share of rejects, multiple of the usual p99
    anomaly_*         RK-13: minutes of baseline (fewer than the minimum: unknown), standard scores that warn and stop
    margin_*          RK-38: margin balance a gross notional, floors;  funding_*  RK-39: payable rate per eight hours
    events            RK-40: high-impact events, nanoseconds UTC;  no_trade  RK-42: declared windows
    research          RK-17: openings need no stop; refused by `require_fit_to_trade`

    Raises `ConfigurationRefused` for a policy that must not start.
    """

    base_currency: str = "USD"
    par_currencies: tuple[str, ...] = ("USD", "USDT", "USDC")
    quoting: tuple[str, ...] = ()
    reference_age: int = 5 * NANOS_PER_SECOND
    equity_age: int = 5 * NANOS_PER_SECOND
    collars: Collars = Collars()
    median_window: int = 300 * NANOS_PER_SECOND
    median_sample: int = 5 * NANOS_PER_SECOND
    max_order_value: Decimal = Decimal(500_000)
    messages_per_second: int = 10
    messages_per_minute: int = 600
    venue_messages: dict[str, int] = {}
    working_orders_instance: int = 10
    working_orders_desk: int = 200
    duplicate_window: int = NANOS_PER_SECOND
    throttle_window: int = 60 * NANOS_PER_SECOND
    throttle_directional: int = 1
    throttle_quoting: int = 30
    throttle_spacing: int = 0
    throttle_cooldown: int = 0
    throttle_scope: tuple[Literal["strategy", "instrument", "venue", "side"], ...] = ("strategy", "instrument")
    throttle_notional: Decimal | None = None
    throttle_multiplier: Decimal | None = None
    runaway_orders: int = 100
    runaway_rejects: Decimal = Decimal("0.5")
    runaway_multiple: int = 3
    anomaly_windows: int = 10
    anomaly_windows_min: int = 3
    anomaly_warn: float = 2.5
    anomaly_stop: float = 4.0
    repeated_executions: int = 20
    repeated_window: int = 600 * NANOS_PER_SECOND
    capital_limit: Decimal | None = None
    capital_groups: tuple[CapitalGroup, ...] = ()
    min_provenance: Literal["simulated", "attested", "measured"] | None = None
    issuers: dict[str, str] = {}
    sectors: dict[str, str] = {}
    sector_budgets: dict[str, Decimal] = {}
    sector_gross: Decimal = Decimal("0.25")
    sector_unmapped: Decimal = Decimal("0.05")
    currency_net: Decimal = Decimal("1.5")
    positions_instance: int = 5
    positions_desk: int = 30
    events: tuple[int, ...] = ()
    event_before: int = 120 * NANOS_PER_SECOND
    event_after: int = 120 * NANOS_PER_SECOND
    no_trade: tuple[NoTradeWindow, ...] = ()
    max_position: Decimal = Decimal("0.10")
    gross_leverage: Decimal = Decimal("1.2")
    net_exposure: Decimal = Decimal("0.60")
    asset_net: Decimal = Decimal("0.05")
    asset_net_value: Decimal | None = Decimal(25_000)
    per_trade: Decimal = Decimal("0.01")
    open_risk: Decimal = Decimal("0.06")
    stop_distance_min: Decimal = Decimal("0.005")
    stop_distance_max: Decimal = Decimal("0.08")
    research: bool = False
    daily_loss_pause: Decimal = Decimal("0.02")
    daily_loss_page: Decimal = Decimal("0.03")
    daily_loss_stop: Decimal = Decimal("0.05")
    instance_loss_pause: Decimal = Decimal("0.02")
    instance_loss_stop: Decimal = Decimal("0.03")
    drawdown_instance: Decimal = Decimal("0.05")
    drawdown_reduce: Decimal = Decimal("0.10")
    drawdown_stop: Decimal = Decimal("0.25")
    drawdown_days: int = 30
    heartbeat_age: int = NANOS_PER_DAY
    margin_reduce: Decimal = Decimal("0.20")
    margin_page: Decimal = Decimal("0.15")
    margin_stop: Decimal = Decimal("0.10")
    funding_warn: Decimal = Decimal("0.003")
    funding_warn_periods: int = 2
    funding_reduce: Decimal = Decimal("0.005")
    funding_return: Decimal = Decimal("0.001")
    scale: bool = True
    slices_max: int = 20
    restricted: RestrictedList = RestrictedList()

    def __post_init__(self) -> None:
        faults = [*self._bad_counts(), *self._bad_fractions(), *self._bad_orders()]
        if faults:
            raise ConfigurationRefused("risk policy: " + "; ".join(faults))

    @cached_property
    def policy_hash(self) -> str:
        """Return the SHA-256 of the policy's canonical JSON (sorted keys)."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()

    def require_fit_to_trade(self) -> None:
        """Raise `ConfigurationRefused` where a research relaxation is set (RK-17); paper and live call it."""
        if self.research:
            raise ConfigurationRefused("research: true relaxes stops and is allowed in a backtest only")

    def require_tradable(self, instruments: "tuple[Instrument, ...]") -> None:
        """Raise `ConfigurationRefused` naming each instrument without `max_order_lots` (RK-06)."""
        missing = [i.instrument_id for i in instruments if i.max_order_lots is None]
        if missing:
            raise ConfigurationRefused(f"max_order_lots is required for each instrument, was absent for {missing}")

    def _bad_counts(self) -> list[str]:
        names = (
            "reference_age", "equity_age", "messages_per_second", "messages_per_minute", "working_orders_instance",
            "working_orders_desk", "duplicate_window", "throttle_window", "throttle_directional", "throttle_quoting",
            "repeated_executions", "repeated_window", "drawdown_days", "heartbeat_age", "slices_max",
            "runaway_orders", "runaway_multiple", "anomaly_windows_min", "anomaly_warn", "funding_warn_periods",
            "median_window", "median_sample", "positions_instance", "positions_desk",
        )
        faults = [f"{n} must be above zero, was {getattr(self, n)}" for n in names if getattr(self, n) <= 0]
        none_below = ("throttle_spacing", "throttle_cooldown", "event_before", "event_after")
        faults += [f"{n} must be at least zero, was {getattr(self, n)}" for n in none_below if getattr(self, n) < 0]
        published = self.venue_messages.items()
        return faults + [f"venue_messages.{v} must be above zero, was {n}" for v, n in published if n <= 0]

    def _bad_fractions(self) -> list[str]:
        names = (
            "max_position", "net_exposure", "asset_net", "per_trade", "open_risk", "stop_distance_min",
            "stop_distance_max", "daily_loss_pause", "daily_loss_page", "daily_loss_stop", "instance_loss_pause",
            "instance_loss_stop", "drawdown_instance", "drawdown_reduce", "drawdown_stop", "sector_gross",
            "sector_unmapped", "runaway_rejects", "margin_reduce", "margin_page", "margin_stop", "funding_warn",
            "funding_reduce", "funding_return",
        )
        values: list[tuple[str, Decimal]] = [(n, getattr(self, n)) for n in names]
        values += [(f"collars.{n}", getattr(self.collars, n)) for n in ("equity", "crypto", "fx")]
        values += [(f"sector_budgets.{sector}", budget) for sector, budget in self.sector_budgets.items()]
        return [f"{n} must be in (0, 1], was {v}" for n, v in values if not (v.is_finite() and 0 < v <= 1)]

    def _bad_orders(self) -> list[str]:
        faults = []
        if not (self.gross_leverage.is_finite() and 0 < self.gross_leverage <= LEVERAGE_CAP):
            faults.append(f"gross_leverage must be in (0, {LEVERAGE_CAP}], was {self.gross_leverage}")
        if not (self.max_order_value.is_finite() and self.max_order_value > 0):
            faults.append(f"max_order_value must be above zero, was {self.max_order_value}")
        amounts = ("capital_limit", "throttle_notional", "throttle_multiplier", "currency_net", "asset_net_value")
        for name in amounts:
            value = getattr(self, name)
            if value is not None and not (value.is_finite() and value > 0):
                faults.append(f"{name} must be above zero, was {value}")
        faults += [fault for group in self.capital_groups for fault in group.faults()]
        faults += [fault for window in self.no_trade for fault in window.faults()]
        scopes = [group.scope for group in self.capital_groups]
        faults += [f"capital group {scope} stands twice" for scope in dict.fromkeys(scopes) if scopes.count(scope) > 1]
        common = (("sector_gross", self.sector_gross),) if self.sectors else ()
        for sector, budget in (*common, *self.sector_budgets.items()):
            if budget > self.gross_leverage:
                faults.append(f"{sector}: a sector's budget must be at most gross_leverage, was {budget}")
        if self.per_trade > Decimal("0.02"):
            faults.append(f"per_trade must be at most 0.02, was {self.per_trade}")
        ladders = (
            ("messages_per_second", "messages_per_minute"), ("per_trade", "open_risk"),
            ("open_risk", "drawdown_stop"), ("median_sample", "median_window"),
            ("stop_distance_min", "stop_distance_max"),
            ("daily_loss_pause", "daily_loss_page"), ("daily_loss_page", "daily_loss_stop"),
            ("instance_loss_pause", "instance_loss_stop"), ("drawdown_reduce", "drawdown_stop"),
        )
        for low, high in ladders:
            if getattr(self, low) > getattr(self, high):
                faults.append(f"{low} must be at most {high}, was {getattr(self, low)} above {getattr(self, high)}")
        return faults
