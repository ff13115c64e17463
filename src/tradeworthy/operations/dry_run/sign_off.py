"""Compute the sign-off of a run from its judged sections (DR-33, DR-34); a person signs the bundle afterwards."""

import math
from collections.abc import Iterator

from tradeworthy.operations.dry_run.artefacts import Sections
from tradeworthy.operations.dry_run.model import (
    Finding,
    LogSection,
    PerformanceSection,
    SharpeStatistics,
    SignOff,
    SignOffCriteria,
    Status,
    stamp,
    worst_status,
)

DURATION_SLACK_SECONDS = 0.1


def sign_off(sections: Sections, criteria: SignOffCriteria, *, now: int) -> SignOff:
    """Return every finding and the worst of them; a run without findings passes.

    now   nanoseconds UTC of the judgement
    """
    findings = tuple(_findings(sections, criteria))
    status = worst_status(Status.PASS, *(one.severity for one in findings))
    return SignOff(evaluated_at=stamp(now), status=status, criteria=criteria, findings=findings)


def _findings(sections: Sections, criteria: SignOffCriteria) -> Iterator[Finding]:
    logs, diary, performance = sections.logs, sections.diary, sections.performance
    if logs is None or not (logs.records or logs.error):
        yield _finding(Status.FAIL, "evidence.logs.missing", "no log record was found: nothing is proven without a log")
    if criteria.require_diary and diary is None:
        yield _finding(Status.FAIL, "evidence.diary.missing", "a decision diary is required and was not given")
    floor = criteria.minimum_sharpe_ratio
    if performance is None and (criteria.require_performance or floor is not None):
        yield _finding(Status.FAIL, "evidence.performance.missing", "a performance file is required and was not given")
    for name, section in (("logs", logs), ("diary", diary), ("performance", performance)):
        if section is None or section.status is Status.PASS:
            continue
        cause = f": {section.error}" if section.error else ""
        if section.status is Status.WARN:
            severity = Status.WARN if criteria.allow_warnings else Status.FAIL
            told = "has warnings" + ("" if criteria.allow_warnings else ", which this sign-off does not allow")
            yield _finding(severity, f"{name}.warn", f"the {name} section {told}")
        else:
            told = "could not be judged" if section.status is Status.UNKNOWN else "failed"
            yield _finding(Status.FAIL, f"{name}.{section.status}", f"the {name} section {told}{cause}")
    yield from _duration(sections, criteria.minimum_duration_seconds)
    yield from _uptime(logs, criteria.minimum_uptime_ratio)
    if performance is not None:
        yield from _sharpe(performance, floor)


def _duration(sections: Sections, least: float) -> Iterator[Finding]:
    """Judge the run time; where the harness did not measure it, the span of the log is its lower bound, and says so."""
    measured = sections.metadata.actual_duration_seconds
    seconds = measured
    if seconds is None and sections.logs is not None:
        seconds = sections.logs.duration_seconds
    if seconds is None:
        yield _finding(Status.FAIL, "duration.unknown", f"the run time is not known; {_hours(least)} are required")
        return
    if seconds + DURATION_SLACK_SECONDS < least:
        yield _finding(
            Status.FAIL, "duration.short", f"the run time was {_hours(seconds)}, {_hours(least)} are required",
            observed=seconds, limit=least,
        )  # fmt: skip
    if measured is None and not (sections.logs is not None and sections.logs.window_proved):
        yield _finding(
            Status.PASS, "duration.attested", "start and stop were not measured: the run time is the span of the log"
        )


def _uptime(logs: LogSection | None, least: float) -> Iterator[Finding]:
    ratio = None if logs is None else logs.uptime_ratio
    if ratio is None or not math.isfinite(ratio):
        yield _finding(Status.FAIL, "uptime.unknown", f"uptime is not known; at least {least:.2%} is required")
    elif ratio < least:
        yield _finding(
            Status.FAIL, "uptime.low", f"uptime was {ratio:.4%}, at least {least:.2%} is required",
            observed=ratio, limit=least,
        )  # fmt: skip


def _sharpe(performance: PerformanceSection, floor: float | None) -> Iterator[Finding]:
    """Judge the floor; a ratio of few days can block but never proves skill, and that is always said."""
    ratio = performance.sharpe_ratio
    statistics = performance.sharpe_statistics or SharpeStatistics()
    told = {
        "sharpe_ratio": ratio, "daily_returns": statistics.daily_returns, "standard_error": statistics.standard_error,
        "probabilistic_sharpe": statistics.probabilistic_sharpe,
        "minimum_track_record_days": statistics.minimum_track_record_days,
    }  # fmt: skip
    if floor is not None and (ratio is None or not math.isfinite(ratio)):
        yield _finding(
            Status.FAIL, "sharpe.missing", f"no finite Sharpe ratio was given; the floor is {floor:g}", **told
        )
    elif floor is not None and ratio is not None and ratio < floor:
        yield _finding(
            Status.FAIL, "sharpe.low", f"the Sharpe ratio was {ratio:.2f}, below the floor of {floor:g}", **told
        )
    elif ratio is not None and statistics.point_estimate_only:
        error = "not computable" if statistics.standard_error is None else f"{statistics.standard_error:.1f}"
        yield _finding(
            Status.PASS, "sharpe.point_estimate_only",
            f"a Sharpe ratio of {ratio:.2f} over {statistics.daily_returns} daily returns (standard error {error}) "
            "is a point estimate only: it can block, it proves no skill", **told,
        )  # fmt: skip


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.2f} h" if seconds >= 3600 else f"{seconds:.1f} s"


def _finding(severity: Status, code: str, message: str, **metadata: float | int | None) -> Finding:
    return Finding(severity=severity, code=code, message=message, metadata=dict(metadata))
