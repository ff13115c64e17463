"""Do strategies get their decisions executed? (AS-63)"""

from tradeworthy.operations.assessments.framework import (
    Assessment,
    AssessmentPolicy,
    Category,
    FactSpec,
    Kind,
    at_least,
    at_most,
    ratio,
)
from tradeworthy.operations.assessments.framework.limits import Limit


class StrategyPerformancePolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """Shares of the last 100 decisions of a strategy; profit is shown elsewhere and not judged here."""

    decisions_min: int = 20
    execution_rate: Limit = at_least("share", warn=0.35, fail=0.15, high=1.0)
    failure_rate: Limit = at_most("share", warn=0.25, fail=0.40, high=1.0)


ASSESSMENT = Assessment(
    title="Strategies get their decisions executed, and few of them fail.",
    topic="telemetry.strategy.performance", section="operational", owner="trading", runbook="runbooks/strategy.md",
    category=Category.TRADING, policy=StrategyPerformancePolicy(),
    facts=(
        FactSpec("decisions", Kind.INTEGER, "decisions", 20_000, per="strategy"),
        FactSpec("executed", Kind.INTEGER, "decisions", 20_000, per="strategy"),
        FactSpec("failed", Kind.INTEGER, "decisions", 0, per="strategy"),
    ),
    rules=(
        ratio("executed", "decisions", "execution_rate", what="execution_rate", n_min="decisions_min",
              also=("failure_rate",), remedy="see what holds the orders: review, prices, venue"),
        ratio("failed", "decisions", "failure_rate", what="failure_rate", n_min="decisions_min",
              also=("execution_rate",), remedy="see refusals and rejects by code"),
    ),
)  # fmt: skip
