"""What is known of codes: severity, runbook, consequences, and how grave an incident of them is (AR-05, IN-01)."""

from collections.abc import Mapping

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.incidents.model import OF_FINDING, Alert, AlertSeverity, Signal

INFO, WARNING, ERROR, CRITICAL = AlertSeverity
DEFAULTS: Mapping[str, AlertSeverity] = {
    "risk_alert": WARNING, "risk_reject": ERROR, "risk_stop_loss": ERROR, "compliance_reject": ERROR,
    "compliance_prohibited": CRITICAL, "risk_stress_breach": CRITICAL, "drawdown_soft": WARNING,
    "drawdown_hard": CRITICAL, "kill": CRITICAL, "heartbeat_stale": ERROR, "bus_catchup_timeout": CRITICAL,
    "break_glass": WARNING, "gate_lapse": ERROR, "rate_limited": WARNING,
    "alert_path.undelivered": WARNING, "alert_path.undelivered_everywhere": CRITICAL,
    "alert_path.canary_lost": CRITICAL, "alert_path.unrouted_error": ERROR, "alert_path.unrouted_category": WARNING,
    "alert_path.missed": CRITICAL, "alert_path.overflow": ERROR, "alert_path.slow": ERROR,
}  # fmt: skip
"""Severity of a code where neither the event nor the policy says another."""

CAPPED = (
    "document_control", "quality_telemetry", "operator_leverage", "roi", "claims", "evolution.", "ml_governance",
)  # fmt: skip
"""Prefixes of codes about paper and research: never above `error`."""

YOUNG = ("drift_sentry.", "burn_rate.", "understanding_slos.", "operational_readiness.")
"""Prefixes of codes that know little before a desk is some hours old: while they only do not know, they warn."""

CONSEQUENCES: Mapping[str, tuple[str, ...]] = {
    "venue.down": ("venue.no_fills", "venue.stale_book", "venue.errors", "feed.", "execution.", "reconciliation.late"),
    "network.partition": ("venue.", "feed.", "bus.", "store.", "telemetry."),
    "feed.down": ("feed.stale", "feed.gap", "sensory.", "strategy.abstains"),
    "store.down": ("store.slow", "store.lag", "ingest.", "assessment.stale"),
    "bus.outage": ("bus.lag", "bus.dropped", "telemetry."),
    "disk.full": ("journal.slow", "spool.", "logs.dropped"),
    "clock.off": ("feed.future", "feed.stale", "time."),
    "process.down": ("heartbeat_stale", "task.", "health."),
}
"""What a firing root explains on the same subject; what is not listed is never hidden (AR-11)."""

CATEGORIES: tuple[tuple[str, str], ...] = (
    ("incident_response.", ""), ("reconciliation.", ""), ("system_validation.", "system_validation.check"),
    ("operational_readiness.", "operational.readiness"), ("sensory_drift.", "sensory.drift"),
    ("drift_sentry.", "understanding.drift_sentry"), ("ingest_slos.", "operational.operational_slos"),
    ("understanding_slos.", "operational.operational_slos"), ("burn_rate.", "operational.operational_slos"),
    ("enforcement_slos.", "operational.operational_slos"),
    ("trade_compliance.", "compliance.trade"),
    ("kyc.", "compliance.kyc"), ("compliance_", "compliance.finding"), ("regulatory_", "compliance.regulatory"),
    ("alert_path.", ""), ("log_integrity.", "journal.integrity"), ("accounting_integrity.", "journal.accounting"),
)  # fmt: skip
"""Category of a finding by the beginning of its code; empty: the code itself."""
FAMILIES: Mapping[str, str] = {"risk": "risk_breach", "runtime": "system_failure"}
"""Category of the other findings by their family."""

NEVER_SILENCED = ("kill", "journal", "reconciliation")

