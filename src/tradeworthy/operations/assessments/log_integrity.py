"""Is every journal whole: chain, sequence, identity, causes, schemas, days, checkpoint? (AS-119)"""

from tradeworthy.operations.assessments.framework import (
    Assessment,
    AssessmentPolicy,
    Category,
    FactSpec,
    Kind,
    at_least,
    at_most,
    required,
    threshold,
)
from tradeworthy.operations.assessments.framework.limits import Limit

RESTORE = "stop the desk, keep the folder as it is, and follow the runbook"


class LogIntegrityPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """One of anything fails; `backwards` stamps of one source warn."""

    gaps: Limit = at_most("gaps", fail=1)
    lossy_gaps: Limit = at_most("gaps", warn=1)
    repeats: Limit = at_most("events", fail=1)
    unknown_cause: Limit = at_most("events", fail=1)
    unknown_schema: Limit = at_most("events", fail=1)
    missing_days: Limit = at_most("days", fail=1)
    backwards: Limit = at_most("events", warn=1)
    ahead: Limit = at_most("events", fail=1)
    events: Limit = at_least("events", fail=1)


def _count(name: str, unit: str = "events") -> FactSpec:
    return FactSpec(name, Kind.INTEGER, unit, 0, per="journal")


ASSESSMENT = Assessment(
    title="Every journal is whole: chain, sequence, identity, causes, schemas, days, checkpoint.",
    topic="telemetry.desk.log_integrity", section="desk", owner="operations", runbook="runbooks/journal.md",
    category=Category.DATA, policy=LogIntegrityPolicy(),
    facts=(
        FactSpec("events", Kind.INTEGER, "events", 100, per="journal"),
        FactSpec("chain_whole", Kind.FLAG, "", True, per="journal"),
        FactSpec("at_checkpoint", Kind.FLAG, "", True, per="journal"),
        _count("gaps", "gaps"), _count("lossy_gaps", "gaps"), _count("repeats"), _count("unknown_cause"),
        _count("unknown_schema"), _count("missing_days", "days"), _count("backwards"),
        _count("ahead"),
    ),
    rules=(
        required("chain_whole", what="broken_chain", remedy=RESTORE),
        required("at_checkpoint", what="not_at_checkpoint", remedy=RESTORE),
        threshold("events", "events", what="no_events", primitive="floor", remedy="find out why nothing was journaled"),
        threshold("gaps", "gaps", what="gap", remedy="find what the source sent; acknowledge a loss by name"),
        threshold("lossy_gaps", "lossy_gaps", what="lossy_gap", remedy="see whether the feed may lose so much"),
        threshold("repeats", "repeats", what="duplicate_id", remedy=RESTORE),
        threshold("unknown_cause", "unknown_cause", remedy=RESTORE),
        threshold("unknown_schema", "unknown_schema", remedy="read it with the release that wrote it"),
        threshold("missing_days", "missing_days", what="missing_segment", remedy="bring the segment back"),
        threshold("backwards", "backwards", what="time_backwards", remedy="look at the clock",
            runbook="runbooks/clock.md"),
        threshold("ahead", "ahead", what="ahead_of_time", remedy="look at the source's clock and at the desk's",
            runbook="runbooks/clock.md"),
    ),
)  # fmt: skip
