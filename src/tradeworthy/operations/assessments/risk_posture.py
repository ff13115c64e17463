"""How much of every limit is used, and is one breached? (AS-69)"""

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
    at_most,
    custom,
)
from tradeworthy.operations.assessments.framework.limits import Direction, Limit, exact

OK, WARN, UNKNOWN, FAIL = Severity.OK, Severity.WARN, Severity.UNKNOWN, Severity.FAIL
DIRECTIONS = {one.value: one for one in Direction}


class RiskPosturePolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """The used share of a limit that warns; a breach fails by the limit's own direction."""

    period_s: float = 60.0
    fact_age_max_s: float = 300.0
    used: Limit = at_most("share", warn=0.80)


def utilisation(values: Mapping[str, Any], policy: RiskPosturePolicy, now: int) -> Verdict:
    """Judge one limit: 80 % warns; reached (budget), gone over (cap) or fallen below (floor) fails."""
    del now
    observed, bound, direction = values["observed"], values["bound"], DIRECTIONS.get(values["direction"])
    if direction is None:
        return Verdict(UNKNOWN, values["direction"], ", ".join(DIRECTIONS), "nobody knows this direction")
    if bound <= 0:
        return Verdict(FAIL, bound, 0, f"a limit must be above 0, was {bound}")
    limit = Limit(direction=direction, unit="", fail=exact(bound), low=-1)
    severity, _ = limit.judged(exact(observed))
    share = float(observed) / float(bound)
    if severity is OK and direction is not Direction.FLOOR and share >= policy.used.bounds()[0][1]:
        severity = WARN
    return Verdict(severity, observed, bound, f"{observed:g} of {bound:g} ({share:.2%}, {direction.value})", "", share)


ASSESSMENT = Assessment(
    title="Every limit of the risk policy is kept, with room.",
    topic="telemetry.risk.posture", section="risk-compliance", owner="risk", runbook="runbooks/risk.md",
    category=Category.RISK, policy=RiskPosturePolicy(),
    facts=(
        FactSpec("observed", Kind.NUMBER, "", 0.1, per="limit", low=None),
        FactSpec("bound", Kind.NUMBER, "", 1.0, per="limit", low=None),
        FactSpec("direction", Kind.TEXT, "", "cap", per="limit"),
    ),
    rules=(
        custom("utilisation", utilisation, facts=("observed", "bound", "direction"), primitive="cap", limit="used",
               remedy="reduce the position that fills the limit, or ask risk", cases=(
                   Case("at_79_9", {"observed": 0.799}, OK), Case("at_80", {"observed": 0.8}, WARN),
                   Case("cap_full", {"observed": 1.0}, WARN), Case("cap_over", {"observed": 1.0001}, FAIL),
                   Case("budget_under", {"observed": 0.9999, "direction": "budget"}, WARN),
                   Case("budget_reached", {"observed": 1.0, "direction": "budget"}, FAIL),
                   Case("floor_at", {"observed": 1.0, "direction": "floor"}, OK),
                   Case("floor_below", {"observed": 0.9999, "direction": "floor"}, FAIL),
                   Case("bound_of_none", {"bound": 0.0}, FAIL),
                   Case("direction_unheard_of", {"direction": "x"}, UNKNOWN),
               )),
    ),
)  # fmt: skip
