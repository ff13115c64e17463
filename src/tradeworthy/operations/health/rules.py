"""One rule a check of the desk's surroundings: sessions, data, telemetry, stores, clock, scheduler (HLT-03)."""

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.health.facts import (
    ClockView,
    Dependency,
    Exporters,
    Judged,
    MarketData,
    Members,
    SchedulerView,
    Sessions,
)
from tradeworthy.operations.health.policy import HealthPolicy
from tradeworthy.operations.health.report import Verdict

OK, WARN, UNKNOWN, FAIL = Severity.OK, Severity.WARN, Severity.UNKNOWN, Severity.FAIL
NAMES_SHOWN_MAX = 8


def sessions(seen: Sessions, policy: HealthPolicy, now: int) -> Verdict:
    """Judge sessions: none FAIL, fewer than expected or a silent one WARN."""
    if seen.open is None:
        return Verdict(UNKNOWN, "nobody knows how many sessions are open", unit="sessions")
    if seen.open == 0:
        return Verdict(FAIL, "no session is open", 0, seen.expected or 1, "sessions")
    if seen.expected is not None and seen.open < seen.expected:
        return Verdict(WARN, f"{seen.open} of {seen.expected} sessions are open", seen.open, seen.expected, "sessions")
    if seen.last_message_at is None:
        return Verdict(WARN, f"{seen.open} sessions are open and none has spoken yet", seen.open, None, "sessions")
    return _aged("the last message", seen.last_message_at, policy.session_idle_seconds, None, policy, now)


def market_data(seen: MarketData, policy: HealthPolicy, now: int) -> Verdict:
    """Judge the ages of ingest and decision; the worse one is shown, one that is expected and absent is UNKNOWN."""
    verdicts = []
    if seen.ingest_expected:
        limits = policy.ingest_warn_seconds, policy.ingest_fail_seconds
        verdicts.append(_aged("the last ingest", seen.ingest_at, *limits, policy, now))
    if seen.decision_expected:
        limits = policy.decision_warn_seconds, policy.decision_fail_seconds
        verdicts.append(_aged("the last decision", seen.decision_at, *limits, policy, now))
    if not verdicts:
        return Verdict(UNKNOWN, "neither ingest nor decisions are expected: nothing to judge")
    return max(verdicts, key=lambda one: one.severity)


def telemetry_exporters(seen: Exporters, policy: HealthPolicy, now: int) -> Verdict:
    """Judge how telemetry leaves: a broker without its publisher FAIL, an idle bus WARN."""
    if seen.broker_expected and seen.publisher is None:
        return Verdict(UNKNOWN, "nobody knows whether the broker has its publisher", "unknown", "present")
    if seen.broker_expected and not seen.publisher:
        return Verdict(FAIL, "a broker is expected and has no publisher", "absent", "present")
    if seen.published_at is None:
        return Verdict(WARN, "nothing was published yet", None, policy.bus_idle_seconds, "s")
    return _aged("the last publication", seen.published_at, policy.bus_idle_seconds, None, policy, now)


def clock(seen: ClockView, policy: HealthPolicy, now: int) -> Verdict:
    """Judge drift against its limit and the true offset against the venue's tolerance."""
    del now
    if seen.drift_ns is None:
        return Verdict(UNKNOWN, "the clock's drift was not measured yet", None, policy.clock_drift_seconds, "s")
    drift = abs(seen.drift_ns) / NANOS_PER_SECOND
    if drift >= policy.clock_drift_seconds:
        return Verdict(FAIL, f"the wall clock left the monotonic one by {drift:.3f} s", drift,
                       policy.clock_drift_seconds, "s")  # fmt: skip
    if not seen.offset_expected:
        return Verdict(OK, f"the wall clock drifts by {drift:.3f} s; no time source is expected", drift,
                       policy.clock_drift_seconds, "s")  # fmt: skip
    if seen.offset_ns is None:
        return Verdict(UNKNOWN, "no time source can be read", None, policy.clock_offset_seconds, "s")
    offset, tolerance = abs(seen.offset_ns) / NANOS_PER_SECOND, policy.clock_offset_seconds
    warn = tolerance * policy.clock_offset_warn_share
    severity = FAIL if offset >= tolerance else WARN if offset >= warn else OK
    limit = tolerance if severity is FAIL else warn
    return Verdict(severity, f"the clock is off by {offset:.3f} s", offset, limit, "s")


def dependency(seen: Dependency, policy: HealthPolicy, now: int) -> Verdict:
    """Judge a store: not reachable FAIL, degraded WARN."""
    del policy, now
    if seen.reachable is None:
        return Verdict(UNKNOWN, "it has not answered yet", "unknown", "reachable")
    if not seen.reachable:
        return Verdict(FAIL, "it does not answer", "unreachable", "reachable")
    if seen.degraded:
        return Verdict(WARN, f"it answers, degraded: {seen.degraded}", "degraded", "reachable")
    return Verdict(OK, "it answers", "reachable", "reachable")


def scheduler(seen: SchedulerView, policy: HealthPolicy, now: int) -> Verdict:
    """Judge the scheduler: not running FAIL, a late job WARN."""
    del policy, now
    if seen.running is None:
        return Verdict(UNKNOWN, "nobody knows whether the scheduler runs", "unknown", "running")
    if not seen.running:
        return Verdict(FAIL, "the scheduler does not run", "stopped", "running")
    late = len(seen.overdue)
    return Verdict(WARN if late else OK, f"late: {names(seen.overdue)}" if late else "no job is late", late, 1, "jobs")


def judged(seen: Judged, policy: HealthPolicy, now: int) -> Verdict:
    """Take over what its own assessment says."""
    del policy, now
    severity = UNKNOWN if seen.severity is None else seen.severity
    return Verdict(severity, seen.summary or "not judged yet", seen.observed, seen.limit, seen.unit)


def members(seen: Members, policy: HealthPolicy, now: int) -> Verdict:
    """Judge a set: one that is not well WARN, none that is well FAIL."""
    del policy, now
    if seen.total is None:
        return Verdict(UNKNOWN, "nobody has counted them")
    bad = len(seen.unwell)
    if seen.total and bad >= seen.total:
        return Verdict(FAIL, f"none of {seen.total} is well: {names(seen.unwell)}", bad, seen.total)
    if bad:
        return Verdict(WARN, f"{bad} of {seen.total} not well: {names(seen.unwell)}", bad, 1)
    return Verdict(OK, f"{seen.total} are well", 0, 1)


def names(known: tuple[str, ...]) -> str:
    """Return names for people, the first few of many."""
    more = f" and {len(known) - NAMES_SHOWN_MAX} more" if len(known) > NAMES_SHOWN_MAX else ""
    return ", ".join(known[:NAMES_SHOWN_MAX]) + more


def _aged(
    what: str, at: int | None, warn_s: float, fail_s: float | None, policy: HealthPolicy, now: int
) -> Verdict:
    """Judge an age against its limits; a time ahead of now is FAIL, none at all UNKNOWN."""
    if at is None:
        return Verdict(UNKNOWN, f"{what}: none yet", None, warn_s, "s")
    age = (now - at) / NANOS_PER_SECOND
    if -age > policy.future_seconds_max:
        return Verdict(FAIL, f"{what} lies {-age:.0f} s in the future", age, -policy.future_seconds_max, "s")
    age = max(0.0, age)
    if fail_s is not None and age >= fail_s:
        return Verdict(FAIL, f"{what} is {age:.0f} s ago", age, fail_s, "s")
    return Verdict(WARN if age >= warn_s else OK, f"{what} is {age:.0f} s ago", age, warn_s, "s")
