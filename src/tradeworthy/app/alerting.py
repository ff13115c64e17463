"""The alert path of one desk, put together: its journal, its ways out, its reasons at the guard, and who asks it."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random

import msgspec

from tradeworthy.adapters.notify.local import LinesFile
from tradeworthy.adapters.notify.transports import transports_of
from tradeworthy.app.bootstrap import policy_of
from tradeworthy.app.config import Document
from tradeworthy.app.runtime.workload import Workload
from tradeworthy.app.secret_references import store_of
from tradeworthy.kernel.clock import NANOS_PER_MILLI, Clock
from tradeworthy.kernel.errors import RetryLater, UsageError
from tradeworthy.kernel.facts import Event, Fact, event_of
from tradeworthy.kernel.journal import Journal, read
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.supervision import Escalated, TaskSupervisor
from tradeworthy.kernel.supervision.task import Pulse
from tradeworthy.operations.assessments.framework.ports import AlertEvent
from tradeworthy.operations.incidents.acts import Answer, Request
from tradeworthy.operations.incidents.catalogue import category_of
from tradeworthy.operations.incidents.drills import DRILL_CODE, DRILL_COMPONENT, DRILL_TASK
from tradeworthy.operations.incidents.lifecycle import IncidentBook
from tradeworthy.operations.incidents.model import (
    Alert,
    AlertAcknowledged,
    AlertSeverity,
    Outcome,
    PathOpened,
    Receipt,
    Signal,
)
from tradeworthy.operations.incidents.path import AlertPath, PathFacts, PathPolicy
from tradeworthy.operations.incidents.people import Guards
from tradeworthy.operations.incidents.policy import AlertPolicy, EscalationPolicy, IncidentPolicy, require_live
from tradeworthy.operations.incidents.unrouted import UnroutedErrors
from tradeworthy.trading.control.asked import GuardAsked
from tradeworthy.trading.model import GuardChanged, GuardLevel

SOURCE = "alerts"
ALERTS, JOURNAL, ASKED, ANSWERED, CANARIES = "alerts", "journal", "asked", "answered", "canaries.jsonl"
"""Below a desk's state: the path's folder; in it its journal, what people asked, the answers, the canaries' sink."""
EARLY_MAX = 1_000
"""Signals that are kept until the path opens."""
OWN_REASONS = frozenset({"alert_path", "escalation"})
"""Owners whose reasons the path sets itself: it has told of what led to them."""
ASK_EVERY_NS = 200 * NANOS_PER_MILLI
ANSWERS_KEPT = 64
MISSED_SHOWN = 10
"""Alerts that the message about missed ones spells out."""
Ask = Callable[[GuardAsked], None]


class AlertJournal:
    """Journal what the path does, in a journal of its own that outlives each process of the desk."""

    def __init__(self, folder: Path, clock: Clock, *, run_id: str) -> None:
        self._clock, self._run_id = clock, run_id
        self._journal = Journal.open(folder, clock=clock)
        self._number = 0

    def tell_all(self, facts: Sequence[Fact]) -> Sequence[Event]:
        """Journal facts in order, durable when this returns; returns them as they were accepted."""
        found = []
        now = self._clock.now()
        for one in facts:
            self._number += 1
            event = event_of(one, source=SOURCE, key=f"{self._run_id}:{self._number}", ts_event=now, ts_init=now)
            found.append(msgspec.structs.replace(event, seq=self._journal.accept(event)))
        self._journal.commit()
        return found

    def close(self) -> None:
        """Seal it."""
        self._journal.close()


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


class Before:
    """What a path's journal tells a new process: the incidents, and the critical alerts that reached nobody.

    unheard  of the last process that ran the path, not taken by a person, oldest first
    """

    def __init__(self, folder: Path, policy: IncidentPolicy) -> None:
        self.incidents = IncidentBook(policy)
        self._heard: dict[str, Alert] = {}
        directory = folder / JOURNAL
        for event in read(directory) if directory.is_dir() else ():
            self._fold(event.payload)

    @property
    def unheard(self) -> tuple[Alert, ...]:
        """The alerts."""
        return tuple(self._heard.values())

    def _fold(self, told: Fact) -> None:
        self.incidents.fold(told)
        match told:
            case PathOpened():
                self._heard.clear()
            case Alert() if told.firing and told.severity is AlertSeverity.CRITICAL:
                self._heard[told.id] = told
            case Alert() | AlertAcknowledged():
                self._heard.pop(told.id if isinstance(told, Alert) else told.alert, None)
            case Receipt() if told.outcome is Outcome.ACCEPTED:
                for one in told.alerts:
                    self._heard.pop(one, None)
            case _:
                pass


