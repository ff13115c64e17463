"""What a baseline measured, and the report of it (PBL-02)."""

from datetime import datetime
from decimal import Decimal

import msgspec

from tradeworthy.kernel.report import Check
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.performance_baseline.decision_latency import DecisionLatency
from tradeworthy.operations.performance_baseline.options import BaselineOptions

SCHEMA = "performance_baseline@1"


class Trade(msgspec.Struct, frozen=True):
    """One opening as it was handled, nanoseconds: how late it was taken up, and how long its decision took.

    throttle  the throttle's state where it refused, None where it did not
    codes     every control that refused it; empty for an approved one
    """

    lag_ns: int
    processing_ns: int
    approved: bool
    codes: tuple[str, ...] = ()
    throttle: str | None = None


class Resource(msgspec.Struct, frozen=True):
    """What the process used; None is what nobody could tell. CPU in percent of one core over the measured time."""

    cpu_percent: float | None
    memory_mb: float | None
    memory_percent: float | None


class ThrottleScope(msgspec.Struct, frozen=True):
    """One throttle window at the end of the run, as the control itself answers for one more opening.

    used, limit  openings in the window;  retry_at  in desk time, None where waiting does not help
    consumed_notional and the rest in base currency; None where no notional is limited
    used_share   of the notional, 0 to 1 and above
    """

    scope: dict[str, str]
    state: str
    used: int
    limit: int
    retry_at: datetime | None
    consumed_notional: Decimal
    remaining_notional: Decimal | None
    limit_notional: Decimal | None
    used_share: float | None


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one driven desk showed."""

    trades: tuple[Trade, ...]
    elapsed_ns: int
    events: int
    orders: int
    fills: int
    notional: Decimal
    rejected: int
    dead_letters: int
    resource: Resource
    scopes: tuple[ThrottleScope, ...]


class Execution(msgspec.Struct, frozen=True):
    """What became of the trades; `refusals` by control, a trade refused by several counts for each."""

    trades: int
    approved: int
    refused: int
    dead_letters: int
    orders: int
    fills: int
    rejected_by_venue: int
    notional: Decimal
    refusals: dict[str, int]


class Throughput(msgspec.Struct, frozen=True):
    """How much was handled: as offered, and as the desk could have if it never had to wait."""

    elapsed_ms: float
    trades_per_second: float | None
    events: int
    events_per_second: float | None
    busy_ms: float
    capacity_trades_per_second: float | None


class Spread(msgspec.Struct, frozen=True):
    """Durations in milliseconds, percentiles by nearest rank."""

    samples: int
    avg_ms: float
    last_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


class Performance(msgspec.Struct, frozen=True):
    """Durations and the limits they are held to."""

    processing: Spread
    lag: Spread
    max_processing_ms: float
    max_lag_ms: float
    severity: Severity


class Backlog(msgspec.Struct, frozen=True):
    """How late trades were taken up; a streak is a row of trades that all reached the threshold."""

    threshold_ms: float
    latest_lag_ms: float
    p95_lag_ms: float
    max_lag_ms: float
    breaches: int
    breach_rate: float
    max_breach_streak: int


class Throttle(msgspec.Struct, frozen=True):
    """The throttle that was the most used, how many trades it held back, and in which state it did."""

    state: str
    used: int
    limit: int
    window_seconds: float
    retry_at: datetime | None
    consumed_notional: Decimal
    remaining_notional: Decimal | None
    limit_notional: Decimal | None
    used_share: float | None
    throttled: int
    throttle_rate: float
    states: dict[str, int]


class BaselineReport(msgspec.Struct, frozen=True, kw_only=True):
    """The whole report. `reports` holds its parts as Markdown, `page` the whole."""

    schema: str
    generated_at: datetime
    healthy: bool
    severity: Severity
    machine: str
    execution: Execution
    throughput: Throughput
    performance: Performance
    backlog: Backlog
    resource: Resource
    throttle: Throttle
    throttle_scopes: tuple[ThrottleScope, ...]
    decision_latency: DecisionLatency
    checks: tuple[Check, ...]
    reports: dict[str, str]
    options: BaselineOptions
