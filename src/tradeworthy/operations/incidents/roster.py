"""Who is on call: shifts, people and their contacts, and whether the next days are covered (AR-19)."""

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.incidents.ladder_policy import EscalationPolicy
from tradeworthy.operations.incidents.model import AlertSeverity, Signal

HOUR_NS = 3_600 * NANOS_PER_SECOND
CONTACTS_MIN = 2
FAMILY = "incident_response.roster"


class Contact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way to a person: email, sms, telephone, chat; the address may be a reference."""

    transport: str
    address: str


class Person(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who is called. `zone` is a name of the time zone database."""

    name: str
    zone: str
    contacts: tuple[Contact, ...]
    roles: tuple[str, ...] = ()


class Shift(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who answers from `begin` until `end`, both with their offset, e.g. 2026-03-01T08:00:00+01:00."""

    begin: datetime
    end: datetime
    primary: tuple[str, ...]
    secondary: tuple[str, ...]


class Roster(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the people's own tool exported at `as_of`."""

    as_of: datetime
    people: tuple[Person, ...]
    shifts: tuple[Shift, ...]


@fact("roster.contact_tested")
class ContactTested(Fact, frozen=True, kw_only=True):
    """A contact of a person was tried: whether the person answered over it."""

    name: str
    transport: str
    reached: bool
    person: str
    at: int


class RosterFacts(NamedTuple):
    """A roster at one moment: what an assessment and a gate judge. None: nothing is known.

    age_hours            since it was exported; below 0 it is from the future
    primary_gap_hours    until the first moment without enough of them, within the days looked ahead; 0: now; inf: none
    on_both              people who are primary and secondary at once;  short  people with fewer than two contacts
    untested             contacts that nobody reached within the days of the policy, as `name transport`
    unknown              names of shifts that stand for nobody, and zones that are none
    """

    age_hours: float | None = None
    primary_gap_hours: float | None = None
    secondary_gap_hours: float | None = None
    on_both: tuple[str, ...] = ()
    short: tuple[str, ...] = ()
    untested: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


class RosterFinding(NamedTuple):
    """One finding: how a gate takes it, and how loud it is for people."""

    code: str
    severity: Severity
    urgency: AlertSeverity
    observed: str
    limit: str


def read_roster(data: bytes) -> Roster:
    """Return a roster of JSON bytes; raises `UsageError` for anything else, a stamp without an offset included."""
    try:
        found = msgspec.json.decode(data, type=Roster)
    except (msgspec.MsgspecError, UnicodeDecodeError) as problem:
        raise UsageError(f"expected a roster, found {problem}") from None
    stamps = [found.as_of, *(stamp for one in found.shifts for stamp in (one.begin, one.end))]
    if any(one.tzinfo is None for one in stamps):
        raise UsageError("a roster's stamps need an offset, e.g. 2026-03-01T08:00:00+01:00")
    if any(one.end <= one.begin for one in found.shifts):
        raise UsageError("a shift ends after it begins, found one that does not")
    return found


def on_shift(roster: Roster, now: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return who is primary and who is secondary at `now`, nanoseconds UTC."""
    moment = _moment(now)
    here = [one for one in roster.shifts if one.begin <= moment < one.end]
    return _names(one.primary for one in here), _names(one.secondary for one in here)


def roster_facts(
    roster: Roster | None, tests: Mapping[tuple[str, str], int], policy: EscalationPolicy, now: int
) -> RosterFacts:
    """Return the facts of a roster at `now`.

    tests  when a contact, by name and transport, last reached its person, nanoseconds UTC
    """
    if roster is None:
        return RosterFacts()
    people = {one.name: one for one in roster.people}
    ahead = [one for one in roster.shifts if _ns(one.end) > now and _ns(one.begin) < now + _ahead_ns(policy)]
    named = _names(name for one in ahead for name in (one.primary, one.secondary))
    on_call = [people[name] for name in named if name in people]
    oldest = now - round(policy.contact_test_days * NANOS_PER_DAY)
    return RosterFacts(
        (now - _ns(roster.as_of)) / HOUR_NS,
        _gap_hours([(one, one.primary) for one in ahead], policy.primary_min, policy, now),
        _gap_hours([(one, one.secondary) for one in ahead], policy.secondary_min, policy, now),
        _on_both(ahead),
        tuple(one.name for one in on_call if len({had.transport for had in one.contacts}) < CONTACTS_MIN),
        tuple(
            f"{one.name} {had.transport}" for one in on_call for had in one.contacts
            if tests.get((one.name, had.transport), oldest) <= oldest
        ),
        (*(name for name in named if name not in people), *(one.zone for one in on_call if not _zone(one.zone))),
    )  # fmt: skip


def judge_roster(facts: RosterFacts, policy: EscalationPolicy) -> tuple[RosterFinding, ...]:
    """Judge a roster: a gap within 14 days warns, within 72 h is an error and now critical, both of them no GO."""
    if facts.age_hours is None or facts.primary_gap_hours is None or facts.secondary_gap_hours is None:
        return (RosterFinding(f"{FAMILY}.absent", Severity.UNKNOWN, AlertSeverity.ERROR, "no roster", "one"),)
    age, most = facts.age_hours, policy.roster_age_hours_max
    stale = age >= most or age < 0
    return (
        _finding("stale", stale, f"{age:.1f} h old", f"below {most:g} h"),
        _gap("primary", facts.primary_gap_hours, policy),
        _gap("secondary", facts.secondary_gap_hours, policy),
        _finding("both", bool(facts.on_both), ", ".join(facts.on_both) or "nobody", "nobody on both"),
        _finding("contacts", bool(facts.short), ", ".join(facts.short) or "all", f"{CONTACTS_MIN} contacts each"),
        _finding("unknown", bool(facts.unknown), ", ".join(facts.unknown) or "none", "people and zones that are"),
        _finding(
            "contact_test", bool(facts.untested), ", ".join(facts.untested) or "all reached",
            f"reached within {policy.contact_test_days:g} d",
        ),
    )  # fmt: skip


def roster_signals(findings: Iterable[RosterFinding]) -> tuple[Signal, ...]:
    """Return what people are told: each finding rises, and clears when it is over."""
    return tuple(
        Signal(
            code=one.code, category=_category(one.code), component="roster", subject="desk", severity=one.urgency,
            observed=one.observed, limit=one.limit, message=f"{one.code}: {one.observed}, expected {one.limit}",
            firing=one.severity is not Severity.OK,
        )
        for one in findings
    )  # fmt: skip


def _gap(name: str, hours: float, policy: EscalationPolicy) -> RosterFinding:
    limit = f"no gap within {policy.roster_warn_days:g} d"
    if hours == math.inf:
        return RosterFinding(f"{FAMILY}.{name}", Severity.OK, AlertSeverity.INFO, "covered", limit)
    observed = "nobody now" if hours <= 0 else f"a gap in {hours:.1f} h"
    if hours <= 0:
        return RosterFinding(f"{FAMILY}.{name}", Severity.FAIL, AlertSeverity.CRITICAL, observed, limit)
    if hours <= policy.roster_error_hours:
        return RosterFinding(f"{FAMILY}.{name}", Severity.FAIL, AlertSeverity.ERROR, observed, limit)
    return RosterFinding(f"{FAMILY}.{name}", Severity.WARN, AlertSeverity.WARNING, observed, limit)


def _finding(name: str, broken: bool, observed: str, limit: str) -> RosterFinding:
    severity = Severity.FAIL if broken else Severity.OK
    urgency = AlertSeverity.ERROR if broken else AlertSeverity.INFO
    return RosterFinding(f"{FAMILY}.{name}", severity, urgency, observed, limit)


def _category(code: str) -> str:
    return code if code.endswith((".primary", ".secondary")) else "incident_response.issue"


def _gap_hours(
    shifts: list[tuple[Shift, tuple[str, ...]]], least: int, policy: EscalationPolicy, now: int
) -> float:
    end = now + _ahead_ns(policy)
    edges = {now} | {
        edge for one, _ in shifts for edge in (_ns(one.begin), _ns(one.end)) if now < edge < end
    }  # fmt: skip
    for edge in sorted(edges):
        here = {name for one, names in shifts if _ns(one.begin) <= edge < _ns(one.end) for name in names}
        if len(here) < least:
            return (edge - now) / HOUR_NS
    return math.inf


def _on_both(shifts: list[Shift]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for one in shifts:
        for other in shifts:
            if one.begin < other.end and other.begin < one.end:
                found |= dict.fromkeys(name for name in one.primary if name in other.secondary)
    return tuple(found)


def _names(groups: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for group in groups for name in group))


def _ahead_ns(policy: EscalationPolicy) -> int:
    return round(policy.roster_warn_days * NANOS_PER_DAY)


def _zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True


def _moment(ns: int) -> datetime:
    return datetime.fromtimestamp(ns / NANOS_PER_SECOND, UTC)


def _ns(moment: datetime) -> int:
    return round(moment.timestamp() * NANOS_PER_SECOND)
