"""Incidents from open to closed, a fold over their facts, and the means of answering and resolving (IN-01 to IN-05)."""

from collections.abc import Iterable

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.kernel.errors import DeskError
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.words import Word
from tradeworthy.operations.incidents.actions import ActionBook
from tradeworthy.operations.incidents.catalogue import sev_of
from tradeworthy.operations.incidents.means import MINUTE_NS, Means, mean_of
from tradeworthy.operations.incidents.means import Mean as Mean
from tradeworthy.operations.incidents.model import Alert, Key
from tradeworthy.operations.incidents.policy import IncidentPolicy
from tradeworthy.operations.incidents.regulatory import ClockBook, Concern
from tradeworthy.operations.incidents.scene import IncidentCircumstances

DRILLS = "drill."
"""How codes of exercises begin."""
TIMELINE_MAX = 200
"""Steps of one incident that are kept in memory; the journal keeps all."""


class IncidentRefused(DeskError):
    """An act on an incident that its state, its evidence or its people do not allow."""


class Phase(Word):
    """Where an incident stands; each follows the one before."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"
    REVIEWED = "reviewed"
    CLOSED = "closed"


NEXT: dict[Phase, tuple[Phase, ...]] = {
    Phase.OPEN: (Phase.ACKNOWLEDGED,),
    Phase.ACKNOWLEDGED: (Phase.MITIGATED, Phase.RESOLVED),
    Phase.MITIGATED: (Phase.RESOLVED,),
    Phase.RESOLVED: (Phase.REVIEWED, Phase.ACKNOWLEDGED),
    Phase.REVIEWED: (Phase.CLOSED,),
    Phase.CLOSED: (),
}
"""Which steps are allowed; a resolved incident whose cause comes back is acknowledged again."""


@fact("incident.opened")
class IncidentOpened(Fact, frozen=True, kw_only=True):
    """An incident began. Times are nanoseconds UTC.

    sev          1 money or control at risk, 2 trading stopped, 3 degraded, 4 defect, 5 note
    alert, code  what opened it; empty for a person's;  opened_by  the rule or the person
    first_impact  when the condition began;  source  alert, console, chat, log or venue;  drill  it was one
    request, cause  the asker's own name for the act; what the alert rests on, e.g. `journal:812`
    """

    incident: str
    title: str
    sev: int
    alert: str
    code: str
    component: str
    subject: str
    opened_by: str
    owner: str
    first_impact: int
    detected_at: int
    source: str
    runbook: str = ""
    drill: bool = False
    evidence: tuple[str, ...] = ()
    request: str = ""
    cause: str = ""


@fact("incident.moved")
class IncidentMoved(Fact, frozen=True, kw_only=True):
    """A person brought an incident a step further. A closing names cause, review and the check that would catch it."""

    incident: str
    phase: Phase
    person: str
    at: int
    text: str = ""
    cause: str = ""
    review: str = ""
    check: str = ""
    failed_before: str = ""
    passed_after: str = ""


@fact("incident.rated")
class IncidentRated(Fact, frozen=True, kw_only=True):
    """An incident is graver or milder than it was taken for; milder needs a reason and a second person."""

    incident: str
    sev: int
    person: str
    at: int
    reason: str = ""
    second: str = ""


@fact("incident.noted")
class IncidentNoted(Fact, frozen=True, kw_only=True):
    """A line of the timeline, or evidence by its digest."""

    incident: str
    person: str
    at: int
    text: str
    evidence: tuple[str, ...] = ()
    request: str = ""


class Role(Word):
    """What somebody does in an incident."""

    COMMANDER = "commander"
    SCRIBE = "scribe"
    LIAISON = "liaison"


@fact("incident.assigned")
class IncidentAssigned(Fact, frozen=True, kw_only=True):
    """Somebody has a role in an incident from now on; who had it before has it no more."""

    incident: str
    role: Role
    name: str
    person: str
    at: int


Act = IncidentMoved | IncidentRated | IncidentNoted | IncidentAssigned


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """An incident as it stands: its opening, its state and its newest steps.

    began, ended  what the desk held when it was opened, and when it was resolved
    """

    opened: IncidentOpened
    phase: Phase
    sev: int
    acknowledged_at: int | None = None
    resolved_at: int | None = None
    reviewed_at: int | None = None
    timeline: tuple[Act, ...] = ()
    roles: dict[str, str] = {}
    began: IncidentCircumstances | None = None
    ended: IncidentCircumstances | None = None

    @property
    def id(self) -> str:
        """Its name."""
        return self.opened.incident

    @property
    def living(self) -> bool:
        """Whether it is not resolved."""
        return self.phase in (Phase.OPEN, Phase.ACKNOWLEDGED, Phase.MITIGATED)


class IncidentBook:
    """Every incident that the journal tells of; `fold` is the only thing that changes it.

    A method that asks for a step returns its fact, or None where it was taken already; it raises `IncidentRefused`
    for one that is not allowed. The caller journals the fact and folds it.
    """

    def __init__(self, policy: IncidentPolicy) -> None:
        self._policy = policy
        self.clocks, self.actions = ClockBook(policy), ActionBook(policy)
        self._all: dict[str, Incident] = {}
        self._last_of: dict[Key, str] = {}
        self._number = 0

    @property
    def all(self) -> tuple[Incident, ...]:
        """All that are kept, oldest first."""
        return tuple(self._all.values())

    def get(self, incident: str) -> Incident:
        """Return one; raises `IncidentRefused` where there is none."""
        found = self._all.get(incident)
        if found is None:
            raise IncidentRefused(f"expected an incident that was opened, found none named {incident!r}")
        return found

    def fold(self, told: Fact) -> None:
        """Take one fact of the journal."""
        self.clocks.fold(told)
        self.actions.fold(told)
        if isinstance(told, IncidentOpened):
            self._number += 1
            self._make_room()
            self._all[told.incident] = Incident(opened=told, phase=Phase.OPEN, sev=told.sev)
            self._last_of[_key_of(told)] = told.incident
        elif isinstance(told, Act) and told.incident in self._all:
            self._all[told.incident] = _after(self._all[told.incident], told)
        elif isinstance(told, IncidentCircumstances) and told.incident in self._all:
            place = "began" if told.phase == Phase.OPEN.value else "ended"
            self._all[told.incident] = msgspec.structs.replace(self._all[told.incident], **{place: told})

    def open_for(self, alert: Alert, now: int) -> IncidentOpened | None:
        """Return the opening that an alert asks for: exactly one while an incident of the same key lives."""
        known = self._all.get(self._last_of.get(alert.key, ""))
        if known is not None and known.living:
            return None
        return IncidentOpened(
            incident=self._next_id(), title=alert.message, sev=sev_of(alert), alert=alert.id, code=alert.code,
            component=alert.component, subject=alert.subject, opened_by="rule", owner=alert.owner,
            first_impact=alert.since, detected_at=now, source="alert", runbook=alert.runbook,
            drill=alert.code.startswith(DRILLS), cause=alert.cause,
        )  # fmt: skip

    def open_by(
        self, person: str, title: str, sev: int, now: int, *, drill: bool = False, request: str = ""
    ) -> IncidentOpened:
        """Return the opening that a person asks for; raises `IncidentRefused` without person, title or severity."""
        if not person or not title or not 1 <= sev <= 5:
            raise IncidentRefused("an incident needs a person, a title and a severity of 1 to 5")
        return IncidentOpened(
            incident=self._next_id(), title=str(redact(title)), sev=sev, alert="", code="person", component="desk",
            subject="desk", opened_by=person, owner=person, first_impact=now, detected_at=now, source="console",
            drill=drill, request=request,
        )  # fmt: skip

    def move(
        self, incident: str, phase: Phase, person: str, now: int, *, text: str = "", cause: str = "", review: str = "",
        check: str = "", failed_before: str = "", passed_after: str = "",
    ) -> IncidentMoved | None:  # fmt: skip
        """Return the step to `phase`; None where the incident stands there already."""
        found = self.get(incident)
        if not person:
            raise IncidentRefused("a step needs the person who takes it, found none")
        if found.phase is phase:
            return None
        if phase not in NEXT[found.phase]:
            allowed = " or ".join(one.value for one in NEXT[found.phase]) or "nothing"
            raise IncidentRefused(f"{incident} is {found.phase.value}: expected {allowed} next, found {phase.value}")
        if phase is Phase.REVIEWED and not review:
            raise IncidentRefused(f"{incident}: a review needs its text or its place, found none")
        if phase is Phase.CLOSED:
            missing = [name for name, value in (
                ("cause", cause), ("check", check), ("failed_before", failed_before), ("passed_after", passed_after),
            ) if not value]  # fmt: skip
            if missing:
                raise IncidentRefused(
                    f"{incident}: closing needs {', '.join(missing)}: a cause, and a check that failed on the replay "
                    "before and passes after"
                )
        return IncidentMoved(
            incident=incident, phase=phase, person=person, at=now, text=str(redact(text)), cause=str(redact(cause)),
            review=str(redact(review)), check=check, failed_before=failed_before, passed_after=passed_after,
        )  # fmt: skip

    def rate(
        self, incident: str, sev: int, person: str, now: int, *, reason: str = "", second: str = ""
    ) -> IncidentRated | None:
        """Return the new severity; graver at will, milder with a reason and a second person."""
        found = self.get(incident)
        if sev == found.sev:
            return None
        if not 1 <= sev <= 5:
            raise IncidentRefused(f"expected a severity of 1 to 5, found {sev}")
        if sev > found.sev and (not reason or not second or second == person):
            raise IncidentRefused(f"{incident}: a milder severity needs a reason and a second person")
        return IncidentRated(
            incident=incident, sev=sev, person=person, at=now, reason=str(redact(reason)), second=second
        )

    def assign(self, incident: str, role: Role, name: str, person: str, now: int) -> IncidentAssigned | None:
        """Return an assignment; None where it stands. The commander of a SEV-1 writes no record of it."""
        found = self.get(incident)
        if not person or not name:
            raise IncidentRefused("a role needs its person, found none")
        if found.roles.get(role.value) == name:
            return None
        pair = {Role.COMMANDER: Role.SCRIBE, Role.SCRIBE: Role.COMMANDER}.get(role)
        if found.sev == 1 and pair is not None and found.roles.get(pair.value) == name:
            raise IncidentRefused(f"{incident} is a SEV-1: {name} is its {pair.value} and cannot be its {role.value}")
        return IncidentAssigned(incident=incident, role=role, name=name, person=person, at=now)

    def opened_by(self, request: str) -> str:
        """Return the incident that a request opened already, empty where none: a request that comes twice is once."""
        return next((one.id for one in self._all.values() if request and one.opened.request == request), "")

    def note(
        self, incident: str, person: str, text: str, now: int, evidence: tuple[str, ...] = (), *, request: str = ""
    ) -> IncidentNoted | None:
        """Return a line for the timeline; None where this request wrote it already."""
        steps = self.get(incident).timeline
        if request and any(isinstance(one, IncidentNoted) and one.request == request for one in steps):
            return None
        if not person or not text:
            raise IncidentRefused("a note needs a person and a text")
        return IncidentNoted(
            incident=incident, person=person, at=now, text=str(redact(text)), evidence=evidence, request=request
        )

    def concerns(self) -> tuple[Concern, ...]:
        """Return the incidents for which clocks of law may run: no drills."""
        return tuple(_concern(one) for one in self._all.values() if not one.opened.drill)

    def concern(self, incident: str) -> Concern:
        """Return what a clock of law needs to know of one incident; raises `IncidentRefused` for a drill."""
        found = self.get(incident)
        if found.opened.drill:
            raise IncidentRefused(f"{incident} is a drill: no clock of law runs for it")
        return _concern(found)

    def severe(self) -> tuple[Incident, ...]:
        """Return the SEV-1 incidents that are not resolved: trading waits for them (IN-04)."""
        return tuple(one for one in self._all.values() if one.living and one.sev == 1 and not one.opened.drill)

    def means(self, now: int) -> Means:
        """Return MTTA and MTTR of the window that ends now, from what the journal told alone (IN-03)."""
        since = now - self._policy.window_days * NANOS_PER_DAY
        within = [one for one in self._all.values() if one.opened.detected_at >= since]
        real, drills = ([one for one in within if one.opened.drill is drill] for drill in (False, True))
        return Means(
            mean_of(one.acknowledged_at - one.opened.detected_at for one in real if one.acknowledged_at is not None),
            mean_of(one.resolved_at - one.opened.detected_at for one in real if one.resolved_at is not None),
            mean_of(one.acknowledged_at - one.opened.detected_at for one in drills if one.acknowledged_at is not None),
            mean_of(one.resolved_at - one.opened.detected_at for one in drills if one.resolved_at is not None),
        )

    def late(self, now: int) -> tuple[str, ...]:
        """Return the SEV-1 and SEV-2 incidents that nobody acknowledged in time."""
        limit = round(self._policy.ack_deadline_minutes * MINUTE_NS)
        return tuple(
            one.id for one in self._all.values()
            if one.sev <= 2 and one.phase is Phase.OPEN and now - one.opened.detected_at >= limit
        )  # fmt: skip

    def _next_id(self) -> str:
        return f"INC-{self._number + 1:05d}"

    def _make_room(self) -> None:
        if len(self._all) < self._policy.kept_max:
            return
        closed = next((key for key, one in self._all.items() if not one.living), next(iter(self._all)))
        key = _key_of(self._all.pop(closed).opened)
        if self._last_of.get(key) == closed:
            del self._last_of[key]


def replayed(facts: Iterable[Fact], policy: IncidentPolicy) -> IncidentBook:
    """Return the book that a journal's facts tell."""
    book = IncidentBook(policy)
    for one in facts:
        book.fold(one)
    return book