class Mailbox:
    """What people ask a running desk's path, as files; an answer lies beside them until it is read or old."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._asked, self._answered, self._clock = folder / ASKED, folder / ANSWERED, clock
        self._next = clock.monotonic()

    def put(self, request: Request) -> None:
        """Ask."""
        self._asked.mkdir(parents=True, exist_ok=True)
        write_durably(self._asked / f"{request.id}.json", msgspec.json.encode(request))

    def take(self) -> tuple[Request, ...]:
        """Return what was asked since the last look; a file that holds no request is answered with the reason."""
        now = self._clock.monotonic()
        if now < self._next or not self._asked.is_dir():
            return ()
        self._next = now + ASK_EVERY_NS
        found = []
        for path in sorted(self._asked.glob("*.json")):
            try:
                request = msgspec.json.decode(path.read_bytes(), type=Request)
            except (msgspec.MsgspecError, UnicodeDecodeError) as problem:
                self.answer(Answer(id=path.stem, fault=f"expected a request, found {problem}"))
            else:
                found.append(request)
            path.unlink()
        return tuple(found)

    def answer(self, answer: Answer) -> None:
        """Lay an answer down; the oldest give way."""
        self._answered.mkdir(parents=True, exist_ok=True)
        for old in sorted(self._answered.glob("*.json"), key=lambda one: one.stat().st_mtime)[: -ANSWERS_KEPT or None]:
            old.unlink(missing_ok=True)
        write_durably(self._answered / f"{Path(answer.id).name}.json", msgspec.json.encode(answer))

    def answer_of(self, request: str) -> Answer | None:
        """Return an answer, None while there is none."""
        try:
            return msgspec.json.decode((self._answered / f"{request}.json").read_bytes(), type=Answer)
        except FileNotFoundError:
            return None


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
        self._journal: AlertJournal | None = None

    @property
    def folder(self) -> Path:
        """Where the path keeps what outlives it."""
        return self._state / ALERTS

    def open(
        self, supervisor: TaskSupervisor, ask: Ask, publish: Callable[[str, Event], None] = lambda topic, event: None,
        *, delivered: Callable[[str, float], None] = lambda channel, seconds: None, announced: bool = True,
    ) -> None:  # fmt: skip
        """Take the journal and stand ready; `work` then runs it.

        ask      brings reasons to the guard, e.g. `GuardDoor.ask`
        publish  takes topic and accepted event, e.g. `publisher.publish(topic, event, source="alerts")`
        delivered  hears of each receipt: channel and seconds, e.g. `DeskMetrics.alert_delivered`
        announced  False where this is no process of the desk, e.g. a test of its channels
        """
        policy = self.policy.alerts
        ways = transports_of(policy, self._secrets.resolve, base=self.folder)
        reachable = any(not isinstance(way, str) for way in ways.values())
        acts = self._live or reachable  # a paper desk that never had anybody to tell is not paused for it
        before = Before(self.folder, self.policy.incidents)
        self._journal = AlertJournal(self.folder / JOURNAL, self._clock, run_id=self._run_id)
        mailbox = Mailbox(self.folder, self._clock)
        self.path = AlertPath(
            self._clock, supervisor, Random(self._seed), self.policy, transports=ways,
            canary=LinesFile(self.folder / CANARIES), record=self._journal, incidents=before.incidents,
            guards=Guards(Pausing(ask) if acts else None, Reducing(ask) if acts else None), run_id=self._run_id,
            publish=publish, asked=mailbox.take, answer=mailbox.answer, delivered=delivered,
        )  # fmt: skip
        if announced:
            reached = tuple(name for name, way in ways.items() if not isinstance(way, str))
            self._journal.tell_all((PathOpened(self._run_id, self._clock.now(), reached),))
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

    # sources

    def tell(self, signal: Signal) -> None:
        """Take a signal, from any thread."""
        path = self.path
        if path is None:
            self._early.append(signal)
        else:
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


def path_policy(document: Document) -> PathPolicy:
    """Return the policies of the document's sections `telemetry.alerts`, `.escalation` and `.incidents`."""
    raw = document.telemetry
    return PathPolicy(
        alerts=policy_of(AlertPolicy, "telemetry.alerts", raw.get("alerts", {})),
        escalation=policy_of(EscalationPolicy, "telemetry.escalation", raw.get("escalation", {})),
        incidents=policy_of(IncidentPolicy, "telemetry.incidents", raw.get("incidents", {})),
    )


def alert_facts(folder: Path) -> list[Event]:
    """Return every event of a path's journal, oldest first; raises `UsageError` where there is none."""
    directory = folder / JOURNAL
    if not directory.is_dir():
        raise UsageError(f"expected the journal of an alert path in {directory}, found none: has the desk run?")
    return list(read(directory))


def _missed(unheard: Sequence[Alert]) -> Signal:
    codes = ", ".join(dict.fromkeys(f"{one.code} on {one.subject}" for one in unheard[:MISSED_SHOWN]))
    more = f" and {len(unheard) - MISSED_SHOWN} more" if len(unheard) > MISSED_SHOWN else ""
    said = f"{len(unheard)} critical alerts of the last process reached nobody: {codes}{more}"
    return Signal(
        code="alert_path.missed", category="alert_path.missed", message=said, severity=AlertSeverity.CRITICAL
    )


def incidents_of(folder: Path, policy: IncidentPolicy) -> IncidentBook:
    """Return the incidents that a path's journal tells of; none where there is no journal."""
    return Before(folder, policy).incidents
