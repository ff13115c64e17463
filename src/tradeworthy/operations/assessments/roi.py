"""What does the desk earn after all costs, against its target? (AS-61)"""

from collections.abc import Mapping
from math import sqrt
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
    custom,
)
from tradeworthy.operations.assessments.framework.limits import Limit

OK, WARN = Severity.OK, Severity.WARN
DAYS_A_YEAR, DAYS_A_MONTH = 365.25, 30.4375
BASIS_POINT = 1e-4


class RoiPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """The cost model and the target: shares a year, quote currency. These are of tier bootstrap; institutional has
    target 0.25, infrastructure 250, flat 2.5 and 0.5 bp.

    tracking          share of the target that is still on track
    days_min_share    a shorter run counts as so many days
    days_to_judge     before, the standard error is shown and nothing is judged
    """

    target: float = 0.20
    tracking: Limit = at_least("of target", warn=0.5)
    infrastructure_month: float = 0.0
    fee_flat: float = 0.0
    fee_bps: float = 0.0
    days_min_share: float = 1 / 24
    days_to_judge: int = 60


def net_profit(values: Mapping[str, Any], policy: RoiPolicy) -> float:
    """Return the gross profit less modelled fees and infrastructure, quote currency."""
    fees = values["trades"] * policy.fee_flat + values["notional"] * policy.fee_bps * BASIS_POINT
    return float(values["gross_profit"] - fees - policy.infrastructure_month * values["days"] / DAYS_A_MONTH)


def annualised(values: Mapping[str, Any], policy: RoiPolicy) -> float:
    """Return the net return on capital a year, simple; a run shorter than an hour counts as an hour."""
    days = max(values["days"], policy.days_min_share)
    return float(net_profit(values, policy) / values["capital"] * DAYS_A_YEAR / days)


def roi(values: Mapping[str, Any], policy: RoiPolicy, now: int) -> Verdict:
    """Judge the annualised return against the target; before 60 days only say it, with its standard error."""
    del now
    found, days = annualised(values, policy), values["days"]
    share = round(found / policy.target, 12)
    if days < policy.days_to_judge:
        error = values["daily_sd"] * sqrt(DAYS_A_YEAR) / sqrt(max(days, policy.days_min_share) / DAYS_A_YEAR)
        said = f"{found:.2%} a year ± {error:.2%} (standard error of {days:g} days): too short to judge"
        return Verdict(OK, found, policy.target, said, "a year")
    severity, bound = policy.tracking.judged(share)
    said = f"{found:.2%} a year, {share:.0%} of the target"
    return Verdict(severity, found, float(bound) * policy.target, said, "a year")


_YEAR = {"days": DAYS_A_YEAR, "daily_sd": 0.01}
ASSESSMENT = Assessment(
    title="The desk earns its target after all costs.",
    topic="telemetry.operational.roi", section="operational", owner="management", runbook="runbooks/strategy.md",
    category=Category.OPERATIONS, policy=RoiPolicy(),
    facts=(
        FactSpec("gross_profit", Kind.NUMBER, "quote", 200.0, low=None),
        FactSpec("capital", Kind.NUMBER, "quote", 1_000.0, low=1e-9),
        FactSpec("notional", Kind.NUMBER, "quote", 0.0), FactSpec("trades", Kind.INTEGER, "fills", 0),
        FactSpec("days", Kind.NUMBER, "days", DAYS_A_YEAR), FactSpec("daily_sd", Kind.NUMBER, "share", 0.01),
    ),
    rules=(
        custom("net_return", roi, facts=("gross_profit", "capital", "notional", "trades", "days", "daily_sd"),
               primitive="floor", limit="tracking", remedy="compare costs and edge: tradeworthy pnl", cases=(
                   Case("ahead", {**_YEAR, "gross_profit": 200.0}, OK),
                   Case("on_track", {**_YEAR, "gross_profit": 100.0}, OK),
                   Case("at_risk", {**_YEAR, "gross_profit": 99.999}, WARN),
                   Case("short", {"days": 59.9, "gross_profit": -100.0}, OK),
                   Case("long_enough", {"days": 60.0, "gross_profit": -100.0}, WARN),
               )),
    ),
)  # fmt: skip
