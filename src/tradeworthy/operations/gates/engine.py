"""Judge a gate: a pure function of table, evidence, waivers, context and time; it only reads, and fails closed (GE-02).

Only the newest evidence of a source counts, and what is stamped later than it was recorded never does: so time alone
can end a GO and never begin one (GE-05).
"""

from collections.abc import Iterable, Sequence

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.page import duration
from tradeworthy.operations.evidence.canonical import stamp_of
from tradeworthy.operations.evidence.certificate import EndsFirst, WaiverInForce
from tradeworthy.operations.evidence.vocabulary import PROVENANCES, WAIVER_DAYS_MAX, WAIVERS_ACTIVE_MAX
from tradeworthy.operations.gates.bundle import bundle_id, table_hash
from tradeworthy.operations.gates.incident_issues import issue_codes
from tradeworthy.operations.gates.model import (
    ENVIRONMENTS,
    GOOD,
    Answer,
    Artefact,
    Condition,
    Context,
    Ends,
    Evidence,
    Gate,
    Grade,
    Mode,
    Requirement,
    Row,
    Standing,
    Verdict,
)

NO_MODE = Mode()
NO_SOURCE = "no source yet"
"""How the reason of a row begins that nothing of this release can judge."""


def judge(
    gate: Gate, evidence: Iterable[Evidence], waivers: Iterable[WaiverInForce], context: Context, now: int, *,
    run_id: str, mode: Mode = NO_MODE, derived: Sequence[Row] = (), known: frozenset[str] | None = None,
) -> Verdict:  # fmt: skip
    """Return the verdict at `now`; the same arguments give the same verdict, whenever it is asked.

    waivers  found valid by their signatures;  run_id  of this judgement, which may not judge its own evidence
    derived  rows that were judged elsewhere, such as the ladder's
    known    sources that exist; a table that names another cannot be used
    """
    problem = fault_of(gate, known)
    seen = [one for one in evidence if one.recorded_at <= now]
    newest = newest_of(seen)
    told = tuple(one for one in waivers if one.recorded_at <= now)
    in_force, refused = admitted(told, gate, now, mode)
    rows: list[Row] = []
    if not problem:
        rows = [
            _row(one, newest.get(one.source), in_force.get(one.id), context, now, run_id, mode)
            for one in gate.requirements
        ]
        rows += [*derived, *(_ended(one) for one in context.ends if now >= one.at)]
    if gate.covers_session and not problem:
        rows.append(_session_row(rows, context, now))
    critical = [row for row in rows if row.grade is Grade.CRITICAL]
    go = bool(critical) and all(row.met for row in critical)
    cited = tuple(sorted({
        artefact for one in gate.requirements if (found := newest.get(one.source)) is not None
        for artefact in (Artefact(found.source, found.evidence_id, found.size), *found.artefacts)
    }))  # fmt: skip
    policy = table_hash(gate)
    return Verdict(
        gate=gate.name, answer=Answer.GO if go else Answer.NO_GO, evaluated_at=now, run_id=run_id, mode=mode,
        context=context, table_hash=policy, bundle_id=bundle_id(cited, context, policy), rows=tuple(rows),
        waivers=tuple(row.waiver for row in rows if row.waiver is not None), refused_waivers=refused,
        ends_first=_ends_first(critical, context, now) if go else None, artefacts=cited, waivers_known=told,
        problem=problem, blocking=tuple(f"{row.id}: {row.reason or row.standing}" for row in critical if not row.met),
    )  # fmt: skip


def fault_of(gate: Gate, known: frozenset[str] | None) -> str:
    """Return why a table cannot be used, empty where it can (GE-01)."""
    ids = [one.id for one in gate.requirements]
    twice = sorted({one for one in ids if ids.count(one) > 1})
    strange = [] if known is None else sorted({one.source for one in gate.requirements} - known)
    if not ids:
        return f"gate {gate.name}: expected requirements, found none"
    if twice:
        return f"gate {gate.name}: expected each requirement once, found twice {', '.join(twice)}"
    return f"gate {gate.name}: expected known sources, found {', '.join(strange)}" if strange else ""


