"""What people do to alerts and incidents while the path runs: test, take, silence, and each step of an incident."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.errors import DeskError
from tradeworthy.kernel.facts import Fact
from tradeworthy.kernel.supervision.policy import nanos
from tradeworthy.kernel.telemetry.hold import HoldPort
from tradeworthy.operations.incidents.acts import Answer, Request, Verb, act_on_incidents
from tradeworthy.operations.incidents.book import AlertBook, Verdict
from tradeworthy.operations.incidents.escalation import Ladder
from tradeworthy.operations.incidents.lifecycle import IncidentBook, Phase
from tradeworthy.operations.incidents.model import Alert, AlertAcknowledged, AlertSeverity, Signal, Silence
from tradeworthy.trading.model import GuardLevel

TEST = "alert_path.test"
HELD_UNDELIVERED, HELD_CANARY, HELD_NO_ANSWER = "undelivered", "canary_lost", "no_answer"
HELD_INCIDENT = "severe_incident"
"""Codes of the guard's reasons."""
ANSWERS_MAX = 256


class TriggerPort(Protocol):
    """How a row of the trigger matrix acts on the guard, in the name of `escalation`."""

    def hold(self, code: str, level: GuardLevel, scope: str, evidence: str, expires_at: int | None) -> None: ...
    def release(self, code: str, level: GuardLevel, scope: str) -> None: ...


class Guards(NamedTuple):
    """How the path acts on the desk: `alert_path` pauses, `escalation` reduces; None where it must not.

    triggers  what the trigger matrix asks for
    """

    alert_path: HoldPort | None = None
    escalation: HoldPort | None = None
    triggers: TriggerPort | None = None


class Acting(NamedTuple):
    """What acts need of the path.

    keep        journals a fact before the next notice leaves;  commit  now
    apply       tells of a verdict of the book
    test        sends a test alert over every channel;  taken  nobody else is asked about an alert
    canary_lost whether the path is not proven to live;  drill  forces a failure of this name
    """

    keep: Callable[[Fact], None]
    commit: Callable[[], None]
    apply: Callable[[Verdict], None]
    test: Callable[[Alert, int], None]
    taken: Callable[[Alert], None]
    canary_lost: Callable[[], bool]
    drill: Callable[[str], None]


