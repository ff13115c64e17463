"""Assess the running desk: its own facts from memory, its snapshots in a journal beside the desk's (FW-23, FW-26)."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tradeworthy.app.alerts.alerting import Alerting
from tradeworthy.app.assessing.change_facts import change_facts
from tradeworthy.app.assessing.desk_folds import coordination_facts, dimensions_facts
from tradeworthy.app.assessing.desk_probes import (
    catalogue_facts,
    documents_facts,
    no_cache_facts,
    policy_facts,
    responded_facts,
)
from tradeworthy.app.assessing.live_folds import LiveFolds, Read
from tradeworthy.app.assessing.run_probes import Probes, audit_facts, joined, latency_facts, verdict_facts
from tradeworthy.app.config import Document
from tradeworthy.app.configuration.audit import ConfigurationAudited
from tradeworthy.app.configuration.change_control import CHANGES
from tradeworthy.app.runtime.facts import ClockChecked
from tradeworthy.kernel.clock import NANOS_PER_MILLI, NANOS_PER_SECOND, Clock
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.supervision import Pulse, TaskSupervisor
from tradeworthy.kernel.supervision.resources import ResourceLedger
from tradeworthy.kernel.telemetry.bus_health import BusFacts
from tradeworthy.kernel.telemetry.publisher import Publisher
from tradeworthy.operations.assessments.collectors.incidents import alert_path_facts
from tradeworthy.operations.assessments.collectors.live import bus_facts, health_facts, resource_facts, task_facts
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.collectors.unrouted import UnroutedFold, mail_facts, usual_mailbox
from tradeworthy.operations.assessments.collectors.windows import MinuteCounts
from tradeworthy.operations.assessments.framework.collect import Probe
from tradeworthy.operations.assessments.framework.cycle import Assessor
from tradeworthy.operations.assessments.framework.history import History
from tradeworthy.operations.assessments.framework.journaled import ASSESSMENTS as ASSESSMENTS
from tradeworthy.operations.assessments.framework.journaled import SnapshotJournal, snapshots_of
from tradeworthy.operations.assessments.framework.pipeline import Pipeline
from tradeworthy.operations.assessments.framework.policy import AssessmentPolicy
from tradeworthy.operations.assessments.framework.ports import AlertPort, GatePort, HaltPort
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.assessments.framework.render import markdown
from tradeworthy.operations.assessments.framework.values import Observation, Provenance
from tradeworthy.operations.health.report import HealthReport

SOURCE = "operations/assessments"
LOOK_SECONDS = 1.0
VERIFY_SECONDS = 60.0
NOBODY = "nobody"
"""Notices that every channel refused."""
REMEMBERED = 5_000
"""Snapshots of the lives before that a start reads again."""


class PublisherPort:
    """The process's publisher as assessments use it."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    @property
    def failed_over(self) -> bool:
        """Whether the spool stands in for the bus."""
        return self._publisher.facts().failed_over

    def publish(self, topic: str, payload: object, *, event_id: str) -> None:
        """Publish a snapshot; raises `PublishFailed`."""
        self._publisher.publish(topic, payload, source=SOURCE, event_id=event_id)


