"""Does every order say whose idea it was, and why? Of the last 1,000 orders (AS-72)."""

from tradeworthy.operations.assessments.framework import (
    Assessment,
    AssessmentPolicy,
    Category,
    FactSpec,
    Kind,
    at_least,
    ratio,
)
from tradeworthy.operations.assessments.framework.limits import Limit


class AttributionPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """Share of orders whose intent names owner, instance, reason and decision."""

    coverage: Limit = at_least("share", warn=0.90, fail=0.75, high=1)
    orders_min: int = 1


ASSESSMENT = Assessment(
    title="Every order says whose idea it was, and why.",
    topic="telemetry.trading.attribution", section="risk-compliance", owner="trading",
    runbook="runbooks/attribution.md", category=Category.TRADING, policy=AttributionPolicy(),
    facts=(FactSpec("orders", Kind.INTEGER, "orders", 100), FactSpec("attributed", Kind.INTEGER, "orders", 100)),
    rules=(
        ratio("attributed", "orders", "coverage", what="coverage", n_min="orders_min",
              remedy="find the order's submit in the journal, and what sent it without an approved intent"),
    ),
)  # fmt: skip
