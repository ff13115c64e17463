"""One assessment: its facts, policy and rules, and the one judgement over them (FW-16)."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.telemetry.topics import topic_of
from tradeworthy.operations.assessments.framework.finding import FRAMEWORK_CODES, Category, CodeSpec, Finding, Kept
from tradeworthy.operations.assessments.framework.limits import Limit
from tradeworthy.operations.assessments.framework.policy import AssessmentPolicy
from tradeworthy.operations.assessments.framework.primitives import Verdict
from tradeworthy.operations.assessments.framework.rules import Rule
from tradeworthy.operations.assessments.framework.values import Facts, FactSpec, Observation, Provenance, Seen


class Child(msgspec.Struct, frozen=True):
    """A child of a composite; an optional one contributes at most WARN."""

    name: str
    optional: bool = False


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """What one file declares. Its name is the file's.

    title    one line for people;  section  of the page and of exports
    facts, rules  of a judgement over facts;  children  of a composite, which has neither
    nouns    components that may be none, with the reason, e.g. a desk without positions
    aliases  old code to new one, for two minor releases
    """

    title: str
    topic: str
    section: str
    owner: str
    runbook: str
    policy: AssessmentPolicy
    category: Category
    facts: tuple[FactSpec, ...] = ()
    rules: tuple[Rule, ...] = ()
    children: tuple[Child, ...] = ()
    nouns: dict[str, str] = {}
    aliases: dict[str, str] = {}
    name: str = ""

    def __post_init__(self) -> None:
        topic_of(self.topic)
        if bool(self.rules) == bool(self.children):
            raise ValueError(f"{self.title}: an assessment has rules, or children as a composite; never both or none")
        specs = {one.name: one for one in self.facts}
        for rule in self.rules:
            unknown = [name for name in rule.facts if name not in specs]
            if unknown or not rule.facts:
                raise ValueError(f"{rule.what}: expected declared facts, found {unknown or 'none'}")
            nouns = {specs[name].per for name in rule.facts} - {""}
            if len(nouns) > 1:
                raise ValueError(f"{rule.what}: facts of one rule have one noun, found {sorted(nouns)}")
            if rule.limit and not isinstance(getattr(self.policy, rule.limit, None), Limit):
                raise ValueError(f"{rule.what}: expected a limit of the policy, found {rule.limit!r}")
            if rule.what in FRAMEWORK_CODES:
                raise ValueError(f"{rule.what}: a code of the framework cannot be a rule's own")

    @property
    def specs(self) -> dict[str, FactSpec]:
        """The facts by name."""
        return {one.name: one for one in self.facts}

    def codes(self) -> tuple[CodeSpec, ...]:
        """Return every code of its own, as `explain` tells them."""
        found = [
            CodeSpec(
                code=f"{self.name}.{rule.what}", primitive=rule.primitive, facts=rule.facts,
                limit=getattr(self.policy, rule.limit).said() if rule.limit else "",
                category=rule.category or self.category, runbook=rule.runbook or self.runbook, remedy=rule.remedy,
                owner=rule.owner or self.owner,
            )
            for rule in self.rules
        ]  # fmt: skip
        if self.children:
            for what, remedy in COMPOSITE_CODES.items():
                found.append(CodeSpec(
                    code=f"{self.name}.{what}", primitive="composite", facts=tuple(one.name for one in self.children),
                    limit="", category=self.category, runbook=self.runbook, remedy=remedy, owner=self.owner,
                ))  # fmt: skip
        return tuple({one.code: one for one in found}.values())


COMPOSITE_CODES = {
    "child_status": "see the findings of the child that is named",
    "child_missing": "run the child that is named; one that `assess list` does not show has no rules in this release",
    "child_stale": "run the child that is named again",
}
"""Codes of a composite, one a child, and their remedies."""


def judge(
    assessment: Assessment, facts: Facts, policy: Any, now: int, failed: Sequence[str] = ()
) -> Iterator[Finding | Kept]:
    """Yield a finding for every rule and component, `Kept` for those that are; the same arguments give the same.

    failed  probes that could not read, `name: reason`
    """
    yield from _door(assessment, facts, failed)
    if not any(facts.read(one.name, one.component).value is not None for one in facts.given):
        yield of_framework(assessment, "no_data", Severity.UNKNOWN, "no fact that can be judged was brought")
    specs = facts.specs
    for rule in assessment.rules:
        noun = next((specs[name].per for name in rule.facts if specs[name].per), "")
        components, code = facts.components(noun), f"{assessment.name}.{rule.what}"
        if not components and noun not in assessment.nouns:
            yield _finding(assessment, rule, noun, Verdict(rule.absent, None, None, f"no {noun} is known"), ())
        for component in components:
            yield from _judged(assessment, rule, code, facts, component, policy, now)


def of_framework(
    assessment: Assessment, what: str, severity: Severity, message: str, component: str = "", observed: Any = None
) -> Finding:
    """Return a finding under one of the framework's codes."""
    return Finding(
        code=f"{assessment.name}.{what}", severity=severity, component=component or assessment.name,
        category=Category.FRAMEWORK, message=message, observed=observed, limit=None, unit="",
        provenance=Provenance.MEASURED, runbook=assessment.runbook, remedy=FRAMEWORK_CODES[what],
        owner=assessment.owner,
    )  # fmt: skip


