"""Every number that the audit of evidence may be run with."""

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import UsageError
from tradeworthy.operations.dry_run.model import Status
from tradeworthy.operations.dry_run.policy import SECONDS_PER_MINUTE, GapPolicy

MIB = 1_048_576


class ScanPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How files are read; none of these numbers changes a result, but for lines above `line_bytes_max`."""

    block_bytes: int = MIB // 4
    line_bytes_max: int = 8 * MIB
    coverage_bytes_max: int = 8 * MIB
    compiled_bytes_min: int = 32 * MIB
    """Smaller logs are read by the general parser: it is faster than waking the compiler."""
    readers: int = 2
    range_bytes: int = 32 * MIB
    """What a reader fetches at a time, where there are several."""


class AuditPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How a log is judged; a limit of None is not judged."""

    gaps: GapPolicy = GapPolicy()
    heartbeat_interval_seconds: float = 10.0
    silence_intervals: float = 3.0
    uptime_ratio_min: float | None = None
    duration_seconds_min: float | None = None
    duration_slack_seconds: float = 0.1
    ignored_ratio_warn: float = 0.01
    ignored_ratio_fail: float = 0.10
    stderr_plain_severity: Status = Status.FAIL
    fingerprints_kept_max: int = 1_000
    events_kept_max: int = 1_000
    beats_max: int = 524_288
    scan: ScanPolicy = ScanPolicy()

    def __post_init__(self) -> None:
        if not 0 < self.gaps.warn_minutes <= self.gaps.fail_minutes:
            raise UsageError(
                "gap limits must be above 0 and the one for fail not below the one for warn, were "
                f"{self.gaps.warn_minutes:g} and {self.gaps.fail_minutes:g} minutes"
            )

    @property
    def silence_nanos(self) -> int:
        """Return the longest time that one beat covers."""
        return round(self.silence_intervals * self.heartbeat_interval_seconds * NANOS_PER_SECOND)

    @property
    def cell_nanos(self) -> int:
        """Return the resolution of coverage: a second, or a tenth of the tightest limit when that is less."""
        tightest = min(self.gaps.warn_minutes * SECONDS_PER_MINUTE, self.silence_nanos / NANOS_PER_SECOND)
        return max(1_000, round(min(1.0, tightest / 10) * NANOS_PER_SECOND))


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """The time under judgement, nanoseconds UTC: spawn to stop request. `source` says who measured it.

    run_seconds   the monotonic run time, None when only stamps are known
    """

    start: int
    stop: int
    source: str = "switch"
    run_seconds: float | None = None