def newest_of(evidence: Iterable[Evidence]) -> dict[str, Evidence]:
    """Return the newest evidence of each source: the one that was recorded last, of several at once the worst."""
    found: dict[str, Evidence] = {}
    for one in sorted(evidence, key=lambda one: (one.recorded_at, one.stamp, _badness(one), one.evidence_id)):
        found[one.source] = one
    return found


def _badness(one: Evidence) -> int:
    return len(Severity) if one.error or one.status is None else int(one.status)


def grade_of(requirement: Requirement, context: Context, mode: Mode) -> Grade:
    """Return how a row counts in this context; a condition that nobody states holds."""
    if requirement.grade is Grade.CRITICAL or mode.strict or requirement.id in mode.tightened:
        return Grade.CRITICAL
    for one in requirement.critical_when:
        holds = mode.strict if one is Condition.STRICT else context.conditions.get(one, True)
        if holds:
            return Grade.CRITICAL
    return Grade.WARNING


def admitted(
    waivers: Iterable[WaiverInForce], gate: Gate, now: int, mode: Mode
) -> tuple[dict[str, WaiverInForce], tuple[str, ...]]:
    """Return the waivers that stand now by requirement, and those that are refused, with the reason (GE-14, GE-15).

    At most three stand at a time; a fourth is void for ever, so that the end of another never lets it in.
    """
    table = {one.id: one for one in gate.requirements}
    taken: list[WaiverInForce] = []
    refused: list[str] = []
    for one in sorted(waivers, key=lambda one: (one.recorded_at, one.issued_at, one.waiver_id)):
        if one.recorded_at > now or one.requirement not in table:
            continue
        active = [other for other in taken if other.expires_at > one.recorded_at]
        why = ""
        if mode.ci:
            why = "no waiver counts with --ci"
        elif not table[one.requirement].waivable:
            why = f"{one.requirement} is never waived"
        elif one.issued_at > one.recorded_at:
            why = "it is dated after it arrived"
        elif one.expires_at - one.issued_at > WAIVER_DAYS_MAX * NANOS_PER_DAY:
            why = f"it lasts longer than {WAIVER_DAYS_MAX} days"
        elif len(active) >= WAIVERS_ACTIVE_MAX:
            why = f"{WAIVERS_ACTIVE_MAX} were in force when it came"
        if why:
            refused.append(f"{one.waiver_id}: {why}")
        else:
            taken.append(one)
    standing = {one.requirement: one for one in sorted(taken, key=lambda one: one.expires_at) if now < one.expires_at}
    return standing, tuple(refused)


def _row(
    requirement: Requirement, item: Evidence | None, waiver: WaiverInForce | None, context: Context, now: int,
    run_id: str, mode: Mode,
) -> Row:  # fmt: skip
    standing, reason, ends = _judged(requirement, item, context, now, run_id, mode)
    if standing not in GOOD and waiver is not None:
        standing, ends = Standing.WAIVED, waiver.expires_at
        reason = f"waiver {waiver.waiver_id} stands in until {stamp_of(waiver.expires_at)} for: {reason}"
    return Row(
        id=requirement.id, title=requirement.title, grade=grade_of(requirement, context, mode), met=standing in GOOD,
        standing=standing, observed=_observed(requirement, item), limit=_limit(requirement, item, mode), reason=reason,
        stamp=None if item is None else item.stamp,
        age_s=None if item is None else (now - item.stamp) / NANOS_PER_SECOND, ends_at=ends,
        evidence=() if item is None else (item.evidence_id, *(one.sha256 for one in item.artefacts)),
        environment="" if item is None else item.environment, provenance="" if item is None else item.provenance,
        waiver=waiver.waiver_id if waiver is not None and standing is Standing.WAIVED else None,
        source=requirement.source, owner=requirement.owner, runbook=requirement.runbook, remedy=requirement.remedy,
        renews_itself=requirement.renews_itself, grace_s=requirement.grace_s, codes=_codes(requirement, item, mode),
    )  # fmt: skip


