"""One paper desk with everything around it: the only place where the supervised process is wired (APP-04)."""

import asyncio
import os
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tradeworthy.app import identity
from tradeworthy.app.alerts.alerting import Alerting
from tradeworthy.app.alerts.meter import PathMeter
from tradeworthy.app.assessing.live import LiveSource
from tradeworthy.app.bootstrap import instruments_of, policies_of, policy_of
from tradeworthy.app.config import Document
from tradeworthy.app.configuration.audit import ConfigurationAudited
from tradeworthy.app.configuration.reload import Reloaded, reload_from
from tradeworthy.app.configuration.secret_references import ignored_credentials
from tradeworthy.app.configuration.start import actor_of, start_configuration
from tradeworthy.app.evidence.citations import citations_of
from tradeworthy.app.gates.desk_gates import verdicts_for
from tradeworthy.app.gates.live_start import require_live
from tradeworthy.app.gates.verdicts import ask_of
from tradeworthy.app.halting.guard_memory import GUARD_FILE, guard_memory
from tradeworthy.app.halting.watchdog_incidents import told_anew
from tradeworthy.app.halting.watchdog_process import prepare
from tradeworthy.app.node_identity import write_identity
from tradeworthy.app.runbooks import runbooks_hash
from tradeworthy.app.runs.folder import state_of
from tradeworthy.app.runs.open_run import Company, OpenRun
from tradeworthy.app.runs.runner import RunSession
from tradeworthy.app.runtime.application import Application, Ended
from tradeworthy.app.runtime.declaring import clock_offset, skips_of, workloads_of
from tradeworthy.app.runtime.deployment import PROFILES, hardened
from tradeworthy.app.runtime.facts import CredentialsIgnored, GuardRestored, JournalOpened, RuntimeBegan
from tradeworthy.app.runtime.faults import DESK, LOOP, with_fault
from tradeworthy.app.runtime.feeding import NOT_APPLICABLE
from tradeworthy.app.runtime.guard_door import GuardDoor
from tradeworthy.app.runtime.ingesting import Ingesting, ingest_of
from tradeworthy.app.runtime.judging import SPECS as JUDGED
from tradeworthy.app.runtime.judging import Judging
from tradeworthy.app.runtime.kill_topics import KillTopics
from tradeworthy.app.runtime.life import begin_life, declared_life
from tradeworthy.app.runtime.metering import DeskMeter
from tradeworthy.app.runtime.observing import Observation
from tradeworthy.app.runtime.policy import RuntimePolicy
from tradeworthy.app.runtime.precondition import require_limits_in, require_risk_policy, tell_configuration
from tradeworthy.app.runtime.switches import Observer as Observer
from tradeworthy.app.runtime.switches import Switches as Switches
from tradeworthy.app.runtime.telling import Bulletin, summary_of
from tradeworthy.app.runtime.tiers import require_tier
from tradeworthy.app.runtime.time_integrity import TimeIntegrity
from tradeworthy.app.runtime.trading import TradingLoop
from tradeworthy.app.runtime.uptime import UptimeWatch
from tradeworthy.app.runtime.workload import Workload
from tradeworthy.app.venues import HALT_FILE, halt_flag
from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.supervision import TaskSupervisor
from tradeworthy.kernel.supervision.notify import ServiceNotify
from tradeworthy.kernel.supervision.resources import Machine, ResourceLedger, ResourceSample
from tradeworthy.kernel.supervision.watched import Vitals, WatchdogLink
from tradeworthy.kernel.telemetry.log_policy import LogPolicy
from tradeworthy.kernel.telemetry.publishing import Publishing, PublishingPolicy
from tradeworthy.kernel.telemetry.topics import KILL_PATTERNS, Flow
from tradeworthy.operations.gates.named import Act
from tradeworthy.operations.health.board import RuntimeBoard
from tradeworthy.operations.health.policy import HealthPolicy, of_environment
from tradeworthy.trading.control.asked import GuardAsked
from tradeworthy.trading.control.halt import Halt
from tradeworthy.trading.desk import Desk

