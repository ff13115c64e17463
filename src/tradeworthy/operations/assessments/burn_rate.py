"""Do the desk's objectives burn their error budget faster than they may? (AS-45)"""

from collections.abc import Mapping
from math import exp, lgamma, log
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
    at_most,
    custom,
)
from tradeworthy.operations.assessments.framework.limits import Limit
from tradeworthy.operations.assessments.framework.rules import Rule

OK, WARN, FAIL = Severity.OK, Severity.WARN, Severity.FAIL
WINDOWS = {"5m": 5, "30m": 30, "1h": 60, "6h": 360, "3d": 4_320}
"""Windows by name, minutes; each long one has a short one that says that it still burns."""
FEW = 1_000
"""Events below which a share is judged by its exact binomial bound."""
CONFIDENCE = 0.95
HEALTHY = 10_000
STOP = "see which events were bad; take back what changed last"


class BurnRatePolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """How many times faster than allowed a budget burns, on a long and a short window both.

    documents  a file or folder of OpenSLO v1 documents in the place of those that the package brings for the tier
    """

    page_fast: Limit = at_most("times", fail=14.4)
    page_slow: Limit = at_most("times", fail=6.0)
    ticket: Limit = at_most("times", warn=1.0)
    documents: str = ""


def reached(bad: int, total: int, target: float, times: float) -> bool:
    """Tell whether a budget burns at least so fast; of few events only where chance alone does it in 5 of 100 cases.

    Source: Clopper and Pearson (1934), the one-sided lower bound.
    """
    allowed = times * (1 - target)
    if not total or round(bad / total / (1 - target), 9) < times:
        return False
    return total >= FEW or tail(bad, total, min(allowed, 1.0)) <= 1 - CONFIDENCE


def tail(bad: int, total: int, share: float) -> float:
    """Return the probability of at least so many of `total` events at this share of bad ones."""
    if bad <= 0 or share >= 1:
        return 1.0
    whole, no, yes = lgamma(total + 1), log(1 - share), log(share)
    return sum(
        exp(whole - lgamma(n + 1) - lgamma(total - n + 1) + n * yes + (total - n) * no) for n in range(bad, total + 1)
    )


def burns(limit: str, severity: Severity, long: str, short: str) -> Rule:
    """Return the rule of one pair of windows."""

    def decide(values: Mapping[str, Any], policy: BurnRatePolicy, now: int) -> Verdict:
        del now
        bound, target = getattr(policy, limit).bounds()[0][1], values["target"]
        both = [(values[f"bad_{name}"], values[f"total_{name}"]) for name in (long, short)]
        rates = [round(bad / total / (1 - target), 9) if total else 0.0 for bad, total in both]
        hit = all(reached(bad, total, target, bound) for bad, total in both)
        said = (f"burns {rates[0]:.4g} times on {long} ({both[0][0]} of {both[0][1]} bad), {rates[1]:.4g} on {short}; "
                f"{severity.name} from {bound:g}")  # fmt: skip
        return Verdict(severity if hit else OK, min(rates), bound, said, "times")

    def at(bad_long: int, bad_short: int, total: int = HEALTHY) -> dict[str, Any]:
        return {f"bad_{long}": bad_long, f"total_{long}": total, f"bad_{short}": bad_short, f"total_{short}": total}

    times = {"page_fast": 14.4, "page_slow": 6.0, "ticket": 1.0}[limit]
    edge = round(times * (1 - 0.995) * HEALTHY)
    facts = ("target", f"bad_{long}", f"total_{long}", f"bad_{short}", f"total_{short}")
    return custom(limit, decide, facts=facts, primitive="budget_burn", limit=limit, remedy=STOP, cases=(
        Case("at_the_limit", at(edge, edge), severity), Case("long_under", at(edge - 1, edge), OK),
        Case("over_by_now", at(edge, edge - 1), OK), Case("all_of_few", at(5, 5, 5), severity),
        Case("one_of_few", at(1, 1, 50), OK), Case("nothing_asked", at(0, 0, 0), OK),
    ))  # fmt: skip


ASSESSMENT = Assessment(
    title="No objective burns its error budget faster than it may.",
    topic="telemetry.operational.burn_rate", section="operational", owner="operations",
    runbook="runbooks/slos.md", category=Category.OPERATIONS, policy=BurnRatePolicy(period_s=60.0),
    facts=(
        FactSpec("target", Kind.NUMBER, "share", 0.995, per="objective"),
        *(FactSpec(f"{what}_{name}", Kind.INTEGER, "events", HEALTHY if what == "total" else 0, per="objective")
          for name in WINDOWS for what in ("bad", "total")),
    ),
    rules=(
        burns("page_fast", FAIL, "1h", "5m"), burns("page_slow", FAIL, "6h", "30m"), burns("ticket", WARN, "3d", "6h"),
    ),
)  # fmt: skip