def _after(before: Incident, told: Act) -> Incident:
    change: dict[str, object] = {"timeline": (*before.timeline, told)[-TIMELINE_MAX:]}
    if isinstance(told, IncidentRated):
        change["sev"] = told.sev
    elif isinstance(told, IncidentAssigned):
        change["roles"] = {**before.roles, told.role.value: told.name}
    elif isinstance(told, IncidentMoved):
        change["phase"] = told.phase
        match told.phase:
            case Phase.ACKNOWLEDGED:
                change["acknowledged_at"] = before.acknowledged_at or told.at
                change["resolved_at"] = None
            case Phase.RESOLVED:
                change["resolved_at"] = told.at
            case Phase.REVIEWED:
                change["reviewed_at"] = told.at
            case Phase.OPEN | Phase.MITIGATED | Phase.CLOSED:
                pass
    return msgspec.structs.replace(before, **change)


def _concern(one: Incident) -> Concern:
    return Concern(one.id, one.sev, one.opened.code, one.opened.detected_at, _classed_at(one), one.opened.title)


def _classed_at(one: Incident) -> int:
    rated = [step.at for step in one.timeline if isinstance(step, IncidentRated)]
    return rated[-1] if rated else one.opened.detected_at


def _key_of(opened: IncidentOpened) -> Key:
    return Key(opened.code, opened.component, opened.subject)

