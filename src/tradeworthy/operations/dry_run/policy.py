"""Every number of the dry run that may be chosen, with its default, its check and what it relaxes."""

import math

import msgspec

from tradeworthy.operations.dry_run.model import Relaxation, SignOffCriteria, Status

SECONDS_PER_MINUTE = 60.0
SECONDS_PER_HOUR = 3_600.0
RELEASE_HOURS_MIN = 72.0
RELEASE_LIVE_GAP_MINUTES_MAX = 15.0
TIER_UPTIME_RATIOS = (0.995, 0.999, 0.9999)
"""Uptime floors of the three tiers; class release asks for the floor of its own tier, the lowest when none is named."""


class GapPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Silences in the log, head and tail included; reached is breached."""

    warn_minutes: float = 60.0
    fail_minutes: float = 360.0


class FreshnessPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How old one evidence file may be; None is not judged."""

    warn_minutes: float | None = None
    fail_minutes: float | None = None

    @property
    def judged(self) -> bool:
        return self.warn_minutes is not None or self.fail_minutes is not None


class ResourcePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of the process tree; 100 % CPU is one core; None is no limit."""

    enabled: bool = True
    sample_interval_minutes: float = 1.0
    cpu_percent_max: float | None = None
    memory_mb_max: float | None = None
    memory_percent_max: float | None = None
    violation_severity: Status = Status.FAIL
    forecast_warn_hours: float = 24.0
    forecast_fail_hours: float = 2.0
    forecast_samples_min: int = 30
    forecast_span_minutes_min: float = 15.0

    @property
    def active(self) -> bool:
        return self.enabled and self.sample_interval_minutes > 0

    @property
    def thresholds(self) -> dict[str, float]:
        """Return the limits that are set, by their metric."""
        limits = (
            ("cpu_percent", self.cpu_percent_max), ("memory_mb", self.memory_mb_max),
            ("memory_percent", self.memory_percent_max),
        )  # fmt: skip
        return {name: limit for name, limit in limits if limit is not None}


class PumpPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Reading, holding and writing of the command's output."""

    chunk_bytes: int = 262_144
    small_read_bytes: int = 2_048
    small_read_pause_seconds: float = 0.05
    """After two reads below `small_read_bytes` a pump rests so long: the pipe itself gathers what comes meanwhile."""
    line_kib_max: int = 1_024
    buffer_bytes_max: int = 64 * 1_048_576
    back_pressure_warn_seconds: float = 5.0
    back_pressure_fail_seconds: float = 60.0
    restarts_max: int = 3
    flush_seconds: float = 5.0
    rotate_hours: float | None = None
    compress: bool = False
    compress_format: str = "gz"


class ResumePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How often and how long a run may be interrupted by its host."""

    resumptions_max: int = 3
    outage_minutes_max: float = 15.0


class PreflightPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Space a run needs before it may start."""

    free_gb_per_day: float = 1.5
    free_gb_per_day_compressed: float = 0.3
    headroom_ratio: float = 0.1


class HarnessPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How a command is run and judged; `relaxations()` names what makes this run easier to pass."""

    duration_hours: float = 72.0
    required_duration_hours: float | None = None
    uptime_ratio_min: float = 0.98
    heartbeat_interval_seconds: float = 10.0
    silence_intervals: float = 3.0
    progress_interval_minutes: float = 5.0
    checkpoint_seconds: float = 1.0
    shutdown_grace_seconds: float = 60.0
    duration_slack_seconds: float = 0.1
    log_monitor: bool = True
    stderr_plain_severity: Status = Status.FAIL
    gaps: GapPolicy = GapPolicy()
    live_gap_alert_minutes: float | None = None
    live_gap_alert_severity: Status = Status.WARN
    diary_required: bool = True
    performance_required: bool = True
    diary_freshness: FreshnessPolicy = FreshnessPolicy()
    performance_freshness: FreshnessPolicy = FreshnessPolicy()
    evidence_check_interval_minutes: float | None = None
    evidence_initial_grace_minutes: float = 15.0
    sharpe_ratio_min: float | None = None
    allow_warnings: bool = False
    fingerprints_max: int = 1_000
    pumps: PumpPolicy = PumpPolicy()
    resources: ResourcePolicy = ResourcePolicy()
    resume: ResumePolicy = ResumePolicy()
    preflight: PreflightPolicy = PreflightPolicy()

    @property
    def target_seconds(self) -> float:
        return self.duration_hours * SECONDS_PER_HOUR

    @property
    def required_seconds(self) -> float:
        hours = self.duration_hours if self.required_duration_hours is None else self.required_duration_hours
        return hours * SECONDS_PER_HOUR

    @property
    def silence_seconds(self) -> float:
        """Return the longest time that one beat covers."""
        return self.silence_intervals * self.heartbeat_interval_seconds

    @property
    def evidence_check_seconds(self) -> float:
        """Return the poll interval: as set, else a quarter of the tightest limit, else one minute."""
        if self.evidence_check_interval_minutes is not None:
            return self.evidence_check_interval_minutes * SECONDS_PER_MINUTE
        both = (self.diary_freshness, self.performance_freshness)
        limits = [limit for one in both for limit in (one.warn_minutes, one.fail_minutes) if limit is not None]
        return (min(limits) / 4 if limits else 1.0) * SECONDS_PER_MINUTE

    def sign_off_criteria(self) -> SignOffCriteria:
        """Return what sign-off will ask of the run."""
        return SignOffCriteria(
            minimum_duration_seconds=self.required_seconds, minimum_uptime_ratio=self.uptime_ratio_min,
            require_diary=self.diary_required, require_performance=self.performance_required,
            allow_warnings=self.allow_warnings, minimum_sharpe_ratio=self.sharpe_ratio_min,
        )  # fmt: skip

    def relaxations(self) -> tuple[Relaxation, ...]:
        """Name every switch that was set to make the run easier."""
        table = (
            (not self.log_monitor, "relaxation.log_monitor", "--no-log-monitor"),
            (not self.diary_required, "relaxation.diary", "--no-diary-required"),
            (not self.performance_required, "relaxation.performance", "--no-performance-required"),
            (self.allow_warnings, "relaxation.warnings", "--allow-warnings"),
            (not self.resources.enabled, "relaxation.resources", "--no-resource-monitor"),
        )
        return tuple(Relaxation(code=code, switch=switch) for on, code, switch in table if on)

    def contradictions(self) -> list[str]:
        """Say what is wrong with these numbers; empty when they can be used."""
        wrong = []
        positive = (
            ("--duration-hours", self.duration_hours), ("--required-duration-hours", self.required_duration_hours),
            ("--heartbeat-interval-seconds", self.heartbeat_interval_seconds),
            ("--log-rotate-hours", self.pumps.rotate_hours), ("--max-line-kib", self.pumps.line_kib_max),
            ("--live-gap-alert-minutes", self.live_gap_alert_minutes),
            ("--evidence-check-interval-minutes", self.evidence_check_interval_minutes),
            ("--warn-gap-minutes", self.gaps.warn_minutes), ("--fail-gap-minutes", self.gaps.fail_minutes),
            ("--diary-stale-warn-minutes", self.diary_freshness.warn_minutes),
            ("--diary-stale-fail-minutes", self.diary_freshness.fail_minutes),
            ("--performance-stale-warn-minutes", self.performance_freshness.warn_minutes),
            ("--performance-stale-fail-minutes", self.performance_freshness.fail_minutes),
            *((f"--resource-max-{name.replace('_', '-')}", limit) for name, limit in self.resources.thresholds.items()),
        )  # fmt: skip
        wrong += [
            f"{switch} must be a number above 0, was {value:g}"
            for switch, value in positive if value is not None and not (math.isfinite(value) and value > 0)
        ]  # fmt: skip
        never_negative = (
            ("--progress-interval-minutes", self.progress_interval_minutes),
            ("--shutdown-grace-seconds", self.shutdown_grace_seconds),
            ("--resource-sample-interval-minutes", self.resources.sample_interval_minutes),
            ("--evidence-initial-grace-minutes", self.evidence_initial_grace_minutes),
            ("--minimum-sharpe-ratio", self.sharpe_ratio_min),
        )
        wrong += [
            f"{switch} must be a number of at least 0, was {value:g}"
            for switch, value in never_negative if value is not None and not (math.isfinite(value) and value >= 0)
        ]  # fmt: skip
        if not 0 <= self.uptime_ratio_min <= 1:
            wrong.append(f"--minimum-uptime-ratio must be from 0 to 1, was {self.uptime_ratio_min:g}")
        pairs = (
            ("gap", self.gaps.warn_minutes, self.gaps.fail_minutes),
            ("diary-stale", self.diary_freshness.warn_minutes, self.diary_freshness.fail_minutes),
            ("performance-stale", self.performance_freshness.warn_minutes, self.performance_freshness.fail_minutes),
        )
        wrong += [
            f"the {name} limit for fail ({fail:g} min) must not be below the one for warn ({warn:g} min)"
            for name, warn, fail in pairs if warn is not None and fail is not None and fail < warn
        ]  # fmt: skip
        if self.target_seconds + self.duration_slack_seconds < self.required_seconds:
            wrong.append(
                f"--duration-hours ({self.duration_hours:g}) must reach --required-duration-hours "
                f"({self.required_seconds / SECONDS_PER_HOUR:g}), or the run can never be signed off"
            )
        return wrong
