"""Judge what a log's lines add up to: levels, silences, uptime, content (DR-20 to DR-25)."""

import heapq
from collections.abc import Iterator, Sequence
from pathlib import Path

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.operations.dry_run.audit.coverage import covered, runs, silences
from tradeworthy.operations.dry_run.audit.policy import AuditPolicy, Window
from tradeworthy.operations.dry_run.audit.scan import scan
from tradeworthy.operations.dry_run.audit.tally import Tally
from tradeworthy.operations.dry_run.model import GapIncident, Json, LogIncident, LogSection, Status, stamp, worst_status
from tradeworthy.operations.dry_run.policy import SECONDS_PER_MINUTE

GAPS_SHOWN_MAX = 1_000
"""So many of the longest silences are listed; the worst is among them, so the status does not depend on the bound."""


def audit_logs(
    paths: Sequence[Path], policy: AuditPolicy, *, now: int, window: Window | None = None, compiled: bool | None = None
) -> LogSection:
    """Read the logs, in the order of their segments, and judge them.

    now        nanoseconds UTC of the judgement
    window     spawn to stop request; without it head and tail cannot be judged and the section says so
    compiled   see `scan`
    """
    return judge(scan(paths, policy, now=now, compiled=compiled), policy, window)


def judge(tally: Tally, policy: AuditPolicy, window: Window | None) -> LogSection:
    """Return the section of a tally; each rule stands alone and the worst of them is the status."""
    start, stop = (None, None) if window is None else (window.start, window.stop)
    joined = min(policy.silence_nanos, _nanos(policy.gaps.warn_minutes) - 1)
    spans = list(runs(tally.coverage.spans(start, stop), join_max=joined))
    first, last = (spans[0][0], spans[-1][1]) if spans else (None, None)
    begin = first if start is None else start
    end = last if stop is None else stop
    run_seconds = None if begin is None or end is None else (end - begin) / NANOS_PER_SECOND
    if window is not None and window.run_seconds is not None:
        run_seconds = window.run_seconds
    source, ratio = _uptime(tally, policy, spans, begin, end)
    gaps = _gaps(spans, start, stop, policy)
    content = (*tally.content.incidents(), *_content(tally, policy, window, run_seconds, ratio, bool(spans)))
    errors, warnings = tally.errors.incidents(), tally.warnings.incidents()
    found = [one.severity for group in (errors, warnings, content) for one in group]
    error = "; ".join(tally.problems) or None
    status = worst_status(Status.PASS, *found, *(one.severity for one in gaps))
    if error is not None:
        status = worst_status(status, Status.UNKNOWN)
    return LogSection(
        status=status, records=tally.records, ignored_lines=tally.ignored, level_counts=tally.levels.counts(),
        event_counts=tally.events.counts(), started_at=None if first is None else stamp(first),
        ended_at=None if last is None else stamp(last), duration_seconds=run_seconds, uptime_ratio=ratio,
        uptime_source=source, gap_incidents=gaps, content_incidents=content, warnings=warnings, errors=errors,
        time_source=_time_source(tally), window_proved=window is not None, error=error,
    )  # fmt: skip


def _uptime(
    tally: Tally, policy: AuditPolicy, spans: list[tuple[int, int]], begin: int | None, end: int | None
) -> tuple[str, float | None]:
    """Return the source and the covered share of the run time; None where it cannot be computed (DR-07).

    Head and tail count like any other silence: what is longer than three intervals is down.
    """
    beats = tally.beat_moments()
    source = "heartbeat" if beats else "lines" if spans else "none"
    if begin is None or end is None or end <= begin:
        return source, None
    if tally.beats_dropped or (not beats and tally.coverage.width > policy.silence_nanos):
        return source, None
    seen = [(one, one) for one in beats if begin <= one <= end] if beats else spans
    if not seen:
        return source, 0.0
    edges = [(begin, begin), *seen, (end, end)]
    return source, min(1.0, covered(iter(edges), silence_max=policy.silence_nanos) / (end - begin))


def _gaps(
    spans: list[tuple[int, int]], start: int | None, stop: int | None, policy: AuditPolicy
) -> tuple[GapIncident, ...]:
    warn, fail = _nanos(policy.gaps.warn_minutes), _nanos(policy.gaps.fail_minutes)
    long = ((until - since, since, until, position) for since, until, position in silences(iter(spans), start, stop))
    worst = heapq.nlargest(GAPS_SHOWN_MAX, (one for one in long if one[0] >= warn))
    return tuple(
        GapIncident(
            severity=Status.FAIL if length >= fail else Status.WARN, started_at=stamp(since), ended_at=stamp(until),
            seconds=length / NANOS_PER_SECOND, position=position,
        )
        for length, since, until, position in sorted(worst, key=lambda one: one[1])
    )  # fmt: skip


