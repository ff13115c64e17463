"""What a requirement may read: assessments of the registry, and checks, which are made by others than an assessment."""

from functools import cache

from tradeworthy.kernel.telemetry.topics import TOPICS
from tradeworthy.operations.assessments.framework.registry import OWNER, registry
from tradeworthy.operations.gates.suite import NAMED

CHECKS = {
    "preflight": "the configuration, its schema and every runbook load and hold together",
    "tests": "every test group passes on this commit",
    "paper_isolation": "a paper desk holds no credentials and sends no real order",
    "regression": "golden desks are equal, and every history keeps its invariants",
    "out_of_sample": "the strategy holds on the last fifth of its data",
    "paper_soak_live": "a paper desk runs four hours on a live venue's data",
    "log_maturity": "the record is complete for 24 hours of observed uptime",
    "rollback_rehearsed": "the previous release was restored in a scratch desk",
    "strict_cycle": "the strict gate, asked in continuous integration's mode",
    "sigkill_restart": "a desk that was killed goes on with its orders, losses and positions",
    "venue_conformance": "every conformance case of the venue's interface passes",
    "venue_soak": "48 hours on the venue's test environment, each minute sampled",
    "venue_kill": "a real trip on the test environment, flat and re-armed by two people",
    "venue_restart": "a killed desk adopts its orders on the test environment",
    "fee_statement": "fees and P&L equal the venue's statement to the minor unit",
    "orphan_orders": "an order nobody knows is found after a restart and cancelled",
    "control_breaches": "a breach of each limit refuses and stops, and reducing passes",
    "torn_write": "a torn write refuses to trade",
    "no_test_shims": "what runs live imports no simulation, fault or patch module",
    "adapter_health": "the adapter's readiness follows its socket",
    "kill_after_cancel": "nothing can send after a kill, and no new start is let through",
    "start_without_venue": "a start without the venue's answer stays blocked, however long",
    "venue_snapshot": "positions of perpetuals stand in the venue's snapshot, net and gross",
    "partial_fills": "an order of fifty fills leaves the ledger exact",
    "network_cut": "a cut of 30 s leaves no double order and no orphan",
    "bus_outage": "an outage of the bus pauses the desk, and its return clears only that",
    "rejection_streaks": "unrelated failures do not reset a streak of cancels",
    "dry_run": "a signed verdict of the supervised dry run of this release",
    "certificate": "the signed certificate of this release",
    "leakage_checks": "no figure of a strategy rests on what was not known yet: purged folds, next-bar fills",
    "risk_audit": "the risk of a strategy's envelope was audited",
    "reflection_suggestions": "suggestions of reflection reach people's queue and the journal",
    "reflection_pack": "the evidence pack holds every suggestion and what became of it",
    "governance_rehearsal": "the rehearsal of the reflection's governance was green",
    "connector_rollback": "every live connector passes, with a plan to go back",
    "feed_drift": "the day's report of drift in what live feeds bring",
    "feed_calibration": "seven days in a row of calibration of live feeds",
    "stage_replay": "a promotion and its rollback were replayed",
    "stage_approvals": "every stage of the policy ledger was taken by evidence and people",
    "kpi_baseline": "the figures that an adaptation is compared with",
    "verdict_recorded": "the final verdict and what follows from it were written down",
    "break_glass": "every break-glass is over and was reviewed before the next session",
    "upgrade_preflight": "a candidate imports, keeps every port and fact, reads the document and carries a run on",
}  # fmt: skip
"""Checks by name, and what each shows."""
MADE = frozenset({
    "preflight", "tests", "paper_isolation", "regression", "out_of_sample", "paper_soak_live", "log_maturity",
    "rollback_rehearsed", "replay_determinism", "paper_smoke", "fleet_consistency", "control_mutation",
    "supply_chain", "kill_switch", "break_glass", "upgrade_preflight", "dry_run", "stage_approvals", *NAMED,
})  # fmt: skip
"""Checks that a verb of this release makes; the others wait for what they are about."""


@cache
def planned() -> frozenset[str]:
    """Return the assessments that a registered topic names, those without a file too: they count as absent."""
    said = (topic.payload.partition("assessment ")[2] for topic in TOPICS.values() if topic.owner == OWNER)
    return frozenset(name for names in said for name in names.replace(" and ", ", ").split(", ") if name)


@cache
def unmade_sources() -> frozenset[str]:
    """Return the sources that a table may name though nothing of this release speaks for them yet."""
    return known_sources() - MADE - {one.name for one in registry()}


@cache
def known_sources() -> frozenset[str]:
    """Return every source that a table may name."""
    return frozenset({one.name for one in registry()} | planned() | CHECKS.keys())
