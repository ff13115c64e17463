"""Assess the running desk: its own facts from memory, its snapshots in a journal beside the desk's (FW-23, FW-26)."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from tradeworthy.app.assessing import Probes
from tradeworthy.app.runtime.facts import ClockChecked
from tradeworthy.kernel.clock import NANOS_PER_MILLI, NANOS_PER_SECOND, Clock
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.supervision import Pulse, TaskSupervisor
from tradeworthy.kernel.supervision.resources import ResourceLedger
from tradeworthy.kernel.telemetry.bus_health import BusFacts
from tradeworthy.kernel.telemetry.publisher import Publisher
from tradeworthy.operations.assessments.collectors.desk import DeskFold
from tradeworthy.operations.assessments.collectors.live import bus_facts, health_facts, resource_facts, task_facts
from tradeworthy.operations.assessments.collectors.logs import LogFold
from tradeworthy.operations.assessments.collectors.streams import StreamsFold
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.collectors.trades import TradesFold
from tradeworthy.operations.assessments.framework.collect import Probe
from tradeworthy.operations.assessments.framework.cycle import Assessor
from tradeworthy.operations.assessments.framework.history import History
from tradeworthy.operations.assessments.framework.journaled import SnapshotJournal, snapshots_of
from tradeworthy.operations.assessments.framework.pipeline import Pipeline
from tradeworthy.operations.assessments.framework.policy import AssessmentPolicy
from tradeworthy.operations.assessments.framework.ports import AlertPort, GatePort, HaltPort
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.assessments.framework.render import markdown
from tradeworthy.operations.assessments.framework.values import Observation, Provenance
from tradeworthy.operations.health.report import HealthReport

SOURCE = "operations/assessments"
ASSESSMENTS = "assessments"
"""Where a desk's state keeps the journal of its snapshots."""
LOOK_SECONDS = 1.0
VERIFY_SECONDS = 600.0


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
    """The parts of one process as facts; every look is from memory.

    bus, health, checked  tell the bus's facts, the health report, the newest check of the clock
    desk, log             folds of the desk's journal, fed by `on_event`; None where nothing is traded
    trades, streams       folds of its fills and holdings, and of its feeds and stages, fed likewise
    memory_bytes          what the process may use
    """

    def __init__(
        self, clock: Clock, *, environment: str, supervisor: TaskSupervisor, bus: Callable[[], BusFacts],
        health: Callable[[], HealthReport], checked: Callable[[], ClockChecked | None], machine: ResourceLedger,
        desk: DeskFold | None = None, log: LogFold | None = None, trades: TradesFold | None = None,
        streams: StreamsFold | None = None,
    ) -> None:  # fmt: skip
        self._clock, self._environment, self._supervisor = clock, environment, supervisor
        self._trades, self._streams = trades, streams
        self._bus, self._health, self._checked, self._machine = bus, health, checked, machine
        self._desk, self._log = desk, log
        self._venue = Provenance.MEASURED if environment == "live" else Provenance.SIMULATED

    def on_event(self, event: Event, seq: int) -> None:
        """Take the next event of the desk's journal: an observer of the trading loop."""
        if self._desk is not None:
            self._desk.on_event(event, seq)
        if self._log is not None:
            self._log.on_event(event, seq)
        for fold in (self._trades, self._streams):
            if fold is not None:
                fold.on_event(event)

    async def verifies(self, pulse: Pulse) -> None:
        """Verify the desk's journal again and again, beside the loop: the factory of a supervised task."""
        while self._log is not None:
            await asyncio.to_thread(self._log.verify, self._clock.now())
            pulse.beat()
            await asyncio.sleep(VERIFY_SECONDS)

    def probes(self) -> Probes:
        """Return the probes by assessment; each answers at once, in the loop's own thread."""
        found = {
            "task_supervision": self._tasks, "event_bus_health": self._bus_facts, "runtime_health": self._health_facts,
            "time_integrity": self._time, "resources": self._resources, "runtime_lag": self._lag,
        }
        desk, log = self._desk, self._log
        if desk is not None:
            found |= {
                "market_data_freshness": lambda tell: desk.market_data_facts(),
                "risk_policy": lambda tell: desk.risk_policy_facts(),
                "risk_posture": lambda tell: desk.risk_posture_facts(),
                "accounting_integrity": lambda tell: desk.accounting_facts(),
                "execution_readiness": lambda tell: desk.execution_facts(self._venue),
                "strategy_performance": lambda tell: desk.strategy_facts(self._venue),
                "roi": lambda tell: desk.roi_facts(self._venue),
            }
        if log is not None:
            found["log_integrity"] = log.facts
        if (trades := self._trades) is not None:
            found |= {
                "fill_parity": lambda tell: trades.fill_facts(self._simulated()),
                "attribution_coverage": trades.attribution_facts, "portfolio_risk": trades.portfolio_facts,
            }
        if (streams := self._streams) is not None:
            found |= {
                "data_feed": streams.feed_facts, "runtime_performance": streams.performance_facts,
                "telemetry_completeness": streams.completeness_facts,
            }
        return {name: (self._probe(name, read),) for name, read in found.items()}

    def _probe(self, name: str, read: Callable[[Teller], list[Observation]]) -> Probe:
        def look(now: int) -> list[Observation]:
            return read(Teller("process", now, environment=self._environment))

        return Probe(name, look, here=True)

    def _simulated(self) -> Teller:
        return Teller("process", self._clock.now(), environment=self._environment, provenance=self._venue)

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

    def _time(self, tell: Teller) -> list[Observation]:
        checked = self._checked()
        offset = None if checked is None or checked.offset_ns is None else abs(checked.offset_ns) / NANOS_PER_MILLI
        step = None if checked is None else abs(checked.drift_ns) / NANOS_PER_SECOND
        backwards = 0 if self._log is None else self._log.backwards
        return [
            tell("offset", offset, why="no time source tells the true offset"),
            tell("step", step, why="the clock was not checked yet"), tell("backwards", backwards),
        ]  # fmt: skip

    def _resources(self, tell: Teller) -> list[Observation]:
        machine = self._machine
        return resource_facts(machine.recent, machine.forecasts(), machine.policy.rss_bytes_max, tell)


