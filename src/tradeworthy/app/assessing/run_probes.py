"""Where facts come from: a run's folder, the life of its process, the audit of its configuration (FW-07, FW-28)."""

from collections import deque
from collections.abc import Callable
from functools import cache
from pathlib import Path

from tradeworthy.app.assessing.desk_folds import ComparisonFold, desk_fold, log_fold
from tradeworthy.app.assessing.life_facts import LifeFold
from tradeworthy.app.baselines.latency_baselines import BaselineWatch, LatencyBaselines
from tradeworthy.app.configuration import audit as configuration_audit
from tradeworthy.app.configuration.audit import ConfigurationAudited
from tradeworthy.app.runs.folder import document_of, journal_of, started_of
from tradeworthy.kernel.clock import NANOS_PER_MILLI, Clock
from tradeworthy.kernel.errors import HaltTrading, InvalidInput, UsageError
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.host import machine_identity
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.journal.files import writer_lives
from tradeworthy.kernel.journal.reader import first_seq_of, segment_paths
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.supervision.resources import ResourcePolicy
from tradeworthy.operations.assessments.collectors.desk import DeskFold
from tradeworthy.operations.assessments.collectors.logs import LogFold
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.framework.collect import Probe
from tradeworthy.operations.assessments.framework.history import History
from tradeworthy.operations.assessments.framework.values import Observation, Provenance
from tradeworthy.operations.performance_baseline.decision_latency import LatencyBaseline

Probes = dict[str, tuple[Probe, ...]]
VERIFY_TIMEOUT_S = 60.0
"""A whole journal is verified, which takes longer than a look."""
DRIFT = "drift_sentry"
_BASELINES: dict[Path, BaselineWatch] = {}
"""The baseline of this machine by the root of all runs."""


class RunSource:
    """A run's folder as facts; what is new since the last look is folded, the rest is not read again.

    stop  the seq after the last one that counts: what the desk knew then; None = all of it
    """

    def __init__(self, folder: Path, clock: Clock, *, stop: int | None = None) -> None:
        self._folder, self._clock, self._stop = folder, clock, stop
        self.directory = journal_of(folder)
        start = started_of(folder)
        self.document, self.environment = document_of(folder, start), start.environment
        self.code_version, self.config_hash = start.code_hash, start.config_hash
        self.desk = desk_fold(self.document, start.environment)
        self.log = log_fold(self.directory, (one.name for one in start.tapes))
        self.compared = ComparisonFold()
        self.on_tape, self._observers = bool(start.tapes), list[Callable[[Event], None]]()
        self.damage = ""

    @property
    def venue(self) -> Provenance:
        """What facts that come over the venue are worth: outside of live it is simulated."""
        return Provenance.MEASURED if self.environment == "live" else Provenance.SIMULATED

    @property
    def now(self) -> int:
        """The moment to judge at: now while its writer lives, else that of its last event; a tape has its own time."""
        self.catch_up()
        lives = self._stop is None and not self.on_tape and writer_lives(self.directory)
        return self._clock.now() if lives else self.desk.now

    def wall(self) -> int:
        """Return now by the clock of whoever judges, whatever time the run's tape had."""
        return self._clock.now()

    def last_seq(self) -> int:
        """Return the seq of the newest sealed event; only the newest segments are read."""
        for path in reversed(segment_paths(self.directory)):
            for event in deque(read(self.directory, start=first_seq_of(path)), maxlen=1):
                return event.seq
        return 0

    def observe(self, observer: Callable[[Event], None]) -> None:
        """Let `observer` take every event of the run, so that the journal is read once for all folds of it."""
        for event in read(self.directory, stop=self.desk.last_seq + 1) if self.desk.last_seq else ():
            observer(event)
        self._observers.append(observer)

    def catch_up(self, upto: int | None = None) -> None:
        """Fold what was sealed since the last look; with `upto` only as far as this seq. `damage` says why it ended."""
        stop = self._stop if upto is None else min(upto + 1, self._stop or upto + 1)
        try:
            self._fold(stop)
        except (InvalidInput, HaltTrading, OSError) as problem:
            self.damage = f"the journal cannot be read on after seq {self.desk.last_seq}: {redact(str(problem))}"

    def _fold(self, stop: int | None) -> None:
        for event in read(self.directory, start=self.desk.last_seq + 1, stop=stop):
            self.desk.on_event(event, event.seq)
            self.log.on_event(event, event.seq)
            self.compared.on_event(event, event.ts_init)
            for observer in self._observers:
                observer(event)

    def probes(self) -> Probes:
        """Return the probes by assessment."""
        desk = self.desk
        return {
            "log_integrity": (self._probe("journal", self._journal, VERIFY_TIMEOUT_S),),
            "market_data_freshness": (self._probe("streams", desk.market_data_facts),),
            "risk_policy": (self._probe("reviews", desk.risk_policy_facts),),
            "risk_posture": (self._probe("limits", desk.risk_posture_facts),),
            "accounting_integrity": (self._probe("books", desk.accounting_facts),),
            "execution_readiness": (self._probe("orders", lambda: desk.execution_facts(self.venue)),),
            "strategy_performance": (self._probe("decisions", lambda: desk.strategy_facts(self.venue)),),
            "roi": (self._probe("equity", lambda: desk.roi_facts(self.venue)),),
            "decision_latency": (self._probe("steps", self._latency),),
            "reconciliation": (self._probe("venue", self._reconciliation),),
            "configuration_audit": (self._probe("audit", self._audit),),
        }

    def _probe(self, name: str, facts: Callable[[], list[Observation]], timeout_s: float = 5.0) -> Probe:
        def look(now: int) -> list[Observation]:
            del now
            return facts()

        return Probe(name, look, timeout_s=timeout_s)

    def _journal(self) -> list[Observation]:
        return self.log.verify(self.desk.now).facts(self.desk.teller())

    def _latency(self) -> list[Observation]:
        return latency_facts(self.desk, self._folder.parent, self._clock)

    def _reconciliation(self) -> list[Observation]:
        return self.compared.facts(self.desk.teller(provenance=self.venue), self.desk.now)

    def _audit(self) -> list[Observation]:
        state = self._folder.parent / "state" / self.document.desk.name
        entries = configuration_audit.history(state / configuration_audit.AUDIT)
        return audit_facts(entries[-1].found if entries else None, self.config_hash, self.desk.teller())


