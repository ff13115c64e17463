"""Did the desk hold out on paper for two hours, within its limits? (AS-128, SK-02)"""

from tradeworthy.operations.assessments.framework import (
    Assessment,
    AssessmentPolicy,
    Category,
    FactSpec,
    Kind,
    at_least,
    at_most,
    below,
    equals,
    threshold,
)
from tradeworthy.operations.assessments.framework.limits import Limit
from tradeworthy.research.soak.policy import LiveDataPolicy, PaperPolicy

SK = PaperPolicy()
"""The numbers of the soak stand where the soak is."""
KPI = "see `tradeworthy soak --kind paper` for the same run: each KPI with its value"


class PaperSoakPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """Minutes of the run and seven KPIs; losses and shares as fractions, the age of live data in seconds."""

    minutes: Limit = at_least("min", fail=SK.minutes_min)
    running_share: Limit = at_least("share", fail=SK.running_share_min, high=1)
    turnover: Limit = below("x", fail=SK.turnover_cap)
    day_loss: Limit = at_most("share", fail=SK.day_loss_limit)
    drawdown: Limit = at_most("share", fail=SK.drawdown_limit)
    cancels_in_budget: Limit = at_least("share", fail=SK.cancels_in_budget_min, high=1)
    fills: Limit = at_least("fills", fail=SK.fills_min)
    rejects: Limit = at_most("rejects", fail=SK.rejects_cap + 1)
    data_age: Limit = at_most("s", fail=LiveDataPolicy().data_age_limit_s)
    profit_factor: Limit = at_least("x", warn=1.25)


ASSESSMENT = Assessment(
    title="The desk held out on paper for two hours, within its limits.",
    topic="telemetry.desk.paper_soak", section="desk", owner="trading", runbook="runbooks/paper_run.md",
    category=Category.TRADING, policy=PaperSoakPolicy(),
    facts=(
        FactSpec("environment", Kind.TEXT, "", "paper"), FactSpec("wanted_environment", Kind.TEXT, "", "paper"),
        FactSpec("minutes", Kind.NUMBER, "min", 150.0), FactSpec("running_share", Kind.NUMBER, "share", 1.0),
        FactSpec("turnover", Kind.NUMBER, "x", 1.0), FactSpec("day_loss", Kind.NUMBER, "share", 0.0, low=None),
        FactSpec("drawdown", Kind.NUMBER, "share", 0.0), FactSpec("cancels_in_budget", Kind.NUMBER, "share", 1.0),
        FactSpec("fills", Kind.INTEGER, "fills", 10), FactSpec("rejects", Kind.INTEGER, "rejects", 0),
        FactSpec("data_age", Kind.NUMBER, "s", 0.1), FactSpec("profit_factor", Kind.NUMBER, "x", 1.5),
    ),
    rules=(
        equals("environment", "wanted_environment", what="not_on_paper", remedy="run it in environment paper"),
        threshold("minutes", "minutes", primitive="floor", remedy="let it run for two hours"),
        threshold("running_share", "running_share", primitive="floor", remedy=KPI),
        threshold("turnover", "turnover", primitive="cap", remedy=KPI),
        threshold("day_loss", "day_loss", remedy=KPI), threshold("drawdown", "drawdown", remedy=KPI),
        threshold("cancels_in_budget", "cancels_in_budget", primitive="floor", remedy=KPI),
        threshold("fills", "fills", primitive="floor", remedy=KPI), threshold("rejects", "rejects", remedy=KPI),
        threshold("data_age", "data_age", remedy="the feed is behind: see the connection"),
        threshold("profit_factor", "profit_factor", primitive="floor", remedy=KPI),
    ),
)  # fmt: skip
