"""What the runtime journals of itself: its start step by step, its workloads, and how it ended (APP-04, APP-09)."""

from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.severity import Severity


@fact("runtime.began")
class RuntimeBegan(Fact, frozen=True):
    """A process began: the first event of its journal."""

    run_id: str
    desk: str
    environment: str
    pid: int
    code_hash: str
    config_hash: str
    runbooks_hash: str = ""
    tier: str = ""


@fact("runtime.journal_opened")
class JournalOpened(Fact, frozen=True):
    """The desk's journal was opened and verified as far as it goes."""

    folder: str
    head: str
    seq: int


@fact("runtime.guard_restored")
class GuardRestored(Fact, frozen=True):
    """The reasons that the guard held before, and the level they make."""

    level: str
    reasons: tuple[str, ...]


@fact("runtime.callback")
class CallbackRan(Fact, frozen=True):
    """A startup or shutdown callback is over: `phase` startup, undo or shutdown; `problem` empty where it went well."""

    phase: str
    name: str
    took_ns: int
    problem: str = ""


@fact("runtime.workload_started")
class WorkloadStarted(Fact, frozen=True):
    """A workload began."""

    name: str
    workload: str
    criticality: str


@fact("runtime.workload_skipped")
class WorkloadSkipped(Fact, frozen=True):
    """A workload does not run, and why (APP-10)."""

    name: str
    reason: str


@fact("runtime.workload_ended")
class WorkloadEnded(Fact, frozen=True):
    """A workload is over: finished, failed, cancelled or abandoned."""

    name: str
    state: str
    restarts: int
    problem: str = ""


@fact("runtime.override_ignored")
class OverrideIgnored(Fact, frozen=True):
    """An environment variable could not be used; the default stands (APP-11)."""

    key: str
    value: str
    used: str


@fact("runtime.backbone_degraded")
class BackboneDegraded(Fact, frozen=True):
    """The service backbone cannot be used; the embedded one stands in, nothing was written to the other (APP-10)."""

    wanted: str
    used: str
    reason: str


@fact("runtime.credentials_ignored")
class CredentialsIgnored(Fact, frozen=True):
    """The document names credentials of these accounts; nobody reads them, and `reason` says why (MOD-01)."""

    accounts: tuple[str, ...]
    reason: str


@fact("runtime.ready")
class RuntimeReady(Fact, frozen=True):
    """Everything runs: journal verified, guard restored, workloads begun."""

    workloads: tuple[str, ...]
    took_ns: int


@fact("runtime.stopping")
class RuntimeStopping(Fact, frozen=True):
    """The graceful end began; `reason` signal, timeout, completed or failed, `detail` in words."""

    reason: str
    detail: str = ""


@fact("runtime.shutdown_step")
class ShutdownStep(Fact, frozen=True):
    """One step of the end: whether it did what it must within its time."""

    step: str
    ok: bool
    took_ns: int
    detail: str = ""


@fact("runtime.stopped")
class RuntimeStopped(Fact, frozen=True):
    """The last event of a process that ended by itself; one a run.

    unknown_orders  names of orders that work or may work, for a person to look for at the venue
    """

    reason: str
    exit_code: int
    working_orders: int | None
    abandoned: tuple[str, ...]
    took_ns: int
    unknown_orders: tuple[str, ...] = ()


@fact("runtime.error_unrouted")
class ErrorUnrouted(Fact, frozen=True):
    """An ERROR line for which nobody has an alert route: an incident belongs to it (LOG-05)."""

    logger: str
    event: str
    text: str


@fact("runtime.clock_checked")
class ClockChecked(Fact, frozen=True):
    """The wall clock against the monotonic one, and against the time daemon where one can be read (APP-12)."""

    drift_ns: int
    offset_ns: int | None
    severity: Severity
    detail: str
