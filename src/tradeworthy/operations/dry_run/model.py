"""The frozen vocabulary of the final dry run: words on the wire and the artefacts that carry them.

Stamps are timezone-aware datetimes (UTC, `...Z` on the wire); durations are seconds of the monotonic clock.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

import msgspec

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.desk_facts import DeskFacts

SCHEMA_PROGRESS = "dry_run.progress@1"
SCHEMA_RUN_STATE = "dry_run.run_state@1"
SCHEMA_SUMMARY = "dry_run.summary@1"
PLACEHOLDER = "waiting"
"""Status of a performance file that a runtime made before it knew anything: it is no evidence."""
DOCUMENT_BYTES_MAX = 16 * 1_048_576
"""A performance file above this is not read."""
NANOS_PER_MICRO = 1_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Stamp = Annotated[datetime, msgspec.Meta(tz=True)]
Json = dict[str, Any]
"""A mapping that came from outside or goes to people only; nothing is decided by its keys."""


class Status(StrEnum):
    """How a run or one of its artefacts stands; the last four are the severity ladder's words."""

    STARTING = "starting"
    RUNNING = "running"
    PASS = "pass"
    WARN = "warn"
    UNKNOWN = "unknown"
    FAIL = "fail"

    @property
    def severity(self) -> Severity:
        """Return the rung of this word; a run that is not judged yet is OK so far."""
        return _RUNGS[self]


class Phase(StrEnum):
    """Where a run is in its life."""

    STARTUP = "startup"
    RUNNING = "running"
    COMPLETE = "complete"


class RunClass(StrEnum):
    """What a run may be used for; the live gate accepts `release` only."""

    REHEARSAL = "rehearsal"
    RELEASE = "release"


class IncidentState(StrEnum):
    """Whether the condition still holds."""

    OPEN = "open"
    CLOSED = "closed"


_RUNGS = {
    Status.STARTING: Severity.OK, Status.RUNNING: Severity.OK, Status.PASS: Severity.OK, Status.WARN: Severity.WARN,
    Status.UNKNOWN: Severity.UNKNOWN, Status.FAIL: Severity.FAIL,
}  # fmt: skip
_WORDS = (Status.PASS, Status.WARN, Status.UNKNOWN, Status.FAIL)


def status_of(severity: Severity) -> Status:
    """Return the wire word of a severity: pass, warn, unknown, fail."""
    return _WORDS[severity]


def worst_status(*statuses: Status) -> Status:
    """Return the worst judged word; nothing judged is `unknown`, never `pass`."""
    return status_of(max((one.severity for one in statuses), default=Severity.UNKNOWN))


