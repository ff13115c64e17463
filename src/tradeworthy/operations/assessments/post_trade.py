"""Did the fills keep what the model said they would? (AS-132, CR-04)"""

from tradeworthy.operations.assessments.framework import (
    Assessment,
    AssessmentPolicy,
    Category,
    FactSpec,
    Kind,
    at_least,
    at_most,
    threshold,
)
from tradeworthy.operations.assessments.framework.limits import Limit
from tradeworthy.research.calibration.post_trade import PostTradePolicy as Model

CR = Model()
"""The numbers of the validator stand where the validator is: a fill factor of 0.4, adverse selection of 1.5 bp."""


class PostTradePolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """What was realised over what the configuration assumes; a session without a fill says nothing."""

    fills: Limit = at_least("fills", warn=1)
    fill_factor: Limit = at_least("x", warn=CR.fill_factor_ratio_warn, fail=CR.fill_factor_ratio_fail)
    adverse: Limit = at_most("x", warn=CR.adverse_ratio_warn, fail=CR.adverse_ratio_fail)


ASSESSMENT = Assessment(
    title="Fills keep what the model said they would.",
    topic="telemetry.desk.post_trade", section="desk", owner="trading", runbook="runbooks/execution.md",
    category=Category.TRADING, policy=PostTradePolicy(),
    facts=(
        FactSpec("fills", Kind.INTEGER, "fills", 100),
        FactSpec("fill_factor_ratio", Kind.NUMBER, "x", 1.0, low=None),
        FactSpec("adverse_ratio", Kind.NUMBER, "x", 1.0, low=None),
    ),
    rules=(
        threshold("fills", "fills", what="no_fills", primitive="floor", remedy="judge a session that filled"),
        threshold("fill_factor_ratio", "fill_factor", primitive="floor",
                  remedy="see `tradeworthy calibration fill-factor`, and lower the factor that is in force"),
        threshold("adverse_ratio", "adverse", remedy="see the markouts by regime and hour; widen or stop there"),
    ),
)  # fmt: skip
