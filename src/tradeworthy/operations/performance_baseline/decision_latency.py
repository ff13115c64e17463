"""Is the desk slower to decide than its baseline? Judged only against the same machine (PBL-03)."""

from collections.abc import Sequence

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_MILLI
from tradeworthy.kernel.report import Check
from tradeworthy.kernel.severity import Severity, worst
from tradeworthy.operations.paper_run.latency import nearest_rank

REFERENCE = "reference"
"""The machine of the shipped baseline; no other machine's name is this one."""


class LatencyBaseline(msgspec.Struct, frozen=True):
    """What one machine needed to decide, in nanoseconds."""

    machine: str
    p50_ns: int
    p99_ns: int


SHIPPED = LatencyBaseline(REFERENCE, 85_900_000, 153_200_000)


class LatencyGuardPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Growth above the baseline, in percent, that warns and fails when it is reached.

    samples_min             fewer are UNKNOWN
    percentile_samples_min  with fewer the maximum is judged, against the baseline's p99
    """

    warn_percent: int = 5
    fail_percent: int = 25
    samples_min: int = 10
    percentile_samples_min: int = 100


class DecisionLatency(msgspec.Struct, frozen=True):
    """The judgement; figures in milliseconds, p99 None where too few samples stand behind it."""

    severity: Severity
    samples: int
    p50_ms: float | None
    p99_ms: float | None
    max_ms: float | None
    baseline_machine: str | None
    baseline_p50_ms: float | None
    baseline_p99_ms: float | None
    checks: tuple[Check, ...]


def judge_latency(
    samples: Sequence[int], baseline: LatencyBaseline | None, *, machine: str,
    policy: LatencyGuardPolicy | None = None, unreadable: str = "",
) -> DecisionLatency:  # fmt: skip
    """Compare decision durations, nanoseconds, with the baseline of `machine`.

    unreadable  why there is no baseline, where that is not simply that nobody approved one
    """
    limits, ordered = policy or LatencyGuardPolicy(), sorted(samples)
    checks = _unknown(ordered, baseline, machine, limits, unreadable)
    if not checks and baseline is not None:
        checks = _compared(ordered, baseline, limits)
    enough = len(ordered) >= limits.percentile_samples_min
    return DecisionLatency(
        worst(check.severity for check in checks), len(ordered),
        _millis(nearest_rank(ordered, 0.5)) if ordered else None,
        _millis(nearest_rank(ordered, 0.99)) if enough else None, _millis(ordered[-1]) if ordered else None,
        None if baseline is None else baseline.machine, None if baseline is None else _millis(baseline.p50_ns),
        None if baseline is None else _millis(baseline.p99_ns), checks,
    )  # fmt: skip


def _unknown(
    ordered: list[int], baseline: LatencyBaseline | None, machine: str, policy: LatencyGuardPolicy, unreadable: str
) -> tuple[Check, ...]:
    """Return why nothing can be judged; empty where it can."""
    name = "decision_latency.baseline"
    if baseline is None:
        return (Check(name, Severity.UNKNOWN, "none", machine, unreadable or "approve a baseline of this machine"),)
    if baseline.machine != machine:
        text = "another machine's baseline says nothing here; propose one of this machine and have it approved"
        return (Check(name, Severity.UNKNOWN, baseline.machine, machine, text),)
    if len(ordered) < policy.samples_min:
        least = f"at least {policy.samples_min}"
        return (Check("decision_latency.samples", Severity.UNKNOWN, str(len(ordered)), least, "measure longer"),)
    return ()


def _compared(ordered: list[int], baseline: LatencyBaseline, policy: LatencyGuardPolicy) -> tuple[Check, ...]:
    if len(ordered) < policy.percentile_samples_min:
        return (_check("max", ordered[-1], baseline.p99_ns, policy),)
    return (
        _check("p50", nearest_rank(ordered, 0.5), baseline.p50_ns, policy),
        _check("p99", nearest_rank(ordered, 0.99), baseline.p99_ns, policy),
    )


def _check(name: str, observed: int, baseline: int, policy: LatencyGuardPolicy) -> Check:
    severity, percent = Severity.OK, policy.warn_percent
    for reached, growth in ((Severity.WARN, policy.warn_percent), (Severity.FAIL, policy.fail_percent)):
        if 100 * observed >= (100 + growth) * baseline:
            severity, percent = reached, growth
    limit = f"{_millis((100 + percent) * baseline // 100):g} ms"
    text = f"{100 * (observed - baseline) / baseline:+.1f} % against the baseline's {_millis(baseline):g} ms"
    return Check(f"decision_latency.{name}", severity, f"{_millis(observed):g} ms", limit, text)


def _millis(nanos: int) -> float:
    return nanos / NANOS_PER_MILLI
