"""Say what is missing for a GO: unmet rows, and the smallest sets of acts that would give one (GE-12)."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

from tradeworthy.operations.evidence.vocabulary import WAIVERS_ACTIVE_MAX
from tradeworthy.operations.gates.model import Gate, Grade, Requirement, Row, Standing, Verdict

SETS_MAX = 16
FIXABLE_ROWS_MAX = 12
"""With more rows than this only renewing is told, as waivers for some of so many help nobody."""


class Means(StrEnum):
    """What an act does: make the evidence anew, show that its check can fail, or let the row stand for a while."""

    RENEW = "renew"
    PROVE = "prove"
    WAIVE = "waive"


class Act(msgspec.Struct, frozen=True, order=True):
    """One act on a source (renew) or a requirement (prove, waive)."""

    means: Means
    on: str


class FixSet(msgspec.Struct, frozen=True, kw_only=True):
    """Acts that together give GO, none of them too many; `seconds` if they are done one after the other."""

    acts: tuple[Act, ...]
    waivers: int
    seconds: int


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why a verdict is what it is; `beyond` rows cannot be mended by evidence or waivers alone.

    told_of  how many sets there are, of which the cheapest are in `sets`
    """

    verdict: Verdict
    unmet: tuple[Row, ...]
    sets: tuple[FixSet, ...]
    told_of: int
    beyond: tuple[str, ...] = ()


def explain(verdict: Verdict, gate: Gate, *, active_waivers: int = 0) -> Explanation:
    """Return what is missing and the smallest sets of acts; no act of a set can be left out.

    active_waivers  how many of the release's waivers are in force, as three is the most
    """
    table = {one.id: one for one in gate.requirements}
    unmet = verdict.unmet()
    critical = [row for row in unmet if row.grade is Grade.CRITICAL]
    unmade = verdict.context.unmade
    beyond = tuple(row.id for row in critical if row.id not in table or row.source in unmade)
    rows = [row for row in critical if row.id in table]
    if beyond or not rows or verdict.problem:
        return Explanation(verdict=verdict, unmet=unmet, sets=(), told_of=0, beyond=beyond)
    spare = 0 if verdict.mode.ci or len(rows) > FIXABLE_ROWS_MAX else WAIVERS_ACTIVE_MAX - active_waivers
    sets = minimal_sets([_ways(row, table[row.id], verdict, spare) for row in rows], spare)
    costed = sorted(
        (_costed(one, gate) for one in sets), key=lambda one: (len(one.acts), one.waivers, one.seconds, one.acts)
    )
    return Explanation(verdict=verdict, unmet=unmet, sets=tuple(costed[:SETS_MAX]), told_of=len(costed))


def explain_known(verdict: Verdict, gate: Gate) -> Explanation:
    """Return what is missing, with the waivers that the verdict knew counted."""
    now = verdict.evaluated_at
    active = sum(one.issued_at <= now < one.expires_at for one in verdict.waivers_known)
    return explain(verdict, gate, active_waivers=active)


def minimal_sets(ways: Sequence[Sequence[frozenset[Act]]], waivers_max: int) -> tuple[frozenset[Act], ...]:
    """Return every set that holds one way of each row, with no other such set within it."""
    found: list[frozenset[Act]] = [frozenset()]
    for row in ways:
        wider = {before | way for before in found for way in row}
        found = _least(one for one in wider if sum(act.means is Means.WAIVE for act in one) <= waivers_max)
    return tuple(found)


def _least(sets: Iterable[frozenset[Act]]) -> list[frozenset[Act]]:
    kept: list[frozenset[Act]] = []
    for one in sorted(sets, key=lambda one: (len(one), sorted(one))):
        if not any(less <= one for less in kept):
            kept.append(one)
    return kept


def _ways(row: Row, requirement: Requirement, verdict: Verdict, spare: int) -> tuple[frozenset[Act], ...]:
    """Return the ways to meet one row: renew what it reads and prove its check where that lacks, or waive it."""
    acts = set()
    if row.standing is not Standing.UNPROVEN:
        acts.add(Act(Means.RENEW, requirement.source))
    if requirement.id not in verdict.context.proven:
        acts.add(Act(Means.PROVE, requirement.id))
    ways = [frozenset(acts)]
    if requirement.waivable and spare > 0:
        ways.append(frozenset({Act(Means.WAIVE, requirement.id)}))
    return tuple(ways)


def _costed(acts: frozenset[Act], gate: Gate) -> FixSet:
    slowest: dict[str, int] = {}
    for one in gate.requirements:
        slowest[one.source] = max(slowest.get(one.source, 0), one.fix_s)
    return FixSet(
        acts=tuple(sorted(acts)), waivers=sum(one.means is Means.WAIVE for one in acts),
        seconds=sum(slowest[one.on] for one in acts if one.means is Means.RENEW),
    )  # fmt: skip
