"""What may the desk lose by what it holds, instance by instance and together? (AS-115)"""

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
    age,
    at_most,
    below,
    custom,
    threshold,
)
from tradeworthy.operations.assessments.framework.limits import Limit
from tradeworthy.operations.assessments.framework.primitives import against

OK, WARN, FAIL = Severity.OK, Severity.WARN, Severity.FAIL
LOSS = "see the instance that loses; the guard reduces or pauses it by its own reasons"


class PortfolioRiskPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """Daily losses as shares; exposures in quote currency, WARN over 80 % of a cap; the worst instance counts.

    instances_min  that hold something, below which nothing is concentrated
    """

    period_s: float = 60.0
    fact_age_max_s: float = 300.0
    daily_loss: Limit = at_most("share", warn=0.02, fail=0.03)
    desk_loss: Limit = at_most("share", warn=0.04, fail=0.05)
    net_exposure: Limit = below("quote", warn=20_000, fail=25_000)
    concentration: Limit = below("share", warn=0.56, fail=0.70)
    instances_min: int = 2
    input_age: Limit = at_most("s", fail=60.0)


def concentration(values: Mapping[str, Any], policy: PortfolioRiskPolicy, now: int) -> Verdict:
    """Judge the largest share of all exposure, where enough instances hold something."""
    del now
    held, largest = values["instances_holding"], values["largest_share"]
    if held < policy.instances_min:
        return Verdict(OK, held, policy.instances_min, f"{held} instances hold something: nothing is concentrated")
    return against(policy.concentration, largest)


ASSESSMENT = Assessment(
    title="No instance, and not all of them together, may lose more than was agreed.",
    topic="telemetry.desk.portfolio_risk", section="desk", owner="risk", runbook="runbooks/risk.md",
    category=Category.RISK, policy=PortfolioRiskPolicy(),
    facts=(
        FactSpec("daily_loss", Kind.NUMBER, "share", 0.0, per="instance", low=None),
        FactSpec("exposure", Kind.NUMBER, "quote", 500.0, per="instance", low=None),
        FactSpec("desk_loss", Kind.NUMBER, "share", 0.0, low=None),
        FactSpec("gross_exposure", Kind.NUMBER, "quote", 1_000.0),
        FactSpec("net_exposure", Kind.NUMBER, "quote", 1_000.0),
        FactSpec("instances_holding", Kind.INTEGER, "instances", 2),
        FactSpec("largest_share", Kind.NUMBER, "share", 0.5), FactSpec("last_row", Kind.TIME, "", 1),
    ),
    rules=(
        threshold("daily_loss", "daily_loss", remedy=LOSS),
        threshold("desk_loss", "desk_loss", remedy="the desk stops by itself; find the cause before it is back"),
        threshold("net_exposure", "net_exposure", primitive="cap",
                  remedy="reduce the instance with the largest position on that side"),
        custom("concentration", concentration, facts=("instances_holding", "largest_share"), primitive="cap",
               limit="concentration", remedy="pause openings of the instance that holds most", cases=(
                   Case("at_56", {"largest_share": 0.56}, OK), Case("over_56", {"largest_share": 0.5601}, WARN),
                   Case("at_70", {"largest_share": 0.70}, WARN), Case("over_70", {"largest_share": 0.7001}, FAIL),
                   Case("alone", {"largest_share": 1.0, "instances_holding": 1}, OK),
               )),
        age("last_row", "input_age", what="input_age", remedy="see why no minute row is told"),
    ),
)  # fmt: skip
