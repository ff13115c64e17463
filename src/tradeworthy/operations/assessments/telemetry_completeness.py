"""Does everything report that must, and nothing that nobody declared? (AS-31, FW-35)"""

from collections.abc import Mapping
from typing import Any

from tradeworthy.kernel.clock import NANOS_PER_SECOND
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
    threshold,
)
from tradeworthy.operations.assessments.framework.limits import Limit
from tradeworthy.operations.assessments.framework.primitives import against


class CompletenessPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """Periods without a word after which a source is silent; sources that nobody declared."""

    period_s: float = 60.0
    silence: Limit = at_most("periods", fail=2)
    undeclared: Limit = at_most("sources", warn=1)


def silent(values: Mapping[str, Any], policy: CompletenessPolicy, now: int) -> Verdict:
    """Judge how many of its own periods a source has not been heard."""
    age_s, period_s = (now - values["last_heard"]) / NANOS_PER_SECOND, values["period"]
    if age_s < 0:
        return Verdict(Severity.FAIL, age_s, 0, f"{-age_s:g} s ahead of now", "s", what="future_timestamp")
    if period_s <= 0:
        return Verdict(Severity.FAIL, period_s, 0, f"a period must be above 0 s, was {period_s:g}", "s")
    return against(policy.silence, age_s / period_s, f"heard {age_s:g} s ago; it speaks each {period_s:g} s")


ASSESSMENT = Assessment(
    title="Everything reports that must, and nothing that nobody declared.",
    topic="telemetry.runtime.completeness", section="runtime", owner="operations",
    runbook="runbooks/telemetry_completeness.md", category=Category.RUNTIME, policy=CompletenessPolicy(),
    facts=(
        FactSpec("last_heard", Kind.TIME, "", 10, per="source"),
        FactSpec("period", Kind.NUMBER, "s", 60.0, per="source"),
        FactSpec("undeclared", Kind.INTEGER, "sources", 0),
    ),
    rules=(
        custom("silent", silent, facts=("last_heard", "period"), primitive="age", limit="silence",
               remedy="see the component that is named: it lives and says nothing, or it is gone", cases=(
                   Case("under_two", {"last_heard": 119.999}, Severity.OK),
                   Case("two", {"last_heard": 120}, Severity.FAIL),
                   Case("shorter_period", {"period": 5.0}, Severity.FAIL),
                   Case("no_period", {"period": 0.0}, Severity.FAIL),
                   Case("ahead", {"last_heard": -1}, Severity.FAIL, code="future_timestamp"),
               )),
        threshold("undeclared", "undeclared", remedy="declare the source with its period, or find who writes there"),
    ),
)  # fmt: skip
