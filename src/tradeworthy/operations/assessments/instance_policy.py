"""Do instances, accounts, modes and switches of one document fit together, and was that obeyed? (AS-123)"""

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

SCOPE = "see the fault's words, and correct the document; `tradeworthy config check` tells the same"


class InstancePolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """One contradiction, one order of the wrong instance, is too many."""

    contradictions: Limit = at_most("faults", fail=1)
    paper_credentials: Limit = at_most("instances", fail=1)
    disabled_orders: Limit = at_most("orders", fail=1)


ASSESSMENT = Assessment(
    title="Instances, accounts and modes fit together, and nobody trades who may not.",
    topic="telemetry.desk.instance_policy", section="desk", owner="trading", runbook="runbooks/config.md",
    category=Category.OPERATIONS, policy=InstancePolicy(),
    facts=(
        FactSpec("instances", Kind.INTEGER, "instances", 2), FactSpec("contradictions", Kind.INTEGER, "faults", 0),
        FactSpec("paper_credentials", Kind.INTEGER, "instances", 0),
        FactSpec("disabled_orders", Kind.INTEGER, "orders", 0),
    ),
    rules=(
        threshold("contradictions", "contradictions", what="inconsistent", remedy=SCOPE),
        threshold("paper_credentials", "paper_credentials", remedy="take the credentials off the paper account"),
        threshold("disabled_orders", "disabled_orders", what="disabled_trades",
                  remedy="stop the desk: an instance that is off sent an order", runbook="runbooks/kill-switch.md"),
    ),
)  # fmt: skip