def assessor_of(
    source: LiveSource, clock: Clock, *, state: Path, publisher: Publisher, alerts: AlertPort, gates: GatePort,
    halt: HaltPort, overrides: Mapping[str, Any], environment: str, code_version: str,
) -> tuple[Assessor, SnapshotJournal]:  # fmt: skip
    """Return what judges a running desk, and the journal of its snapshots, which the caller closes.

    overrides  the document's section `assessments`;  state  of the desk, where the journal lies

    The journal's newest snapshots are the history that it begins with, and their alerts count as raised.
    Raises `UsageError` for a policy that cannot be.
    """
    known = registry()
    policies = known.policies(overrides)
    if environment == "live":
        policies = {name: measured(one) for name, one in policies.items()}
    history = History().fold(snapshots_of(state / ASSESSMENTS))
    journal = SnapshotJournal(state / ASSESSMENTS, clock)
    pipeline = Pipeline(
        journal, PublisherPort(publisher), alerts, gates, halt, renderers={"md": markdown}, cleaned=redact
    )
    for name, last in history.newest().items():
        if name in policies:
            pipeline.restore(last, policies[name])
    assessor = Assessor(
        known, policies, pipeline, history, clock, probes=source.probes(), environment=environment,
        code_version=code_version,
    )  # fmt: skip
    return assessor, journal


def assesses(assessor: Assessor) -> Callable[[Pulse], Any]:
    """Return the factory of the supervised task that judges what is due, each second."""

    async def judging(pulse: Pulse) -> None:
        while True:
            assessor.cycle_due()
            pulse.beat()
            await asyncio.sleep(LOOK_SECONDS)

    return judging


def measured(policy: AssessmentPolicy) -> AssessmentPolicy:
    """Return a policy that takes measurements alone, as live asks for (FW-06)."""
    return msgspec.structs.replace(policy, provenance_floor="measured")