class LiveSource:
    """The parts of one process as facts; every look is from memory, but for the machine's mail.

    unrouted, mailbox  takes ERROR lines without a route; the file where the machine's mail comes, None = none is read
    bus, health, checked  tell the bus's facts, the health report, the newest check of the clock
    audited               tells what the start's audit found;  running  is the hash of the configuration in force
    root                  of all runs, where approved baselines lie;  alerting  the desk's alert path, if it has one
    """

    def __init__(
        self, clock: Clock, *, environment: str, supervisor: TaskSupervisor, bus: Callable[[], BusFacts],
        health: Callable[[], HealthReport], checked: Callable[[], ClockChecked | None], machine: ResourceLedger,
        audited: Callable[[], ConfigurationAudited | None], running: Callable[[], str], root: Path,
        alerting: Alerting | None = None,
    ) -> None:  # fmt: skip
        self._clock, self._environment, self._supervisor = clock, environment, supervisor
        self._bus, self._health, self._checked, self._machine = bus, health, checked, machine
        self._audited, self._running, self._root = audited, running, root
        self._folds: LiveFolds | None = None
        self._history = History()
        self._alerting, self._nobody, self._refused = alerting, 0, MinuteCounts()
        self.unrouted = UnroutedFold()
        self.mailbox: Path | None = None
        self._venue = Provenance.MEASURED if environment == "live" else Provenance.SIMULATED

    def follow(self, folds: LiveFolds | None) -> None:
        """Look at this run from now on; None where none is traded, and nobody knows how it stands."""
        self._folds = folds

    def remember(self, history: History) -> None:
        """Read from now on in this history what was judged before."""
        self._history = history

    def on_event(self, event: Event, seq: int) -> None:
        """Take the next event of the desk's journal: an observer of the trading loop."""
        if self._folds is not None:
            self._folds.on_event(event, seq)

    async def verifies(self, pulse: Pulse) -> None:
        """Verify the run's journal beside the loop, what is new each time: the factory of a supervised task."""
        while True:
            if (folds := self._folds) is not None:
                await asyncio.to_thread(folds.log.follow, self._clock.now())
            pulse.beat()
            await asyncio.sleep(VERIFY_SECONDS)

    def probes(self) -> Probes:
        """Return the probes by assessment; each answers at once, in the loop's own thread."""
        found: dict[str, Callable[[Teller], Sequence[Observation]]] = {
            "task_supervision": self._tasks, "event_bus_health": self._bus_facts, "runtime_health": self._health_facts,
            "time_integrity": self._time, "resources": self._resources, "runtime_lag": self._lag,
            "configuration_audit": lambda tell: audit_facts(self._audited(), self._running(), tell),
            "cache_health": no_cache_facts, "coordination_policy": coordination_facts,
            "log_integrity": self._journal, "reconciliation": self._reconciliation,
            "alert_path": self._alert_path, "incident_response": self._incidents,
            "document_control": self._documents, "change_management": self._changes,
            "unrouted_errors": self._unrouted_errors,
        }
        measured: dict[str, Read] = {
            "market_data_freshness": lambda folds, tell: folds.desk.market_data_facts(),
            "risk_policy": lambda folds, tell: folds.desk.risk_policy_facts(),
            "risk_posture": lambda folds, tell: folds.desk.risk_posture_facts(),
            "enforcement_slos": lambda folds, tell: folds.desk.enforcement_facts(),
            "accounting_integrity": lambda folds, tell: folds.desk.accounting_facts(),
            "decision_latency": lambda folds, tell: latency_facts(folds.desk, self._root, self._clock),
            "attribution_coverage": lambda folds, tell: folds.trades.attribution_facts(tell),
            "portfolio_risk": lambda folds, tell: folds.trades.portfolio_facts(tell),
            "data_feed": lambda folds, tell: folds.streams.feed_facts(tell),
            "runtime_performance": lambda folds, tell: folds.streams.performance_facts(tell),
            "telemetry_completeness": lambda folds, tell: folds.streams.completeness_facts(tell),
            "instance_policy": lambda folds, tell: policy_facts(folds.document, folds.trades, tell),
            "strategy_catalog": lambda folds, tell: catalogue_facts(folds.document, tell),
            "book_quality": lambda folds, tell: folds.books.facts(tell),
            "source_compare": lambda folds, tell: folds.log.source_facts(folds.streams.sources, tell),
            "drift_sentry": lambda folds, tell: folds.drift.facts(tell, self._venue),
            "burn_rate": lambda folds, tell: folds.budgets.facts(tell, self._venue),
            "ingest_health": lambda folds, tell: dimensions_facts(folds.document, folds.streams, folds.desk.now, tell),
            "ingest_slos": lambda folds, tell: dimensions_facts(
                folds.document, folds.streams, folds.desk.now, tell, routed=True
            ),
            "understanding_slos": lambda folds, tell: [
                *folds.understanding.latency_facts(tell), *folds.understanding.restored_facts(tell)
            ],
        }
        over_the_venue: dict[str, Read] = {
            "execution_readiness": lambda folds, tell: folds.desk.execution_facts(self._venue),
            "strategy_performance": lambda folds, tell: folds.desk.strategy_facts(self._venue),
            "roi": lambda folds, tell: folds.desk.roi_facts(self._venue),
            "fill_parity": lambda folds, tell: folds.trades.fill_facts(tell),
        }
        probes: Probes = {
            **{name: (self._probe(name, read),) for name, read in found.items()},
            **{name: (self._of_run(name, read, None),) for name, read in measured.items()},
            **{name: (self._of_run(name, read, self._venue),) for name, read in over_the_venue.items()},
        }
        return joined(probes, {"understanding_slos": (self._probe("verdict", self._verdict),)})

    def _probe(self, name: str, read: Callable[[Teller], Sequence[Observation]]) -> Probe:
        def look(now: int) -> Sequence[Observation]:
            return read(Teller("process", now, environment=self._environment))

        return Probe(name, look, here=True)

    def _of_run(self, name: str, read: Read, venue: Provenance | None) -> Probe:
        def look(now: int) -> Sequence[Observation]:
            folds = self._folds
            return [] if folds is None else folds.facts(name, read, self._environment, venue)

        return Probe(name, look, here=True)

    def _journal(self, tell: Teller) -> Sequence[Observation]:
        return [] if self._folds is None else self._folds.log.facts(tell)

    def _reconciliation(self, tell: Teller) -> Sequence[Observation]:
        del tell
        return [] if self._folds is None else self._folds.reconciliation(self._environment, self._venue)

    def _tasks(self, tell: Teller) -> list[Observation]:
        supervisor = self._supervisor
        return task_facts(supervisor.snapshot(), supervisor.history(), supervisor.abandoned(), tell)

    def _bus_facts(self, tell: Teller) -> list[Observation]:
        return bus_facts(self._bus(), self._clock.now(), tell)

    def _lag(self, tell: Teller) -> list[Observation]:
        bus = self._bus()
        return [tell("backlog", bus.depth), tell("critical_dead_letters", bus.open_dead_letters)]

    def _health_facts(self, tell: Teller) -> list[Observation]:
        return health_facts(self._health(), tell)

    def _alert_path(self, tell: Teller) -> list[Observation]:
        path = None if self._alerting is None else self._alerting.facts()
        if self._alerting is None or path is None or self._alerting.incidents is None:
            return []
        now = self._clock.now()
        self._refused.add(NOBODY, now, by=path.nobody - self._nobody)
        self._nobody = path.nobody
        return alert_path_facts(path, self._alerting.incidents.all, self._refused.total(NOBODY, now), tell)

    def _incidents(self, tell: Teller) -> list[Observation]:
        alerting = self._alerting
        if alerting is None or alerting.incidents is None:
            return []
        return responded_facts(
            alerting.incidents, alerting.roster_facts(), tell, now=self._clock.now(), last_told=alerting.last_told,
            policy=alerting.policy.incidents, escalation=alerting.policy.escalation,
        )  # fmt: skip

    def _documents(self, tell: Teller) -> list[Observation]:
        alerting = self._alerting
        return [] if alerting is None else documents_facts(alerting.folder.parent, alerting.roster_facts(), tell)

    def _changes(self, tell: Teller) -> list[Observation]:
        return [] if self._alerting is None else change_facts(self._alerting.folder.parent / CHANGES, tell)

    def _unrouted_errors(self, tell: Teller) -> list[Observation]:
        now = self._clock.now()
        return [*self.unrouted.facts(tell, now), *mail_facts(self.mailbox, now, tell)]

    def _verdict(self, tell: Teller) -> list[Observation]:
        return verdict_facts(self._history, tell)

    def _time(self, tell: Teller) -> list[Observation]:
        checked = self._checked()
        offset = None if checked is None or checked.offset_ns is None else abs(checked.offset_ns) / NANOS_PER_MILLI
        step = None if checked is None else abs(checked.drift_ns) / NANOS_PER_SECOND
        backwards = 0 if self._folds is None else self._folds.log.backwards
        return [
            tell("offset", offset, why="no time source tells the true offset"),
            tell("step", step, why="the clock was not checked yet"), tell("backwards", backwards),
        ]  # fmt: skip

    def _resources(self, tell: Teller) -> list[Observation]:
        machine = self._machine
        return resource_facts(machine.recent, machine.forecasts(), machine.policy, tell)


