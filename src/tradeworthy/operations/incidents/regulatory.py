"""Clocks of law: they start by themselves with an incident, draft a notice, warn, and are missed or kept (IN-08)."""

import hashlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import DeskError
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.operations.incidents.business_days import OpenOn, after_business_days, is_weekday, open_days_of
from tradeworthy.operations.incidents.model import AlertSeverity, Signal
from tradeworthy.operations.incidents.policy import ClockPolicy, IncidentPolicy

HOUR_NS = 3_600 * NANOS_PER_SECOND
MISSED, ALARM, DRAFT_LATE = "regulatory.missed", "regulatory.alarm", "regulatory.draft_late"
ALARMS = ((0.5, AlertSeverity.WARNING), (0.8, AlertSeverity.ERROR))
"""Shares of a clock's time at which people hear of it."""


class ClockRefused(DeskError):
    """An act on a clock that does not run."""


@fact("regulatory.started")
class ClockStarted(Fact, frozen=True, kw_only=True):
    """A clock of law runs for an incident; times are nanoseconds UTC. `person`, `reason`: where somebody started it."""

    incident: str
    clock: str
    title: str
    since: int
    due: int
    at: int
    person: str = ""
    reason: str = ""


@fact("regulatory.drafted")
class NoticeDrafted(Fact, frozen=True, kw_only=True):
    """The draft of the notice is ready, by its digest."""

    incident: str
    clock: str
    sha256: str
    at: int


@fact("regulatory.alarmed")
class ClockAlarmed(Fact, frozen=True, kw_only=True):
    """A share of the clock's time is over; 1.0: it was missed."""

    incident: str
    clock: str
    share: float
    at: int


@fact("regulatory.filed")
class NoticeFiled(Fact, frozen=True, kw_only=True):
    """A person filed the notice; `reference` is the authority's."""

    incident: str
    clock: str
    person: str
    reference: str
    at: int


@fact("regulatory.excluded")
class ClockExcluded(Fact, frozen=True, kw_only=True):
    """A person decided, with a signature, that a clock does not apply.

    key_id, signature  over the decision, which anybody can write down again: incident, clock and reason
    """

    incident: str
    clock: str
    person: str
    reason: str
    key_id: str
    signature: str
    at: int


Told = ClockStarted | NoticeDrafted | ClockAlarmed | NoticeFiled | ClockExcluded


class Running(NamedTuple):
    """A clock as it stands; `ended` is filed, excluded or missed, empty while it runs."""

    started: ClockStarted
    drafted: bool = False
    share: float = 0.0
    ended: str = ""
    by: NoticeFiled | ClockExcluded | None = None


class Concern(NamedTuple):
    """What clocks need to know of an incident: its severity and code, when it was seen, and when it was classed."""

    incident: str
    sev: int
    code: str
    seen_at: int
    classed_at: int
    title: str


class Brought(NamedTuple):
    """What a look brought: facts for the journal, and signals for people."""

    facts: tuple[Fact, ...]
    signals: tuple[Signal, ...]


