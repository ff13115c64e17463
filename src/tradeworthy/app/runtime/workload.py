"""What runs in the process, and with which care: one table of kinds (APP-01, APP-02)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from tradeworthy.kernel.supervision import Criticality, Metadata, TaskPolicy
from tradeworthy.kernel.supervision.task import Factory
from tradeworthy.kernel.words import Word


class WorkloadClass(Word):
    """In which order workloads start, and which of them a run exists for: ingest and trading."""

    INGEST = "ingest"
    TRADING = "trading"
    AUXILIARY = "auxiliary"


ORDER = (WorkloadClass.INGEST, WorkloadClass.TRADING, WorkloadClass.AUXILIARY)


class Kind(NamedTuple):
    """Defaults of one kind. `hang_s` None: it follows from the workload's interval."""

    workload_class: WorkloadClass
    criticality: Criticality
    backoff_base_s: float
    hang_s: float | None


IMPORTANT, OPTIONAL, CRITICAL = Criticality.IMPORTANT, Criticality.OPTIONAL, Criticality.CRITICAL
_AUXILIARY = WorkloadClass.AUXILIARY
KINDS: Mapping[str, Kind] = {
    "data_backbone": Kind(WorkloadClass.INGEST, IMPORTANT, 5.0, 600.0),
    "embedded_ingest": Kind(WorkloadClass.INGEST, IMPORTANT, 2.0, 600.0),
    "trading_loop": Kind(WorkloadClass.TRADING, CRITICAL, 2.0, 10.0),
    "watchdog": Kind(_AUXILIARY, IMPORTANT, 0.1, None),
    "time_integrity": Kind(_AUXILIARY, IMPORTANT, 0.1, None),
    "scheduler": Kind(_AUXILIARY, IMPORTANT, 0.1, None),
    "health_server": Kind(_AUXILIARY, IMPORTANT, 0.1, None),
    "runtime_board": Kind(_AUXILIARY, OPTIONAL, 0.1, None),
    "resources": Kind(_AUXILIARY, OPTIONAL, 0.1, None),
    "alerts": Kind(_AUXILIARY, IMPORTANT, 0.1, None),
    "assessments": Kind(_AUXILIARY, IMPORTANT, 0.1, None),
    "journal_watch": Kind(_AUXILIARY, IMPORTANT, 0.1, None),
    "gate_watch": Kind(_AUXILIARY, IMPORTANT, 0.1, None),
    "gate_reports": Kind(_AUXILIARY, IMPORTANT, 0.1, None),
    "reconciliation": Kind(_AUXILIARY, IMPORTANT, 0.1, None),
    "event_bus": Kind(_AUXILIARY, OPTIONAL, 0.1, None),
    "kill_switch": Kind(_AUXILIARY, CRITICAL, 0.1, None),
    "drift_monitor": Kind(_AUXILIARY, OPTIONAL, 0.1, None),
    "reflection": Kind(_AUXILIARY, OPTIONAL, 0.1, None),
    "governance": Kind(_AUXILIARY, OPTIONAL, 0.1, None),
    "performance_writer": Kind(_AUXILIARY, OPTIONAL, 0.1, None),
    "paper_guardian": Kind(_AUXILIARY, IMPORTANT, 0.1, None),
}


@dataclass(frozen=True)
class Workload:
    """One thing that the process does. A run ends when all required workloads ended.

    interval_s  how often it beats by itself, where it is periodic
    """

    name: str
    kind: str
    description: str
    factory: Factory
    metadata: Metadata = field(default_factory=dict)
    supervised_components: tuple[str, ...] = ()
    interval_s: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {sorted(KINDS)}, was {self.kind!r}")

    @property
    def workload_class(self) -> WorkloadClass:
        """Ingest, trading or auxiliary."""
        return KINDS[self.kind].workload_class

    @property
    def criticality(self) -> Criticality:
        """What the desk loses with it for good."""
        return KINDS[self.kind].criticality

    @property
    def required(self) -> bool:
        """Whether the run exists for it."""
        return self.workload_class is not WorkloadClass.AUXILIARY

    def policy(self) -> TaskPolicy:
        """Return how it is restarted and watched, before the environment's overrides."""
        kind = KINDS[self.kind]
        return TaskPolicy(backoff_base_s=kind.backoff_base_s, hang_timeout_s=kind.hang_s or hang_of(self.interval_s))


def hang_of(interval_s: float | None) -> float | None:
    """Return how long a periodic workload may be silent: four intervals, and a minute more than one at least."""
    return None if interval_s is None else max(4 * interval_s, interval_s + 60.0)
