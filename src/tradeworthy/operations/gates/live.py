"""The table of gate `live`: promotion in full, the ladder, and the list for going live (GL-01 to GL-31)."""

from typing import Any

import msgspec

from tradeworthy.operations.gates.model import PERIODIC_S, Gate, Grade, Requirement
from tradeworthy.operations.gates.promotion import DAY, HOUR, PROMOTION, row

WEEK, MONTH = 7 * DAY, 30 * DAY


def item(name: str, age_max_s: int | None, title: str, remedy: str, mutation: str, **rest: Any) -> Requirement:
    """Return an item of the list: critical, and proved on the venue's test environment or above."""
    return row(name, title, remedy, mutation, **{"age_max_s": age_max_s, "environment_min": "testnet", **rest})


def of_release(name: str, title: str, remedy: str, mutation: str, **rest: Any) -> Requirement:
    """Return an item that lasts as long as the release."""
    bound = {"depends_on": ("code",), "environment_min": "simulated"}
    return item(name, None, title, remedy, mutation, **{**bound, **rest})


ITEMS = (
    item("fee_source", DAY, "Fees come from the venue and equal its statement.", "let the adapter read the schedule",
         "fee_source.unresolved", owner="trading", runbook="runbooks/venue.md"),
    item("venue_rules", DAY, "Tick, lot, minimum, mode and rights are the venue's; nothing may withdraw.",
         "compare the document with the venue", "venue_rules.withdrawal_right", owner="trading",
         runbook="runbooks/venue.md"),
    item("kill_switch", WEEK, "A real trip leaves the desk flat, certified, and re-armed by two people.",
         "drill the kill switch", "kill_switch.order_after", depends_on=("code", "limits"), owner="risk",
         runbook="runbooks/kill-switch.md", fix_s=HOUR),
    item("orphan_orders", WEEK, "An order nobody knows is found after a restart, and cancelled.", "drill it",
         "orphan_orders.kept", depends_on=("code",), owner="trading", runbook="runbooks/reconciliation.md"),
    item("position_truth", PERIODIC_S, "Positions are the venue's, at start and each five minutes.",
         "see what the venue holds", "position_truth.orphan", owner="trading", runbook="runbooks/reconciliation.md"),
    item("connection_health", DAY, "A silent stream is found, and no drop goes unseen.", "drill a silent stream",
         "connection_health.silent", owner="trading", runbook="runbooks/venue.md"),
    item("order_hygiene", MONTH, "Every order is answered in time, none is doubled.", "run the conformance suite",
         "order_hygiene.no_answer", depends_on=("code",), owner="trading", runbook="runbooks/execution.md"),
    item("rate_limits", 2 * DAY, "Half of the venue's rate limit is free, and nothing was refused for it in 48 h.",
         "slow the desk down", "rate_limits.refused", owner="trading", runbook="runbooks/venue.md"),
    item("control_breaches", WEEK, "A breach of each limit refuses and stops; reducing passes.", "drill each control",
         "control_breaches.let_through", depends_on=("code", "limits"), owner="risk", runbook="runbooks/controls.md"),
    item("fee_statement", DAY, "P&L and fees equal the venue's statement, each difference booked.",
         "book the differences with their reasons", "fee_statement.difference", owner="trading",
         runbook="runbooks/ledger.md"),
    item("environment_parity", WEEK, "An hour side by side gives the same as paper.", "run the parity hour",
         "environment_parity.score", owner="trading", runbook="runbooks/execution.md", fix_s=HOUR),
    item("sigkill_restart", WEEK, "A killed desk goes on with orders, losses, positions and entry prices.",
         "drill the restart", "sigkill_restart.lost_budget", depends_on=("code",), runbook="runbooks/supervision.md"),
    item("torn_write", WEEK, "A torn write refuses to trade.", "drill a torn write", "torn_write.trades",
         depends_on=("code",), environment_min="simulated", runbook="runbooks/journal.md"),
    item("venue_soak", 14 * DAY, "48 hours without a gap, a leak or growth.", "run the soak", "venue_soak.gap",
         depends_on=("code",), runbook="runbooks/supervision.md", fix_s=2 * DAY),
    of_release("no_test_shims", "What runs live imports no simulation, fault or patch module.",
               "take the import out", "no_test_shims.import", owner="engineering"),
    item("adapter_health", WEEK, "Readiness follows the socket.", "cut the link in a drill", "adapter_health.cut",
         runbook="runbooks/venue.md"),
    item("time_integrity", 10, "The clock is right, and the venue's agrees.", "start the time service",
         "time_integrity.step", environment_min="paper", runbook="runbooks/clock.md"),
    item("kill_after_cancel", WEEK, "Nothing can send after a kill.", "drill it", "kill_after_cancel.sends",
         depends_on=("code",), owner="risk", runbook="runbooks/kill-switch.md"),
    item("start_without_venue", WEEK, "A start without the venue's answer stays blocked.", "drill it",
         "start_without_venue.order", depends_on=("code",), environment_min="simulated", runbook="runbooks/venue.md"),
    item("venue_snapshot", DAY, "Perpetuals stand in the venue's snapshot, net and gross.", "read the snapshot",
         "venue_snapshot.missing", owner="trading", runbook="runbooks/venue.md"),
    item("partial_fills", MONTH, "Fifty fills of an order leave the ledger exact.", "run the conformance case",
         "partial_fills.leak", depends_on=("code",), environment_min="simulated", owner="trading",
         runbook="runbooks/ledger.md"),
    item("network_cut", MONTH, "A cut of 30 s doubles and orphans nothing.", "drill a cut", "network_cut.double",
         depends_on=("code",), runbook="runbooks/drill.md"),
    item("bus_outage", MONTH, "An outage of the bus pauses the desk; its return clears only that.", "drill an outage",
         "bus_outage.crash", depends_on=("code",), environment_min="simulated", runbook="runbooks/bus.md"),
    of_release("rejection_streaks", "Unrelated failures do not reset a streak of cancels.", "run the case",
               "rejection_streaks.reset", owner="trading", runbook="runbooks/execution.md"),
    item("incident_response", DAY, "The roster covers 14 days, contacts answer, runbooks exist.",
         "fill the roster and test the contacts", "incident_response.primary_roster", environment_min="paper",
         runbook="runbooks/escalation.md"),
    item("document_control", DAY, "Runbooks and policies are the approved ones.", "approve the change",
         "document_control.changed", environment_min="paper", waivable=True),
    item("backups", DAY, "The newest backup was restored and compared.", "restore the newest backup",
         "backups.not_restored", environment_min="paper", runbook="runbooks/disk.md", fix_s=HOUR),
    item("disaster_recovery", MONTH, "Recovery takes at most 15 minutes and loses nothing.", "rehearse it",
         "disaster_recovery.slow", environment_min="paper", fix_s=HOUR),
    item("capacity", 90 * DAY, "Twice the peak goes through.", "run the stress", "capacity.lost",
         depends_on=("code", "limits"), environment_min="simulated", waivable=True, owner="engineering", fix_s=HOUR),
    item("security_posture", DAY, "People, keys, scans and channels are as they must be.", "see its findings",
         "security_posture.scan_age", environment_min="paper", runbook="runbooks/permissions.md"),
    item("key_rotation", DAY, "Every key was rotated in its time.", "rotate the key that is named",
         "key_rotation.old", environment_min="paper", runbook="runbooks/permissions.md"),
    item("access_review", DAY, "Nobody reaches what is not theirs.", "review who has access", "access_review.route",
         environment_min="paper", runbook="runbooks/permissions.md"),
    item("compliance_readiness", DAY, "Trades, clients and workflows are in order.", "see its findings",
         "compliance_readiness.failed", environment_min="paper", owner="compliance", runbook="runbooks/compliance.md"),
    item("regulatory_reports", DAY, "Every report that is due was made.", "make the report that is named",
         "regulatory_reports.missing", environment_min="paper", owner="compliance", runbook="runbooks/compliance.md"),
    item("control_mutation", MONTH, "Disabled controls are noticed by another: at least 95 of 100.",
         "play them: `tradeworthy gate controls CONFIG`",
         "control_mutation.unnoticed", depends_on=("code", "limits"), environment_min="simulated", owner="risk",
         runbook="runbooks/controls.md", fix_s=HOUR),
    item("break_glass", DAY, "Every break-glass is over, and was reviewed before the next session.",
         "review what it let through: tradeworthy break-glass review", "break_glass.review_missed",
         environment_min="paper", owner="risk"),
    item("dry_run", 14 * DAY, "The supervised dry run of this release was signed.", "run the final dry run",
         "dry_run.unsigned", depends_on=("code", "config", "limits", "models"), environment_min="paper",
         runbook="runbooks/final_dry_run.md", fix_s=3 * DAY),
)  # fmt: skip
LIVE = Gate(
    name="live", title="May this release trade with money?", ladder=True, covers_session=True,
    requirements=(
        *(msgspec.structs.replace(one, grade=Grade.CRITICAL) for one in PROMOTION.requirements), *ITEMS,
    ),
)  # fmt: skip
