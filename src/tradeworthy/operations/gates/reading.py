"""Snapshots and reports as evidence: what is read is checked, and never made better (GE-02, GE-04)."""

from collections.abc import Iterable

from tradeworthy.kernel.report import Report, address, canonical
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.assessments.framework.snapshot import Snapshot, encode
from tradeworthy.operations.dry_run.model import Status
from tradeworthy.operations.evidence.certificate import EvidenceItem
from tradeworthy.operations.evidence.vocabulary import PROVENANCES
from tradeworthy.operations.gates.model import HASHES, Artefact, Evidence

AS_SIMULATED = ("backtest", "replay", "simulated")
OF_REPORTS = {
    "soak-smoke": "paper_smoke", "soak-paper": "paper_soak", "soak-live-data": "paper_soak_live",
    "soak-family": "directional_soak", "soak-out-of-sample": "out_of_sample", "regression": "regression",
    "replay-windows": "replay_determinism", "supply-chain": "supply_chain",
    "kill-drill": "kill_switch", "log-maturity": "log_maturity",
}  # fmt: skip
"""Reports of the house's verbs, and the source that each speaks for."""


STATUSES = {
    Status.PASS: Severity.OK, Status.WARN: Severity.WARN, Status.UNKNOWN: Severity.UNKNOWN, Status.FAIL: Severity.FAIL,
}  # fmt: skip
"""Statuses of the evidence room; what has not ended says nothing yet."""


def of_snapshot(snapshot: Snapshot) -> Evidence:
    """Return a snapshot of an assessment as evidence; its own freshness is an end of its own."""
    facts = {one.provenance.value for one in snapshot.facts if one.value is not None}
    worst = snapshot.findings[0] if snapshot.findings else None
    return Evidence(
        source=snapshot.assessment, evidence_id=snapshot.id, run_id=f"assessment:{snapshot.inputs_hash[:16]}",
        status=snapshot.status, stamp=snapshot.generated_at, recorded_at=snapshot.generated_at,
        environment=environment_of(snapshot.environment),
        provenance=next((one for one in PROVENANCES if one in facts), PROVENANCES[-1]),
        hashes=_hashes(snapshot), ends_at=snapshot.expires_at,
        end_reason="the assessment's own time is over",
        components={**_codes(snapshot), **{one.name: one.status for one in snapshot.components}},
        observed="" if worst is None else f"{worst.code} {worst.component} {worst.observed} {worst.unit}".strip(),
        limit="" if worst is None or worst.limit is None else f"{worst.limit} {worst.unit}".strip(),
        reason="" if worst is None else worst.message, size=len(encode(snapshot)),
    )  # fmt: skip


def of_report(
    report: Report, source: str, *, run_id: str, stamp: int, environment: str, hashes: dict[str, str], cycle: str = ""
) -> Evidence:
    """Return a report of a verb as evidence; the status is the report's own, nobody types it."""
    data = canonical(report)
    failed = report.failed()
    worst = failed[0] if failed else None
    return Evidence(
        source=source, evidence_id="", run_id=run_id, status=report.severity, stamp=stamp, recorded_at=stamp,
        environment=environment_of(environment), provenance="measured", hashes=hashes, cycle=cycle,
        observed="" if worst is None else f"{worst.code} {worst.observed}", limit="" if worst is None else worst.limit,
        reason="" if worst is None else worst.text or f"{worst.code} {worst.observed}, expected {worst.limit}",
        components=_components(report), artefacts=(Artefact(f"{report.name}.json", address(data), len(data)),),
    )  # fmt: skip


def of_item(item: EvidenceItem) -> Evidence:
    """Return a signed item or a dry run's bundle as evidence; what no trusted key signed says nothing."""
    signed = item.signed and bool(item.signers)
    return Evidence(
        source=item.requirement, evidence_id=item.evidence_id, run_id=f"item:{item.evidence_id[:16]}",
        status=STATUSES.get(item.status) if signed else None, stamp=item.collected_at, recorded_at=item.recorded_at,
        environment=environment_of(item.environment), provenance=item.provenance, hashes=item.hashes,
        ends_at=item.ends_at, end_reason=item.end_reason,
        observed=f"signed by {', '.join(item.signers)}" if signed else "unsigned", limit="signed by a trusted key",
        error="" if signed else "no trusted key signed it",
    )  # fmt: skip


def _codes(snapshot: Snapshot) -> dict[str, Severity]:
    """Return the worst severity of each code that the assessment has; one without a finding is OK."""
    known = registry()
    if snapshot.assessment not in {one.name for one in known}:
        return {}
    found = {one.code: Severity.OK for one in known.get(snapshot.assessment).codes()}
    for one in snapshot.findings:
        found[one.code] = max(found.get(one.code, Severity.OK), one.severity)
    return found


def _components(report: Report) -> dict[str, Severity]:
    """Return the worst severity of each code."""
    found: dict[str, Severity] = {}
    for one in report.checks:
        found[one.code] = max(found.get(one.code, Severity.OK), one.severity)
    return found


def _hashes(snapshot: Snapshot) -> dict[str, str]:
    """Return what a snapshot says that it was made for: its code, and other hashes where its metadata tells them."""
    told = snapshot.metadata.get("hashes", {})
    found = {name: str(told[name]) for name in HASHES if name in told} if isinstance(told, dict) else {}
    return {**found, "code": snapshot.code_version} if snapshot.code_version else found


def unreadable(sources: Iterable[str], problem: str, at: int) -> tuple[Evidence, ...]:
    """Return evidence that says nothing for each source of a store that could not be read."""
    return tuple(
        Evidence(
            source=one, evidence_id="", run_id="store", status=None, stamp=at, recorded_at=at, environment="",
            provenance="", error=problem,
        )
        for one in sorted(sources)
    )  # fmt: skip


def environment_of(word: str) -> str:
    """Return an environment in the words of gates; a backtest and a replay are simulated."""
    return "simulated" if word in AS_SIMULATED else word


def healthy(source: str, at: int, *, environment: str, hashes: dict[str, str], cycle: str = "") -> Evidence:
    """Return evidence with which a row over `source` is met; mutations and explanations start from it."""
    return Evidence(
        source=source, evidence_id=address(source.encode()), run_id=f"healthy:{source}", status=Severity.OK, stamp=at,
        recorded_at=at, environment=environment, provenance="measured", hashes=hashes, cycle=cycle,
    )  # fmt: skip
