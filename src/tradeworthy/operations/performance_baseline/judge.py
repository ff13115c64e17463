"""From measurements to the report: figures, checks, and the Markdown of each part (PBL-02)."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_MILLI, NANOS_PER_SECOND
from tradeworthy.kernel.report import Check
from tradeworthy.kernel.severity import Severity, worst
from tradeworthy.operations.paper_run.latency import nearest_rank
from tradeworthy.operations.performance_baseline import markdown
from tradeworthy.operations.performance_baseline.decision_latency import DecisionLatency
from tradeworthy.operations.performance_baseline.model import (
    SCHEMA,
    Backlog,
    BaselineReport,
    Execution,
    Measured,
    Performance,
    Resource,
    Spread,
    Throttle,
    Throughput,
    Trade,
)
from tradeworthy.operations.performance_baseline.options import BaselineOptions

DIGITS = 6
"""Decimals of a figure in the report."""


def judge(
    measured: Measured, options: BaselineOptions, latency: DecisionLatency, *, machine: str, at: datetime,
    require_latency: bool = False,
) -> BaselineReport:  # fmt: skip
    """Return the report; it is healthy when no limit is reached and every limit could be judged.

    require_latency  a decision latency that could not be judged counts too; a worse one always does
    """
    processing = spread([one.processing_ns for one in measured.trades])
    lag = spread([one.lag_ns for one in measured.trades])
    checks = (
        _limit("processing_ms", processing.max_ms, options.max_processing_ms),
        _limit("lag_ms", lag.max_ms, options.max_lag_ms), *_resource_checks(measured.resource, options),
        *(one for one in latency.checks if require_latency or one.severity is not Severity.UNKNOWN),
    )  # fmt: skip
    severity = worst(one.severity for one in checks)
    report = BaselineReport(
        schema=SCHEMA, generated_at=at, healthy=severity is Severity.OK, severity=severity, machine=machine,
        execution=_execution(measured), throughput=_throughput(measured, lag.samples),
        performance=Performance(
            processing, lag, options.max_processing_ms, options.max_lag_ms, worst(c.severity for c in checks[:2])
        ),
        backlog=backlog_of([one.lag_ns for one in measured.trades], options.backlog_ms), resource=measured.resource,
        throttle=_throttle(measured, options), throttle_scopes=measured.scopes, decision_latency=latency, checks=checks,
        reports={}, options=options,
    )  # fmt: skip
    return msgspec.structs.replace(report, reports=markdown.parts(report))


def spread(durations: Sequence[int]) -> Spread:
    """Return the figures of durations in nanoseconds; there must be one at least."""
    ordered = sorted(durations)
    return Spread(
        len(ordered), _millis(sum(ordered) / len(ordered)), _millis(durations[-1]),
        _millis(nearest_rank(ordered, 0.50)), _millis(nearest_rank(ordered, 0.95)),
        _millis(nearest_rank(ordered, 0.99)), _millis(ordered[-1]),
    )  # fmt: skip


def backlog_of(lags: Sequence[int], threshold_ms: float) -> Backlog:
    """Return how far behind the desk fell; a lag that reaches the threshold is a breach."""
    late = [one >= threshold_ms * NANOS_PER_MILLI for one in lags]
    longest = streak = 0
    for one in late:
        streak = streak + 1 if one else 0
        longest = max(longest, streak)
    figures = spread(lags)
    return Backlog(
        threshold_ms, figures.last_ms, figures.p95_ms, figures.max_ms, sum(late), round(sum(late) / len(late), DIGITS),
        longest,
    )  # fmt: skip


def _execution(measured: Measured) -> Execution:
    approved = sum(one.approved for one in measured.trades)
    refused = sum(bool(one.codes) for one in measured.trades)
    codes = Counter(code for one in measured.trades for code in one.codes)
    return Execution(
        len(measured.trades), approved, refused, measured.dead_letters, measured.orders, measured.fills,
        measured.rejected, measured.notional, dict(sorted(codes.items())),
    )  # fmt: skip


def _throughput(measured: Measured, trades: int) -> Throughput:
    busy = sum(one.processing_ns for one in measured.trades)
    return Throughput(
        _millis(measured.elapsed_ns), _rate(trades, measured.elapsed_ns), measured.events,
        _rate(measured.events, measured.elapsed_ns), _millis(busy), _rate(trades, busy),
    )  # fmt: skip


def _throttle(measured: Measured, options: BaselineOptions) -> Throttle:
    fullest = max(measured.scopes, key=lambda one: (one.used / one.limit, one.consumed_notional))
    held: list[Trade] = [one for one in measured.trades if one.throttle is not None]
    states = Counter(one.throttle for one in held if one.throttle is not None)
    return Throttle(
        fullest.state, fullest.used, fullest.limit, options.throttle_window_seconds, fullest.retry_at,
        fullest.consumed_notional, fullest.remaining_notional, fullest.limit_notional, fullest.used_share, len(held),
        round(len(held) / len(measured.trades), DIGITS), dict(sorted(states.items())),
    )  # fmt: skip


def _resource_checks(resource: Resource, options: BaselineOptions) -> tuple[Check, ...]:
    """Judge what was asked for; a figure that nobody could tell is UNKNOWN, never zero."""
    found = []
    for name in ("cpu_percent", "memory_mb", "memory_percent"):
        limit, observed = getattr(options, f"max_{name}"), getattr(resource, name)
        if limit is not None:
            found.append(_limit(name, observed, limit))
    return tuple(found)


def _limit(name: str, observed: float | None, limit: float) -> Check:
    if observed is None:
        return Check(f"baseline.{name}", Severity.UNKNOWN, "unknown", f"below {limit:g}", "it could not be measured")
    severity = Severity.FAIL if observed >= limit else Severity.OK
    return Check(f"baseline.{name}", severity, f"{observed:g}", f"below {limit:g}")


def _rate(count: int, nanos: int) -> float | None:
    """Return how many a second; None where no time passed."""
    return round(count * NANOS_PER_SECOND / nanos, DIGITS) if nanos else None


def _millis(nanos: float) -> float:
    return round(nanos / NANOS_PER_MILLI, DIGITS)
