"""Metrics of assessments, from the first moment on (FW-26)."""

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.telemetry.metric_families import FamilySpec, MetricType
from tradeworthy.kernel.telemetry.metrics import DeskMetrics
from tradeworthy.operations.assessments.framework.history import History
from tradeworthy.operations.assessments.framework.registry import Registry

GAUGE, LABELS = MetricType.GAUGE, ("assessment", "component")
ASSESSMENT_SPECS = (
    FamilySpec("assessment_status", GAUGE, "Status: 0 OK, 1 WARN, 2 UNKNOWN, 3 FAIL, as it stands now.", LABELS),
    FamilySpec("assessment_present", GAUGE, "1 once there is a snapshot.", LABELS),
    FamilySpec("assessment_fresh", GAUGE, "1 while the newest snapshot has not ended.", LABELS),
    FamilySpec("assessment_age_seconds", GAUGE, "Age of the newest snapshot.", LABELS),
    FamilySpec("assessment_findings", GAUGE, "Findings of the newest snapshot.", LABELS),
)
"""Pass them to `DeskMetrics(more=...)`."""


def show(metrics: DeskMetrics, known: Registry, history: History, now: int) -> None:
    """Fill the families from the newest snapshots; one without shows UNKNOWN. `component` is empty for the whole."""
    values: dict[str, dict[tuple[str, ...], float]] = {one.name: {} for one in ASSESSMENT_SPECS}
    for one in known:
        last, key = history.last(one.name), (one.name, "")
        values["assessment_present"][key] = last is not None
        values["assessment_fresh"][key] = last is not None and now < last.expires_at
        values["assessment_status"][key] = int(Severity.UNKNOWN if last is None else last.standing(now))
        values["assessment_findings"][key] = 0 if last is None else len(last.findings)
        if last is not None:
            values["assessment_age_seconds"][key] = (now - last.generated_at) / NANOS_PER_SECOND
            for part in last.components:
                values["assessment_status"][one.name, part.name] = int(part.status)
    for name, found in values.items():
        metrics[name].replace(found)