def _codes(requirement: Requirement, item: Evidence | None, mode: Mode) -> tuple[str, ...]:
    """Return the codes of what is not well in a row's evidence; a row over one component tells of that alone."""
    if item is None or item.error or item.status is None:
        return (f"issue.{requirement.id}.fail",)
    own = {requirement.component: item.components.get(requirement.component, Severity.UNKNOWN)}
    parts = own if requirement.component else item.components or {requirement.id: item.status}
    if mode.block_on_warn or requirement.id in mode.warn_components or requirement.component:
        return issue_codes(parts, parts)
    return issue_codes(parts, mode.warn_components)


def _judged(
    requirement: Requirement, item: Evidence | None, context: Context, now: int, run_id: str, mode: Mode
) -> tuple[Standing, str, int | None]:
    """Return how a row stands without a waiver, why, and when that ends."""
    if item is None and requirement.source in context.unmade:
        return Standing.UNKNOWN, f"{NO_SOURCE}: nothing of this release speaks for {requirement.source}", None
    if item is None:
        return Standing.ABSENT, "there is no evidence", None
    if item.error or item.status is None:
        return Standing.ERROR, item.error or "the evidence says nothing", None
    if item.run_id == run_id:
        return Standing.ERROR, "the verdict's own run made the evidence it judges", None
    if item.stamp > item.recorded_at:
        return Standing.FUTURE, "the evidence is dated after it arrived", None
    lower = _lower(requirement, item)
    if lower is not None:
        return *lower, None
    if requirement.same_cycle and (not context.cycle or item.cycle != context.cycle):
        return Standing.OTHER_RUN, f"the evidence is of cycle {item.cycle or 'none'}, not of this one", None
    changed = [
        name for name in requirement.depends_on
        if not item.hashes.get(name) or item.hashes[name] != context.binding.hashes.get(name)
    ]  # fmt: skip
    if changed:
        return Standing.VOIDED, f"it was made for other {', '.join(changed)}", None
    ends, why = end_of(requirement, item, mode)
    if ends is not None and now >= ends:
        return Standing.STALE, why, None
    status = item.components.get(requirement.component) if requirement.component else item.status
    if status is None:
        return Standing.ABSENT, f"the evidence has no component {requirement.component}", None
    if status is Severity.OK and item.provenance == PROVENANCES[0]:
        status, why = Severity.WARN, "somebody said so, nobody measured it"
    blocked = [name for name in mode.warn_components if item.components.get(name) is Severity.WARN]
    if blocked and not requirement.component:
        return Standing.FAILED, f"a warning of {', '.join(blocked)} blocks", None
    accept = Severity.OK if _only_ok(requirement, mode) else requirement.accept
    if status > accept:
        word = Standing.UNKNOWN if status is Severity.UNKNOWN else Standing.FAILED
        return word, item.reason or f"it was judged {status.name}", None
    if requirement.id not in context.proven:
        return Standing.UNPROVEN, "no registered mutation made this row fail with this code", None
    return (Standing.MET if status is Severity.OK else Standing.WARNED), item.reason or why, ends


def _only_ok(requirement: Requirement, mode: Mode) -> bool:
    """Tell whether a warning does not meet a row, as it was asked."""
    return (mode.strict and requirement.strict_ok) or mode.block_on_warn or requirement.id in mode.warn_components


def _lower(requirement: Requirement, item: Evidence) -> tuple[Standing, str] | None:
    least = requirement.environment_min
    if item.environment not in ENVIRONMENTS or ENVIRONMENTS.index(item.environment) < ENVIRONMENTS.index(least):
        return Standing.LOWER_ENVIRONMENT, f"{item.environment or 'no'} evidence is not enough where {least} is needed"
    least = requirement.provenance_min
    if item.provenance not in PROVENANCES or PROVENANCES.index(item.provenance) < PROVENANCES.index(least):
        return Standing.LOWER_PROVENANCE, f"{item.provenance or 'no'} evidence is not enough where {least} is needed"
    return None


