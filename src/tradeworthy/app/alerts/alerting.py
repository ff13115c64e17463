"""The alert path of one desk, put together: its journal, its ways out, its reasons at the guard, and who asks it."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random

from tradeworthy.adapters.notify.local import LinesFile
from tradeworthy.adapters.notify.transports import keep_threads, transports_of
from tradeworthy.app.alerts.duties import ClockWatch, ReviewWatch, RosterWatch, looks_of
from tradeworthy.app.alerts.journal import ALERTS as ALERTS
from tradeworthy.app.alerts.journal import CANARIES as CANARIES
from tradeworthy.app.alerts.journal import JOURNAL as JOURNAL
from tradeworthy.app.alerts.journal import AlertJournal as AlertJournal
from tradeworthy.app.alerts.journal import Before as Before
from tradeworthy.app.alerts.journal import Mailbox as Mailbox
from tradeworthy.app.alerts.journal import alert_facts as alert_facts
from tradeworthy.app.alerts.journal import incidents_of as incidents_of
from tradeworthy.app.alerts.spans import ROUTE, spanned
from tradeworthy.app.bootstrap import policy_of
from tradeworthy.app.config import Document
from tradeworthy.app.configuration.secret_references import store_of
from tradeworthy.app.halting.forensic import newest
from tradeworthy.app.incidents.course import scene_of_run
from tradeworthy.app.runtime.workload import Workload
from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.errors import RetryLater
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.supervision import Escalated, TaskSupervisor
from tradeworthy.kernel.supervision.task import Pulse
from tradeworthy.kernel.telemetry.tracing import Tracing
from tradeworthy.operations.assessments.framework.ports import AlertEvent
from tradeworthy.operations.incidents.actions import ActionWatch
from tradeworthy.operations.incidents.catalogue import category_of
from tradeworthy.operations.incidents.drills import DRILL_CODE, DRILL_COMPONENT, DRILL_TASK, DrillWatch
from tradeworthy.operations.incidents.ladder_policy import EscalationPolicy, require_live
from tradeworthy.operations.incidents.lifecycle import IncidentBook
from tradeworthy.operations.incidents.model import (
    Alert,
    AlertSeverity,
    PathOpened,
    Signal,
)
from tradeworthy.operations.incidents.path import AlertPath, PathFacts, PathPolicy
from tradeworthy.operations.incidents.path_model import AlertMeter
from tradeworthy.operations.incidents.people import Guards
from tradeworthy.operations.incidents.policy import AlertPolicy, IncidentPolicy
from tradeworthy.operations.incidents.roster import RosterFacts
from tradeworthy.operations.incidents.scene import SceneFold
from tradeworthy.operations.incidents.tickets import TicketWatch
from tradeworthy.operations.incidents.triggers import FailuresInARow
from tradeworthy.operations.incidents.unrouted import UnroutedErrors
from tradeworthy.trading.control.asked import GuardAsked
from tradeworthy.trading.execution.execution import ExecutionPolicy
from tradeworthy.trading.model import GuardChanged, GuardLevel, OrderChanged, OrderState

NOTICES = "notices"
"""Below the path's folder: drafts of notices to authorities."""
BENIGN = ExecutionPolicy().benign_codes
"""Rejections that are part of quoting."""
EARLY_MAX = 1_000
"""Signals that are kept until the path opens."""
OWN_REASONS = frozenset({"alert_path", "escalation"})
"""Owners whose reasons the path sets itself: it has told of what led to them."""
MISSED_SHOWN = 10
"""Alerts that the message about missed ones spells out."""
Ask = Callable[[GuardAsked], None]


class Reducing:
    """Ask the guard to reduce in the name of `escalation`, and take that away again."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def hold(self, code: str, evidence: str) -> None:
        """Only reduce until a person takes the incident."""
        self._ask(GuardAsked("escalation", code, GuardLevel.REDUCING, evidence=evidence))

    def release(self, code: str) -> None:
        """A person took it."""
        self._ask(GuardAsked("escalation", code, GuardLevel.REDUCING, active=False))


class Pausing:
    """Pause the desk in the name of `alert_path`, and take that away again."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def hold(self, code: str, evidence: str) -> None:
        """Open nothing until a test alert is acknowledged."""
        self._ask(GuardAsked("alert_path", code, GuardLevel.PAUSED, evidence=evidence))

    def release(self, code: str) -> None:
        """A test alert was acknowledged."""
        self._ask(GuardAsked("alert_path", code, GuardLevel.PAUSED, active=False))


