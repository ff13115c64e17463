"""What is to be done after an incident: actions with owner and day, and thresholds that cry wolf (IN-06)."""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.kernel.errors import DeskError
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.words import Word
from tradeworthy.operations.incidents.model import AlertSeverity, Signal
from tradeworthy.operations.incidents.policy import IncidentPolicy

OVERDUE, CATEGORY = "incident_response.action_overdue", "incident_response.issue"
RULE = "rule"
"""Who proposes what repeats."""


class ActionRefused(DeskError):
    """An act on an action item that its state or its words do not allow."""


class Work(Word):
    """What an action is: something to do, or a threshold whose change two people must approve."""

    ACTION = "action"
    CHANGE_REQUEST = "change_request"


class Stand(Word):
    """Where an action stands; what is proposed binds nobody before a person takes it."""

    PROPOSED = "proposed"
    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


@fact("incident.action")
class ActionSet(Fact, frozen=True, kw_only=True):
    """An action of an incident has an owner and a day from now on; `due` in nanoseconds UTC.

    code  the alert's code that a change request is about;  request  the asker's own name for the act
    """

    incident: str
    action: str
    work: Work
    stand: Stand
    owner: str
    due: int
    text: str
    person: str
    at: int
    code: str = ""
    request: str = ""


@fact("incident.action_ended")
class ActionEnded(Fact, frozen=True, kw_only=True):
    """An action was done, or dropped with a reason; `evidence` are digests."""

    incident: str
    action: str
    stand: Stand
    person: str
    at: int
    text: str
    evidence: tuple[str, ...] = ()


@fact("incident.false_positive")
class FalsePositive(Fact, frozen=True, kw_only=True):
    """A person found that nothing was wrong: the rule of `code` fired without a cause."""

    incident: str
    code: str
    person: str
    reason: str
    at: int


class Action(NamedTuple):
    """An action as it stands; `ended` once it is done or dropped."""

    told: ActionSet
    ended: ActionEnded | None = None

    @property
    def stand(self) -> Stand:
        """Where it stands."""
        return self.told.stand if self.ended is None else self.ended.stand


