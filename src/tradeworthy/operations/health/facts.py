"""What a health judgement rests on: facts read before anybody asked, each with the time it was read (HLT-07).

`None` is what nobody knows, never zero. Times are nanoseconds UTC.
"""

import msgspec

from tradeworthy.kernel.severity import Severity
from tradeworthy.trading.control import HeldReason
from tradeworthy.trading.model import GuardLevel


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """A group of facts that were read together at `at`."""

    at: int


class Sessions(Observed, frozen=True, kw_only=True):
    """Sessions with a counterparty: how many are logged on, and when one last sent anything."""

    open: int | None = None
    expected: int | None = None
    last_message_at: int | None = None


class MarketData(Observed, frozen=True, kw_only=True):
    """When data last came in and when the desk last decided on it; a side that does not run is not expected."""

    ingest_at: int | None = None
    decision_at: int | None = None
    ingest_expected: bool = True
    decision_expected: bool = True


class Exporters(Observed, frozen=True, kw_only=True):
    """How telemetry leaves: when the bus last published, and whether a broker is expected and has its publisher."""

    published_at: int | None = None
    broker_expected: bool = False
    publisher: bool | None = None


class Journal(Observed, frozen=True, kw_only=True):
    """Whether the journal takes events, whether its chain was found whole, and where it stands."""

    accepting: bool | None = None
    verified: bool | None = None
    head_seq: int | None = None


class GuardView(Observed, frozen=True, kw_only=True):
    """The desk's level and every reason in force, of every scope."""

    level: GuardLevel | None = None
    reasons: tuple[HeldReason, ...] = ()


class KillView(Observed, frozen=True, kw_only=True):
    """Where the kill switch stands (KS-04), and the scopes it stopped; `tripped` None when its flag is unreadable."""

    tripped: bool | None = None
    phase: str = ""
    scopes: tuple[str, ...] = ()


class Tasks(Observed, frozen=True, kw_only=True):
    """Counts of the supervisor's snapshot. `failed` are tasks that are over for good, by name, optional ones apart."""

    running: int | None = None
    restarting: int | None = None
    failed: tuple[str, ...] = ()
    failed_optional: tuple[str, ...] = ()
    abandoned: tuple[str, ...] = ()


class WatchdogView(Observed, frozen=True, kw_only=True):
    """Whether this run's watchdog answers, and the fencing token it has."""

    watching: bool | None = None
    token: int | None = None


class ClockView(Observed, frozen=True, kw_only=True):
    """Wall minus monotonic drift, and the true offset; where no time source is expected, the offset is not judged."""

    drift_ns: int | None = None
    offset_ns: int | None = None
    offset_expected: bool = True


class Dependency(Observed, frozen=True, kw_only=True):
    """A store beside the desk: whether it answers, and how it is degraded (`""` = it is not)."""

    reachable: bool | None = None
    degraded: str = ""


class SchedulerView(Observed, frozen=True, kw_only=True):
    """Whether the scheduler runs, and the jobs that are late, by name."""

    running: bool | None = None
    overdue: tuple[str, ...] = ()


class Members(Observed, frozen=True, kw_only=True):
    """A set of things of one kind, and those of them that are not well, by name."""

    total: int | None = None
    unwell: tuple[str, ...] = ()


class Portfolio(Observed, frozen=True, kw_only=True):
    """Whether the ledger balances, open breaks with the venue, and positions without a price."""

    balanced: bool | None = None
    breaks: int | None = None
    unpriced: int | None = None


class Alerts(Observed, frozen=True, kw_only=True):
    """Open alerts by severity, and those that reached nobody."""

    warnings: int | None = None
    failures: int | None = None
    undelivered: int | None = None


class Judged(Observed, frozen=True, kw_only=True):
    """What its own assessment judged already: the bus (TEL-05), the disk forecast (WD-08)."""

    severity: Severity | None = None
    summary: str = ""
    observed: float | None = None
    limit: float | None = None
    unit: str = ""


class RuntimeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a judgement sees; a field has the name of its check, None = nothing was read yet.

    not_applicable  check to reason, e.g. `fix_connectivity`: "the venue is simulated"; listed, not judged
    """

    run_id: str
    environment: str
    not_applicable: dict[str, str] = {}
    fix_connectivity: Sessions | None = None
    venue_connectivity: Sessions | None = None
    market_data: MarketData | None = None
    telemetry_exporters: Exporters | None = None
    journal: Journal | None = None
    guard: GuardView | None = None
    kill_switch: KillView | None = None
    supervisor: Tasks | None = None
    watchdog: WatchdogView | None = None
    bus: Judged | None = None
    clock: ClockView | None = None
    disk: Judged | None = None
    database: Dependency | None = None
    cache: Dependency | None = None
    scheduler: SchedulerView | None = None
    agents: Members | None = None
    providers: Members | None = None
    portfolio: Portfolio | None = None
    controls: Members | None = None
    permissions: Members | None = None
    alerts: Alerts | None = None


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """How far the start has come (`/ready`)."""

    started: bool = False
    journal_restored: bool = False
    guard_restored: bool = False

    @property
    def missing(self) -> tuple[str, ...]:
        """Return what is not done yet; empty = ready."""
        return tuple(name for name in self.__struct_fields__ if not getattr(self, name))
