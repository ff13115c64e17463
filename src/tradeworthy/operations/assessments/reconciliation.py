"""Does the venue hold what the desk believes? (AS-109)"""

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
    custom,
    required,
    threshold,
)
from tradeworthy.operations.assessments.framework.limits import Limit
from tradeworthy.operations.assessments.framework.primitives import against

OK, WARN, FAIL = Severity.OK, Severity.WARN, Severity.FAIL
BREAK = "look at both sides by order and position; a repair is a person's booking, never a guess"


class ReconciliationPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """A break warns at once and fails after `break_age`; positions as a share; a full sweep each 300 s."""

    period_s: float = 60.0
    fact_age_max_s: float = 1_200.0
    breaks: Limit = at_most("breaks", warn=1)
    break_age: Limit = at_most("s", fail=60.0)
    position_drift: Limit = at_most("share", warn=0.01, fail=0.05)
    sweep_age: Limit = at_most("s", warn=600.0, fail=1_200.0)


def breaks(values: Mapping[str, Any], policy: ReconciliationPolicy, now: int) -> Verdict:
    """Judge open breaks: one warns at once, and fails when it has lasted its time."""
    del now
    found = against(policy.breaks, values["breaks"])
    if found.severity is OK:
        return found
    lasted = against(policy.break_age, values["break_age"])
    return lasted if lasted.severity > found.severity else found


ASSESSMENT = Assessment(
    title="The venue holds what the desk believes.",
    topic="telemetry.desk.reconciliation", section="desk", owner="trading", runbook="runbooks/reconciliation.md",
    category=Category.TRADING, policy=ReconciliationPolicy(),
    facts=(
        FactSpec("venue_answered", Kind.FLAG, "", True), FactSpec("breaks", Kind.INTEGER, "breaks", 0),
        FactSpec("break_age", Kind.NUMBER, "s", 0.0), FactSpec("position_drift", Kind.NUMBER, "share", 0.0),
        FactSpec("last_sweep", Kind.TIME, "", 10),
    ),
    rules=(
        required("venue_answered", what="no_venue_view",
            remedy="see the venue's line; the desk stays paused without it",
                 runbook="runbooks/venue.md"),
        custom("break", breaks, facts=("breaks", "break_age"), primitive="budget", limit="breaks", remedy=BREAK, cases=(
            Case("none", {"breaks": 0, "break_age": 60.0}, OK), Case("one_new", {"breaks": 1}, WARN),
            Case("one_young", {"breaks": 1, "break_age": 59.999}, WARN),
            Case("one_old", {"breaks": 1, "break_age": 60.0}, FAIL),
        )),
        threshold("position_drift", "position_drift", remedy=BREAK),
        age("last_sweep", "sweep_age", what="sweep_age", remedy="see why nothing is compared"),
    ),
)  # fmt: skip
