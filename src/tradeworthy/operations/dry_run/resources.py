"""Watch the whole process tree (DR-11): samples, peaks with their times, limits as episodes, and a forecast."""

import contextlib
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import msgspec
import psutil

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.model import ResourceMonitorReport, ResourcePeaks, Resources, ResourceSample, stamp
from tradeworthy.operations.dry_run.policy import SECONDS_PER_HOUR, SECONDS_PER_MINUTE, ResourcePolicy

BYTES_PER_MB = 1_000_000
PROC = Path("/proc")
SEEN_MAX = 4_096
"""Processes remembered before those that are gone are forgotten: a command may fork for days."""
FORECAST_SAMPLES_KEPT = 240
UNITS = {"cpu_percent": "percent of a core", "memory_mb": "MB", "memory_percent": "percent"}

Judge = Callable[[str, Severity, str, float | None, float | None, str], None]
"""(metric, severity, message, observed, limit, unit) of one judgement; severity OK closes the episode."""


class TreeSampler(Protocol):
    """Measure the process tree below the observed command."""

    def sample(self, *, now: int) -> ResourceSample: ...


def bearers(mark: bytes) -> list[psutil.Process]:
    """Return the other processes that were given a variable, `NAME=value`."""
    found = []
    for pid in psutil.pids():
        if pid != os.getpid():
            with contextlib.suppress(psutil.Error, OSError):
                if mark in (PROC / str(pid) / "environ").read_bytes().split(b"\0"):
                    found.append(psutil.Process(pid))
    return found


class ProcessTree:
    """The tree of a process by psutil: its descendants, whatever else lives in its session, and whoever bears its mark.

    mark  `NAME=value`, a variable that only this command was given: a daemon that left session and parent still has it

    CPU is the share of one core since the last sample, so the first sample has none.
    """

    def __init__(self, pid: int, folder: Path, monotonic: Callable[[], int], *, mark: str | None = None) -> None:
        self._pid = pid
        self._mark = None if mark is None else mark.encode()
        self._folder = folder
        self._monotonic = monotonic
        self._cpu: dict[tuple[int, float], float] = {}
        self._at: int | None = None
        self.seen: dict[int, float] = {}

    def members(self) -> list[psutil.Process]:
        """Return the living processes of the tree."""
        found: dict[int, psutil.Process] = {}
        with contextlib.suppress(psutil.Error):
            leader = psutil.Process(self._pid)
            found = {one.pid: one for one in (leader, *leader.children(recursive=True))}
        for pid in psutil.pids():
            if pid not in found:
                with contextlib.suppress(psutil.Error, OSError):
                    if os.getsid(pid) == self._pid:
                        found[pid] = psutil.Process(pid)
        self._remember(found.values())
        return list(found.values())

    def marked(self) -> list[psutil.Process]:
        """Return the members and whoever else bears the mark; it looks into every process: not for each second."""
        found = {one.pid: one for one in self.members()}
        if self._mark is not None:
            found |= {one.pid: one for one in bearers(self._mark) if one.pid not in found}
        self._remember(found.values())
        return list(found.values())

    def survivors(self) -> list[psutil.Process]:
        """Return what still lives of everything that was ever seen in the tree, the leader left out."""
        alive = {one.pid: one for one in self.marked()}
        for pid, created in self.seen.items():
            with contextlib.suppress(psutil.Error):
                one = psutil.Process(pid)
                if one.create_time() == created:
                    alive[pid] = one
        return [one for pid, one in alive.items() if pid != self._pid and _lives(one)]

    def _remember(self, found: Iterable[psutil.Process]) -> None:
        for one in found:
            with contextlib.suppress(psutil.Error):
                self.seen[one.pid] = one.create_time()
        if len(self.seen) > SEEN_MAX:
            self.seen = {pid: created for pid, created in self.seen.items() if psutil.pid_exists(pid)}

    def sample(self, *, now: int) -> ResourceSample:
        """Measure the tree; what cannot be measured is None."""
        memory = descriptors = threads = count = 0
        share = 0.0
        cpu: dict[tuple[int, float], float] = {}
        at = self._monotonic()
        for process in self.marked():
            try:
                with process.oneshot():
                    memory += process.memory_info().rss
                    share += process.memory_percent()
                    threads += process.num_threads()
                    times = process.cpu_times()
                    cpu[(process.pid, process.create_time())] = times.user + times.system
                    count += 1
                with contextlib.suppress(psutil.Error, OSError):
                    descriptors += process.num_fds()
            except psutil.Error:
                continue
        used = None
        if self._at is not None and at > self._at and count:
            spent = sum(seconds - self._cpu.get(key, 0.0) for key, seconds in cpu.items())
            used = round(100.0 * spent / ((at - self._at) / NANOS_PER_SECOND), 3)
        self._cpu, self._at = cpu, at
        free = shutil.disk_usage(self._folder).free / BYTES_PER_MB
        if not count:
            return ResourceSample(at=stamp(now), disk_free_mb=round(free, 3))
        return ResourceSample(
            at=stamp(now), cpu_percent=used, memory_mb=round(memory / BYTES_PER_MB, 3), memory_percent=round(share, 3),
            descriptors=descriptors, threads=threads, processes=count, disk_free_mb=round(free, 3),
        )  # fmt: skip


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