def _door(assessment: Assessment, facts: Facts, failed: Sequence[str]) -> Iterator[Finding]:
    for probe in failed:
        yield of_framework(assessment, "collector_failed", Severity.UNKNOWN, probe, probe.partition(":")[0])
    for fault in facts.faults:
        where = fault.component or assessment.name
        yield of_framework(assessment, fault.what, Severity.FAIL, f"{fault.name}: {fault.reason}", where, fault.name)


def _judged(
    assessment: Assessment, rule: Rule, code: str, facts: Facts, component: str, policy: Any, now: int
) -> Iterator[Finding | Kept]:
    """Judge one rule of one component: at once where it is kept and all is measured, which is the usual case."""
    values = facts.values(rule.facts, component)
    if None not in values.values() and facts.only_measured:
        kept = rule.decide(values, policy, now)
        if kept is None or kept.severity is Severity.OK:
            yield Kept(code, component or assessment.name, None if kept is None else kept.utilisation)
            return
    seen = {name: facts.read(name, component if facts.specs[name].per else "") for name in rule.facts}
    noun = component or assessment.name
    if None in values.values():
        without: dict[str, list[str]] = {}
        for name, one in seen.items():
            if one.value is None:
                without.setdefault(one.reason, []).append(name)
        missing = [f"{', '.join(names)}: {reason}" for reason, names in without.items()]
        limit = getattr(policy, rule.limit).said() if rule.limit else None
        verdict = Verdict(rule.absent, "missing", limit, "; ".join(missing))
        yield _finding(assessment, rule, noun, verdict, tuple(seen.values()))
        return
    found = rule.decide(values, policy, now)
    if found is None or found.severity is Severity.OK:
        yield Kept(code, noun, None if found is None else found.utilisation)
    else:
        yield _finding(assessment, rule, noun, found, tuple(seen.values()))
    if not facts.only_measured:
        severity = Severity.OK if found is None else found.severity
        yield from _capped(assessment, rule, noun, severity, seen, policy)


def _capped(
    assessment: Assessment, rule: Rule, component: str, found: Severity, seen: dict[str, Seen], policy: Any
) -> Iterator[Finding]:
    """Hold what people said at WARN, and what was simulated at UNKNOWN where measurements are asked for (FW-06)."""
    by = {one.observation.provenance: name for name, one in reversed(seen.items()) if one.observation is not None}
    caps = [("attested_only", Provenance.ATTESTED, Severity.WARN)]
    if policy.provenance_floor == "measured":
        caps.append(("simulated_only", Provenance.SIMULATED, Severity.UNKNOWN))
    for what, provenance, severity in caps:
        if provenance in by and found < severity:
            said = f"{rule.what} rests on {by[provenance]}, which is {provenance.value}"
            yield of_framework(assessment, what, severity, said, f"{component}/{rule.what}", by[provenance])


def _finding(
    assessment: Assessment, rule: Rule, component: str, verdict: Verdict, seen: Iterable[Seen]
) -> Finding:
    known = [one.observation for one in seen if one.observation is not None]
    return Finding(
        code=f"{assessment.name}.{verdict.what or rule.what}", severity=verdict.severity, component=component,
        category=rule.category or assessment.category, message=verdict.message, observed=verdict.observed,
        limit=verdict.limit, unit=verdict.unit, provenance=_weakest(known), runbook=rule.runbook or assessment.runbook,
        remedy=rule.remedy, owner=rule.owner or assessment.owner,
        evidence=tuple(dict.fromkeys(entry for one in known for entry in one.evidence)),
        utilisation=verdict.utilisation,
    )  # fmt: skip


def _weakest(known: Sequence[Observation]) -> Provenance:
    order = (Provenance.SIMULATED, Provenance.ATTESTED, Provenance.MEASURED)
    held = {one.provenance for one in known}
    return next((one for one in order if one in held), Provenance.MEASURED)
