"""Did the policy hold, and how often did it have to step in? (AS-46)"""

from tradeworthy.operations.assessments.framework import (
    Assessment,
    AssessmentPolicy,
    Category,
    FactSpec,
    Kind,
    at_most,
    threshold,
)
from tradeworthy.operations.assessments.framework.limits import Limit

SEE = "see which rule it was, and whether the strategy knows its limits"


class EnforcementSlosPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """Of the service `risk_compliance`, in the last hour: orders that went out beyond a limit, intents that review
    refused, and reasons by which people, risk or compliance held the desk.
    """

    breaches: Limit = at_most("orders", fail=1)
    warnings: Limit = at_most("intents", warn=1)
    interventions: Limit = at_most("reasons", warn=1)


ASSESSMENT = Assessment(
    title="The policy holds, and seldom has to step in.",
    topic="telemetry.operational.slos", section="operational", owner="risk",
    runbook="runbooks/risk-policy-violation.md", category=Category.RISK, policy=EnforcementSlosPolicy(),
    facts=(
        FactSpec("reviewed", Kind.INTEGER, "intents", 100), FactSpec("breaches", Kind.INTEGER, "orders", 0),
        FactSpec("warnings", Kind.INTEGER, "intents", 0), FactSpec("interventions", Kind.INTEGER, "reasons", 0),
    ),
    rules=(
        threshold("breaches", "breaches", what="policy_breach", remedy="stop the desk: its review let one through"),
        threshold("warnings", "warnings", what="policy_warning", remedy=SEE),
        threshold("interventions", "interventions", what="governance_intervention", remedy=SEE),
    ),
)  # fmt: skip