class Triggering:
    """Ask the guard for what the trigger matrix says, in the name of `escalation`."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def hold(self, code: str, level: GuardLevel, scope: str, evidence: str, expires_at: int | None) -> None:
        """Set the reason of a row."""
        self._ask(GuardAsked("escalation", code, level, scope, expires_at=expires_at, evidence=evidence))

    def release(self, code: str, level: GuardLevel, scope: str) -> None:
        """Take it away: what was seen is over."""
        self._ask(GuardAsked("escalation", code, level, scope, active=False))


class Alerting:
    """One desk's alert path: declared with the process, opened at its start, closed at its end.

    state    the desk's folder of state;  environ  where secrets may lie
    run_id   makes ids of this life its own

    Sources may call `tell` from the first moment; until `open` what they say waits. Raises `ConfigurationRefused` for
    policies by which a critical alert could reach nobody in live, `UsageError` for a wrong key.
    """

    def __init__(
        self, document: Document, *, state: Path, clock: Clock, environ: Mapping[str, str], run_id: str
    ) -> None:
        self.policy = path_policy(document)
        self._live = document.desk.environment == "live"
        if self._live:
            require_live(self.policy.alerts, self.policy.escalation)
        self._seed, self._state, self._clock, self._run_id = document.desk.seed, state, clock, run_id
        self._secrets = store_of(environ)
        self._early: deque[Signal] = deque(maxlen=EARLY_MAX)
        self.errors = UnroutedErrors(self.policy.alerts, self.tell)
        self.path: AlertPath | None = None
        self._tracing = Tracing()
        self._journal: AlertJournal | None = None
        self._failures, self.scene = FailuresInARow(), SceneFold()
        self.roster = RosterWatch(self.policy.escalation, self.folder)

    @property
    def folder(self) -> Path:
        """Where the path keeps what outlives it."""
        return self._state / ALERTS

    def open(
        self, supervisor: TaskSupervisor, ask: Ask, publish: Callable[[str, Event], None] = lambda topic, event: None,
        *, delivered: Callable[[str, float], None] = lambda channel, seconds: None, announced: bool = True,
        meter: AlertMeter | None = None, tracing: Tracing | None = None,
    ) -> None:  # fmt: skip
        """Take the journal and stand ready; `work` then runs it.

        ask      brings reasons to the guard, e.g. `GuardDoor.ask`
        publish  takes topic and accepted event, e.g. `publisher.publish(topic, event, source="alerts")`
        delivered  hears of each receipt: channel and seconds, e.g. `DeskMetrics.alert_delivered`;  meter  measures it
        announced  False where this is no process of the desk, e.g. a test of its channels
        """
        policy = self.policy.alerts
        self._tracing = tracing or self._tracing
        found = transports_of(policy, self._secrets.resolve, base=self.folder)
        ways = spanned(found, self._tracing)
        reachable = any(not isinstance(way, str) for way in ways.values())
        acts = self._live or reachable  # a paper desk that never had anybody to tell is not paused for it
        before = Before(self.folder, self.policy.incidents, self.policy.escalation)
        self.roster = before.roster
        for name, way in found.items():
            keep_threads(way, name, before.threads)
        self._journal = AlertJournal(self.folder / JOURNAL, self._clock, run_id=self._run_id)
        mailbox = Mailbox(self.folder, self._clock)
        guards = Guards(Pausing(ask), Reducing(ask), Triggering(ask)) if acts else Guards(triggers=Triggering(ask))
        carried = tuple(one.id for one, _ in before.ladder.carried)
        self.path = AlertPath(
            self._clock, supervisor, Random(self._seed), self.policy, transports=ways,
            canary=LinesFile(self.folder / CANARIES), record=self._journal, incidents=before.incidents,
            guards=guards, run_id=self._run_id, ladder=before.ladder,
            meter=meter, scene=scene_of_run(self.scene, self._state), silences=before.silences(self._clock.now()),
            looks=looks_of(
                ClockWatch(before.incidents, self.folder / NOTICES),
                TicketWatch(before.incidents, self.policy.incidents, lambda: newest(self._state)),
                self.roster, ReviewWatch(before.incidents, self.policy.incidents),
                ActionWatch(before.incidents.actions),
                DrillWatch(before.incidents, policy.drill_interval_days, before.drilled_at),
            ),
            publish=publish, asked=mailbox.take, answer=mailbox.answer, delivered=delivered,
        )  # fmt: skip
        if announced:
            reached = tuple(name for name, way in ways.items() if not isinstance(way, str))
            self._journal.tell_all((PathOpened(self._run_id, self._clock.now(), reached, carried),))
            if reachable and before.unheard:
                self.path.tell(_missed(before.unheard))
        early, self._early = tuple(self._early), deque(maxlen=EARLY_MAX)
        for signal in early:
            self.path.tell(signal)

    def workload(self) -> Workload:
        """Return what runs the path in a desk's process."""
        return Workload(
            "alerts", "alerts", "who is told of what, and whether it reached them", self.work,
            {"channels": ", ".join(one.name for one in self.policy.alerts.channels)}, interval_s=1.0,
        )  # fmt: skip

    async def work(self, pulse: Pulse) -> None:
        """Run the path: the factory of the workload `alerts`."""
        if self.path is None:
            raise RetryLater("expected an open alert path, found it closed")
        await self.path.work(pulse)

    def close(self) -> None:
        """Settle what waits, and seal the journal; a second time does nothing."""
        if self.path is not None and self._journal is not None:
            self.path.close()
            self._journal.close()
            self._journal = self.path = None

    def facts(self) -> PathFacts | None:
        """Return the path at this moment; None before it opens and after it closes."""
        return None if self.path is None else self.path.facts()

    def roster_facts(self) -> RosterFacts:
        """Return who is on call as far as the roster tells, for an assessment."""
        return self.roster.facts(self._clock.now())

    @property
    def incidents(self) -> IncidentBook | None:
        """The book of incidents; None before the path opens and after it closes."""
        return None if self.path is None else self.path.incidents

    @property
    def last_told(self) -> int | None:
        """Stamp of what this process's path told last, nanoseconds UTC."""
        return None if self._journal is None else self._journal.last_told

    # sources

    def tell(self, signal: Signal) -> None:
        """Take a signal, from any thread."""
        path = self.path
        if path is None:
            self._early.append(signal)
        else:
            with self._tracing.alert(ROUTE, signal.code, category=signal.category):
                path.tell(signal)

    def alert(self, event: AlertEvent) -> None:
        """Take a finding of an assessment (implements its `AlertPort`)."""
        self.tell(Signal(
            code=event.code, category=category_of(event.code, event.category), message=event.message,
            component=event.component or event.assessment, subject=event.assessment,
            finding=event.severity if event.active else Severity.OK, runbook=event.runbook, owner=event.owner,
            firing=event.active, cause=f"snapshot:{event.snapshot}",
        ))  # fmt: skip

    def warn(self, code: str, text: str) -> None:
        """Take what the desk's own process says by a code and a text."""
        self.tell(Signal(code=code, category=f"system.{code}", message=text))

    def on_transition(self, event: Event) -> None:
        """Hear of a failure that no restart answers."""
        told = event.payload
        if isinstance(told, Escalated) and told.task.startswith(DRILL_TASK):
            self.tell(Signal(
                code=DRILL_CODE, category="system_failure", component=DRILL_COMPONENT,
                subject=told.task.removeprefix(DRILL_TASK), severity=AlertSeverity.CRITICAL, cause=event.event_id,
                message="DRILL: a failure was forced; acknowledge it with `tradeworthy alert ack`",
            ))  # fmt: skip
        elif isinstance(told, Escalated):
            self.tell(Signal(
                code="system_failure.task", category="system_failure", component=told.task, subject=told.owner,
                message=f"task {told.task} is given up: {told.reason}", severity=AlertSeverity.CRITICAL,
                cause=event.event_id,
            ))  # fmt: skip

    def on_event(self, event: Event, seq: int) -> None:
        """Hear of each event that the desk's journal accepted: reasons that are set at the guard, and cleared."""
        told = event.payload
        self.scene.on_event(event, seq)
        if isinstance(told, OrderChanged):
            self._on_order(told, seq)
        if not isinstance(told, GuardChanged):
            return
        owner, _, code = told.reason.partition(".")
        if owner in OWN_REASONS:
            return
        if told.reason_level is GuardLevel.STOPPED:
            severity = AlertSeverity.CRITICAL
        else:  # one instance that warms up, and an end that was asked for, are journaled and wake nobody
            quiet = told.scope != "desk" or owner == "shutdown"
            severity = AlertSeverity.INFO if quiet else AlertSeverity.WARNING
        self.tell(Signal(
            code=f"guard.{owner}", category=f"guard.{owner}", component=code or owner, subject=told.scope,
            severity=severity, message=f"{told.reason} {told.reason_level.name.lower()}: {told.evidence}",
            firing=told.set, cause=f"journal:{seq}",
        ))  # fmt: skip


    def _on_order(self, told: OrderChanged, seq: int) -> None:
        """Count orders that failed one after another (AR-20)."""
        cause, found = f"journal:{seq}", None
        if told.after is OrderState.REJECTED and told.code not in BENIGN:
            found = self._failures.failed(told.instance, cause)
        elif told.after in (OrderState.WORKING, OrderState.FILLED, OrderState.PARTIALLY_FILLED):
            found = self._failures.worked(told.instance, cause)
        if found is not None:
            self.tell(found)


def path_policy(document: Document) -> PathPolicy:
    """Return the policies of the document's sections `telemetry.alerts`, `.escalation` and `.incidents`."""
    raw = document.telemetry
    return PathPolicy(
        alerts=policy_of(AlertPolicy, "telemetry.alerts", raw.get("alerts", {})),
        escalation=policy_of(EscalationPolicy, "telemetry.escalation", raw.get("escalation", {})),
        incidents=policy_of(IncidentPolicy, "telemetry.incidents", raw.get("incidents", {})),
    )


def _missed(unheard: Sequence[Alert]) -> Signal:
    codes = ", ".join(dict.fromkeys(f"{one.code} on {one.subject}" for one in unheard[:MISSED_SHOWN]))
    more = f" and {len(unheard) - MISSED_SHOWN} more" if len(unheard) > MISSED_SHOWN else ""
    said = f"{len(unheard)} critical alerts of the last process reached nobody: {codes}{more}"
    return Signal(
        code="alert_path.missed", category="alert_path.missed", message=said, severity=AlertSeverity.CRITICAL
    )
