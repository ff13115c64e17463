"""A desk's alerts and incidents seen from outside its process: read, taken and tested, whether it runs or not."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from random import Random
from typing import NamedTuple, TypeVar

import msgspec

from tradeworthy.app.alerts.alerting import ALERTS, JOURNAL, Alerting, AlertJournal, Mailbox, alert_facts, incidents_of
from tradeworthy.app.config import Document
from tradeworthy.app.incidents.course import course_of, scene_at_rest
from tradeworthy.kernel.clock import NANOS_PER_MILLI, NANOS_PER_SECOND, Clock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.kernel.journal.files import writer_lives
from tradeworthy.kernel.supervision import Escalated, TaskSupervisor
from tradeworthy.operations.incidents.acts import Answer, Request, Verb, act_on_incidents
from tradeworthy.operations.incidents.latency import AlertLatency
from tradeworthy.operations.incidents.lifecycle import Incident, IncidentBook, Phase
from tradeworthy.operations.incidents.model import (
    Alert,
    AlertAcknowledged,
    AlertState,
    Outcome,
    PathOpened,
    Purpose,
    Receipt,
)
from tradeworthy.operations.incidents.people import TEST
from tradeworthy.operations.incidents.policy import IncidentPolicy
from tradeworthy.operations.incidents.postmortem import Told
from tradeworthy.operations.incidents.tickets import scene_of

ANSWER_WAIT_NS, ANSWER_STEP_NS = 5 * NANOS_PER_SECOND, 50 * NANOS_PER_MILLI
RECEIPTS_WAIT_NS = 35 * NANOS_PER_SECOND
"""Longer than the total deadline of a channel."""
LIST_MAX = 1_000
T = TypeVar("T")


class AlertRow(NamedTuple):
    """One alert with what became of it: who took it, and its receipts by channel, the newest each.

    standing  it fires, and the process that saw it is the last one that ran the path
    """

    alert: Alert
    taken_by: str
    receipts: tuple[Receipt, ...]
    standing: bool

    @property
    def reached(self) -> bool:
        """Whether a gateway took it."""
        return any(one.outcome is Outcome.ACCEPTED for one in self.receipts)


class Tested(NamedTuple):
    """A test alert, and the receipt of every channel."""

    alert: str
    receipts: tuple[Receipt, ...]


class AlertDesk:
    """What a person at a terminal does with a desk's alerts.

    root  where run folders are;  name  the desk's
    """

    def __init__(self, root: Path, name: str, *, clock: Clock, policy: IncidentPolicy | None = None) -> None:
        self.root, self.state = root, root / "state" / name
        self.name, self._clock, self._policy = name, clock, policy or IncidentPolicy()
        self.folder = self.state / ALERTS

    @property
    def running(self) -> bool:
        """Whether a process runs the path now."""
        return writer_lives(self.folder / JOURNAL)

    def rows(self) -> tuple[AlertRow, ...]:
        """Return the newest alerts, newest first; raises `UsageError` where the desk never had a path."""
        alerts: dict[str, Alert] = {}
        taken: dict[str, str] = {}
        receipts: dict[str, dict[str, Receipt]] = {}
        life, carried = "", frozenset[str]()
        for told in (event.payload for event in alert_facts(self.folder)):
            if isinstance(told, Alert):
                alerts[told.id] = told
            elif isinstance(told, PathOpened):
                life, carried = told.run_id, frozenset(told.carried)
            elif isinstance(told, AlertAcknowledged):
                taken[told.alert] = told.person
            elif isinstance(told, Receipt):
                for one in told.alerts:
                    receipts.setdefault(one, {})[told.channel] = told
        newest = sorted(alerts.values(), key=lambda one: one.at, reverse=True)[:LIST_MAX]
        return tuple(
            AlertRow(
                one, taken.get(one.id, ""), tuple(receipts.get(one.id, {}).values()),
                one.firing and (
                    one.id.rpartition(":")[0] == life or one.id in carried or (one.code == TEST and one.id not in taken)
                ),
            )
            for one in newest
        )

    def latencies(self) -> tuple[AlertLatency, ...]:
        """Return the rows of the latency ledger, oldest first."""
        return tuple(one.payload for one in alert_facts(self.folder) if isinstance(one.payload, AlertLatency))

    def incidents(self) -> IncidentBook:
        """Return the incidents that the journal tells of; raises `UsageError` where there is no journal."""
        if not (self.folder / JOURNAL).is_dir():
            alert_facts(self.folder)
        return incidents_of(self.folder, self._policy)

    def incident(self, name: str) -> Incident:
        """Return one incident; raises `IncidentRefused` where there is none."""
        return self.incidents().get(name)

    def row_of(self, incident: str) -> Told:
        """Return the alert that opened an incident, who took it and its receipts, as far as there was one."""
        alert = self.incident(incident).opened.alert
        row = next((one for one in self.rows() if one.alert.id == alert), None)
        told = Told() if row is None else Told(row.alert, row.taken_by, row.receipts)
        book = self.incidents()
        return told._replace(
            course=course_of(self.root, book.get(incident), self._policy), actions=book.actions.of(incident),
            wolf=book.actions.false_positives(incident),
        )

    def events_of(self, incident: str) -> tuple[Event, ...]:
        """Return every journaled event of an incident, for its export."""
        return tuple(
            one for one in alert_facts(self.folder) if getattr(one.payload, "incident", None) == incident
        )

    def ask(self, request: Request) -> Answer:
        """Hand a request to the running path, else do it here; a running path that says nothing is a fault."""
        if not self.running:
            return self._alone(request)
        mailbox = Mailbox(self.folder, self._clock)
        mailbox.put(request)
        until = self._clock.monotonic() + ANSWER_WAIT_NS
        while self._clock.monotonic() < until:
            answer = mailbox.answer_of(request.id)
            if answer is not None:
                return answer
            self._clock.sleep(ANSWER_STEP_NS)
        return Answer(id=request.id, fault="the running desk did not answer within 5 s; it may still do it")

    def receipts_of(self, alert: str, channels: int) -> tuple[Receipt, ...]:
        """Wait for the receipts of a test alert of the running path."""
        until = self._clock.monotonic() + RECEIPTS_WAIT_NS
        while True:
            row = next((one for one in self.rows() if one.alert.id == alert), None)
            found = () if row is None else tuple(one for one in row.receipts if one.purpose is Purpose.TEST)
            if len(found) >= channels or self._clock.monotonic() >= until:
                return found
            self._clock.sleep(ANSWER_STEP_NS)

    def _alone(self, request: Request) -> Answer:
        """Act on the journal of a desk at rest."""
        if request.verb in (Verb.TEST, Verb.SILENCE, Verb.SEND, Verb.DRILL):
            raise UsageError(f"{self.name}: expected a running desk for {request.verb.value}, no process runs it")
        now = self._clock.now()
        if request.verb is Verb.ACK and not request.target.startswith("INC-"):
            row = next((one for one in self.rows() if one.alert.id == request.target and one.alert.firing), None)
            if row is None:
                return Answer(id=request.id, fault=f"expected an alert that fires, found none named {request.target!r}")
            over = msgspec.structs.replace(row.alert, state=AlertState.RESOLVED, at=now)  # nobody sees it any more
            facts: list[Fact] = [AlertAcknowledged(request.target, request.person, now), over]
            book = self.incidents()
            for one in book.all:
                if one.opened.alert == request.target and one.phase is Phase.OPEN:
                    moved = book.move(one.id, Phase.ACKNOWLEDGED, request.person, now)
                    facts += [] if moved is None else [moved]
            self._keep(request, facts)
            return Answer(id=request.id, found=request.target)
        told: list[Fact] = []
        book = incidents_of(self.folder, self._policy)

        def keep(fact: Fact) -> None:
            told.append(fact)
            book.fold(fact)
            held = scene_of(scene_at_rest(self.root, self.state), fact, now)
            if held is not None:
                told.append(held)

        answer = act_on_incidents(book, request, now, keep)
        if told:
            self._keep(request, told)
        return answer

    def _keep(self, request: Request, facts: list[Fact]) -> None:
        journal = AlertJournal(self.folder / JOURNAL, self._clock, run_id=f"person:{request.id}")
        try:
            journal.tell_all(facts)
        finally:
            journal.close()


class _Nobody:
    """A path alone has no desk to stop; what is escalated shows in the receipts that are missing."""

    def escalate(self, escalated: Escalated, cause: Event) -> None:
        """Leave it at the journal."""


def path_alone(
    document: Document, play: Callable[[Alerting], Awaitable[T]], *, state: Path, clock: Clock,
    environ: Mapping[str, str], run_id: str,
) -> T:  # fmt: skip
    """Run the alert path of a document whose desk is at rest for as long as `play` goes on."""
    alerting = Alerting(document, state=state, clock=clock, environ=environ, run_id=run_id)

    async def whole() -> T:
        supervisor = TaskSupervisor(
            clock, Random(document.desk.seed), _Nobody(), sink=alerting.on_transition, run_id=run_id
        )
        alerting.open(supervisor, lambda asked: None, announced=False)
        supervisor.create(alerting.work, owner="alerts", name="alerts")
        await asyncio.sleep(0)
        try:
            return await play(alerting)
        finally:
            await supervisor.cancel_all(1.0)

    try:
        return asyncio.run(whole())
    finally:
        alerting.close()


def send_test_alone(
    document: Document, *, state: Path, clock: Clock, environ: Mapping[str, str], person: str, run_id: str
) -> Tested:
    """Send a test alert over every channel of a document whose desk is at rest, and wait for the receipts."""

    async def play(alerting: Alerting) -> Tested:
        path = alerting.path
        assert path is not None
        answer = path.act(Request(id=run_id, verb=Verb.TEST, person=person))
        until = clock.monotonic() + RECEIPTS_WAIT_NS
        found: dict[str, Receipt] = {}
        while len(found) < len(path.outbox.channels) and clock.monotonic() < until:
            await asyncio.sleep(ANSWER_STEP_NS / NANOS_PER_SECOND)
            found = {one.channel: one for one in path.outbox.tests if answer.found in one.alerts}
        return Tested(answer.found, tuple(found.values()))

    return path_alone(document, play, state=state, clock=clock, environ=environ, run_id=run_id)


def encoded(value: object) -> bytes:
    """Return JSON that people can read."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2)