class People:
    """Do what a person asks; the same request twice is answered twice and done once."""

    def __init__(
        self, clock: Clock, book: AlertBook, ladder: Ladder, incidents: IncidentBook, guards: Guards, acting: Acting,
        *, ack_hold_s: float,
    ) -> None:  # fmt: skip
        self._clock, self._book, self._ladder, self._incidents = clock, book, ladder, incidents
        self._guards, self._acting, self._ack_hold_ns = guards, acting, nanos(ack_hold_s)
        self._answered: dict[str, Answer] = {}

    def act(self, asked: Request) -> Answer:
        """Do it, journal it, and answer."""
        known = self._answered.get(asked.id)
        if known is not None:
            return known
        now = self._clock.now()
        if not asked.person:
            answer = Answer(id=asked.id, fault="an act needs the person who does it")
        elif asked.verb is Verb.TEST:
            answer = self._test(asked, now)
        elif asked.verb is Verb.SEND:
            answer = self._send(asked, now)
        elif asked.verb is Verb.DRILL:
            self._acting.drill(asked.id)
            answer = Answer(id=asked.id, found=asked.id)
        elif asked.verb is Verb.SILENCE:
            answer = self._silence(asked, now)
        elif asked.verb is Verb.ACK and not asked.target.startswith("INC-"):
            answer = self._acknowledge(asked, now)
        else:
            answer = act_on_incidents(self._incidents, asked, now, self._fold)
            if not answer.fault:
                self._follow(asked, now)
                if asked.verb in (Verb.OPEN, Verb.RATE):
                    self.block(answer.found)
        while len(self._answered) >= ANSWERS_MAX:
            del self._answered[next(iter(self._answered))]
        self._answered[asked.id] = answer
        self._acting.commit()
        return answer

    def block(self, incident: str) -> None:
        """Stop trading for a SEV-1 incident; two people resume it (IN-04)."""
        one = next((one for one in self._incidents.severe() if one.id == incident), None)
        if one is not None and self._guards.triggers is not None:
            said = f"{one.id} {one.opened.title}"
            self._guards.triggers.hold(HELD_INCIDENT, GuardLevel.STOPPED, "desk", said, None)

    def _test(self, asked: Request, now: int) -> Answer:
        """Send a test alert over every channel; acknowledged, it ends what the path holds."""
        verdict = self._book.take(Signal(
            code=TEST, category=TEST, subject=asked.id, severity=AlertSeverity.INFO,
            message=f"test alert of {asked.person}: acknowledge it", owner=asked.person,
        ), now)  # fmt: skip
        if verdict.alert is None:
            return Answer(id=asked.id, fault="no room for a test alert: too many alerts hold")
        self._acting.keep(verdict.alert)
        self._acting.commit()
        self._acting.test(verdict.alert, now)
        return Answer(id=asked.id, found=verdict.alert.id)

    def _send(self, asked: Request, now: int) -> Answer:
        """Raise an alert of a person's own words; it goes the way of every other."""
        if not asked.target or not asked.text:
            return Answer(id=asked.id, fault="an alert needs a code and a message, found an empty one")
        verdict = self._book.take(Signal(
            code=asked.target, category=asked.target, subject=asked.id, severity=asked.severity,
            message=f"{asked.person}: {asked.text}", owner=asked.person,
        ), now)  # fmt: skip
        if verdict.alert is None:
            return Answer(id=asked.id, fault="no room for an alert: too many hold")
        self._acting.apply(verdict)
        return Answer(id=asked.id, found=verdict.alert.id)

    def _acknowledge(self, asked: Request, now: int) -> Answer:
        alert = self._book.acknowledge(asked.target, now + self._ack_hold_ns)
        if alert is None:
            return Answer(id=asked.id, fault=f"expected an alert that fires, found none with the id {asked.target!r}")
        self._acting.keep(AlertAcknowledged(alert.id, asked.person, now))
        self._taken(alert, now)
        if self._book.carried(alert.key):  # nobody sees its condition any more, and a person looks after it now
            self._acting.apply(self._book.resolve(alert.key, now))
        if alert.code == TEST:
            self._acting.apply(self._book.resolve(alert.key, now))
            if self._guards.alert_path is not None and not self._acting.canary_lost():
                self._guards.alert_path.release(HELD_UNDELIVERED)
                self._guards.alert_path.release(HELD_CANARY)
        for one in self._incidents.all:
            if one.opened.alert == alert.id and one.phase is Phase.OPEN:
                moved = self._incidents.move(one.id, Phase.ACKNOWLEDGED, asked.person, now)
                if moved is not None:
                    self._fold(moved)
        return Answer(id=asked.id, found=alert.id)

    def _taken(self, alert: Alert, now: int) -> None:
        self._ladder.acknowledge(alert, now)
        self._acting.taken(alert)
        if self._guards.escalation is not None and not self._ladder.unanswered:
            self._guards.escalation.release(HELD_NO_ANSWER)

    def _follow(self, asked: Request, now: int) -> None:
        """Let an act on an incident reach its alert: taken with it, and resolved with it."""
        try:
            one = self._incidents.get(asked.target)
        except DeskError:
            return
        alert = next((held for held in self._book.firing if held.id == one.opened.alert), None)
        if alert is None:
            return
        if one.phase is Phase.ACKNOWLEDGED:
            self._book.acknowledge(alert.id, now + self._ack_hold_ns)
            self._taken(alert, now)
        elif one.phase is Phase.RESOLVED:
            self._acting.apply(self._book.resolve(alert.key, now))

    def _silence(self, asked: Request, now: int) -> Answer:
        silence = Silence(
            id=asked.id, codes=asked.target, owner=asked.person, reason=asked.text, since=now,
            until=now + nanos(asked.hours * 3_600),
        )  # fmt: skip
        try:
            self._book.silence(silence)
        except DeskError as problem:
            return Answer(id=asked.id, fault=str(problem))
        self._acting.keep(silence)
        return Answer(id=asked.id, found=silence.id)

    def _fold(self, told: Fact) -> None:
        self._incidents.fold(told)
        self._acting.keep(told)
