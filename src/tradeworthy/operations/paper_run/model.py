"""The report of a paper run, field by field (PPR-08)."""

from datetime import datetime
from decimal import Decimal
from enum import Enum

import msgspec
from msgspec import UNSET, UnsetType

from tradeworthy.kernel.errors import ExitCode
from tradeworthy.operations.paper_run.policy import PaperRunPolicy

SCHEMA = "paper_run@1"


class Status(Enum):
    """Where a run stands; `failed` is final."""

    PREPARING = "preparing"
    RUNNING = "running"
    DEGRADED = "degraded"
    FAILED = "failed"
    STOPPED = "stopped"
    COMPLETED = "completed"

    @property
    def exit_code(self) -> ExitCode:
        """0 for a completed run, 2 for a failed one, 1 for anything between."""
        if self is Status.COMPLETED:
            return ExitCode.PASS
        return ExitCode.FAIL if self is Status.FAILED else ExitCode.WARN


class Latency(msgspec.Struct, frozen=True):
    """Durations in seconds: average and count over the whole run, percentiles over the newest kept.

    p99  None below the least number of samples; then `max_seconds`, of the whole run, stands alone
    """

    samples: int = 0
    avg_seconds: float | None = None
    last_seconds: float | None = None
    p50_seconds: float | None = None
    p90_seconds: float | None = None
    p99_seconds: float | None = None
    max_seconds: float | None = None


class Sample(msgspec.Struct, frozen=True):
    """One look at the run; None is what nobody could tell, never zero. `failover` names what is down or replaced."""

    timestamp: datetime
    runtime_seconds: float
    status: Status
    events: int
    orders: int
    fills: int
    errors: int
    decisions: int
    memory_mb: float | None
    memory_growth_mb: float | None
    latency: Latency
    venue_latency: Latency
    failover: tuple[str, ...]
    last_error: str | None


class Alert(msgspec.Struct, frozen=True):
    """A state that degrades the run while it lasts; `cleared_at` is absent until it ended."""

    code: str
    message: str
    at: datetime
    cleared_at: datetime | None = None


class Breach(msgspec.Struct, frozen=True):
    """An objective that was missed; it stays, whatever comes later. `seq` is the journal's place of the cause."""

    code: str
    observed: str
    limit: str
    message: str
    at: datetime
    seq: int | None = None
    count: int = 1


class ErrorEvent(msgspec.Struct, frozen=True):
    """Equal errors as one, with the journal's place of the first."""

    code: str
    message: str
    count: int
    first_at: datetime
    last_at: datetime
    seq: int | None = None


class OrderLine(msgspec.Struct, frozen=True):
    """What was traded of one symbol on one side; notional in its quote currency, fee None while one is not told."""

    symbol: str
    side: str
    fills: int
    quantity: Decimal
    notional: Decimal
    currency: str
    fee: Decimal | None
    first_at: datetime
    last_at: datetime


class OrderSummary(msgspec.Struct, frozen=True):
    """Every fill that the ledger booked, at the ledger's own times; `restatements` counts busts and corrections."""

    fills: int
    restatements: int
    first_at: datetime
    last_at: datetime
    lines: tuple[OrderLine, ...]


class FailoverEpisode(msgspec.Struct, frozen=True):
    """A part that was down, or stood in for by another."""

    name: str
    detail: str
    at: datetime
    ended_at: datetime | None = None


class Failover(msgspec.Struct, frozen=True):
    """What is active now, how often it happened, and the newest episodes."""

    active: tuple[str, ...]
    episodes_total: int
    episodes: tuple[FailoverEpisode, ...]


class Memory(msgspec.Struct, frozen=True):
    """Resident memory in MB of 10^6 bytes; the baseline is absent before the warm-up is over."""

    baseline_mb: float | None
    last_mb: float | None
    growth_mb: float | None
    growth_max_mb: float | None
    warmup_seconds: float


class Stage(msgspec.Struct, frozen=True):
    """One stage of the desk's loop as the desk measured it over its last whole minute, in milliseconds."""

    stage: str
    samples: int
    p50_ms: float
    p99_ms: float | None
    max_ms: float
    limit_ms: float
    severity: str


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of the whole run. In `objective_compliance` null means that it could not be judged, which is not met."""

    events: int
    journal_seq: int
    decisions: int
    refusals: int
    orders: int
    fills: int
    errors: int
    invariant_breaches: int
    memory: Memory
    latency: Latency
    venue_latency: Latency
    stages: tuple[Stage, ...]
    guard: str
    objective_thresholds: dict[str, float]
    objective_compliance: dict[str, bool | None]


class RunIdentity(msgspec.Struct, frozen=True):
    """What ran, as the journal's first fact says."""

    run_id: str
    environment: str
    config_hash: str
    code_hash: str
    folder: str | None = None


class PaperRunReport(msgspec.Struct, frozen=True, kw_only=True):
    """The whole report; `order_summary` is absent while nothing was filled.

    objectives_met  every objective in force is met and nothing was breached; what a gate asks beside the status
    """

    schema: str
    status: Status
    objectives_met: bool
    generated_at: datetime
    started_at: datetime
    ended_at: datetime | None
    runtime_seconds: float
    run: RunIdentity | None
    policy: PaperRunPolicy
    stop_reasons: tuple[str, ...]
    alerts: tuple[Alert, ...]
    breaches: tuple[Breach, ...]
    errors: tuple[ErrorEvent, ...]
    errors_unlisted: int
    metrics: Metrics
    order_summary: OrderSummary | UnsetType = UNSET
    failover: Failover
    samples: tuple[Sample, ...]