class ActionBook:
    """Every action that the journal tells of, and which rules fired in vain; a fold."""

    def __init__(self, policy: IncidentPolicy) -> None:
        self._policy = policy
        self._all: dict[str, Action] = {}
        self._false: dict[str, list[FalsePositive]] = {}
        self._number = 0

    @property
    def all(self) -> tuple[Action, ...]:
        """All actions, oldest first."""
        return tuple(self._all.values())

    def of(self, incident: str) -> tuple[Action, ...]:
        """Return those of one incident."""
        return tuple(one for one in self._all.values() if one.told.incident == incident)

    def false_positives(self, incident: str) -> tuple[FalsePositive, ...]:
        """Return what people said of an incident's alert."""
        return tuple(one for many in self._false.values() for one in many if one.incident == incident)

    def fold(self, told: Fact) -> None:
        """Take one fact of the journal."""
        match told:
            case ActionSet():
                if told.action not in self._all:
                    self._number += 1
                self._all[told.action] = Action(told)
            case ActionEnded() if told.action in self._all:
                self._all[told.action] = self._all[told.action]._replace(ended=told)
            case FalsePositive():
                self._false.setdefault(told.code, []).append(told)
            case _:
                pass

    def add(
        self, incident: str, owner: str, text: str, due: int, person: str, now: int, *, request: str = ""
    ) -> ActionSet | None:
        """Return a new action; None where this request made it already. Raises `ActionRefused` without owner or day."""
        if request and any(one.told.request == request for one in self._all.values()):
            return None
        if not person or not owner or not text:
            raise ActionRefused("an action needs an owner, a text and the person who sets it, found an empty one")
        if due <= now:
            raise ActionRefused(f"an action is due later than now, was due {(now - due) / NANOS_PER_DAY:.1f} d ago")
        return ActionSet(
            incident=incident, action=self._next(), work=Work.ACTION, stand=Stand.OPEN, owner=owner, due=due,
            text=str(redact(text)), person=person, at=now, request=request,
        )  # fmt: skip

    def accept(self, action: str, owner: str, person: str, now: int) -> ActionSet | None:
        """Return a proposal that somebody takes on; None where it is open already."""
        found = self._living(action)
        if found.stand is Stand.OPEN:
            return None
        if not person or not owner:
            raise ActionRefused(f"{action}: who takes a proposal on names its owner, found none")
        return msgspec.structs.replace(found.told, stand=Stand.OPEN, owner=owner, person=person, at=now)

    def end(
        self, action: str, stand: Stand, person: str, text: str, now: int, evidence: tuple[str, ...] = ()
    ) -> ActionEnded | None:
        """Return the end of an action; None where it ended so already. It needs words: what was done, or why not."""
        known = self._all.get(action)
        if known is not None and known.ended is not None and known.stand is stand:
            return None
        found = self._living(action)
        if not person or not text:
            raise ActionRefused(f"{action}: expected who ended it and how, found an empty one")
        return ActionEnded(
            incident=found.told.incident, action=action, stand=stand, person=person, at=now, text=str(redact(text)),
            evidence=evidence,
        )  # fmt: skip

    def wolf(self, incident: str, code: str, person: str, reason: str, now: int) -> tuple[Fact, ...]:
        """Return that a rule fired in vain, and the proposal of its change where that repeats; nothing a second time.

        The rule goes on firing: only an approved change of its threshold makes it quieter.
        """
        if any(one.incident == incident for one in self._false.get(code, ())):
            return ()
        if not person or not reason:
            raise ActionRefused("a false alarm needs the person who says so and a reason, found an empty one")
        said = FalsePositive(incident=incident, code=code, person=person, reason=str(redact(reason)), at=now)
        policy = self._policy
        since = now - policy.false_positive_days * NANOS_PER_DAY
        recent = 1 + sum(1 for one in self._false.get(code, ()) if one.at > since)
        pending = any(
            one.told.code == code and one.stand in (Stand.PROPOSED, Stand.OPEN) for one in self._all.values()
        )
        if recent < policy.false_positive_count or pending:
            return (said,)
        text = (
            f"{code} fired in vain {recent} times in {policy.false_positive_days} d: propose another threshold with "
            f"`tradeworthy config propose`, which two people approve; until then it stays as it is"
        )
        due = now + policy.change_request_days * NANOS_PER_DAY
        return said, ActionSet(
            incident=incident, action=self._next(), work=Work.CHANGE_REQUEST, stand=Stand.PROPOSED, owner="",
            due=due, text=text, person=RULE, at=now, code=code,
        )  # fmt: skip

    def overdue(self, now: int) -> tuple[Action, ...]:
        """Return what is not ended though its day has come, the oldest day first; a proposal nobody took is as late."""
        late = (one for one in self._all.values() if one.ended is None and now >= one.told.due)
        return tuple(sorted(late, key=lambda one: (one.told.due, one.told.action)))

    def severity(self, one: Action, now: int) -> Severity:
        """Tell how late an action is: WARN from its day on, FAIL days later."""
        late = now - one.told.due
        if one.ended is not None or late < 0:
            return Severity.OK
        return Severity.FAIL if late >= self._policy.action_overdue_fail_days * NANOS_PER_DAY else Severity.WARN

    def _living(self, action: str) -> Action:
        found = self._all.get(action)
        if found is None or found.ended is not None:
            open_ = ", ".join(name for name, one in self._all.items() if one.ended is None) or "none"
            raise ActionRefused(f"expected an action that is not ended ({open_}), found {action!r}")
        return found

    def _next(self) -> str:
        return f"ACT-{self._number + 1:05d}"


class ActionWatch:
    """Tell of actions that are overdue, once when they become so, once when it is worse and once when they end."""

    def __init__(self, book: ActionBook) -> None:
        self._book = book
        self._told: dict[str, tuple[Action, Severity]] = {}

    def look(self, now: int) -> tuple[Signal, ...]:
        """Take one look."""
        late = {one.told.action: (one, self._book.severity(one, now)) for one in self._book.overdue(now)}
        worse = [_signal(*told) for name, told in late.items() if self._told.get(name, (None, None))[1] != told[1]]
        over = [_signal(*told, over=True) for name, told in self._told.items() if name not in late]
        self._told = late
        return (*worse, *over)


def rows_of(actions: Iterable[Action]) -> tuple[str, ...]:
    """Return actions as lines of a review, in the order of their names."""
    return tuple(
        f"- `{one.told.action}` {one.stand.value}, {one.told.owner or 'nobody yet'}: {one.told.text}"
        + (f" ({one.ended.text})" if one.ended is not None else "")
        for one in sorted(actions, key=lambda one: one.told.action)
    )


def _signal(one: Action, severity: Severity, *, over: bool = False) -> Signal:
    told = one.told
    urgent = AlertSeverity.ERROR if severity is Severity.FAIL else AlertSeverity.WARNING
    return Signal(
        code=OVERDUE, category=CATEGORY, component=told.action, subject=told.incident, severity=urgent,
        firing=not over, owner=told.owner,
        message=f"{told.action} of {told.incident} ({told.owner or 'nobody'}) is {'ended' if over else 'overdue'}",
    )  # fmt: skip
