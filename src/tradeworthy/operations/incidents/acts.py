"""What people ask of alerts and incidents, one shape for the running desk and for the verbs of a desk at rest."""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from tradeworthy.kernel.errors import DeskError
from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.kernel.words import Word
from tradeworthy.operations.incidents.actions import ActionSet, Stand
from tradeworthy.operations.incidents.lifecycle import IncidentBook, IncidentRefused, Phase, Role
from tradeworthy.operations.incidents.model import AlertSeverity
from tradeworthy.operations.incidents.roster import ContactTested


class Verb(Word):
    """What is asked."""

    TEST = "test"
    ACK = "ack"
    SILENCE = "silence"
    SEND = "send"
    DRILL = "drill"
    FILE = "file"
    EXCLUDE = "exclude"
    CONTACT = "contact"
    ASSIGN = "assign"
    CLOCK = "clock"
    ACTION = "action"
    ACCEPT = "accept"
    END = "end"
    FALSE = "false"
    OPEN = "open"
    MOVE = "move"
    RATE = "rate"
    NOTE = "note"


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One act of a person. `target` is an alert, an incident, a code, or the codes of a silence; what is not needed is
    empty.

    id  the asker's own, so that an act that is handed over twice counts once;  due  nanoseconds UTC
    """

    id: str
    verb: Verb
    person: str
    target: str = ""
    text: str = ""
    phase: Phase = Phase.ACKNOWLEDGED
    sev: int = 3
    second: str = ""
    cause: str = ""
    review: str = ""
    check: str = ""
    failed_before: str = ""
    passed_after: str = ""
    hours: float = 1.0
    drill: bool = False
    evidence: tuple[str, ...] = ()
    severity: AlertSeverity = AlertSeverity.WARNING
    clock: str = ""
    key_id: str = ""
    signature: str = ""
    reached: bool = False
    role: Role = Role.COMMANDER
    owner: str = ""
    due: int = 0
    stand: Stand = Stand.DONE


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a request: `found` names what was made or changed; `fault` says why nothing was."""

    id: str
    found: str = ""
    fault: str = ""


class Record(Protocol):
    """Where facts go: durable when this returns; raises `DeskError` when it could not be."""

    def tell_all(self, facts: Sequence[Fact]) -> Sequence[Event]: ...


def act_on_incidents(book: IncidentBook, asked: Request, now: int, keep: Callable[[Fact], None]) -> Answer:
    """Apply a request to incidents; `keep` journals and folds the fact. A refusal is an answer."""
    try:
        told: Fact | None
        match asked.verb:
            case Verb.OPEN:
                known = book.opened_by(asked.id)
                if known:
                    return Answer(id=asked.id, found=known)
                told = book.open_by(asked.person, asked.text, asked.sev, now, drill=asked.drill, request=asked.id)
                keep(told)
                return Answer(id=asked.id, found=told.incident)
            case Verb.MOVE | Verb.ACK:
                phase = Phase.ACKNOWLEDGED if asked.verb is Verb.ACK else asked.phase
                told = book.move(
                    asked.target, phase, asked.person, now, text=asked.text, cause=asked.cause, review=asked.review,
                    check=asked.check, failed_before=asked.failed_before, passed_after=asked.passed_after,
                )  # fmt: skip
            case Verb.RATE:
                told = book.rate(
                    asked.target, asked.sev, asked.person, now, reason=asked.text, second=asked.second
                )
            case Verb.NOTE:
                told = book.note(asked.target, asked.person, asked.text, now, asked.evidence, request=asked.id)
            case Verb.FILE:
                told = book.clocks.file(asked.target, asked.clock, asked.person, asked.text, now)
            case Verb.EXCLUDE:
                told = book.clocks.exclude(
                    asked.target, asked.clock, asked.person, asked.text, now, key_id=asked.key_id,
                    signature=asked.signature,
                )  # fmt: skip
            case Verb.ASSIGN:
                told = book.assign(asked.target, asked.role, asked.text, asked.person, now)
            case Verb.CONTACT:
                told = ContactTested(
                    name=asked.target, transport=asked.text, reached=asked.reached, person=asked.person, at=now
                )
            case Verb.CLOCK:
                told = book.clocks.begin(book.concern(asked.target), asked.clock, asked.person, asked.text, now)
            case Verb.ACTION:
                book.get(asked.target)
                told = book.actions.add(
                    asked.target, asked.owner, asked.text, asked.due, asked.person, now, request=asked.id
                )
            case Verb.ACCEPT:
                told = book.actions.accept(asked.target, asked.owner, asked.person, now)
            case Verb.END:
                told = book.actions.end(asked.target, asked.stand, asked.person, asked.text, now, asked.evidence)
            case Verb.FALSE:
                code = book.get(asked.target).opened.code
                for one in book.actions.wolf(asked.target, code, asked.person, asked.text, now):
                    keep(one)
                return Answer(id=asked.id, found=asked.target)
            case Verb.TEST | Verb.SILENCE | Verb.SEND | Verb.DRILL:
                raise IncidentRefused(f"{asked.verb.value} is no act on an incident")
    except DeskError as problem:
        return Answer(id=asked.id, fault=str(problem))
    if told is not None:
        keep(told)
    found = told.action if isinstance(told, ActionSet) else asked.target
    return Answer(id=asked.id, found=found)
