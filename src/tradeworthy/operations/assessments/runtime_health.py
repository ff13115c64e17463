"""Is the running desk fit, by every check that `/health` answers? (AS-24)"""

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework import (
    Assessment,
    AssessmentPolicy,
    Category,
    FactSpec,
    Kind,
    missing_of,
    one_of,
)

WORDS = {one.name: one for one in Severity}
REQUIRED = ("market_data", "telemetry_exporters", "journal", "guard", "supervisor")


class RuntimeHealthPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """The ages (ingest 900 and 1 800 s, decisions 180 and 600 s) stand in section `health` of the document."""

    period_s: float = 30.0
    fact_age_max_s: float = 60.0


ASSESSMENT = Assessment(
    title="The running desk is fit by every check that /health answers.",
    topic="telemetry.runtime.health", section="runtime", owner="operations", runbook="runbooks/health.md",
    category=Category.RUNTIME, policy=RuntimeHealthPolicy(),
    facts=(
        FactSpec("status", Kind.TEXT, "", "OK", per="check"),
        FactSpec("expected_checks", Kind.NAMES, "", REQUIRED), FactSpec("judged_checks", Kind.NAMES, "", REQUIRED),
    ),
    rules=(
        one_of("status", WORDS, what="check", remedy="`tradeworthy health` names the check and its own page"),
        missing_of("expected_checks", "judged_checks", what="checks_missing", remedy="see why the check is not judged"),
    ),
)  # fmt: skip