def mailbox_of(document: Document) -> Path | None:
    """Return the file of the machine's mail: the document's own, else that of the process's user, if it has a name."""
    given = document.assessments.get("unrouted_errors", {}).get("mailbox", "")
    return Path(given) if given else usual_mailbox()


def assessor_of(
    source: LiveSource, clock: Clock, *, state: Path, publisher: Publisher, alerts: AlertPort, gates: GatePort,
    halt: HaltPort, overrides: Mapping[str, Any], environment: str, code_version: str, settle_s: float = 0.0,
    renew_s: float = 0.0,
) -> tuple[Assessor, SnapshotJournal, History]:  # fmt: skip
    """Return what judges a running desk, the journal of its snapshots, which the caller closes, and their history.

    overrides  the document's section `assessments`;  state  of the desk, where the journal lies
    renew_s    how long what says the same is not journaled again
    settle_s   how long after the start everything is judged more often, because little is known yet

    The journal's newest snapshots are the history that it begins with, and their alerts count as raised.
    Raises `UsageError` for a policy that cannot be.
    """
    known = registry()
    policies = known.policies(overrides)
    if environment == "live":
        policies = {name: measured(one) for name, one in policies.items()}
    journal = SnapshotJournal(state / ASSESSMENTS, clock)
    newest = max(1, journal.last_seq - REMEMBERED)
    history = History().fold(snapshots_of(state / ASSESSMENTS, start=newest))
    pipeline = Pipeline(
        journal, PublisherPort(publisher), alerts, gates, halt, renderers={"md": markdown}, cleaned=redact
    )
    for name, last in history.newest().items():
        if name in policies:
            pipeline.restore(last, policies[name])
    source.remember(history)
    assessor = Assessor(
        known, policies, pipeline, history, clock, probes=source.probes(), environment=environment,
        code_version=code_version, settle_s=settle_s, renew_s=renew_s,
    )  # fmt: skip
    return assessor, journal, history


def measured(policy: AssessmentPolicy) -> AssessmentPolicy:
    """Return a policy that takes measurements alone, as live asks for (FW-06)."""
    return msgspec.structs.replace(policy, provenance_floor="measured")