class ClockBook:
    """Every clock that the journal tells of; `fold` alone changes it."""

    def __init__(self, policy: IncidentPolicy) -> None:
        self._policy, self._open_on = policy, open_days_of(policy.business_calendar)
        self._all: dict[tuple[str, str], Running] = {}

    @property
    def all(self) -> tuple[Running, ...]:
        """All clocks, oldest first."""
        return tuple(self._all.values())

    def fold(self, told: Fact) -> None:
        """Take one fact of the journal."""
        if isinstance(told, ClockStarted):
            self._all.setdefault((told.incident, told.clock), Running(told))
        if not isinstance(told, Told) or (told.incident, told.clock) not in self._all:
            return
        key = told.incident, told.clock
        known = self._all[key]
        match told:
            case NoticeDrafted():
                known = known._replace(drafted=True)
            case ClockAlarmed():
                known = known._replace(share=told.share, ended="missed" if told.share >= 1 else known.ended)
            case NoticeFiled():
                known = known._replace(ended="filed", by=told)
            case ClockExcluded():
                known = known._replace(ended="excluded", by=told)
            case ClockStarted():
                pass
        self._all[key] = known

    def begin(self, concern: Concern, clock: str, person: str, reason: str, now: int) -> ClockStarted | None:
        """Return the start of a clock that a person asks for, whatever pack it is of; None where it was started.

        Raises `ClockRefused` for a clock that no rule pack has, and without person or reason.
        """
        found = next((one for one in self._policy.clocks if one.id == clock), None)
        if found is None:
            names = ", ".join(one.id for one in self._policy.clocks)
            raise ClockRefused(f"expected a clock of a rule pack ({names}), found {clock!r}")
        if (concern.incident, clock) in self._all:
            return None
        if not person or not reason:
            raise ClockRefused("a clock that is started by hand needs a person and a reason, found an empty one")
        return msgspec.structs.replace(started_of(concern, found, now, self._open_on), person=person, reason=reason)

    def file(self, incident: str, clock: str, person: str, reference: str, now: int) -> NoticeFiled | None:
        """Return the filing of a notice, None where it was filed so already; raises `ClockRefused` where none runs."""
        by = self._ended_by(incident, clock)
        if isinstance(by, NoticeFiled) and (by.person, by.reference) == (person, reference):
            return None
        self._running(incident, clock)
        if not person or not reference:
            raise ClockRefused("a filing needs a person and the authority's reference, found an empty one")
        return NoticeFiled(incident=incident, clock=clock, person=person, reference=reference, at=now)

    def exclude(
        self, incident: str, clock: str, person: str, reason: str, now: int, *, key_id: str, signature: str
    ) -> ClockExcluded | None:
        """Return the decision that a clock does not apply, None where it was taken so already.

        Raises `ClockRefused` without reason or signature.
        """
        by = self._ended_by(incident, clock)
        if isinstance(by, ClockExcluded) and by.signature == signature:
            return None
        self._running(incident, clock)
        if not person or not reason or not key_id or not signature:
            raise ClockRefused("\"not applicable\" is a signed decision: expected person, reason and signature")
        return ClockExcluded(
            incident=incident, clock=clock, person=person, reason=reason, key_id=key_id, signature=signature, at=now
        )

    def look(self, concerns: Iterable[Concern], now: int, keep: Callable[[str, str], None]) -> Brought:
        """Start what is due to start, draft, and tell alarms; the facts are folded here already.

        keep  writes a draft by its name; what it raises as `OSError` is tried again, and told after 15 min
        """
        facts: list[Fact] = []
        signals: list[Signal] = []

        def tell(told: Fact) -> None:
            facts.append(told)
            self.fold(told)

        for one in concerns:
            for clock in self._policy.clocks:
                ours = clock.pack in self._policy.rule_packs and clock.applies(one.sev, one.code)
                if ours and (one.incident, clock.id) not in self._all:
                    tell(started_of(one, clock, now, self._open_on))
        texts = {one.incident: one for one in concerns}
        for key, running in tuple(self._all.items()):
            if running.ended:
                signals += _over(running) if running.ended != "missed" else ()
                continue
            if not running.drafted and key[0] in texts:
                signals += self._draft(texts[key[0]], running, now, keep, tell)
            signals += self._alarms(running, now, tell)
        return Brought(tuple(facts), tuple(signals))

    def _draft(
        self, concern: Concern, running: Running, now: int, keep: Callable[[str, str], None],
        tell: Callable[[Fact], None],
    ) -> list[Signal]:  # fmt: skip
        text, clock = notice_text(concern, running.started), running.started
        try:
            keep(f"{clock.incident}-{clock.clock}.md", text)
        except OSError as problem:
            late = now - clock.at >= self._policy.notice_draft_minutes * 60 * NANOS_PER_SECOND
            said = f"no draft of {clock.title} for {clock.incident}: {problem.strerror}"
            return [_signal(DRAFT_LATE, clock, AlertSeverity.CRITICAL, said)] if late else []
        digest = hashlib.sha256(text.encode()).hexdigest()
        tell(NoticeDrafted(incident=clock.incident, clock=clock.clock, sha256=digest, at=now))
        return []

    def _alarms(self, running: Running, now: int, tell: Callable[[Fact], None]) -> list[Signal]:
        clock = running.started
        share = (now - clock.since) / (clock.due - clock.since)
        if share >= 1:
            tell(ClockAlarmed(incident=clock.incident, clock=clock.clock, share=1.0, at=now))
            said = f"{clock.title} for {clock.incident} was due {_stamp(clock.due)} and is not filed"
            return [_signal(MISSED, clock, AlertSeverity.CRITICAL, said)]
        for limit, severity in reversed(ALARMS):
            if share >= limit:
                if running.share >= limit:
                    return []
                tell(ClockAlarmed(incident=clock.incident, clock=clock.clock, share=limit, at=now))
                said = f"{limit:.0%} of the time for {clock.title} ({clock.incident}) is over, due {_stamp(clock.due)}"
                return [_signal(ALARM, clock, severity, said)]
        return []

    def _ended_by(self, incident: str, clock: str) -> NoticeFiled | ClockExcluded | None:
        found = self._all.get((incident, clock))
        return None if found is None else found.by

    def _running(self, incident: str, clock: str) -> Running:
        found = self._all.get((incident, clock))
        if found is None or found.ended not in ("", "missed"):
            known = ", ".join(f"{one} {name}" for (one, name), had in self._all.items() if not had.ended) or "none"
            raise ClockRefused(f"expected a clock that runs ({known}), found {incident} {clock}")
        return found


