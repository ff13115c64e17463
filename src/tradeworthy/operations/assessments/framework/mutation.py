"""Prove that every code can fire and can be cleared: judge the mutation cases (FW-17)."""

from collections.abc import Iterator
from typing import Any

import msgspec

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.assessment import Assessment
from tradeworthy.operations.assessments.framework.cases import ABSENT, Case
from tradeworthy.operations.assessments.framework.composite import compose
from tradeworthy.operations.assessments.framework.policy import AssessmentPolicy
from tradeworthy.operations.assessments.framework.rules import Rule, changed_value, healthy_value
from tradeworthy.operations.assessments.framework.snapshot import Snapshot, take
from tradeworthy.operations.assessments.framework.values import Observation, Provenance

AT = 1_750_000_000_000_000_000
"""The moment at which cases are judged, nanoseconds UTC."""
ELEMENT = "one"
"""The name of the component in healthy facts."""


class CaseResult(msgspec.Struct, frozen=True):
    """One case: what its code and all others said; `problem` is empty where exactly the expected codes flipped."""

    code: str
    case: str
    expected: Severity
    found: Severity
    problem: str = ""


def healthy_facts(assessment: Assessment, now: int = AT) -> tuple[Observation, ...]:
    """Return facts under which every rule is kept, one component a noun."""
    return tuple(
        Observation(
            name=spec.name, value=healthy_value(spec, now), unit=spec.unit, ts_observed=now,
            provenance=Provenance.MEASURED, source="case", environment="case", component=ELEMENT if spec.per else "",
        )
        for spec in assessment.facts
    )  # fmt: skip


def changed(assessment: Assessment, case: Case, now: int = AT) -> tuple[Observation, ...]:
    """Return healthy facts with a case's changes."""
    found = []
    for one in healthy_facts(assessment, now):
        if one.name in case.changes:
            value = case.changes[one.name]
            if value is ABSENT:
                found.append(msgspec.structs.replace(one, value=None, missing="taken away"))
                continue
            one = msgspec.structs.replace(one, value=changed_value(assessment.specs[one.name], value, now))
        found.append(one)
    return tuple(found)


def judged(assessment: Assessment, observations: tuple[Observation, ...], policy: AssessmentPolicy) -> Snapshot:
    """Return the snapshot of these facts at the cases' moment."""
    return take(assessment, observations, policy, AT, environment="case", code_version="case")


def mutate(assessment: Assessment, policy: AssessmentPolicy | None = None) -> Iterator[CaseResult]:
    """Yield the result of every case, the healthy facts first."""
    limits = policy or assessment.policy
    if assessment.children:
        yield from _composite_cases(assessment, limits)
        return
    sound = judged(assessment, healthy_facts(assessment), limits)
    bad = ", ".join(one.code for one in sound.findings)
    yield CaseResult(assessment.name, "healthy", Severity.OK, sound.status, f"healthy facts gave {bad}" if bad else "")
    for rule in assessment.rules:
        cases = tuple(rule.all_cases(limits, assessment.specs))
        for case in cases:
            yield _result(assessment, rule, case, limits)


def _result(assessment: Assessment, rule: Rule, case: Case, policy: AssessmentPolicy) -> CaseResult:
    code = f"{assessment.name}.{case.code or rule.what}"
    snapshot = judged(assessment, changed(assessment, case), policy)
    severities: dict[str, Severity] = {}
    for one in snapshot.findings:
        severities[one.code] = max(severities.get(one.code, Severity.OK), one.severity)
    found = severities.pop(code, Severity.OK)
    absent = {name for name, value in case.changes.items() if value is ABSENT}
    allowed = {f"{assessment.name}.{what}" for what in (*rule.also, *case.also)}
    allowed |= {f"{assessment.name}.{other.what}" for other in assessment.rules if absent & set(other.facts)}
    if len(assessment.facts) == len(absent):
        allowed.add(f"{assessment.name}.no_data")
    problems = [] if found is case.severity else [f"expected {case.severity.name}, found {found.name}"]
    problems += [f"{other} flipped too" for other in sorted(set(severities) - allowed)]
    return CaseResult(code, case.name, case.severity, found, "; ".join(problems))


def _composite_cases(assessment: Assessment, policy: AssessmentPolicy) -> Iterator[CaseResult]:
    """Take each child through every status, past its end, and away."""
    def child(name: str, status: Severity, end: int = AT + 1) -> Snapshot:
        empty: dict[str, dict[str, int]] = {"severity": {}, "category": {}}
        return Snapshot(
            id="0" * 64, assessment=name, topic="", status=status, generated_at=AT - 1, expires_at=end,
            environment="case", policy_hash="", inputs_hash="", code_version="case", facts=(), findings=(),
            components=(), issue_counts=empty, policy={},
        )  # fmt: skip

    whole = {one.name: child(one.name, Severity.OK) for one in assessment.children}
    for one in assessment.children:
        rest = {name: snapshot for name, snapshot in whole.items() if name != one.name}
        cases: list[tuple[str, str, Severity, dict[str, Snapshot]]] = [
            ("child_missing", "gone", Severity.UNKNOWN, rest),
            ("child_stale", "ended", Severity.UNKNOWN, {**rest, one.name: child(one.name, Severity.OK, AT)}),
        ]
        cases += [
            ("child_status", status.name, status, {**rest, one.name: child(one.name, status)}) for status in Severity
        ]
        for what, name, severity, snapshots in cases:
            expected = min(severity, Severity.WARN) if one.optional else severity
            found = compose(assessment, snapshots, policy, AT, environment="case", code_version="case")
            codes = [finding.code for finding in found.findings if finding.component == one.name]
            right = found.status is expected and (not expected or codes == [f"{assessment.name}.{what}"])
            problem = "" if right else f"expected {expected.name}, found {found.status.name} by {codes}"
            yield CaseResult(f"{assessment.name}.{what}", f"{one.name}_{name}", expected, found.status, problem)


def unproven(assessment: Assessment, results: tuple[CaseResult, ...]) -> tuple[str, ...]:
    """Return codes that no case made fire, or that no case cleared."""
    fired = {one.code for one in results if one.found is not Severity.OK}
    cleared = {one.code for one in results if one.found is Severity.OK}
    return tuple(
        one.code
        for one in assessment.codes()
        if one.code not in fired or (one.code not in cleared and one.primitive != "composite")
    )


def said(result: CaseResult) -> dict[str, Any]:
    """Return a result as plain data with its severities as words."""
    return {
        "code": result.code, "case": result.case, "expected": result.expected.name, "found": result.found.name,
        "problem": result.problem,
    }  # fmt: skip