class ResourceMonitor:
    """Keep peaks, judge limits and forecast exhaustion from the slope of the last samples."""

    def __init__(self, policy: ResourcePolicy, judge: Judge) -> None:
        self._policy = policy
        self._judge = judge
        self._samples = 0
        self._last: ResourceSample | None = None
        self._peaks = ResourcePeaks()
        self._series: dict[str, deque[tuple[float, float]]] = {
            name: deque(maxlen=FORECAST_SAMPLES_KEPT) for name in ("memory", "disk")
        }

    def take(self, sample: ResourceSample, *, seconds: float) -> None:
        """Judge one sample taken `seconds` after the start."""
        self._samples += 1
        self._last = sample
        for name in UNITS:
            value = getattr(sample, name)
            peak = getattr(self._peaks, f"peak_{name}")
            if value is not None and (peak is None or value > peak):
                change = {f"peak_{name}": value, f"peak_{name}_timestamp": sample.at}
                self._peaks = msgspec.structs.replace(self._peaks, **change)
        for name, limit in self._policy.thresholds.items():
            self._judge_limit(name, getattr(sample, name), limit)
        memory_limit = self._policy.memory_mb_max
        if sample.memory_mb is not None and memory_limit is not None:
            self._forecast("memory", seconds, memory_limit - sample.memory_mb)
        if sample.disk_free_mb is not None:
            self._forecast("disk", seconds, sample.disk_free_mb)

    def view(self) -> Resources:
        """Return the progress file's part."""
        return Resources(last=self._last, peak=self._peaks)

    def report(self, *, reason: str | None = None) -> ResourceMonitorReport:
        """Return the summary's part."""
        policy = self._policy
        return ResourceMonitorReport(
            enabled=policy.active and reason is None, reason=reason, samples=self._samples, last_sample=self._last,
            interval_seconds=policy.sample_interval_minutes * SECONDS_PER_MINUTE,
            violation_severity=policy.violation_severity, thresholds=policy.thresholds,
            **msgspec.structs.asdict(self._peaks),
        )  # fmt: skip

    def _judge_limit(self, name: str, value: float | None, limit: float) -> None:
        if value is None:
            if name == "cpu_percent" and self._samples == 1:
                return
            self._judge(name, Severity.UNKNOWN, f"{name} could not be measured", None, limit, UNITS[name])
            return
        reached = value >= limit
        severity = self._policy.violation_severity.severity if reached else Severity.OK
        message = f"{name} is {value:g}, limit {limit:g} {UNITS[name]}"
        self._judge(name, severity, message, value, limit, UNITS[name])

    def _forecast(self, name: str, seconds: float, room_mb: float) -> None:
        series = self._series[name]
        series.append((seconds, room_mb))
        policy = self._policy
        span_minutes = (series[-1][0] - series[0][0]) / SECONDS_PER_MINUTE
        if len(series) < policy.forecast_samples_min or span_minutes < policy.forecast_span_minutes_min:
            return
        slope = _slope(series)
        hours = -room_mb / slope / SECONDS_PER_HOUR if slope < 0 and room_mb > 0 else None
        severity = Severity.OK
        if hours is not None and hours < policy.forecast_fail_hours:
            severity = Severity.FAIL
        elif hours is not None and hours < policy.forecast_warn_hours:
            severity = Severity.WARN
        text = f"{name} lasts {hours:.1f} h at this rate" if hours is not None else f"{name} lasts"
        limit = policy.forecast_fail_hours if severity is Severity.FAIL else policy.forecast_warn_hours
        self._judge(f"forecast.{name}", severity, text, None if hours is None else round(hours, 3), limit, "h")


def _slope(series: deque[tuple[float, float]]) -> float:
    """Return the least-squares slope, MB a second."""
    count = len(series)
    mean_x = sum(x for x, _ in series) / count
    mean_y = sum(y for _, y in series) / count
    spread = sum((x - mean_x) ** 2 for x, _ in series)
    return sum((x - mean_x) * (y - mean_y) for x, y in series) / spread if spread > 0 else 0.0