def _content(
    tally: Tally, policy: AuditPolicy, window: Window | None, run_seconds: float | None, ratio: float | None,
    timed: bool,
) -> Iterator[LogIncident]:
    """Yield what the lines as a whole say."""
    total = tally.records + tally.ignored
    if not tally.records:
        yield _incident(Status.FAIL, "log.empty", "the log holds no record: nothing proves that the command ran")
    elif not timed:
        yield _incident(
            Status.UNKNOWN, "log.timestamp.missing", "no record in the window has a time: silences cannot be judged",
            records=tally.records, untimed=tally.untimed,
        )  # fmt: skip
    if total and tally.ignored:
        share = tally.ignored / total
        severity = (
            Status.FAIL if share >= policy.ignored_ratio_fail
            else Status.WARN if share >= policy.ignored_ratio_warn else Status.PASS
        )  # fmt: skip
        yield _incident(
            severity, "log.lines.ignored",
            f"{tally.ignored:,} of {total:,} lines ({share:.2%}) are no JSON objects; "
            f"warn at {policy.ignored_ratio_warn:.0%}, fail at {policy.ignored_ratio_fail:.0%}",
            ignored=tally.ignored, overlong=tally.overlong, total=total,
        )  # fmt: skip
    for name in sorted(tally.truncated):
        yield _incident(Status.WARN, "log.tail.truncated", f"{name} ends in the middle of a line or stream", file=name)
    if ratio is not None and policy.uptime_ratio_min is not None and ratio < policy.uptime_ratio_min:
        yield _incident(
            Status.FAIL, "log.uptime.low", f"uptime was {ratio:.4%}, the minimum is {policy.uptime_ratio_min:.2%}",
            observed=ratio, limit=policy.uptime_ratio_min,
        )  # fmt: skip
    if ratio is None and policy.uptime_ratio_min is not None:
        yield _incident(Status.UNKNOWN, "log.uptime.unknown", "uptime cannot be computed from this log")
    least = policy.duration_seconds_min
    if least is not None and (run_seconds is None or run_seconds + policy.duration_slack_seconds < least):
        seen = "unknown" if run_seconds is None else f"{run_seconds:,.1f} s"
        yield _incident(
            Status.FAIL, "log.duration.short", f"the run time is {seen}, {least:,.0f} s are required",
            observed=run_seconds, limit=least,
        )  # fmt: skip
    if tally.coverage.width >= _nanos(policy.gaps.warn_minutes):
        yield _incident(
            Status.UNKNOWN, "log.coverage.coarse",
            "the times in the log are spread so wide that silences of the warn limit cannot be seen",
        )  # fmt: skip
    dropped = tally.errors.dropped + tally.warnings.dropped + tally.content.dropped
    if dropped:
        yield _incident(
            Status.WARN, "incident.overflow", f"{dropped:,} lines belong to findings beyond the first "
            f"{policy.fingerprints_kept_max:,} kept; they are counted, not listed", lines=dropped,
        )  # fmt: skip
    if tally.naive:
        yield _incident(Status.PASS, "log.timestamp.naive", f"{tally.naive:,} times without zone were read as UTC")
    if window is None:
        yield _incident(
            Status.PASS, "log.window.unproved", "start and stop of the run are not known: head and tail are not judged"
        )


def _incident(severity: Status, code: str, summary: str, **metadata: float | int | str | None) -> LogIncident:
    context: Json = {"code": code, **{key: value for key, value in metadata.items() if value is not None}}
    return LogIncident(severity=severity, summary=summary, fingerprint=code, metadata=context)


def _nanos(minutes: float) -> int:
    return round(minutes * SECONDS_PER_MINUTE * NANOS_PER_SECOND)


def _time_source(tally: Tally) -> str:
    """Say whose times were used: the harness's on arrival (measured) or the lines' own (attested)."""
    match (bool(tally.measured), bool(tally.attested)):
        case (True, False):
            return "measured"
        case (False, True):
            return "attested"
        case (True, True):
            return "mixed"
        case _:
            return "none"
