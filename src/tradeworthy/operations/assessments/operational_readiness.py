"""Is operations fit to run the desk? As good as its weakest part (AS-50)."""

from tradeworthy.operations.assessments.framework import Assessment, AssessmentPolicy, Category, Child

CHILDREN = ("system_validation", "incident_response", "drift_sentry", "ingest_slos", "understanding_slos", "burn_rate")
"""One that was never judged, or whose snapshot has ended, counts as unknown."""

ASSESSMENT = Assessment(
    title="Operations is fit to run the desk.",
    topic="telemetry.operational.operational_readiness", section="operational", owner="operations",
    runbook="runbooks/operator.md", category=Category.OPERATIONS, policy=AssessmentPolicy(),
    children=tuple(Child(name) for name in CHILDREN),
)  # fmt: skip