def age_max_of(requirement: Requirement, mode: Mode) -> int | None:
    """Return the age in seconds at which evidence of a row is stale."""
    if mode.ci and requirement.ci_age_max_s is not None:
        return requirement.ci_age_max_s
    return requirement.age_max_s


def end_of(requirement: Requirement, item: Evidence, mode: Mode) -> tuple[int | None, str]:
    """Return when evidence ends, and by what; None where only a change of hashes ends it."""
    ends = [] if item.ends_at is None else [(item.ends_at, item.end_reason or "its own time is over")]
    age = age_max_of(requirement, mode)
    if age is not None:
        ends.append((item.stamp + age * NANOS_PER_SECOND, f"its age reaches {duration(age)}"))
    return min(ends, default=(None, ""))


def _observed(requirement: Requirement, item: Evidence | None) -> str:
    if item is None:
        return "nothing"
    status = item.components.get(requirement.component, item.status) if requirement.component else item.status
    word = "unreadable" if status is None else status.name
    return f"{word}: {item.observed}" if item.observed else word


def _limit(requirement: Requirement, item: Evidence | None, mode: Mode) -> str:
    worst = Severity.OK if _only_ok(requirement, mode) else requirement.accept
    age = age_max_of(requirement, mode)
    told = "OK" if worst is Severity.OK else "OK or WARN"
    within = " of this cycle" if requirement.same_cycle else "" if age is None else f" under {duration(age)} old"
    own = f"; {item.limit}" if item is not None and item.limit else ""
    return f"{told}{within}{own}"


def _ended(end: Ends) -> Row:
    return Row(
        id=end.name, title=end.reason, grade=Grade.CRITICAL, met=False, standing=Standing.STALE, observed="over",
        limit=stamp_of(end.at), reason=end.reason, source=end.name, owner="operations", runbook="runbooks/gate.md",
        remedy=end.remedy,
    )  # fmt: skip


def _session_row(rows: Sequence[Row], context: Context, now: int) -> Row:
    """Return the row `time`: what a desk does not renew by itself outlasts the next session (GL-31)."""
    session = context.session
    standing, observed, limit = Standing.MET, "nothing lapses", "the next session's close"
    if session is None or session.closes_at <= now:
        standing, observed = Standing.UNKNOWN, "nobody says when the next session closes"
    else:
        limit = f"after {stamp_of(session.closes_at)}"
        short = [
            row for row in rows if row.grade is Grade.CRITICAL and row.ends_at is not None and not row.renews_itself
            and row.ends_at <= session.closes_at
        ]  # fmt: skip
        if short:
            standing = Standing.FAILED
            observed = ", ".join(f"{row.id} ends {stamp_of(row.ends_at or 0)}" for row in short)
    return Row(
        id="time", title="No critical row lapses before the next session closes.", grade=Grade.CRITICAL,
        met=standing is Standing.MET, standing=standing, observed=observed, limit=limit, reason=observed, source="gate",
        owner="operations", runbook="runbooks/gate.md", remedy="renew what is named, before the session",
    )  # fmt: skip


def _ends_first(critical: Sequence[Row], context: Context, now: int) -> EndsFirst | None:
    ends = [(row.ends_at, row.id, row.reason, row.remedy) for row in critical if row.ends_at is not None]
    ends += [(one.at, one.name, one.reason, one.remedy) for one in context.ends]
    if not ends:
        return None
    at, name, reason, remedy = min(ends)
    return EndsFirst(
        requirement=name, at=at, seconds=(at - now) / NANOS_PER_SECOND, reason=reason or "its lifetime is over",
        remedy=remedy,
    )  # fmt: skip