RUNBOOKS: tuple[tuple[str, str], ...] = (
    ("alert_path.", "alert-path.md"), ("kill", "kill-switch.md"), ("journal", "journal.md"), ("guard", "guard.md"),
    ("reconciliation", "unexpected-position.md"), ("position", "unexpected-position.md"), ("gate", "gate-no-go.md"),
    ("compliance", "compliance-veto.md"), ("surveillance", "compliance-veto.md"), ("regulatory", "compliance-veto.md"),
    ("risk_reject", "order-blocked.md"), ("rate_limited", "order-blocked.md"), ("risk_daily_loss", "daily-loss.md"),
    ("risk.daily_loss", "daily-loss.md"), ("risk_policy", "risk-policy-violation.md"), ("risk", "risk-breach.md"),
    ("drawdown", "risk-breach.md"), ("venue", "venue-errors.md"), ("execution", "execution-failure.md"),
    ("feed.stale", "feed-stale.md"), ("feed.down", "feed-stale.md"), ("feed", "data-quality.md"),
    ("data", "data-quality.md"), ("sensory", "sensor-drift.md"), ("drift_sentry", "drift-sentry.md"),
    ("bus", "bus-outage.md"), ("telemetry", "bus-outage.md"), ("cache", "cache-outage.md"),
    ("store", "store-outage.md"), ("provider", "providers.md"), ("disk", "resource-exhaustion.md"),
    ("clock", "clock.md"), ("network", "network-partition.md"), ("heartbeat", "supervision.md"),
    ("task", "supervision.md"), ("process", "health-failure.md"), ("component", "health-failure.md"),
    ("break_glass", "controls.md"), ("escalation", "escalation.md"), ("strategy", "strategy.md"),
    ("security", "secrets-leak.md"), ("secrets", "secrets-leak.md"), ("dry_run", "dry-run.md"),
    ("incident_response.roster", "escalation.md"), ("incident", "incidents.md"), ("drill", "drill.md"),
    ("system_failure", "health-failure.md"), ("health", "health-failure.md"),
)  # fmt: skip
RUNBOOK_DEFAULT = "incidents.md"
GRAVE = ("kill", "journal", "reconciliation", "position", "compliance_prohibited", "surveillance", "regulatory")
HARD = ("risk", "drawdown", "guard", "venue.down", "bus_catchup_timeout", "alert_path.undelivered_everywhere")


def severity_of(signal: Signal, overrides: Mapping[str, AlertSeverity]) -> AlertSeverity:
    """Return an alert's severity: the event's own, else the override, else the code's default (AR-01, AR-04).

    A finding that is not OK is never below `warning`; codes about paper and research are never above `error`.
    """
    found = signal.severity or overrides.get(signal.code) or DEFAULTS.get(signal.code)
    if found is None:
        young = signal.finding is Severity.UNKNOWN and signal.code.startswith(YOUNG)
        found = WARNING if signal.finding is None or young else OF_FINDING[signal.finding]
    if signal.finding is not None and signal.finding is not Severity.OK:
        found = max(found, WARNING)
    return min(found, ERROR) if signal.code.startswith(CAPPED) else found


def category_of(code: str, family: str) -> str:
    """Return the category that routes a finding, by its code, else by its family (FW-29)."""
    for prefix, category in CATEGORIES:
        if code.startswith(prefix):
            return category or code
    return FAMILIES.get(family, f"assessment.{family}")


def runbook_of(code: str) -> str:
    """Return the file below `docs/` that says what to do about a code."""
    return "runbooks/" + next((name for prefix, name in RUNBOOKS if code.startswith(prefix)), RUNBOOK_DEFAULT)


def explains(root: Alert, other: Alert) -> bool:
    """Tell whether a root is why another alert fires: declared, same subject; of criticals the same cause as well."""
    if root.subject != other.subject or root.key == other.key or not root.firing:
        return False
    if other.severity is CRITICAL and (not root.cause or root.cause != other.cause):
        return False
    return other.code.startswith(CONSEQUENCES.get(root.code, ("\0",)))


def sev_of(alert: Alert) -> int:
    """Return how grave an incident of an alert is, 1 to 5 (IN-01)."""
    if alert.severity is CRITICAL and alert.code.startswith(GRAVE):
        return 1
    if alert.severity is CRITICAL:
        return 2
    if alert.code.startswith("alert_path.unrouted_error") or alert.severity is ERROR:
        return 3
    return 4 if alert.severity is WARNING else 5
