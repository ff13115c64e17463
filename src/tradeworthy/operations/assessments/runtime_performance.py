"""Is every stage of the loop as fast as it must be? Of the last period (AS-26, DL-06)."""

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
from tradeworthy.operations.assessments.framework.limits import Limit
from tradeworthy.operations.assessments.framework.primitives import against

OK, WARN, UNKNOWN, FAIL = Severity.OK, Severity.WARN, Severity.UNKNOWN, Severity.FAIL


class RuntimePerformancePolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """The p99 of each stage in ms, FAIL from twice its limit; below `samples_min` only the maximum is told."""

    step: Limit = at_most("ms", warn=100.0, fail=200.0)
    indicators: Limit = at_most("ms", warn=50.0, fail=100.0)
    decide: Limit = at_most("ms", warn=100.0, fail=200.0)
    io_wait: Limit = at_most("ms", warn=50.0, fail=100.0)
    samples_min: int = 100


def stage(values: Mapping[str, Any], policy: RuntimePerformancePolicy, now: int) -> Verdict:
    """Judge the p99 of one stage by the limit of its kind."""
    del now
    limit = getattr(policy, values["stage"], None)
    if not isinstance(limit, Limit):
        return Verdict(UNKNOWN, values["stage"], None, f"nobody has a limit for a stage {values['stage']!r}")
    if values["samples"] < policy.samples_min:
        said = f"max {values['worst']:g} ms of n {values['samples']}, {policy.samples_min} are needed"
        return Verdict(UNKNOWN, values["samples"], policy.samples_min, said, "samples")
    return against(limit, values["worst"])


ASSESSMENT = Assessment(
    title="Every stage of the loop is as fast as it must be.",
    topic="telemetry.runtime.performance", section="runtime", owner="operations", runbook="runbooks/performance.md",
    category=Category.RUNTIME, policy=RuntimePerformancePolicy(),
    facts=(
        FactSpec("stage", Kind.TEXT, "", "step", per="stage"),
        FactSpec("samples", Kind.INTEGER, "samples", 1_000, per="stage"),
        FactSpec("worst", Kind.NUMBER, "ms", 1.0, per="stage"),
    ),
    rules=(
        custom("p99", stage, facts=("stage", "samples", "worst"), primitive="quantile", limit="step",
               remedy="take a profile of the stage that is named", cases=(
                   Case("step_under_100", {"worst": 99.999}, OK), Case("step_at_100", {"worst": 100.0}, WARN),
                   Case("step_under_200", {"worst": 199.999}, WARN), Case("step_at_200", {"worst": 200.0}, FAIL),
                   Case("indicators_under_50", {"stage": "indicators", "worst": 49.999}, OK),
                   Case("indicators_at_50", {"stage": "indicators", "worst": 50.0}, WARN),
                   Case("indicators_at_100", {"stage": "indicators", "worst": 100.0}, FAIL),
                   Case("decide_at_100", {"stage": "decide", "worst": 100.0}, WARN),
                   Case("decide_at_200", {"stage": "decide", "worst": 200.0}, FAIL),
                   Case("io_wait_under_50", {"stage": "io_wait", "worst": 49.999}, OK),
                   Case("io_wait_at_50", {"stage": "io_wait", "worst": 50.0}, WARN),
                   Case("io_wait_at_100", {"stage": "io_wait", "worst": 100.0}, FAIL),
                   Case("too_few", {"samples": 99, "worst": 1.0}, UNKNOWN), Case("enough", {"samples": 100}, OK),
                   Case("unheard_of", {"stage": "x"}, UNKNOWN), Case("no_stage", {"stage": "samples_min"}, UNKNOWN),
               )),
    ),
)  # fmt: skip
