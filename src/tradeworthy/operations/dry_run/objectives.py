"""Objectives of a run: what a person says of them, and what an assessment found (DR-35)."""

from collections.abc import Iterable, Mapping, Sequence

from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.artefacts import Objective
from tradeworthy.operations.dry_run.model import Status

ATTESTED, DERIVED = "attested", "derived"
ASSESSED_BY: Mapping[str, tuple[str, ...]] = {
    "data_backbone": ("data_feed", "market_data_freshness", "log_integrity"),
    "understanding": ("attribution_coverage", "strategy_performance", "decision_latency"),
    "risk": ("risk_policy", "risk_posture", "portfolio_risk"),
    "governance": ("instance_policy", "strategy_catalog", "configuration_audit"),
    "launch_readiness": ("runtime_health", "task_supervision", "execution_readiness", "reconciliation"),
}
"""Which assessments an objective of a release is derived from; the worst of them is its status."""
WORDS = {
    Status.PASS: ("pass", "ok", "ready", "go", "success"),
    Status.WARN: ("warn", "warning", "at_risk", "yellow"),
    Status.FAIL: ("fail", "failed", "block", "blocked", "no", "stop", "red"),
}
_STATUS = {one: status for status, words in WORDS.items() for one in words}


def parse_objective(text: str) -> Objective:
    """Return a typed objective `NAME=STATUS[:NOTE]`; raises `UsageError`."""
    name, equals, rest = text.partition("=")
    typed, _, note = rest.partition(":")
    status = _STATUS.get(typed.strip().lower().replace("-", "_").replace(" ", "_"))
    if not name.strip() or not equals or status is None:
        known = ", ".join(one for words in WORDS.values() for one in words)
        raise UsageError(f"expected NAME=STATUS[:NOTE] with one of {known}; found {text!r}")
    return Objective(name=name.strip(), status=status, provenance=ATTESTED, note=note.strip() or None)


def derived_objectives(found: Mapping[str, tuple[Status, str]]) -> tuple[Objective, ...]:
    """Return each objective of a release that its assessments decided; one without all of them is not derived.

    found  by assessment: the status of its newest snapshot within the run, and that snapshot's id
    """
    objectives = []
    for name, assessments in ASSESSED_BY.items():
        known = [found[one] for one in assessments if one in found and found[one][0] is not Status.UNKNOWN]
        if len(known) == len(assessments):
            worst = max((status for status, _ in known), key=lambda one: one.severity)
            note = ", ".join(f"{one} {found[one][0]}" for one in assessments)
            cited = ",".join(snapshot for _, snapshot in known)
            objectives.append(Objective(name=name, status=worst, provenance=DERIVED, note=note, evidence=cited))
    return tuple(objectives)


def merge_objectives(typed: Iterable[Objective], derived: Sequence[Objective] = ()) -> tuple[Objective, ...]:
    """Return one objective a name: the worst word, and the assessment's where it is as bad as the typed one."""
    merged: dict[str, Objective] = {}
    for one in (*derived, *typed):
        known = merged.get(_key(one.name))
        if known is None or one.status.severity > known.status.severity:
            note = one.note or (known.note if known is not None else None)
            merged[_key(one.name)] = Objective(
                name=known.name if known is not None else one.name, status=one.status, provenance=one.provenance,
                note=note, evidence=one.evidence,
            )  # fmt: skip
    return tuple(merged[name] for name in sorted(merged))


def counted(objectives: Iterable[Objective]) -> tuple[Status, ...]:
    """Return the statuses that count: what a person typed as passed is shown and counts for nothing."""
    return tuple(
        one.status for one in objectives
        if one.provenance == DERIVED or one.status.severity is not Severity.OK
    )  # fmt: skip


def _key(name: str) -> str:
    return name.strip().lower().replace("-", "_").replace(" ", "_")
