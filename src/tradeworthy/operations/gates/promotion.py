"""The table of gate `promotion`: what every release must show before it runs anywhere (GR-01 to GR-28)."""

from typing import Any

from tradeworthy.operations.gates.model import PERIODIC_CI_S, PERIODIC_S, Condition, Gate, Grade, Requirement

HOUR, DAY = 3_600, 86_400
WARNING = Grade.WARNING


def row(name: str, title: str, remedy: str, *mutation: str, source: str = "", **rest: Any) -> Requirement:
    """Return a requirement; its source has its name unless another is given."""
    return Requirement(id=name, source=source or name, title=title, remedy=remedy, mutation=mutation, **rest)


def of_commit(name: str, title: str, remedy: str, *mutation: str, **rest: Any) -> Requirement:
    """Return a requirement whose evidence lasts as long as the code does not change."""
    return row(name, title, remedy, *mutation, **{"age_max_s": None, "depends_on": ("code",), **rest})


def of_cycle(name: str, title: str, remedy: str, *mutation: str, **rest: Any) -> Requirement:
    """Return a requirement whose evidence is made anew in each cycle."""
    bound = {"age_max_s": None, "same_cycle": True, "depends_on": ("code", "config")}
    return row(name, title, remedy, *mutation, **{**bound, **rest})


def of_document(name: str, title: str, remedy: str, *mutation: str, **rest: Any) -> Requirement:
    """Return a requirement over a fresh judgement of the document by this very code."""
    bound = {"age_max_s": PERIODIC_S, "ci_age_max_s": PERIODIC_CI_S, "depends_on": ("code",)}
    return row(name, title, remedy, *mutation, **{**bound, **rest})


def periodic(name: str, title: str, remedy: str, *mutation: str, **rest: Any) -> Requirement:
    """Return a requirement over a report that a running desk renews."""
    ages = {"age_max_s": PERIODIC_S, "ci_age_max_s": PERIODIC_CI_S, "environment_min": "paper"}
    return row(name, title, remedy, *mutation, **{**ages, **rest})


def of_day(name: str, title: str, remedy: str, *mutation: str, **rest: Any) -> Requirement:
    """Return a requirement whose evidence lasts 24 hours."""
    return row(name, title, remedy, *mutation, **{"age_max_s": DAY, **rest})


