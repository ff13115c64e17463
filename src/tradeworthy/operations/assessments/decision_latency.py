"""Is the desk slower to decide than its baseline of the same machine? (AS-28)"""

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
from tradeworthy.operations.performance_baseline.decision_latency import SHIPPED, LatencyGuardPolicy

GUARD = LatencyGuardPolicy()
OK, WARN, UNKNOWN, FAIL = Severity.OK, Severity.WARN, Severity.UNKNOWN, Severity.FAIL
P50, P99 = SHIPPED.p50_ns / 1e6, SHIPPED.p99_ns / 1e6
FACTS = ("samples", "machine", "baseline_machine")
FASTER = "compare the stages with the baseline's; see what else runs on the machine"


class DecisionLatencyPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """Growth above the baseline in percent.

    samples_min  fewer are unknown;  p99_samples_min  with fewer the maximum is judged
    """

    growth: Limit = at_most("%", warn=float(GUARD.warn_percent), fail=float(GUARD.fail_percent))
    samples_min: int = GUARD.samples_min
    p99_samples_min: int = GUARD.percentile_samples_min


def p50(values: Mapping[str, Any], policy: DecisionLatencyPolicy, now: int) -> Verdict:
    """Judge the median against the baseline's."""
    del now
    return _unknown(values, policy) or _growth(values["p50"], values["baseline_p50"], policy)


def p99(values: Mapping[str, Any], policy: DecisionLatencyPolicy, now: int) -> Verdict:
    """Judge the p99, or the maximum where too few samples stand behind one, against the baseline's p99."""
    del now
    few = values["samples"] < policy.p99_samples_min
    return _unknown(values, policy) or _growth(values["max" if few else "p99"], values["baseline_p99"], policy)


def _unknown(values: Mapping[str, Any], policy: DecisionLatencyPolicy) -> Verdict | None:
    if values["machine"] != values["baseline_machine"]:
        said = f"the baseline is of {values['baseline_machine']}, this is {values['machine']}"
        return Verdict(UNKNOWN, values["machine"], values["baseline_machine"], said)
    if values["samples"] < policy.samples_min:
        said = f"n {values['samples']}, {policy.samples_min} are needed"
        return Verdict(UNKNOWN, values["samples"], policy.samples_min, said, "samples")
    return None


def _growth(found_ms: float, baseline_ms: float, policy: DecisionLatencyPolicy) -> Verdict:
    grown = round((found_ms / baseline_ms - 1) * 100, 9)
    return against(policy.growth, grown, f"{found_ms:g} ms is {grown:+.3g} % of {baseline_ms:g} ms")


def _edges(fact: str, baseline: float) -> tuple[Case, ...]:
    at = {percent: round(baseline * (1 + percent / 100), 9) for percent in (4.99, 5, 24.99, 25)}
    return (
        Case("under_warn", {fact: at[4.99]}, OK), Case("at_warn", {fact: at[5]}, WARN),
        Case("under_fail", {fact: at[24.99]}, WARN), Case("at_fail", {fact: at[25]}, FAIL),
        Case("too_few", {"samples": 9}, UNKNOWN, also=("p50", "p99")),
        Case("enough", {"samples": 10}, OK), Case("other_machine", {"machine": "b"}, UNKNOWN, also=("p50", "p99")),
    )  # fmt: skip


ASSESSMENT = Assessment(
    title="The desk decides as fast as its baseline of the same machine.",
    topic="telemetry.runtime.decision_latency", section="runtime", owner="engineering",
    runbook="runbooks/supervision.md", category=Category.RUNTIME, policy=DecisionLatencyPolicy(),
    facts=(
        FactSpec("samples", Kind.INTEGER, "samples", 1_000), FactSpec("p50", Kind.NUMBER, "ms", P50),
        FactSpec("p99", Kind.NUMBER, "ms", P99), FactSpec("max", Kind.NUMBER, "ms", P99),
        FactSpec("machine", Kind.TEXT, "", "a"), FactSpec("baseline_machine", Kind.TEXT, "", "a"),
        FactSpec("baseline_p50", Kind.NUMBER, "ms", P50), FactSpec("baseline_p99", Kind.NUMBER, "ms", P99),
    ),
    rules=(
        custom("p50", p50, facts=(*FACTS, "p50", "baseline_p50"), primitive="quantile", limit="growth", remedy=FASTER,
               cases=_edges("p50", P50)),
        custom("p99", p99, facts=(*FACTS, "p99", "max", "baseline_p99"), primitive="quantile", limit="growth",
               remedy=FASTER, cases=(
                   *_edges("p99", P99),
                   Case("max_of_few", {"samples": 99, "max": 2 * P99}, FAIL),
                   Case("max_of_enough", {"samples": 100, "max": 2 * P99}, OK),
               )),
    ),
)  # fmt: skip
