"""Judge a performance file: dated, in order, complete, and what little its Sharpe ratio says (DR-31, DR-32, DR-34)."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.audit.classification import FUTURE_SECONDS_MAX, parse_time
from tradeworthy.operations.dry_run.audit.policy import MIB
from tradeworthy.operations.dry_run.audit.sources import Unreadable
from tradeworthy.operations.dry_run.model import (
    DOCUMENT_BYTES_MAX,
    PLACEHOLDER,
    Finding,
    Json,
    PerformanceSection,
    SharpeStatistics,
    Status,
    stamp,
    status_of,
)
from tradeworthy.research.backtest.statistics import (
    DAYS_TO_GATE,
    TooFewObservations,
    minimum_track_record,
    moments,
    probabilistic_sharpe,
)

SCHEMA_PERFORMANCE = "dry_run.performance@1"
TRADING_DAYS_A_YEAR = 252
RETURNS_MAX = 100_000
_TRADES = ("trades", "total_trades")


class PerformanceAggregates(msgspec.Struct, frozen=True, kw_only=True):
    """What a runtime has earned so far; None is not known. `daily_returns` are simple returns, oldest first."""

    trades: int | None = None
    roi: float | None = None
    win_rate: float | None = None
    sharpe_ratio: float | None = None
    daily_returns: tuple[float, ...] = ()


class PerformanceFile(msgspec.Struct, frozen=True, kw_only=True):
    """The one schema of the file: a runtime writes it, the audit reads it. Stamps are ISO text in UTC."""

    sequence: int
    status: str
    run_label: str | None = None
    captured_at: str
    generated_at: str
    period_start: str
    aggregates: PerformanceAggregates | None = None
    snapshot: Json = {}
    metadata: Json = {}
    schema: str = SCHEMA_PERFORMANCE


def audit_performance(path: Path, *, now: int) -> PerformanceSection:
    """Read and judge a performance file; raises `Unreadable` when there is none or it is no JSON object."""
    return judge_performance(_load(path), now=now)


def judge_performance(document: Json, *, now: int) -> PerformanceSection:
    """Judge the content of a performance file; a placeholder is no evidence."""
    if document.get("status") == PLACEHOLDER:
        issue = _finding(Status.UNKNOWN, "performance.placeholder", "the runtime has not reported any performance yet")
        return PerformanceSection(status=Status.UNKNOWN, issues=(issue,))
    issues: list[Finding] = []
    generated = _moment(document, "generated_at", now, issues)
    start = _moment(document, "period_start", now, issues)
    window = None
    if generated is not None and start is not None:
        window = (generated - start) / NANOS_PER_SECOND
        if window < 0:
            issues.append(_finding(
                Status.FAIL, "performance.period.order", "period_start must not come after generated_at",
                period_start=stamp(start).isoformat(), generated_at=stamp(generated).isoformat(),
            ))  # fmt: skip
    given = document.get("aggregates")
    aggregates: Json = given if isinstance(given, dict) else {}
    trades = _number(aggregates, document, *_TRADES)
    roi = _number(aggregates, document, "roi")
    win_rate = _number(aggregates, document, "win_rate")
    sharpe = _number(aggregates, document, "sharpe_ratio")
    if roi is not None and roi < 0:
        issues.append(_finding(Status.WARN, "performance.roi.negative", f"the run lost money: ROI {roi:.4%}", roi=roi))
    missing = [
        name for name, value in (("trades", trades), ("roi", roi), ("win_rate", win_rate), ("sharpe_ratio", sharpe))
        if value is None
    ]  # fmt: skip
    if missing:
        issues.append(_finding(
            Status.UNKNOWN if len(missing) == 4 else Status.PASS, "performance.aggregate.missing",
            f"no usable value for {', '.join(missing)}; missing is not zero", missing=missing,
        ))  # fmt: skip
    returns = _returns(aggregates, document)
    days = len(returns) if returns is not None else int((window or 0) // (NANOS_PER_DAY / NANOS_PER_SECOND))
    metadata = document.get("metadata")
    severity = max((one.severity.severity for one in issues), default=Severity.OK)
    return PerformanceSection(
        status=status_of(severity), generated_at=None if generated is None else stamp(generated),
        period_start=None if start is None else stamp(start), window_duration_seconds=window,
        total_trades=None if trades is None else int(trades), roi=roi, win_rate=win_rate, sharpe_ratio=sharpe,
        sharpe_statistics=sharpe_statistics(returns or (), days=days),
        metadata=redact(metadata) if isinstance(metadata, dict) else {}, issues=tuple(issues),
    )  # fmt: skip


def sharpe_statistics(returns: Sequence[float], *, days: int) -> SharpeStatistics:
    """Return how little a Sharpe ratio of so many daily returns says.

    The standard error is that of a true ratio of zero, sqrt(252 / n) a year; the probability is that the true ratio
    is above zero. Source: Lo (2002); Bailey and Lopez de Prado (2012).
    """
    error = math.sqrt(TRADING_DAYS_A_YEAR / days) if days > 0 else None
    probability = track = None
    try:
        found = moments(returns)
        probability = probabilistic_sharpe(found)
        track = minimum_track_record(found)
    except TooFewObservations:
        pass  # fewer than three returns, or all equal: only their number and the error can be told
    return SharpeStatistics(
        daily_returns=days, standard_error=error, probabilistic_sharpe=probability, minimum_track_record_days=track,
        point_estimate_only=days < DAYS_TO_GATE,
    )  # fmt: skip


def _load(path: Path) -> Json:
    try:
        if path.stat().st_size > DOCUMENT_BYTES_MAX:
            raise Unreadable(f"{path.name} must not be larger than {DOCUMENT_BYTES_MAX // MIB} MiB")
        document = json.loads(path.read_bytes())  # the one parser that knows NaN, which is missing here, not a crash
    except OSError as problem:
        raise Unreadable(f"cannot read {path.name}: {problem.strerror or problem}") from None
    except (ValueError, RecursionError) as problem:
        raise Unreadable(f"{path.name} is no JSON document: {problem}") from None
    if not isinstance(document, dict):
        raise Unreadable(f"{path.name} must hold a JSON object, found {type(document).__name__}")
    return document


def _moment(document: Json, name: str, now: int, issues: list[Finding]) -> int | None:
    value = document.get(name)
    moment, _ = parse_time(value)
    if moment is None:
        found = "nothing" if value is None else repr(value)[:60]
        issues.append(_finding(Status.FAIL, f"performance.{name}.missing", f"{name} must be a time, found {found}"))
    elif moment > now + FUTURE_SECONDS_MAX * NANOS_PER_SECOND:
        ahead = (moment - now) / NANOS_PER_SECOND
        issues.append(_finding(
            Status.FAIL, f"performance.{name}.future", f"{name} is {ahead:,.0f} s in the future", seconds=ahead
        ))  # fmt: skip
    return moment


def _number(aggregates: Json, document: Json, *names: str) -> float | None:
    """Return the first finite number under one of the names, among the aggregates or beside them."""
    for place in (aggregates, document):
        for name in names:
            value = _finite(place.get(name))
            if value is not None:
                return value
    return None


def _finite(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _returns(aggregates: Json, document: Json) -> tuple[float, ...] | None:
    """Return the daily returns that are numbers, None when none were given."""
    given = aggregates.get("daily_returns", document.get("daily_returns"))
    if not isinstance(given, list):
        return None
    return tuple(value for one in given[-RETURNS_MAX:] if (value := _finite(one)) is not None)


def _finding(severity: Status, code: str, message: str, **metadata: Any) -> Finding:
    return Finding(severity=severity, code=code, message=message, metadata=metadata)
