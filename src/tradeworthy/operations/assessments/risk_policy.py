"""Does pre-trade review keep its own limits, say why, and never hold a closing order? (AS-68)"""

from collections.abc import Mapping
from typing import Any

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework import (
    Assessment,
    AssessmentPolicy,
    Case,
    Category,
    FactSpec,
    Kind,
    Verdict,
    at_least,
    at_most,
    custom,
    required,
    threshold,
)
from tradeworthy.operations.assessments.framework.limits import Limit

STOP = "stop the desk: review cannot be trusted; keep the journal"


class RiskPolicyPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """Orders that must not be; least reviews behind a rate."""

    period_s: float = 60.0
    accepted_in_breach: Limit = at_most("orders", fail=1)
    reducing_refused: Limit = at_most("orders", fail=1)
    refused_without_code: Limit = at_most("orders", fail=1)
    reviewed: Limit = at_least("orders", fail=1)
    reviews_min: int = 20


def approval_rate(values: Mapping[str, Any], policy: RiskPolicyPolicy, now: int) -> Verdict:
    """Judge the share of approvals against the band of its history; too few reviews are unknown."""
    del now
    if values["recent_reviews"] < policy.reviews_min:
        n = values["recent_reviews"]
        return Verdict(Severity.UNKNOWN, n, policy.reviews_min, f"n {n}, {policy.reviews_min} are needed", "reviews")
    rate, low, high = values["recent_rate"], values["band_low"], values["band_high"]
    inside = low <= rate <= high
    said = f"{rate:.3g}, its history is {low:.3g} to {high:.3g}"
    return Verdict(Severity.OK if inside else Severity.WARN, rate, low if rate < low else high, said, "share")


ASSESSMENT = Assessment(
    title="Pre-trade review keeps its own limits, says why, and holds no closing order.",
    topic="telemetry.risk.policy", section="risk-compliance", owner="risk", runbook="runbooks/risk.md",
    category=Category.RISK, policy=RiskPolicyPolicy(),
    facts=(
        FactSpec("reviewed", Kind.INTEGER, "orders", 100), FactSpec("accepted_in_breach", Kind.INTEGER, "orders", 0),
        FactSpec("reducing_refused", Kind.INTEGER, "orders", 0),
        FactSpec("refused_without_code", Kind.INTEGER, "orders", 0), FactSpec("source_alive", Kind.FLAG, "", True),
        FactSpec("recent_rate", Kind.NUMBER, "share", 0.5), FactSpec("recent_reviews", Kind.INTEGER, "reviews", 100),
        FactSpec("band_low", Kind.NUMBER, "share", 0.4, low=None),
        FactSpec("band_high", Kind.NUMBER, "share", 0.6, low=None),
    ),
    rules=(
        threshold("reviewed", "reviewed", what="no_reviews", primitive="floor", absent=Severity.UNKNOWN,
                  remedy="nothing was reviewed: see whether the strategies wish anything"),
        threshold("accepted_in_breach", "accepted_in_breach", remedy=STOP),
        threshold("reducing_refused", "reducing_refused", remedy="close by hand, then correct the control"),
        threshold("refused_without_code", "refused_without_code", remedy="correct the control that says no reason"),
        required("source_alive", what="source_failed", remedy="the desk fails closed: see its failure in the journal"),
        custom("approval_rate", approval_rate, facts=("recent_rate", "recent_reviews", "band_low", "band_high"),
               remedy="see which control refuses more, or less, than it used to", cases=(
                   Case("at_low", {"recent_rate": 0.4}, Severity.OK),
                   Case("under_low", {"recent_rate": 0.399}, Severity.WARN),
                   Case("at_high", {"recent_rate": 0.6}, Severity.OK),
                   Case("over_high", {"recent_rate": 0.601}, Severity.WARN),
                   Case("too_few", {"recent_reviews": 19}, Severity.UNKNOWN),
                   Case("enough", {"recent_reviews": 20}, Severity.OK),
               )),
    ),
)  # fmt: skip
