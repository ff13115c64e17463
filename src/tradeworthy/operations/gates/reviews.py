"""The review gates of people who own a part: each criterion is met by evidence, never by a tick (gates, section 7)."""

from tradeworthy.operations.gates.model import Gate, Grade
from tradeworthy.operations.gates.promotion import DAY, of_commit, of_day, row

MONTH = 30 * DAY
REFLECTION_GOVERNANCE = Gate(
    name="reflection_governance", title="Is what reflection suggests in the hands of people?",
    requirements=(
        of_day("reflection_suggestions", "Suggestions reach the queue and the journal.",
               "let reflection run beside a desk and record its report", "reflection_suggestions.lost",
               owner="research", runbook="runbooks/gate.md"),
        of_day("reflection_pack", "The evidence pack holds each suggestion and what became of it.",
               "build the pack and record its report", "reflection_pack.missing", owner="research"),
        row("governance_rehearsal", "The rehearsal of governance was green.", "rehearse it and record its report",
            "governance_rehearsal.red", age_max_s=MONTH, owner="research"),
    ),
)  # fmt: skip
LIVE_FEEDS = Gate(
    name="live_feeds", title="May the desk rest on its live feeds?",
    requirements=(
        of_day("connector_rollback", "Connectors pass, and there is a plan to go back.",
               "run the connectors' cases and record their report", "connector_rollback.no_plan",
               environment_min="paper", owner="trading", runbook="runbooks/market_data.md"),
        of_day("feed_drift", "The day's drift of what feeds bring is within its limits.",
               "make the day's report of drift and record it", "feed_drift.shifted", environment_min="paper",
               owner="trading", runbook="runbooks/market_data.md"),
        of_day("feed_calibration", "Calibration held for seven days in a row.", "calibrate each day and record it",
               "feed_calibration.gap", environment_min="paper", grade=Grade.WARNING, owner="trading",
               runbook="runbooks/market_data.md"),
    ),
)  # fmt: skip
ADAPTATION_GOVERNANCE = Gate(
    name="adaptation_governance", title="May strategies be adapted?",
    requirements=(
        of_commit("stage_replay", "A promotion and its rollback were replayed.", "replay both and record the report",
                  "stage_replay.differs", owner="research"),
        of_day("stage_approvals", "Every stage was taken by evidence and people.",
               "keep its report: `tradeworthy gate stage-report`", "stage_approvals.skipped", owner="research"),
        row("kpi_baseline", "There are figures to compare an adaptation with.", "record the baseline's report",
            "kpi_baseline.absent", age_max_s=MONTH, grade=Grade.WARNING, owner="research"),
    ),
)  # fmt: skip
FINAL_SIGN_OFF = Gate(
    name="final_sign_off", title="Is the release signed for?",
    requirements=(
        row("dry_run", "The supervised dry run kept its duration and uptime; its packet is complete and signed.",
            "run the final dry run, sign it, `tradeworthy gate take`", "dry_run.unsigned", age_max_s=14 * DAY,
            depends_on=("code", "config", "limits", "models"), environment_min="paper",
            runbook="runbooks/final_dry_run.md", fix_s=3 * DAY),
        of_commit("verdict_recorded", "The verdict and what follows from it were written down.",
                  "write the verdict's review and record it", "verdict_recorded.absent",
                  runbook="runbooks/final_dry_run.md"),
    ),
)  # fmt: skip
REVIEWS = (REFLECTION_GOVERNANCE, LIVE_FEEDS, ADAPTATION_GOVERNANCE, FINAL_SIGN_OFF)
