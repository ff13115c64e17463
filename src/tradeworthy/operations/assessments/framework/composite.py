"""Composites: as good as their weakest child, and never better than what is known of it (FW-33, FW-34)."""

from collections.abc import Iterator, Mapping
from typing import Any

from tradeworthy.kernel.report import address
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.assessment import COMPOSITE_CODES, Assessment, Child
from tradeworthy.operations.assessments.framework.canonical import canonical
from tradeworthy.operations.assessments.framework.finding import Finding, Kept
from tradeworthy.operations.assessments.framework.policy import AssessmentPolicy
from tradeworthy.operations.assessments.framework.snapshot import ChildRef, Snapshot, sealed
from tradeworthy.operations.assessments.framework.values import Provenance


def compose(
    assessment: Assessment, snapshots: Mapping[str, Snapshot], policy: AssessmentPolicy, now: int, *,
    environment: str, code_version: str, last: Snapshot | None = None,
) -> Snapshot:  # fmt: skip
    """Return the composite's snapshot over its children's newest ones; no child's facts are judged again."""
    refs = tuple(_ref(one, snapshots.get(one.name), now) for one in assessment.children)
    judged = tuple(_judged(assessment, refs, snapshots, now))
    return sealed(
        assessment, judged, policy, now, environment=environment, code_version=code_version,
        inputs_hash=address(canonical(refs)), children=refs, last=last, metadata=breakdown(assessment, snapshots),
    )  # fmt: skip


def join(children: Mapping[str, tuple[Severity | None, bool]]) -> Severity:
    """Return the status over children: (status, optional) by name; a status of None is missing or stale, UNKNOWN."""
    return max((_weight(status, optional) for status, optional in children.values()), default=Severity.UNKNOWN)


def breakdown(assessment: Assessment, snapshots: Mapping[str, Snapshot]) -> dict[str, Any]:
    """Return the children's statuses, counts and issues, so that one page explains the whole (FW-34)."""
    known = [(one.name, snapshots[one.name]) for one in assessment.children if one.name in snapshots]
    issues = [
        {"child": name, "component": one.component, "code": one.code, "severity": one.severity.name}
        for name, snapshot in known for one in snapshot.findings
    ]  # fmt: skip
    return {
        "statuses": {name: snapshot.status.name for name, snapshot in known},
        "counts": {name: snapshot.issue_counts for name, snapshot in known}, "issues": issues,
    }  # fmt: skip


def _weight(status: Severity | None, optional: bool) -> Severity:
    known = Severity.UNKNOWN if status is None else status
    return min(known, Severity.WARN) if optional else known


def _ref(child: Child, snapshot: Snapshot | None, now: int) -> ChildRef:
    if snapshot is None:
        return ChildRef(child.name, "", Severity.UNKNOWN, child.optional, None)
    return ChildRef(child.name, snapshot.id, snapshot.standing(now), child.optional, snapshot.expires_at)


def _judged(
    assessment: Assessment, refs: tuple[ChildRef, ...], snapshots: Mapping[str, Snapshot], now: int
) -> Iterator[Finding | Kept]:
    for ref in refs:
        snapshot = snapshots.get(ref.name)
        if snapshot is None:
            what, said = "child_missing", f"{ref.name} was never judged"
        elif now >= snapshot.expires_at:
            what, said = "child_stale", f"{ref.name} has ended; then it was {snapshot.status.name}"
        else:
            what, said = "child_status", f"{ref.name} is {ref.status.name}"
        if _weight(ref.status, ref.optional) is Severity.OK:
            yield Kept(f"{assessment.name}.{what}", ref.name, None)
            continue
        yield Finding(
            code=f"{assessment.name}.{what}", severity=_weight(ref.status, ref.optional), component=ref.name,
            category=assessment.category, message=said, observed=ref.status.name, limit=Severity.OK.name, unit="",
            provenance=Provenance.MEASURED, runbook=assessment.runbook, remedy=COMPOSITE_CODES[what],
            owner=assessment.owner, evidence=(f"sha256:{ref.id}",) if ref.id else (),
        )  # fmt: skip
