"""Every gate by its name, and which gate an act of the runtime must ask (GE-01, GE-09)."""

from enum import StrEnum

from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.gates.incident_issues import BLOCKING, PREFIX
from tradeworthy.operations.gates.live import LIVE
from tradeworthy.operations.gates.model import Gate
from tradeworthy.operations.gates.promotion import ASSESS, DAY, PROMOTION, periodic, row
from tradeworthy.operations.gates.reviews import REVIEWS

INCIDENTS = "take, resolve and review what is open: tradeworthy incident list DESK"
OPERATIONAL_READINESS = Gate(
    name="operational_readiness", title="Is operations fit to run the desk?",
    requirements=(
        periodic("operational_readiness", "Every part of operations is fit.", "see the part that is named",
                 "operational_readiness.child_status", environment_min="simulated", runbook="runbooks/operator.md"),
        row("system_validation", "The newest validation passed its required checks.", "run the validation",
            "system_validation.checks", age_max_s=2 * DAY, runbook="runbooks/operator.md"),
        row("incident_response", "People, runbooks and rosters stand ready.", "see its findings",
            "incident_response.primary_roster", age_max_s=DAY, runbook="runbooks/escalation.md"),
    ),
)  # fmt: skip
INCIDENT_RESPONSE = Gate(
    name="incident_response", title="Would an incident be answered?",
    requirements=(
        row("incident_response", "Runbooks, roster, incidents, reviews and times are in order.", "see its findings",
            "incident_response.open_incidents", age_max_s=DAY, strict_ok=True, runbook="runbooks/escalation.md"),
        row("alert_path", "A canary reaches a person's channel, with a receipt.", "send a canary through each sink",
            "alert_path.no_endpoints", age_max_s=DAY, runbook="runbooks/alert-path.md"),
        *(
            row(f"issue_{one}", f"Category {one}: a warning blocks too.", INCIDENTS, f"incident_response.{one}",
                source="incident_response", component=f"{PREFIX}{one}", accept=Severity.OK, age_max_s=DAY,
                runbook="runbooks/escalation.md") for one in BLOCKING
        ),
    ),
)  # fmt: skip
SYSTEM_VALIDATION = Gate(
    name="system_validation", title="Did the whole system pass its validation?",
    requirements=(
        row("system_validation", "The newest validation passed its required checks.", "run the validation",
            "system_validation.checks", age_max_s=2 * DAY, runbook="runbooks/operator.md"),
    ),
)  # fmt: skip
DESK_HEALTH = Gate(
    name="desk_health", title="Is the running desk fit to go on?",
    requirements=(
        periodic("log_integrity", "The journal is whole, in order and of known schemas.", ASSESS,
                 "log_integrity.broken_chain", environment_min="simulated", runbook="runbooks/journal.md"),
        periodic("accounting_integrity", "The books of every instance hold together.", ASSESS,
                 "accounting_integrity.field_missing", environment_min="simulated", owner="trading",
                 runbook="runbooks/ledger.md"),
        periodic("reconciliation", "The venue holds what the desk believes.", ASSESS, "reconciliation.break",
                 environment_min="simulated", owner="trading", runbook="runbooks/reconciliation.md"),
        periodic("risk_posture", "Every limit of the risk policy is kept.", ASSESS, "risk_posture.utilisation",
                 environment_min="simulated", owner="risk", runbook="runbooks/risk.md"),
        periodic("risk_policy", "Pre-trade review keeps its own limits.", ASSESS, "risk_policy.accepted_in_breach",
                 environment_min="simulated", owner="risk", runbook="runbooks/risk.md"),
        periodic("task_supervision", "Every task runs, and none is abandoned.", ASSESS, "task_supervision.state",
                 environment_min="simulated", runbook="runbooks/supervision.md"),
        periodic("time_integrity", "The clock is right.", ASSESS, "time_integrity.step", environment_min="simulated",
                 runbook="runbooks/clock.md"),
        periodic("event_bus_health", "The bus runs, and loses nothing.", ASSESS, "event_bus_health.not_running",
                 environment_min="simulated", waivable=True, runbook="runbooks/bus.md"),
        periodic("decision_latency", "The desk decides as fast as its baseline.", ASSESS, "decision_latency.p99",
                 environment_min="simulated", waivable=True, owner="engineering", runbook="runbooks/supervision.md"),
        periodic("resources", "The process has what it needs.", ASSESS, "resources.disk",
                 environment_min="simulated", waivable=True, runbook="runbooks/disk.md"),
    ),
)  # fmt: skip
GATES = {
    one.name: one
    for one in (
        PROMOTION, LIVE, DESK_HEALTH, OPERATIONAL_READINESS, INCIDENT_RESPONSE, SYSTEM_VALIDATION, *REVIEWS,
    )
}
TIERS = ("paper", "canary", "live_micro", "pilot", "limited_live", "live")
"""From the least to the most money."""


class Act(StrEnum):
    """What the runtime may not do without a verdict; reducing, cancelling and stopping are never asked for."""

    GO_LIVE = "go_live"
    CHANGE_TIER = "change_tier"
    CAPITAL_STEP = "capital_step"
    ADD_INSTANCE = "add_instance"
    LOOSEN_LIMIT = "loosen_limit"
    CLEAR_STOPPED = "clear_stopped"
    SIGN_OFF = "sign_off"


def gate_named(name: str) -> Gate:
    """Return a gate; raises `UsageError` naming those that there are."""
    found = GATES.get(name)
    if found is None:
        raise UsageError(f"expected a gate of {', '.join(GATES)}, found {name!r}")
    return found


def components_of(gate: Gate) -> frozenset[str]:
    """Return what of a gate may be named on its own: its rows, and the children and codes of what they read."""
    known = {one.name: one for one in registry()}
    read = [known[one.source] for one in gate.requirements if one.source in known]
    parts = {child.name for one in read for child in one.children} | {code.code for one in read for code in one.codes()}
    return frozenset({one.id for one in gate.requirements} | parts)


def gate_for(act: Act, tier: str) -> Gate:
    """Return the gate whose verdict an act needs at a tier; raises `UsageError` for a tier that there is not."""
    if tier not in TIERS:
        raise UsageError(f"expected a tier of {', '.join(TIERS)}, found {tier!r}")
    return LIVE if act is Act.GO_LIVE or tier != TIERS[0] else PROMOTION