RUN_PREFLIGHT = "run `tradeworthy gate promote CONFIG`, which makes it"
ASSESS = "let the desk run, and its assessments be judged again"
PROMOTION = Gate(
    name="promotion", title="May this release be promoted?",
    requirements=(
        of_cycle("preflight", "Configuration, schemas and runbooks load and hold together.", RUN_PREFLIGHT,
                 "preflight.corrupt_file", runbook="runbooks/config.md", fix_s=10),
        of_document("instance_policy", "Instances, accounts and scopes agree in one document.", "correct the document",
                    "instance_policy.inconsistent", runbook="runbooks/config.md"),
        of_document("strategy_catalog", "Every strategy is what the catalogue says, within its envelope.",
                    "correct the catalogue's entry", "strategy_catalog.over_envelope", runbook="runbooks/catalogue.md"),
        of_document("coordination_policy", "Coordination keeps to its scope and its bounds.", "correct the settings",
                    "coordination_policy.wider_scope", runbook="runbooks/agents.md"),
        of_commit("tests", "Every test group passes, none is left out.", "run the whole suite and record its report",
                  "tests.failing_file", owner="engineering", fix_s=1_800),
        of_commit("secrets_hygiene", "No secret lies where it can be read.", "take the secret out and rotate it",
                  "secrets_hygiene.secret_found", owner="engineering", runbook="runbooks/permissions.md"),
        of_day("paper_smoke", "Ten minutes on paper: at least one fill, no real order.",
               "run a paper desk for ten minutes, judge it by `tradeworthy soak --kind smoke`, record the report",
               "paper_smoke.no_fills", depends_on=("code",), runbook="runbooks/paper_run.md", fix_s=900),
        of_day("paper_isolation", "Paper instances hold no credentials and reach no real venue.",
               "take the credentials away from the paper desk", "paper_isolation.credential", depends_on=("code",),
               runbook="runbooks/permissions.md", fix_s=900),
        of_commit("replay_determinism", "The same journal gives the same outcomes, in every window.",
                  "replay the windows twice and record the report", "replay_determinism.other_strategy",
                  owner="trading", runbook="runbooks/journal.md", fix_s=300),
        of_commit("regression", "Golden desks are equal and every history keeps its invariants.",
                  "run `tradeworthy regression` and record its report", "regression.no_expiry", owner="trading",
                  runbook="runbooks/journal.md", fix_s=300),
        row("ml_governance", "Models are governed; without models the policy's shape still is.", ASSESS,
            "ml_governance.drop_metric", age_max_s=HOUR, runbook="runbooks/ml.md", waivable=True),
        periodic("reconciliation", "The venue holds what the desk believes.", ASSESS, "reconciliation.break",
                 owner="trading", runbook="runbooks/reconciliation.md"),
        periodic("shadow_parity", "The desk fills as the simulated venue says.", ASSESS, "shadow_parity.no_fills",
                 owner="trading", runbook="runbooks/execution.md"),
        periodic("portfolio_risk", "No instance and not the desk lost or holds too much.", ASSESS,
                 "portfolio_risk.daily_loss", owner="risk", runbook="runbooks/risk.md"),
        periodic("accounting_integrity", "The books of every instance hold together.", ASSESS,
                 "accounting_integrity.field_missing", owner="trading", runbook="runbooks/ledger.md"),
        of_day("alert_path", "A canary reaches a person's channel, with a receipt.", "send a canary through each sink",
               "alert_path.no_endpoints", runbook="runbooks/alert-path.md", fix_s=120),
        periodic("log_integrity", "The journal is whole, in order and of known schemas.", ASSESS,
                 "log_integrity.broken_chain", runbook="runbooks/journal.md"),
        periodic("source_compare", "Nothing that a source sent is missing from the journal.", ASSESS,
                 "source_compare.cut_event", runbook="runbooks/journal.md"),
        periodic("market_data_freshness", "Every stream brings market data while its market is open.", ASSESS,
                 "market_data_freshness.silent", grade=WARNING, critical_when=(Condition.IN_SESSION,),
                 owner="trading", runbook="runbooks/market_data.md"),
        periodic("book_quality", "Depth comes in order and in time.", ASSESS, "book_quality.silent", grade=WARNING,
                 critical_when=(Condition.IN_SESSION,), owner="trading", runbook="runbooks/market_data.md"),
        row("log_maturity", "The record is complete for 24 hours of observed uptime.", "let the desk run on, observed",
            "log_maturity.outage_10h", age_max_s=PERIODIC_CI_S, grade=WARNING, environment_min="paper",
            critical_when=(Condition.STRICT, Condition.LIVE), runbook="runbooks/journal.md", fix_s=DAY),
        of_day("paper_soak", "Two hours on a recorded tape keep all seven figures.",
               "judge a paper run by `tradeworthy soak --kind paper` and record the report", "paper_soak.turnover",
               grade=WARNING, critical_when=(Condition.LIVE,), depends_on=("code",), runbook="runbooks/paper_run.md",
               fix_s=2 * HOUR),
        of_day("post_trade", "Fills cost what the configuration says.", "judge the newest hundred fills",
               "post_trade.fill_factor_ratio", grade=WARNING, critical_when=(Condition.ABOVE_LIVE_MICRO,),
               owner="trading", runbook="runbooks/execution.md", fix_s=600),
        of_day("supply_chain", "Every package is known, locked and without an advisory.", "scan the build again",
               "supply_chain.advisory", depends_on=("code",), owner="engineering", waivable=True, fix_s=300),
        of_commit("configuration_audit", "Every grave change of the configuration was approved.",
                  "have the change approved, or put the old value back", "configuration_audit.unapproved",
                  runbook="runbooks/config.md"),
        of_commit("change_management", "Every change had its request, window and approvals.",
                  "file and approve the change", "change_management.no_approval",
                  runbook="runbooks/config.md", waivable=True),
        row("fleet_consistency", "All nodes run the same code, configuration, limits and models.", "deploy one release",
            "fleet_consistency.old_node", age_max_s=PERIODIC_CI_S, runbook="runbooks/supervision.md"),
        of_day("rollback_rehearsed", "The previous release was restored in a scratch desk.", "rehearse the rollback",
               "rollback_rehearsed.node_left", depends_on=("code", "config"), fix_s=900),
        of_commit("upgrade_preflight", "A changed dependency or schema passes its preflight.",
                  "run `tradeworthy release preflight SOURCE CONFIG` over the candidate",
                  "upgrade_preflight.broken_api", grade=WARNING, critical_when=(Condition.DEPENDENCY_CHANGED,),
                  owner="engineering", fix_s=600),
        periodic("runtime_performance", "Every step keeps its time.", ASSESS, "runtime_performance.p99",
                 grade=WARNING, waivable=True, owner="engineering", runbook="runbooks/supervision.md"),
        periodic("decision_latency", "The desk decides as fast as its baseline.", ASSESS, "decision_latency.p99",
                 grade=WARNING, waivable=True, owner="engineering", runbook="runbooks/supervision.md"),
        periodic("runtime_lag", "Nothing waits in the inbox.", ASSESS, "runtime_lag.backlog", grade=WARNING,
                 waivable=True, owner="engineering", runbook="runbooks/supervision.md"),
        periodic("ops_store", "Projections follow the journal.", ASSESS, "ops_store.stopped_writer", grade=WARNING,
                 waivable=True, runbook="runbooks/database.md"),
        periodic("artefact_retention", "Artefacts are kept as long as they must be.", ASSESS,
                 "artefact_retention.deleted", grade=WARNING, waivable=True, runbook="runbooks/disk.md"),
    ),
)  # fmt: skip