def started_of(one: Concern, clock: ClockPolicy, now: int, open_on: OpenOn = is_weekday) -> ClockStarted:
    """Return the start of a clock, with the moment when it is due."""
    since = one.classed_at if clock.begins == "classification" else one.seen_at
    return ClockStarted(
        incident=one.incident, clock=clock.id, title=clock.title, since=since, due=due_of(clock, since, open_on), at=now
    )


def due_of(clock: ClockPolicy, since: int, open_on: OpenOn = is_weekday) -> int:
    """Return when a clock ends: after hours, after business days (of `open_on`, UTC), or after calendar months."""
    moment = datetime.fromtimestamp(since // NANOS_PER_SECOND, UTC)
    if clock.business_days:
        return after_business_days(since, clock.business_days, open_on)
    if clock.months:
        year, month = divmod(moment.year * 12 + moment.month - 1 + clock.months, 12)
        day = min(moment.day, (datetime(year + (month == 11), (month + 1) % 12 + 1, 1, tzinfo=UTC)
                               - timedelta(days=1)).day)  # fmt: skip
        return round(moment.replace(year=year, month=month + 1, day=day).timestamp()) * NANOS_PER_SECOND
    return since + round(clock.hours * HOUR_NS)


def notice_text(concern: Concern, clock: ClockStarted) -> str:
    """Return the draft of a notice: every fact that is known, and blanks for people."""
    return (
        f"# DRAFT: {clock.title}\n\n| | |\n|---|---|\n| incident | {concern.incident}: {concern.title} |\n"
        f"| severity | SEV-{concern.sev} |\n| code | {concern.code} |\n| seen | {_stamp(concern.seen_at)} |\n"
        f"| classed | {_stamp(concern.classed_at)} |\n| due | {_stamp(clock.due)} |\n\n"
        "## What happened\n\n_to be written_\n\n## Who is affected\n\n_to be written_\n\n"
        "## What was done\n\n_to be written_\n"
    )


def decision_text(incident: str, clock: str, reason: str) -> bytes:
    """Return what a signature of \"not applicable\" is over."""
    return f"regulatory clock not applicable\n{incident}\n{clock}\n{reason}\n".encode()


def _over(running: Running) -> tuple[Signal, ...]:
    if running.share == 0.0:
        return ()
    said = f"{running.started.title}: {running.ended}"
    return (_signal(ALARM, running.started, AlertSeverity.INFO, said, firing=False),)


def _signal(code: str, clock: ClockStarted, severity: AlertSeverity, said: str, *, firing: bool = True) -> Signal:
    return Signal(
        code=code, category="compliance.clock", component=clock.clock, subject=clock.incident, severity=severity,
        message=said, firing=firing, limit=_stamp(clock.due),
    )  # fmt: skip


def _stamp(ns: int) -> str:
    return f"{datetime.fromtimestamp(ns // NANOS_PER_SECOND, UTC):%Y-%m-%dT%H:%M:%SZ}"

