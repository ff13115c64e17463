"""What the harness does again and again while the command runs: look at evidence, silence, pressure and resources."""

from pathlib import Path

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run import freshness
from tradeworthy.operations.dry_run.command import ObservedCommand
from tradeworthy.operations.dry_run.incidents import IncidentBook
from tradeworthy.operations.dry_run.model import IncidentMetadata
from tradeworthy.operations.dry_run.policy import SECONDS_PER_MINUTE, FreshnessPolicy, HarnessPolicy
from tradeworthy.operations.dry_run.resources import ResourceMonitor


class Every:
    """A duty's schedule on the monotonic clock: due at once, then at each interval; a late one is not repeated."""

    def __init__(self, seconds: float, *, first: int) -> None:
        self._interval = max(1, round(seconds * NANOS_PER_SECOND))
        self.next = first

    def due(self, at: int) -> bool:
        """Tell whether the duty is due, and set its next time."""
        if at < self.next:
            return False
        self.next += self._interval * (1 + (at - self.next) // self._interval)
        return True


class EvidenceWatch:
    """Freshness of diary and performance file, an episode each."""

    def __init__(self, policy: HarnessPolicy, diary: Path | None, performance: Path | None, book: IncidentBook) -> None:
        watched: list[tuple[str, Path | None, FreshnessPolicy]] = [
            ("diary", diary, policy.diary_freshness), ("performance", performance, policy.performance_freshness),
        ]  # fmt: skip
        self._files = [(name, path, limits) for name, path, limits in watched if path is not None]
        self._grace = policy.evidence_initial_grace_minutes * SECONDS_PER_MINUTE
        self._book = book

    def look(self, *, now: int, at: int, since_start_seconds: float) -> None:
        """Judge both files at wall time `now`; before the grace is over only the future is judged."""
        for name, path, limits in self._files:
            verdict = freshness.judge(
                name, freshness.look(path), limits, now=now, since_start_seconds=since_start_seconds
            )
            future = verdict.age_seconds is None
            if not future and since_start_seconds < self._grace:
                continue
            for code, mine in ((f"evidence.{name}.stale", not future), (f"evidence.{name}.future", future)):
                self._book.judge(
                    code, verdict.severity if mine else Severity.OK, verdict.message, at=at,
                    metadata=IncidentMetadata(
                        component=name, limit=verdict.limit_seconds, unit="s",
                        observed=None if verdict.age_seconds is None else round(verdict.age_seconds, 3),
                    ),
                )  # fmt: skip


class LiveGapAlert:
    """Silence of the log while the command runs, from the spawn on (DR-10)."""

    def __init__(self, policy: HarnessPolicy, book: IncidentBook) -> None:
        minutes = policy.live_gap_alert_minutes
        self._limit = None if minutes is None else minutes * SECONDS_PER_MINUTE
        self._severity = policy.live_gap_alert_severity.severity
        self._book = book

    def look(self, *, silence_seconds: float, at: int) -> None:
        """Judge the time since the last line, or since the spawn when there is none."""
        if self._limit is None:
            return
        reached = silence_seconds >= self._limit
        self._book.judge(
            "log.silence", self._severity if reached else Severity.OK,
            f"no line for {silence_seconds:.1f} s, limit {self._limit:g} s", at=at,
            metadata=IncidentMetadata(
                component="log", observed=round(silence_seconds, 3), limit=self._limit, unit="s"
            ),
        )  # fmt: skip


class PressureWatch:
    """How long a pump has been held because the disk does not keep up (DR-04)."""

    def __init__(self, policy: HarnessPolicy, book: IncidentBook) -> None:
        self._warn = policy.pumps.back_pressure_warn_seconds
        self._fail = policy.pumps.back_pressure_fail_seconds
        self._book = book

    def look(self, *, held_seconds: float, at: int) -> None:
        """Judge the time the longest held pump has been waiting."""
        severity, limit = Severity.OK, self._warn
        if held_seconds >= self._fail:
            severity, limit = Severity.FAIL, self._fail
        elif held_seconds >= self._warn:
            severity = Severity.WARN
        self._book.judge(
            "log.back_pressure", severity, f"the command was held for {held_seconds:.1f} s, limit {limit:g} s", at=at,
            metadata=IncidentMetadata(component="buffer", observed=round(held_seconds, 3), limit=limit, unit="s"),
        )  # fmt: skip


class ResourceWatch:
    """Sample the tree and hold it to its limits."""

    def __init__(self, policy: HarnessPolicy, book: IncidentBook, clock: Clock) -> None:
        self._book = book
        self._clock = clock
        self._at = 0
        self.monitor = ResourceMonitor(policy.resources, self._judge)

    def look(self, command: ObservedCommand, *, at: int, since_start_seconds: float) -> None:
        """Take one sample."""
        self._at = at
        self.monitor.take(command.sample(now=at), seconds=since_start_seconds)

    def _judge(
        self, metric: str, severity: Severity, message: str, observed: float | None, limit: float | None, unit: str
    ) -> None:
        self._book.judge(
            f"resource.{metric}", severity, message, at=self._at,
            metadata=IncidentMetadata(component="process_tree", observed=observed, limit=limit, unit=unit),
        )  # fmt: skip
