"""Do the tables that are views of journals say what the journals say? (AS-138)"""

from tradeworthy.operations.assessments.framework import (
    Assessment,
    AssessmentPolicy,
    Category,
    FactSpec,
    Kind,
    at_most,
    equals,
    threshold,
)
from tradeworthy.operations.assessments.framework.limits import Limit


class OpsStorePolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """Seconds that the oldest row waits that is not projected yet, and rows that stand twice."""

    period_s: float = 60.0
    lag: Limit = at_most("s", warn=5.0, fail=60.0)
    duplicates: Limit = at_most("rows", fail=1)


ASSESSMENT = Assessment(
    title="Projections follow their journals.",
    topic="telemetry.desk.ops_store", section="desk", owner="operations", runbook="runbooks/projections.md",
    category=Category.DATA, policy=OpsStorePolicy(),
    facts=(
        FactSpec("lag", Kind.NUMBER, "s", 0.0, per="table"),
        FactSpec("rows", Kind.INTEGER, "rows", 100, per="table"),
        FactSpec("expected", Kind.INTEGER, "rows", 100, per="table"),
        FactSpec("duplicates", Kind.INTEGER, "rows", 0, per="table"),
    ),
    rules=(
        threshold("lag", "lag", what="stopped_writer", remedy="start what writes them: tradeworthy assess tables"),
        equals("rows", "expected", what="counts_differ", remedy="project the journals again; twice gives the same"),
        threshold("duplicates", "duplicates", remedy="take the table away and project it again: it has lost its key"),
    ),
)  # fmt: skip
