"""The summary of a build's gate step: the verdict and the blocks that people look at first (GT-17)."""

from collections.abc import Mapping

from tradeworthy.kernel.redaction import redact
from tradeworthy.operations.dry_run.page import Page, duration
from tradeworthy.operations.gates.model import Grade, Row
from tradeworthy.operations.gates.page import headline
from tradeworthy.operations.gates.store import GivenVerdict

BLOCKS: Mapping[str, tuple[str, ...]] = {
    "Risk": ("portfolio_risk", "risk_posture", "risk_policy", "control_breaches", "control_mutation", "kill_switch"),
    "Ingest": ("source_compare", "market_data_freshness", "book_quality", "log_integrity", "log_maturity"),
    "Sensing": ("ml_governance", "strategy_catalog", "shadow_parity", "post_trade"),
    "Build": ("tests", "regression", "replay_determinism", "supply_chain", "secrets_hygiene", "configuration_audit"),
}  # fmt: skip
"""Blocks of the summary, and the rows of each."""


def step_summary(given: GivenVerdict) -> str:
    """Return the summary as Markdown, from the verdict alone; a row that the gate does not ask for is left out."""
    verdict = given.verdict
    rows = {row.id: row for row in verdict.rows}
    page = Page(f"Gate {verdict.gate}: {verdict.answer}")
    page.text(headline(verdict))
    critical = [row for row in verdict.rows if row.grade is Grade.CRITICAL]
    page.facts((
        ("critical rows met", f"{sum(row.met for row in critical)} of {len(critical)}"),
        ("bundle", verdict.bundle_id), ("verdict", given.verdict_id), ("exit code", int(verdict.exit_code)),
    ))  # fmt: skip
    for title, names in BLOCKS.items():
        shown = [rows[name] for name in names if name in rows]
        if shown:
            page.heading(title)
            page.table(("row", "stands", "observed", "limit", "age"), [_cells(row) for row in shown])
    unmet = verdict.unmet()
    if unmet:
        page.heading("Not met")
        page.bullets([f"{row.id}: {row.reason}; {row.remedy} ({row.owner}, docs/{row.runbook})" for row in unmet])
    return str(redact(page.render()))


def _cells(row: Row) -> tuple[str, ...]:
    return row.id, row.standing.value, row.observed, row.limit, duration(row.age_s) or "–"
