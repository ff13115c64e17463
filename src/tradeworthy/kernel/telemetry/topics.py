"""The one registry of topics: who publishes on each, and what; nothing is published on a topic that is not here."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import msgspec

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.words import Word

KILL_TOPIC = "runtime.kill_switch"
KILL_PATTERNS = ("risk.", "compliance.", KILL_TOPIC)
"""What is published there asks for a stop of the desk; the kill switch subscribes to them (KS-01)."""


class UnknownTopic(InvalidInput):
    """A topic that the registry does not have."""


class Flow(Word):
    """What a topic's events are for; an event that the flow of a guarded kind cannot take pauses the desk (TEL-04)."""

    TELEMETRY = "telemetry"
    RISK = "risk"
    COMPLIANCE = "compliance"
    EXECUTION = "execution"

    @property
    def guarded(self) -> bool:
        """Whether the desk may not open positions while this flow is broken."""
        return self is not Flow.TELEMETRY


class Topic(msgspec.Struct, frozen=True):
    """One topic: the room that owns it and alone publishes on it, and what a payload says."""

    name: str
    owner: str
    payload: str
    flow: Flow


def topic_of(name: str) -> Topic:
    """Return a registered topic; raises `UnknownTopic`."""
    found = TOPICS.get(name)
    if found is None:
        raise UnknownTopic(f"expected a topic of kernel/telemetry/topics.py, found {name!r}: register it there first")
    return found


def topics_of(patterns: Iterable[str]) -> frozenset[str]:
    """Return the topics that `patterns` name: a topic, or a prefix that ends with a point; raises `UnknownTopic`."""
    found: set[str] = set()
    for pattern in patterns:
        if pattern.endswith("."):
            below = {name for name in TOPICS if name.startswith(pattern)}
            if not below:
                raise UnknownTopic(f"expected a prefix of registered topics, found {pattern!r}")
            found |= below
        else:
            found.add(topic_of(pattern).name)
    return frozenset(found)


def trips_kill_switch(name: str) -> bool:
    """Tell whether an event on this topic trips the kill switch (KS-01)."""
    return name.startswith(KILL_PATTERNS)


def _flow_of(name: str) -> Flow:
    family = name.removeprefix("telemetry.").partition(".")[0]
    return next((flow for flow in Flow if flow.value == family and flow.guarded), Flow.TELEMETRY)


_ASSESSED = {
    "ingest": (
        "health:ingest_health", "metrics:ingest_metrics", "quality:ingest_quality",
        "observability:ingest_observability", "failover:ingest_failover", "recovery:ingest_recovery",
        "scheduler:ingest_scheduler", "trends:ingest_trends", "spark_exports", "spark_stress", "failover_drill",
        "cross_region_failover",
    ),
    "data_backbone": (
        "retention:data_retention", "validation:backbone_validation", "connectivity:backbone_connectivity",
        "readiness:backbone_readiness",
    ),
    "cache": ("fallback:cached_frames", "health:cache_health"),
    "data_feed": ("health:data_feed", "providers:provider_health", "quarantine:dataset_quality"),
    "kafka": ("readiness:kafka_readiness", "lag:kafka_lag"),
    "event_bus": ("health:event_bus_health",),
    "runtime": (
        "tasks:task_supervision", "health:runtime_health", "lag:runtime_lag", "performance:runtime_performance",
        "time:time_integrity", "decision_latency", "resources", "leadership", "completeness:telemetry_completeness",
        "fleet:fleet_consistency", "anomaly:behaviour_anomaly", "configuration:configuration_audit",
    ),
    "operational": (
        "alert_path", "unrouted:unrouted_errors", "schedule:schedule_adherence", "backups", "disaster_recovery",
        "kill_switch", "drills:drill_calendar", "capacity", "control_mutation",
        "slos:ingest_slos, understanding_slos and enforcement_slos", "burn_rate", "security:security_posture",
        "incident_response", "system_validation", "operational_readiness", "readiness:professional_readiness",
        "changes:change_management", "secrets:secrets_hygiene", "rotation:key_rotation", "supply_chain",
        "access:access_review", "documents:document_control", "quality:quality_telemetry", "operator_leverage", "roi",
        "claims", "execution:execution_readiness", "dry_run:final_dry_run",
    ),
    "strategy": ("performance:strategy_performance", "council:council_health"),
    "execution": ("fix_pilot", "dropcopy:drop_copy"),
    "risk": (
        "configuration:risk_configuration", "policy:risk_policy", "posture:risk_posture", "limits:limit_utilisation",
        "invariants:risk_invariants",
    ),
    "trading": (
        "attribution:attribution_coverage", "throttle:trade_throttle", "performance:performance_baseline",
        "fees:fee_source", "connections:connection_health", "rate_limits", "orders:order_hygiene",
        "stops:protective_stops", "margin:margin_funding", "drift_gate",
    ),
    "compliance": (
        "trade:trade_compliance", "kyc", "workflow:compliance_workflows", "readiness:compliance_readiness",
        "regulatory:regulatory_telemetry", "governance:governance_cadence", "reports:regulatory_reports",
    ),
    "understanding": ("drift_sentry", "graph:understanding_graph"),
    "sensory": ("drift:sensory_drift", "summary:sensory_summary", "sensor_drift", "signal_roi"),
    "evolution": (
        "experiments:evolution_experiments", "tuning:evolution_tuning", "catalogue:evolution_catalog",
        "lineage:evolution_lineage", "readiness:evolution_readiness", "kpis:evolution_kpis", "adaptive:adaptive_run",
        "ml_governance", "ml_latency", "planner_edge",
    ),
    "governance": ("graduation:policy_graduation", "diary:decision_diary", "reflection"),
    "desk": (
        "reconciliation", "accounting_integrity", "fill_parity", "position_truth", "shadow_parity",
        "environment_parity", "portfolio_risk", "cross_exposure", "market_data_freshness", "book_quality",
        "log_integrity", "source_compare", "bus_recovery", "replay_determinism", "instance_policy",
        "strategy_catalog", "coordination_policy", "allocation_policy", "paper_smoke", "paper_soak",
        "directional_soak", "calibration", "edge_report", "post_trade", "live_baseline", "no_trade_window",
        "minimum_order", "upgrade_preflight", "venue_rules", "ops_store", "artefact_retention", "upstream_fitness",
    ),
}  # fmt: skip
"""Snapshots of assessments, by family: `topic:file`, or one word where both are the same."""