def stamp(nanos: int) -> datetime:
    """Return nanoseconds UTC since the epoch as a stamp; microseconds are kept."""
    return EPOCH + timedelta(microseconds=nanos // NANOS_PER_MICRO)


def nanos_of(moment: datetime) -> int:
    """Return a stamp as nanoseconds UTC since the epoch; a naive stamp is UTC."""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return (aware - EPOCH) // timedelta(microseconds=1) * NANOS_PER_MICRO


class Relaxation(msgspec.Struct, frozen=True, kw_only=True):
    """A switch that made the run easier to pass; for class release it needs a waiver with its code."""

    code: str
    switch: str
    waiver_id: str | None = None

    def told(self) -> str:
        """Return the switch with what covers it, as every artefact says it."""
        return f"{self.switch} ({'no waiver' if self.waiver_id is None else f'waiver {self.waiver_id}'})"


class IncidentMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen against what was allowed."""

    component: str
    observed: float | int | str | None = None
    limit: float | int | str | None = None
    unit: str | None = None
    runbook: str = "docs/runbooks/final_dry_run.md"


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One episode or one deduplicated finding; `id` is stable over its updates, `planned` ones are not counted."""

    id: str
    code: str
    severity: Status
    state: IncidentState
    occurred_at: Stamp
    closed_at: Stamp | None = None
    count: int = 1
    message: str
    metadata: IncidentMetadata
    planned: bool = False


class LinePayload(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the harness measured about a line, and the line: parsed when it was a JSON object, else raw."""

    stream: str
    ingested_at: Stamp
    monotonic_ns: int
    structured: Json | None = None
    raw: str | None = None
    truncated: bool = False
    original_bytes: int | None = None


class StructuredLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the structured log; `timestamp` is the line's own when it had one, else the arrival."""

    timestamp: Stamp
    level: str
    event: str
    message: str
    stream: str
    payload: LinePayload


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """Uptime so far (DR-07); `source` is `heartbeat`, `lines` or `none`, `ratio` None when not computable."""

    source: str = "none"
    interval_seconds: float = 10.0
    beats: int = 0
    up_seconds: float = 0.0
    ratio: float | None = None
    last_at: Stamp | None = None


class ResourceSample(msgspec.Struct, frozen=True, kw_only=True):
    """The process tree at one moment; None is not measurable. CPU: 100 % is one core."""

    at: Stamp
    cpu_percent: float | None = None
    memory_mb: float | None = None
    memory_percent: float | None = None
    descriptors: int | None = None
    threads: int | None = None
    processes: int | None = None
    disk_free_mb: float | None = None


class ResourcePeaks(msgspec.Struct, frozen=True, kw_only=True):
    """The highest values with their times."""

    peak_cpu_percent: float | None = None
    peak_cpu_percent_timestamp: Stamp | None = None
    peak_memory_mb: float | None = None
    peak_memory_mb_timestamp: Stamp | None = None
    peak_memory_percent: float | None = None
    peak_memory_percent_timestamp: Stamp | None = None


class Resources(msgspec.Struct, frozen=True, kw_only=True):
    """The progress file's view of the process tree."""

    last: ResourceSample | None = None
    peak: ResourcePeaks = ResourcePeaks()


class ResourceMonitorReport(ResourcePeaks, frozen=True, kw_only=True):
    """What the resource monitor did and saw; `reason` says why it was off."""

    enabled: bool = False
    reason: str | None = None
    interval_seconds: float = 0.0
    violation_severity: Status = Status.FAIL
    thresholds: dict[str, float] = {}
    samples: int = 0
    last_sample: ResourceSample | None = None


class ClockOffset(msgspec.Struct, frozen=True, kw_only=True):
    """How far the wall clock is from true time, and how that is known; `seconds` None is not measured."""

    seconds: float | None = None
    source: str = "none"


class Hashes(msgspec.Struct, frozen=True, kw_only=True):
    """Digests of what ran; None is not known."""

    code: str | None = None
    config: str | None = None
    limits: str | None = None
    models: str | None = None


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """One file pair of the evidence log, in order; digests are written on close."""

    number: int
    structured_path: str
    raw_path: str
    started_at: Stamp
    ended_at: Stamp | None = None
    lines: int = 0
    structured_sha256: str | None = None
    raw_sha256: str | None = None


class Boot(msgspec.Struct, frozen=True, kw_only=True):
    """One stretch of observation between start and stop of a harness; a resumed run has several."""

    boot_id: str
    started_at: Stamp
    ended_at: Stamp | None = None
    run_seconds: float = 0.0
    outage_seconds: float = 0.0


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A judged statement of sign-off."""

    severity: Status
    code: str
    message: str
    metadata: Json = {}


class SignOffCriteria(msgspec.Struct, frozen=True, kw_only=True):
    """What a run must have met."""

    minimum_duration_seconds: float = 72 * 3600.0
    minimum_uptime_ratio: float = 0.98
    require_diary: bool = True
    require_performance: bool = True
    allow_warnings: bool = False
    minimum_sharpe_ratio: float | None = None


class SignOff(msgspec.Struct, frozen=True, kw_only=True):
    """The computed sign-off of section 8."""

    evaluated_at: Stamp
    status: Status
    criteria: SignOffCriteria
    findings: tuple[Finding, ...] = ()


class LogIncident(msgspec.Struct, frozen=True, kw_only=True):
    """One fingerprint of error, warning or content, with its first example."""

    severity: Status
    occurred_at: Stamp | None = None
    last_at: Stamp | None = None
    count: int = 1
    summary: str
    fingerprint: str = ""
    metadata: Json = {}


class GapIncident(msgspec.Struct, frozen=True, kw_only=True):
    """A silence in the log; `position` is head, inside or tail."""

    severity: Status
    started_at: Stamp
    ended_at: Stamp
    seconds: float
    position: str = "inside"


class LogSection(msgspec.Struct, frozen=True, kw_only=True):
    """What the log shows; `error` is set when the section could not be judged."""

    status: Status
    records: int = 0
    ignored_lines: int = 0
    level_counts: dict[str, int] = {}
    event_counts: dict[str, int] = {}
    started_at: Stamp | None = None
    ended_at: Stamp | None = None
    duration_seconds: float | None = None
    uptime_ratio: float | None = None
    uptime_source: str = "none"
    gap_incidents: tuple[GapIncident, ...] = ()
    content_incidents: tuple[LogIncident, ...] = ()
    warnings: tuple[LogIncident, ...] = ()
    errors: tuple[LogIncident, ...] = ()
    time_source: str = "none"
    window_proved: bool = False
    error: str | None = None


class DiaryIssue(msgspec.Struct, frozen=True, kw_only=True):
    """One issue of the decision diary."""

    entry_id: str
    policy_id: str | None = None
    recorded_at: Stamp | None = None
    severity: Status
    reason: str
    metadata: Json = {}


class DiarySection(msgspec.Struct, frozen=True, kw_only=True):
    """What the decision diary shows."""

    status: Status
    total_entries: int = 0
    malformed_lines: int = 0
    policy_counts: dict[str, int] = {}
    first_recorded_at: Stamp | None = None
    last_recorded_at: Stamp | None = None
    issues: tuple[DiaryIssue, ...] = ()
    error: str | None = None


class SharpeStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """How little a Sharpe ratio says (DR-34); None is not computable."""

    daily_returns: int = 0
    standard_error: float | None = None
    probabilistic_sharpe: float | None = None
    minimum_track_record_days: float | None = None
    point_estimate_only: bool = True


class PerformanceSection(msgspec.Struct, frozen=True, kw_only=True):
    """What the performance file shows; a missing aggregate is None, never zero."""

    status: Status
    generated_at: Stamp | None = None
    period_start: Stamp | None = None
    window_duration_seconds: float | None = None
    total_trades: int | None = None
    roi: float | None = None
    win_rate: float | None = None
    sharpe_ratio: float | None = None
    sharpe_statistics: SharpeStatistics | None = None
    metadata: Json = {}
    issues: tuple[Finding, ...] = ()
    error: str | None = None


class RunMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """What the harness measured of the run; `user` keys stand beside the others on the wire."""

    command: tuple[str, ...] = ()
    started_at: Stamp | None = None
    ended_at: Stamp | None = None
    exit_code: int | None = None
    timed_out: bool = False
    target_duration_seconds: float | None = None
    actual_duration_seconds: float | None = None
    segments: tuple[Segment, ...] = ()
    boots: tuple[Boot, ...] = ()
    log_path: str | None = None
    raw_log_path: str | None = None
    structured_log_paths: tuple[str, ...] = ()
    raw_log_paths: tuple[str, ...] = ()
    log_line_counts: dict[str, int] = {}
    log_level_counts: dict[str, int] = {}
    log_total_lines: int = 0
    progress_path: str | None = None
    harness_incidents: tuple[Incident, ...] = ()
    clock_offset: ClockOffset = ClockOffset()
    hashes: Hashes = Hashes()
    heartbeat: Heartbeat = Heartbeat()
    resource_monitor: ResourceMonitorReport | None = None
    desk: DeskFacts | None = None
    user: dict[str, str] = {}