def audit_facts(last: ConfigurationAudited | None, running: str, tell: Teller) -> list[Observation]:
    """Return the facts of `configuration_audit`: what the newest start changed, and the hash that runs."""
    why = "no start was audited"
    return [
        *(tell("change", one.severity, one.field) for one in (() if last is None else last.changes)),
        tell("approved", True if last is not None and not last.changes else None,
             why=why if last is None else "the audit does not say who approved"),
        tell("running_hash", running),
        tell("audited_hash", None if last is None else last.config_hash, why=why),
    ]  # fmt: skip


def verdict_facts(history: History, tell: Teller) -> list[Observation]:
    """Return when drift was judged last, for `understanding_slos`; an unknown verdict is none."""
    last = history.last(DRIFT)
    at = None if last is None or last.status is Severity.UNKNOWN else last.generated_at
    return [tell("drift_verdict_at", at, why="drift was not judged yet" if last is None else "drift is unknown")]


def latency_facts(desk: DeskFold, root: Path, clock: Clock) -> list[Observation]:
    """Return the facts of `decision_latency` against the approved baseline of this machine; `root` is of all runs."""
    machine = _machine()
    found = _baseline(root, clock, machine)
    baseline = None if found is None else (
        found.machine, found.p50_ns / NANOS_PER_MILLI, found.p99_ns / NANOS_PER_MILLI
    )  # fmt: skip
    return desk.latency_facts(machine, baseline)


class LifeSource:
    """The life of one process as facts."""

    def __init__(self, folder: Path, clock: Clock, *, environment: str) -> None:
        self.directory = journal_of(folder)
        self._clock, self._environment = clock, environment
        self.fold = LifeFold(environment=environment)
        self.log = LogFold(self.directory, "life", {}, followed=False)

    @property
    def now(self) -> int:
        """The moment to judge at: now while the process lives, else that of its last event."""
        self.catch_up()
        return self._clock.now() if writer_lives(self.directory) else self.fold.now

    def catch_up(self) -> None:
        """Fold what was sealed since the last look."""
        for event in read(self.directory, start=self.fold.last_seq + 1):
            self.fold.on_event(event)
            self.log.fold((event,))

    def probes(self, policy: ResourcePolicy | None = None) -> Probes:
        """Return the probes by assessment; `policy` says what the process may use."""
        fold, limits = self.fold, policy or ResourcePolicy()

        def look(facts: Callable[[], list[Observation]]) -> Callable[[int], list[Observation]]:
            return lambda now: facts()

        def told() -> list[Observation]:
            at = fold.now
            return self.log.verify(at).facts(Teller("life", at, environment=self._environment))

        return {
            "task_supervision": (Probe("tasks", look(fold.task_facts)),),
            "time_integrity": (Probe("clock", look(fold.time_facts)),),
            "unrouted_errors": (Probe("lines", look(fold.unrouted_facts)),),
            "resources": (Probe("machine", look(lambda: fold.resource_facts(limits))),),
            "log_integrity": (Probe("life", look(told), timeout_s=VERIFY_TIMEOUT_S),),
        }  # fmt: skip


@cache
def _machine() -> str:
    """Return what kind of machine this is, which does not change while a process lives."""
    return machine_identity()


def _baseline(root: Path, clock: Clock, machine: str) -> LatencyBaseline | None:
    """Return the approved baseline of a machine; its journal is verified again only when it went on."""
    known = _BASELINES.get(root)
    if known is None:
        known = _BASELINES[root] = BaselineWatch(LatencyBaselines(root, clock=clock), machine)
    return known.look()


def joined(*parts: Probes) -> Probes:
    """Return the probes of several sources, those of one assessment side by side."""
    found: Probes = {}
    for part in parts:
        for name, probes in part.items():
            found[name] = (*found.get(name, ()), *probes)
    return found


def newest_life(state: Path) -> Path:
    """Return the folder of the newest life below a desk's state; raises `UsageError` where there is none."""
    lives = sorted((state / "runtime").glob("*-*"))
    if not lives:
        raise UsageError(f"{state}: expected the life of a process in runtime/, found none")
    return lives[-1]