_FACTS = {
    "telemetry.ingest": ("operations/ingest", "result of one dimension of one run"),
    "telemetry.cache": ("adapters/redis", "raw counters of the cache"),
    "telemetry.runtime.watchdog": ("kernel/supervision", "watchdog launched, missed, returned"),
    "telemetry.runtime.guard": ("trading/control", "one change of the guard, with its reasons"),
    "telemetry.risk.policy_violation": ("trading/risk", "one refusal, with its runbook"),
    "telemetry.risk.intent_rejected": ("trading/risk", "one intent that was not approved"),
    "telemetry.risk.guardrail": ("trading/risk", "one warning or refusal: primary check and all checks"),
    "telemetry.risk.interface": ("trading/risk", "the limits as strategies see them"),
    "telemetry.risk.interface_error": ("trading/risk", "a call of the risk interface that failed"),
    "telemetry.risk.var": ("trading/risk", "value at risk: method, level, horizon, n, value, limit, exceptions"),
    "telemetry.risk.stress": ("trading/risk", "one scenario: profit and loss per position, total, limit, seed"),
    "telemetry.compliance.audit": ("trading/compliance", "one audited decision"),
    "telemetry.execution.parity": ("operations/assessments", "live against the simulated venue on one tape"),
    "telemetry.trading.release_route": ("trading/control", "the route that the drift gate gave an order"),
    "telemetry.desk.timing": ("trading/timing", "step, indicator and wait times of the desk"),
    "telemetry.desk.minute": ("trading/bookkeeping", "one minute row of the desk"),
    "telemetry.desk.fill": ("trading/ledger", "one fill, as it was booked"),
    "telemetry.desk.day": ("trading/ledger", "state of the trading day"),
    "telemetry.ledger.accounting": ("trading/ledger", "one accounting snapshot"),
    "telemetry.allocation.budget": ("trading/allocation", "capital by strategy"),
    "telemetry.allocation.exposure": ("trading/allocation", "signed net exposure by asset"),
    "telemetry.ml.signal": ("trading/sensing", "one model signal, with model, hash and age"),
    "telemetry.sensory.metrics": ("trading/sensing", "measures of the five senses"),
    "telemetry.sensory.lineage": ("trading/sensing", "inputs that a sense rests on"),
    "telemetry.sensory.snapshot": ("trading/sensing", "the five senses, fused"),
    "telemetry.understanding.belief": ("trading/sensing", "one belief state"),
    "telemetry.understanding.regime": ("trading/sensing", "the regime in force"),
    "telemetry.understanding.regime_transition": ("trading/sensing", "one change of regime"),
    "telemetry.strategy.proposal.fundamental": ("trading/strategies", "forecast or abstention of a specialist"),
    "telemetry.strategy.proposal.technical": ("trading/strategies", "forecast or abstention of a specialist"),
    "telemetry.strategy.proposal.sentiment": ("trading/strategies", "forecast or abstention of a specialist"),
    "telemetry.strategy.proposal.macro": ("trading/strategies", "forecast or abstention of a specialist"),
    "telemetry.governance.ledger": ("operations/gates", "one record of the policy ledger"),
    "telemetry.drills.run": ("operations/drills", "one drill: phases and result"),
    "telemetry.drills.lease": ("operations/drills", "who may run a drill, until when"),
    "telemetry.operations.dry_run.progress": ("operations/dry_run", "progress of a dry run"),
    "telemetry.operations.dry_run.incident": ("operations/dry_run", "one incident of a dry run"),
    "telemetry.operations.dry_run.verdict": ("operations/dry_run", "verdict of a dry run"),
    "telemetry.evidence.bundle": ("operations/evidence", "id and contents of a bundle"),
    "telemetry.evidence.certificate": ("operations/evidence", "the living certificate"),
    "telemetry.gates.verdict": ("operations/gates", "verdict of one gate"),
    "telemetry.alerts.event": ("operations/incidents", "one alert raised or resolved"),
    "telemetry.alerts.delivery": ("operations/incidents", "receipt of one alert on one channel"),
    "telemetry.incidents.event": ("operations/incidents", "one step in an incident's life"),
    "risk.halt": ("trading/risk", "a stop that risk asks for: scope and reason"),
    "compliance.halt": ("trading/compliance", "a stop that compliance asks for: scope and reason"),
    KILL_TOPIC: ("trading/control", "a stop that anyone asks for: scope and reason"),
}


def _registry() -> dict[str, Topic]:
    found: dict[str, Topic] = {}
    for family, entries in _ASSESSED.items():
        for entry in entries:
            tail, _, file = entry.partition(":")
            name, judged = f"telemetry.{family}.{tail}", file or tail
            payload = f"snapshot of the assessment {judged}"
            found[name] = Topic(name, "operations/assessments", payload, _flow_of(name))
    for name, (owner, payload) in _FACTS.items():
        if name in found:
            raise ValueError(f"topic {name!r} is registered twice")
        found[name] = Topic(name, owner, payload, _flow_of(name))
    return found


TOPICS: Mapping[str, Topic] = MappingProxyType(_registry())
