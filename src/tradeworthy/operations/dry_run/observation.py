"""What a harness saw of a run, as the artefacts show it: progress while it lasts, checkpoint each second, metadata."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import psutil

from tradeworthy.operations.dry_run.artefacts import LineCounts, Progress, RunState
from tradeworthy.operations.dry_run.incidents import IncidentBook
from tradeworthy.operations.dry_run.model import (
    Boot,
    ClockOffset,
    Heartbeat,
    Phase,
    ResourceMonitorReport,
    Resources,
    RunClass,
    RunMetadata,
    Stamp,
    Status,
    stamp,
    status_of,
)
from tradeworthy.operations.dry_run.recorder import Recorder
from tradeworthy.operations.dry_run.segments import SegmentedLog
from tradeworthy.operations.dry_run.settings import RunSettings
from tradeworthy.operations.dry_run.uptime import Uptime

PROGRESS_INCIDENTS_MAX = 200
"""The progress file shows the newest; `incidents.jsonl` has all."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """A run that is over, or was cut off: measured facts only, no judgement of evidence."""

    started_at: Stamp
    ended_at: Stamp
    run_seconds: float
    heartbeat: Heartbeat
    exit_code: int | None
    stop_requested: bool
    forced: bool
    interrupted: bool
    state: RunState
    metadata: RunMetadata
    resources: Resources


class View:
    """Reads the living parts of a run under their lock and lays them out."""

    def __init__(
        self, settings: RunSettings, *, recorder: Recorder, log: SegmentedLog, uptime: Uptime, book: IncidentBook,
        lock: threading.RLock, started_at: int, carried: RunState | None, wall_at: Callable[[int], int],
    ) -> None:  # fmt: skip
        self._wall_at = wall_at
        self._settings = settings
        self._recorder = recorder
        self._log = log
        self._uptime = uptime
        self._book = book
        self._lock = lock
        self._started = stamp(started_at)
        self._carried = carried
        self.boot = boot_id()
        self.outage_seconds = 0.0

    def heartbeat(self, monotonic: int) -> Heartbeat:
        """Return uptime so far."""
        with self._lock:
            seen = self._uptime.read(monotonic, outage_seconds=self.outage_seconds + self._carried_outage())
        last = None if seen.last is None else stamp(self._wall_at(seen.last))
        return Heartbeat(
            source=seen.source, interval_seconds=self._settings.policy.heartbeat_interval_seconds, beats=seen.beats,
            up_seconds=round(seen.up_seconds, 6), ratio=seen.ratio, last_at=last,
        )  # fmt: skip

    def progress(
        self, *, monotonic: int, wall: int, status: Status, phase: Phase, resources: Resources,
        run_class: RunClass = RunClass.REHEARSAL,
    ) -> Progress:  # fmt: skip
        """Return the live snapshot."""
        settings = self._settings
        policy = settings.policy
        heartbeat = self.heartbeat(monotonic)
        with self._lock:
            lines = self.line_counts()
            return Progress(
                run_id=settings.run_id, run_class=run_class, status=status, phase=phase, now=stamp(wall),
                started_at=self._first_start(), elapsed_seconds=round(self._uptime.run_seconds(monotonic), 6),
                target_duration_seconds=policy.target_seconds, required_duration_seconds=policy.required_seconds,
                total_lines=lines.stdout + lines.stderr, line_counts=lines, level_counts=self.level_counts(),
                first_line_at=None if self._recorder.first_line is None else stamp(self._recorder.first_line),
                last_line_at=self._last_line(), command=settings.command,
                minimum_uptime_ratio=policy.uptime_ratio_min, require_diary_evidence=policy.diary_required,
                require_performance_evidence=policy.performance_required,
                highest_severity=status_of(self._book.highest), segment=self._log.number, heartbeat=heartbeat,
                resources=resources, relaxations=settings.relaxations(),
                incidents=self._book.all()[-PROGRESS_INCIDENTS_MAX:], config_metadata=settings.metadata,
            )  # fmt: skip

    def state(
        self, *, monotonic: int, wall: int, spawned: int | None, stop_requested: bool, complete: bool,
        exit_code: int | None,
    ) -> RunState:  # fmt: skip
        """Return the checkpoint."""
        heartbeat = self.heartbeat(monotonic)
        with self._lock:
            run_seconds = round(self._uptime.run_seconds(monotonic), 6)
            return RunState(
                run_id=self._settings.run_id, boot_id=self.boot, segment=self._log.number, now=stamp(wall),
                monotonic_ns=monotonic, started_at=self._first_start(), spawned_monotonic_ns=spawned,
                stop_requested=stop_requested, complete=complete, run_seconds=run_seconds,
                carried_run_seconds=0.0 if self._carried is None else self._carried.run_seconds,
                carried_up_seconds=0.0 if self._carried is None else self._carried.heartbeat.up_seconds,
                heartbeat=heartbeat, last_line_at=self._last_line(), line_counts=self.line_counts(),
                level_counts=self.level_counts(), segments=self._log.segments(), boots=self.boots(wall, run_seconds),
                resumptions=0 if self._carried is None else self._carried.resumptions + 1,
                command=self._settings.command, settings=self._settings.stored(),
                hashes=self._settings.hashes, highest_severity=status_of(self._book.highest), exit_code=exit_code,
            )  # fmt: skip

    def metadata(
        self, *, monotonic: int, wall: int, exit_code: int | None, timed_out: bool, clock_offset: ClockOffset,
        monitor: ResourceMonitorReport,
    ) -> RunMetadata:  # fmt: skip
        """Return the measured part of the summary."""
        settings = self._settings
        heartbeat = self.heartbeat(monotonic)
        segments = self._log.segments()
        lines = self.line_counts()
        counts = {"stdout": lines.stdout, "stderr": lines.stderr}
        seen = self._recorder
        odd = {"invalid_utf8": seen.invalid_utf8, "truncated": seen.truncated, "naive_timestamps": seen.naive_times}
        run_seconds = round(self._uptime.run_seconds(monotonic), 6)
        return RunMetadata(
            command=settings.command, started_at=self._first_start(), ended_at=stamp(wall), exit_code=exit_code,
            timed_out=timed_out, target_duration_seconds=settings.policy.target_seconds,
            actual_duration_seconds=run_seconds, segments=segments, boots=self.boots(wall, run_seconds),
            log_path=segments[-1].structured_path if segments else None,
            raw_log_path=segments[-1].raw_path if segments else None,
            structured_log_paths=tuple(one.structured_path for one in segments),
            raw_log_paths=tuple(one.raw_path for one in segments),
            log_line_counts=counts | {name: count for name, count in odd.items() if count},
            log_level_counts=self.level_counts(), log_total_lines=lines.stdout + lines.stderr,
            progress_path=str(settings.paths.progress), harness_incidents=self._book.all(), clock_offset=clock_offset,
            hashes=settings.hashes, heartbeat=heartbeat, resource_monitor=monitor, user=settings.metadata,
        )  # fmt: skip

    def line_counts(self) -> LineCounts:
        """Return lines a stream over all boots."""
        before = LineCounts() if self._carried is None else self._carried.line_counts
        counts = self._recorder.line_counts
        return LineCounts(stdout=before.stdout + counts["stdout"], stderr=before.stderr + counts["stderr"])

    def level_counts(self) -> dict[str, int]:
        """Return lines a level over all boots, by name."""
        total = dict({} if self._carried is None else self._carried.level_counts)
        for level, count in dict(self._recorder.level_counts).items():
            total[level] = total.get(level, 0) + count
        return dict(sorted(total.items()))

    def boots(self, wall: int, run_seconds: float) -> tuple[Boot, ...]:
        """Return the stretches of observation, this one last."""
        before = () if self._carried is None else self._carried.boots
        carried = 0.0 if self._carried is None else self._carried.run_seconds
        own = Boot(
            boot_id=self.boot, started_at=self._started, ended_at=stamp(wall),
            run_seconds=round(run_seconds - carried, 6), outage_seconds=self.outage_seconds,
        )  # fmt: skip
        return (*before, own)

    def _carried_outage(self) -> float:
        return 0.0 if self._carried is None else sum(one.outage_seconds for one in self._carried.boots)

    def _last_line(self) -> Stamp | None:
        return None if self._recorder.last_line is None else stamp(self._recorder.last_line)

    def _first_start(self) -> Stamp:
        return self._started if self._carried is None else self._carried.started_at


def boot_id() -> str:
    """Return the id of this boot of the host."""
    if BOOT_ID.exists():
        return BOOT_ID.read_text().strip()
    return f"{os.uname().nodename}-{int(psutil.boot_time())}"