SPOOL = "spool"
"""What waits to be published, below a desk's state."""
WATCHDOG_HTTP, WATCHDOG_PAGE = "RUNTIME_WATCHDOG_HTTP", "RUNTIME_WATCHDOG_PAGE_COMMAND"
WATCHDOG_HTTP_DEFAULT = "127.0.0.1:8081"


Address = Callable[["DeskProcess"], Workload | None]
"""Makes the workload that answers HTTP; None where it is switched off."""


class DeskProcess:
    """Wire a document's process; `run` runs it once.

    address  makes the workload that answers HTTP, None where nobody asks; the web is a room above this one
    """

    def __init__(
        self, document: Document, *, root: Path, clock: Clock, environ: Mapping[str, str],
        switches: Switches | None = None, observers: Sequence[Observer] = (), address: "Address | None" = None,
        health: HealthPolicy | None = None, actor: str = "",
    ) -> None:  # fmt: skip
        self.document, self.root, self.clock, self.environ = document, root, clock, environ
        self.switches = switches or Switches()
        if self.switches.faults and document.desk.environment == "live":
            raise ConfigurationRefused("--fault is refused in live: expected a paper desk")
        given = policy_of(HealthPolicy, "health", document.health)
        self.policy = hardened(policy_of(RuntimePolicy, "runtime", document.runtime), document, given, environ)
        self.state = state_of(root, document.desk.name)
        self.risk = require_risk_policy(document)  # before anything is written: no start without a valid one (APP-06)
        self.code = identity.code_hash()
        found = ingest_of(document, store=self.switches.duckdb_path, environ=environ, symbols=self.switches.symbols)
        place = self.switches.declared_in
        if place is None and document.desk.environment != "live":  # a live start asks with everything else
            ask = ask_of(document, tier=self.policy.tier, code=self.code)
            require_tier(self.policy, ask, verdicts_for(document, root, clock, act=Act.CHANGE_TIER))
        trades = place is None and not self.switches.no_trading
        if place is None and not trades:  # a session that trades asks for itself
            require_live(document, state=self.state, clock=clock, environ=environ)
        self._first = self._session(0) if trades else None  # what cannot be traded leaves nothing behind (APP-04)
        if trades:
            require_limits_in(document)
        self.life = begin_life(self.state, clock) if place is None else declared_life(place, clock)
        self.ingesting = Ingesting(
            found, clock, run_id=self.life.run_id, tell=self.life.tell, skip=self.switches.skip_ingest
        )
        self.alerting = Alerting(
            document, state=place or self.state, clock=clock, environ=environ, run_id=self.life.run_id
        )
        self.observation = Observation(
            document, run_id=self.life.run_id, clock=clock, release=self.code[:12], environ=environ,
            folder=self.life.folder, stream=self.switches.stream, errors=self.alerting.errors,
            cited=citations_of(root, self.state, self.policy.evidence), more=JUDGED,
        )  # fmt: skip
        self.logs, self.metrics = self.observation.logs, self.observation.metrics
        self.service = ServiceNotify.of_environment(environ)
        self.uptime = UptimeWatch(self.state, self.life.folder, self.policy.tier)
        self.flag, self.memory = halt_flag(self.state, clock), guard_memory(self.state)
        self.door = GuardDoor(
            clock, self.memory, run_id=self.life.run_id, on_stop=self._trip,
            failure_halts=PROFILES[self.policy.deployment].failure_halts,
        )  # fmt: skip
        self.supervisor = TaskSupervisor(
            clock, random.Random(document.desk.seed), self.door, run_id=self.life.run_id, sink=self._on_transition,
            policy=self.policy.supervision,
        )  # fmt: skip
        self.publishing = Publishing(
            self.supervisor, clock, self.door.hold_of("bus"), (place or self.state) / SPOOL, run_id=self.life.run_id,
            policy=policy_of(PublishingPolicy, "telemetry.publishing", document.telemetry.get("publishing", {})),
            spans=self.observation.tracing.span if self.observation.tracing.on else None,
        )  # fmt: skip
        self.bulletin = Bulletin(self.publishing.publisher)
        self.publishing.bus.subscribe("bulletin", self.bulletin.take, topics=("telemetry.",))
        self.publishing.bus.subscribe(
            "kill_switch", KillTopics(self.flag, clock).take, topics=KILL_PATTERNS, flow=Flow.RISK
        )
        self.resources = ResourceLedger(clock, Machine(self.state), self.policy.resources, clock_offset=clock_offset)
        self.meter = DeskMeter(self.metrics, clock, {
            one.id: (one.strategy, instruments_of(document)[one.instrument].venue, one.instrument)
            for one in document.instances
        })  # fmt: skip
        self.board = RuntimeBoard(
            clock, health or of_environment(environ, given),
            run_id=self.life.run_id, environment=document.desk.environment,
            not_applicable=self._not_applicable(), metrics=self.metrics.render,
        )  # fmt: skip
        self.observers = tuple(observers)
        self.trading = None if self.switches.no_trading else self._trading_loop(self.observers)
        self.link = self._watchdog() if self.policy.watchdog and self.trading is not None else None
        self.clock_watch: TimeIntegrity | None = None
        self.audited: ConfigurationAudited | None = None
        self.judging = self._judging(place)
        self.application = Application(
            clock=clock, life=self.life, supervisor=self.supervisor, orders=self.trading, seal=self._seal,
            policy=self.policy.shutdown, service=self.service, environ=environ, farewell=self._farewell,
            drain=self.publishing.bus.drained, tracing=self.observation.tracing,
        )  # fmt: skip
        self._actor = actor or actor_of(environ)
        self.life.tell(RuntimeBegan(
            self.life.run_id, document.desk.name, document.desk.environment, os.getpid(), self.code, document.hash(),
            runbooks_hash(), self.policy.tier,
        ))  # fmt: skip
        self._declare(address)

    @property
    def folder(self) -> Path | None:
        """The folder of the run in hand, from before its first event."""
        return None if self.trading is None else self.trading.folder

    async def run(self, timeout_s: float | None = None) -> Ended:
        """Run to the end of the tapes, a request, or the timeout; then end gracefully."""
        self.observation.route_errors(asyncio.get_running_loop(), lambda one: self.judging.on_line(self.life.tell(one)))
        try:
            return await self.application.run(timeout_s)
        finally:
            self.life.close()
            self.observation.close()
            self.flag.close()

    def reload(self, read: Callable[[], Document]) -> None:
        """Take over what may change while a desk runs, all of it or nothing; either way it is journaled (CFG-08)."""
        self.document, told = reload_from(self.document, read, actor=self._actor, accept=[policies_of])
        self.life.tell(told)
        if isinstance(told, Reloaded):
            telemetry, health = self.document.telemetry, self.document.health
            self.logs.adopt(policy_of(LogPolicy, "telemetry.logs", telemetry.get("logs", {})))
            self.publishing.adopt(
                policy_of(PublishingPolicy, "telemetry.publishing", telemetry.get("publishing", {}))
            )
            self.board.adopt(of_environment(self.environ, policy_of(HealthPolicy, "health", health)))

    def discard(self) -> None:
        """Let go of a process that was declared only, e.g. for a summary."""
        self.publishing.spool.close()
        self.life.close()
        self.observation.close()
        self.flag.close()

    # the start, in order

    def _declare(self, address: "Address | None") -> None:
        application = self.application
        application.on_startup("configuration", self._audit)
        if self.trading is not None:
            application.on_startup("journal", self._open_journal, self.trading.close)
        if self.link is not None:
            application.on_startup("watchdog", self._launch_watchdog, self.link.farewell)
        application.on_startup("event_bus", self._start_bus, self.publishing.stop)
        application.on_startup("trading_precondition", lambda: tell_configuration(
            self.bulletin.tell, self.document, self.audited, trades=self.trading is not None
        ))  # fmt: skip
        application.on_startup("alerts", self._open_alerts, self.alerting.close)
        application.on_startup("assessments", self.judging.open, self.judging.close)
        application.on_shutdown("event_bus", self.publishing.stop)
        application.on_shutdown("alerts", self.alerting.close)
        application.on_shutdown("assessments", self.judging.close)
        self.ingesting.declare(application)
        for workload in workloads_of(self, address):
            application.add(self._faulty(workload))
        for name, reason in skips_of(self).items():
            application.skip(name, reason)

    def _start_bus(self) -> None:
        self.publishing.start()
        self.bulletin.open()

    def _audit(self) -> None:
        if ignored := ignored_credentials(self.document):
            self.life.tell(CredentialsIgnored(ignored, "a paper desk holds no credentials"))
        found = start_configuration(
            self.document, state=self.state, clock=self.clock, actor=self._actor, code=self.code, environ=self.environ
        )
        self.audited = found.audited
        event = self.life.tell(found.audited)
        self.life.tell(found.identified, event)
        write_identity(found.identified, self.life.folder, self.state)

    def _open_journal(self) -> None:
        assert self.trading is not None
        self.trading.open()

    def _on_open(self, run: OpenRun) -> None:
        journal = run.journal
        self.judging.follow(run)
        self.life.tell(JournalOpened(str(run.ready.folder), journal.head, journal.last_seq))
        guard = run.desk.guard
        held = tuple(f"{one.owner}.{one.code} -> {one.level.name.lower()}" for one in guard.reasons())
        self.life.tell(GuardRestored(guard.level.name.lower(), held))

    def _launch_watchdog(self) -> None:
        assert self.link is not None
        for incident in told_anew(self._watchdog_folder):
            self.life.tell(incident)
        self.link.launch()

    # parts

    def _trading_loop(self, observers: tuple[Observer, ...]) -> TradingLoop:
        seen = (
            Observer(self.meter.on_event, self.meter.on_progress), Observer(self.alerting.on_event),
            Observer(self._judge_event), *observers,
        )  # fmt: skip

        def observe(event: Event, seq: int) -> None:
            for one in seen:
                one.on_event(event, seq)
            self.bulletin.on_event(event, seq)

        def progress(desk: Desk, rows: int, ts: int) -> None:
            for one in seen:
                one.on_progress(desk, rows, ts)

        company = Company(
            progress, observe, alert=self._alert, log_lines=self.logs.lines,
            metrics=lambda: self.metrics.render().decode(),
            stepped=self.observation.stepped, appended=self.metrics.journal_append,
            clock_offset=lambda: None if (offset := clock_offset()) is None else offset / NANOS_PER_SECOND,
        )  # fmt: skip
        return TradingLoop(
            self._next_session, self.door, company,
            give_way_ms=self.policy.give_way_ms, on_open=self._on_open,
        )  # fmt: skip

    def _session(self, at: int) -> RunSession:
        return RunSession(self.document, root=self.root, clock=self.clock, go_on_at=at, environ=self.environ)

    def _next_session(self, at: int) -> RunSession:
        """Return the session of an attempt: that of the first one was made before anything was written."""
        first, self._first = self._first, None
        return self._session(at) if first is None else first

    def _judging(self, place: Path | None) -> Judging:
        document, clock = self.document, self.clock
        source = LiveSource(
            clock, environment=document.desk.environment, supervisor=self.supervisor, bus=self.publishing.bus.facts,
            health=self.board.health, checked=lambda: None if self.clock_watch is None else self.clock_watch.last,
            machine=self.resources, audited=lambda: self.audited, running=lambda: self.document.hash(), root=self.root,
            alerting=self.alerting,
        )  # fmt: skip
        return Judging(
            document, source, state=place or self.state, clock=clock, code=self.code,
            publisher=self.publishing.publisher, alerting=self.alerting, ask=self.door.ask,
            overrides=document.assessments, policy=self.policy.judging,
        )  # fmt: skip

    def _watchdog(self) -> WatchdogLink:
        command = self.environ.get(WATCHDOG_PAGE, "")
        prepared = prepare(
            self.state, desk=self.document.desk.name, environment=self.document.desk.environment,
            sentinel=self.state / GUARD_FILE, flag=self.state / HALT_FILE, venue=self.document.venue.connection,
            http=self.environ.get(WATCHDOG_HTTP, WATCHDOG_HTTP_DEFAULT), page_command=tuple(command.split()),
            dead_man_s=self.policy.dead_man_s,
        )  # fmt: skip
        self._watchdog_folder = prepared.folder
        return WatchdogLink(
            self.supervisor, self.clock, command=prepared.command, folder=prepared.folder, run_id=self.life.run_id,
            vitals=self._vitals, hold=self.door.hold_of("watchdog"), policy=self.policy.watch, service=self.service,
            lag=self.resources.lag,
        )  # fmt: skip

    def _vitals(self) -> Vitals:
        run = None if self.trading is None else self.trading.run
        if run is None:
            return Vitals("", "unknown")
        return Vitals(run.journal.head, run.desk.guard.level.name.lower())

    def _not_applicable(self) -> dict[str, str]:
        found = dict(NOT_APPLICABLE)
        if self.switches.no_trading:
            for name in ("market_data", "journal", "guard", "kill_switch", "agents", "controls", "portfolio"):
                found[name] = "--no-trading"
        if not self.policy.watchdog or self.switches.no_trading:
            found["watchdog"] = "no watchdog is configured"
        return found

    def _faulty(self, workload: Workload) -> Workload:
        """Return the workload with the faults that were asked for it."""
        faults = [one for one in self.switches.faults if one.component == workload.name]
        if workload.name == "runtime_board":
            faults += [one for one in self.switches.faults if one.component in (LOOP, DESK)]
        for fault in faults:
            workload = replace(workload, factory=with_fault(workload.factory, fault, self.clock))
        return workload

    # what is heard

    def _trip(self, asked: GuardAsked) -> None:
        """Raise the halt flag for a stop that is asked beside the desk: the edge reads it before the next send."""
        now = self.clock.now()
        self.flag.trip(Halt(asked.owner, asked.code, asked.scope, now, self.clock.monotonic(), asked.evidence))

    def _judge_event(self, event: Event, seq: int) -> None:
        self.judging.on_event(event, seq)

    def _open_alerts(self) -> None:
        def publish(topic: str, event: Event) -> None:
            self.publishing.publisher.publish(topic, event, source="alerts")

        self.alerting.open(
            self.supervisor, self.door.ask, publish, delivered=self.metrics.alert_delivered,
            meter=PathMeter(self.metrics), tracing=self.observation.tracing,
        )

    def _on_transition(self, event: Event) -> None:
        self.life.accept(event)
        self.alerting.on_transition(event)
        self.metrics.transition(event)
        self.bulletin.on_transition(event)

    def on_sample(self, sample: ResourceSample) -> None:
        self.life.tell(sample)
        self.metrics.resources(sample)

    def _alert(self, code: str, text: str) -> None:
        self.logs.logger("tradeworthy.desk").warning("alert", code=code, text=text)
        self.alerting.warn(code, text)

    def _farewell(self) -> None:
        if self.link is not None:
            self.link.farewell()

    def _seal(self, reason: str) -> bool:
        if self.trading is not None:
            self.trading.seal(reason)
        return True

    def summary(self, *, running: bool) -> bytes:
        """Return what this process is made of and how it stands, as JSON without secrets."""
        return summary_of(self, running=running)
