"""Is every instance the strategy that was approved, in the place where it may trade? (AS-124, CA-04)"""

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework import (
    Assessment,
    AssessmentPolicy,
    Category,
    FactSpec,
    Kind,
    below,
    equals,
    one_of,
    required,
    threshold,
)
from tradeworthy.operations.assessments.framework.limits import Limit

APPROVALS = {
    "approved": Severity.OK, "not_needed": Severity.OK, "catalogue.unapproved": Severity.FAIL,
    "config.drift": Severity.FAIL, "catalogue.evidence": Severity.FAIL,
}  # fmt: skip
"""What the catalogue of bundles says of an instance; one without a mode trades in research and needs no approval."""


class StrategyCatalogPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """Real money that one instance may put at risk, in quote currency; all other modes have none."""

    notional: Limit = below("quote", fail=100)


ASSESSMENT = Assessment(
    title="Every instance is the strategy that was approved, where it may trade.",
    topic="telemetry.desk.strategy_catalog", section="desk", owner="trading", runbook="runbooks/catalogue.md",
    category=Category.OPERATIONS, policy=StrategyCatalogPolicy(),
    facts=(
        FactSpec("strategy_known", Kind.FLAG, "", True, per="instance"),
        FactSpec("name", Kind.TEXT, "", "ema_trend_v1_a_demo_paper", per="instance"),
        FactSpec("derived_name", Kind.TEXT, "", "ema_trend_v1_a_demo_paper", per="instance"),
        FactSpec("approval", Kind.TEXT, "", "approved", per="instance"),
        FactSpec("real_notional", Kind.DECIMAL, "quote", "0", per="instance"),
    ),
    rules=(
        required("strategy_known", remedy="no file of that name: correct the document"),
        equals("name", "derived_name", what="name", remedy="name it <strategy>_<version>_<instance>_<venue>_<mode>"),
        one_of("approval", APPROVALS, remedy="put the approved bundle back, or have this one approved"),
        threshold("real_notional", "notional", what="over_envelope", primitive="cap",
                  remedy="lower the cap of the instance to its envelope"),
    ),
)  # fmt: skip
