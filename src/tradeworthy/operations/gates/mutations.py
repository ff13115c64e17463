"""The mutation registry: a check counts only where a change of the world was seen to make its row fail (GE-17)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework import mutation as facts
from tradeworthy.operations.assessments.framework.assessment import Assessment
from tradeworthy.operations.assessments.framework.composite import compose
from tradeworthy.operations.assessments.framework.registry import Registry
from tradeworthy.operations.assessments.framework.snapshot import Snapshot
from tradeworthy.operations.gates.engine import NO_SOURCE, judge
from tradeworthy.operations.gates.model import (
    ENVIRONMENTS,
    HASHES,
    Binding,
    Context,
    Evidence,
    Gate,
    Requirement,
    Verdict,
)
from tradeworthy.operations.gates.reading import healthy, of_snapshot
from tradeworthy.operations.gates.sources import unmade_sources

AT = facts.AT
BINDING = Binding(release="mutation", environment="simulated", tier="paper", hashes=dict.fromkeys(HASHES, "0" * 64))
CYCLE = "mutation"


class Mutation(NamedTuple):
    """A change of the world: what a source says of the world as it was, and of the changed one; only status counts."""

    name: str
    source: str
    before: Callable[[], Evidence]
    after: Callable[[], Evidence]


class MutationResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one mutation did to its row; `problem` is empty where the row, and only it, was no longer met."""

    gate: str
    requirement: str
    mutation: str
    problem: str = ""

    @property
    def flipped(self) -> bool:
        return not self.problem


def of_assessments(known: Registry) -> dict[str, Mutation]:
    """Return the mutations of every assessment that has a file: changed facts, judged by its own rules."""
    found: dict[str, Mutation] = {}
    for one in known:
        for mutation in _of_composite(one) if one.children else _of_facts(one):
            found.setdefault(mutation.name, mutation)
    return found


def run(gate: Gate, registered: Mapping[str, Mutation]) -> tuple[MutationResult, ...]:
    """Run every mutation that the table names and return what became of its row, and of all others."""
    context = Context(
        binding=BINDING, proven=frozenset(one.id for one in gate.requirements), conditions={}, cycle=CYCLE
    )  # fmt: skip
    parts: dict[str, dict[str, Severity]] = {}
    for one in gate.requirements:
        if one.component:
            parts.setdefault(one.source, {})[one.component] = Severity.OK
    whole = {
        one.source: msgspec.structs.replace(_sound(one), components=parts.get(one.source, {}))
        for one in _strictest(gate.requirements)
    }
    sound = judge(gate, whole.values(), (), context, AT, run_id="gate")
    unmet = [row.id for row in sound.rows if not row.met and row.source != "gate"]
    if unmet:
        raise ValueError(f"gate {gate.name}: expected a healthy world to meet every row, not met {', '.join(unmet)}")
    return tuple(
        _result(gate, one, name, registered, whole, context)
        for one in gate.requirements for name in one.mutation
    )


def proven(results: Iterable[MutationResult]) -> frozenset[str]:
    """Return the requirements of which at least one mutation flipped the row, and none failed to."""
    flipped: dict[str, bool] = {}
    for one in results:
        flipped[one.requirement] = flipped.get(one.requirement, True) and one.flipped
    return frozenset(name for name, right in flipped.items() if right)


def _result(
    gate: Gate, requirement: Requirement, name: str, registered: Mapping[str, Mutation], whole: Mapping[str, Evidence],
    context: Context,
) -> MutationResult:  # fmt: skip
    mutation = registered.get(name)

    def told(problem: str) -> MutationResult:
        return MutationResult(gate=gate.name, requirement=requirement.id, mutation=name, problem=problem)

    if mutation is None and requirement.source in unmade_sources():
        return told(f"{NO_SOURCE}: nothing of this release speaks for {requirement.source}")
    if mutation is None:
        known = ", ".join(sorted(key for key, one in registered.items() if one.source == requirement.source))
        return told(f"nobody registered this mutation{f'; of its source there are {known}' if known else ''}")
    if mutation.source != requirement.source:
        return told(f"it changes {mutation.source}, not {requirement.source}")
    before = _asked(gate, requirement, mutation.before(), whole, context)
    if not _met(before, requirement.id):
        return told("the row was not met before the change")
    after = _asked(gate, requirement, mutation.after(), whole, context)
    if _met(after, requirement.id):
        return told("the row is still met after the change")
    same = {one.id for one in gate.requirements if one.source == requirement.source} | set(requirement.coupled)
    others = [row.id for row in after.rows if not row.met and _met(before, row.id) and row.id not in same]
    return told(f"{', '.join(others)} flipped too" if others else "")


def _asked(
    gate: Gate, requirement: Requirement, said: Evidence, whole: Mapping[str, Evidence], context: Context
) -> Verdict:
    placed = msgspec.structs.replace(
        whole[requirement.source], status=said.status, components=said.components, error=said.error, reason=said.reason
    )
    return judge(gate, {**whole, requirement.source: placed}.values(), (), context, AT, run_id="gate")


def _met(verdict: Verdict, name: str) -> bool:
    return any(row.met for row in verdict.rows if row.id == name)


def _strictest(requirements: Iterable[Requirement]) -> Iterator[Requirement]:
    """Yield requirements so that of several rows over one source the most demanding environment comes last."""
    yield from sorted(requirements, key=lambda one: ENVIRONMENTS.index(one.environment_min))


def _sound(requirement: Requirement) -> Evidence:
    return healthy(
        requirement.source, AT, environment=requirement.environment_min, hashes=BINDING.hashes, cycle=CYCLE
    )  # fmt: skip


def _of_facts(one: Assessment) -> Iterator[Mutation]:
    def before() -> Evidence:
        return of_snapshot(facts.judged(one, facts.healthy_facts(one), one.policy))

    for rule in one.rules:
        cases = rule.all_cases(one.policy, one.specs)
        case = next((case for case in cases if case.severity >= Severity.UNKNOWN and not case.code), None)
        if case is not None:
            changed = facts.changed(one, case)
            yield Mutation(
                f"{one.name}.{rule.what}", one.name, before,
                lambda changed=changed: of_snapshot(facts.judged(one, changed, one.policy)),  # type: ignore[misc]
            )


def _of_composite(one: Assessment) -> Iterator[Mutation]:
    def composed(worst: Severity) -> Evidence:
        children = {child.name: _child(child.name, Severity.OK) for child in one.children}
        first = next(child for child in one.children if not child.optional)
        children[first.name] = _child(first.name, worst)
        return of_snapshot(compose(one, children, one.policy, AT, environment="case", code_version="case"))

    if any(not child.optional for child in one.children):
        yield Mutation(
            f"{one.name}.child_status", one.name, lambda: composed(Severity.OK), lambda: composed(Severity.FAIL)
        )


def _child(name: str, status: Severity) -> Snapshot:
    empty: dict[str, dict[str, int]] = {"severity": {}, "category": {}}
    return Snapshot(
        id="0" * 64, assessment=name, topic="", status=status, generated_at=AT - 1, expires_at=AT + 1,
        environment="case", policy_hash="", inputs_hash="", code_version="case", facts=(), findings=(), components=(),
        issue_counts=empty, policy={},
    )  # fmt: skip
