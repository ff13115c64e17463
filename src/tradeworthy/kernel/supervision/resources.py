"""What the process uses of its machine, loop lag included, and when something will run out (WD-08)."""

import asyncio
import os
import resource
import shutil
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_MILLI, NANOS_PER_SECOND, Clock
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.host import rss_bytes
from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.supervision.task import Pulse

SECONDS_PER_HOUR = 3_600.0
DESCRIPTORS = Path("/proc/self/fd")


class ResourcePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How resources are sampled and judged.

    window_samples, samples_min  the forecast's straight line rests on so many samples, UNKNOWN on fewer
    warm_up_s                    the process's own growth is not extrapolated from so much of the window's beginning
    rss_bytes_max, threads_max   what the process may use; descriptors and disk have the machine's own limits
    """

    interval_s: float = 10.0
    lag_warn_ms: int = 100
    lag_fail_ms: int = 2_000
    forecast_warn_h: float = 24.0
    forecast_fail_h: float = 2.0
    window_samples: int = 360
    samples_min: int = 6
    warm_up_s: float = 600.0
    rss_bytes_max: int = 4 << 30
    threads_max: int = 256

    def __post_init__(self) -> None:
        if not 2 <= self.samples_min <= self.window_samples:
            raise ValueError(f"samples_min must be 2 to window_samples {self.window_samples}, was {self.samples_min}")


@fact("resources.sampled")
class ResourceSample(Fact, frozen=True):
    """One look at the process and its machine; None is what nobody could tell, never zero.

    at_ns            monotonic;  cpu_share  of one core since the last sample
    lag_ns           the worst loop lag since the last sample
    clock_offset_ns  from the time source, where one is readable
    """

    at_ns: int
    rss_bytes: int | None
    cpu_share: float | None
    descriptors: int | None
    descriptors_max: int | None
    threads: int
    disk_used_bytes: int | None
    disk_bytes: int | None
    lag_ns: int
    clock_offset_ns: int | None


class Forecast(msgspec.Struct, frozen=True):
    """When a resource reaches its limit if it goes on as in the window; `hours` is None while it does not grow."""

    name: str
    severity: Severity
    observed: int | None
    limit: int | None
    hours: float | None
    text: str


class Usage(msgspec.Struct, frozen=True):
    """What a machine says at one moment; `cpu_s` is the processor time of the process so far."""

    rss_bytes: int | None
    cpu_s: float
    descriptors: int | None
    descriptors_max: int | None
    threads: int
    disk_used_bytes: int | None
    disk_bytes: int | None


class MachinePort(Protocol):
    """Where usage is read."""

    def read(self) -> Usage: ...


class Machine:
    """The machine that this process runs on; `folder` names the disk that must not fill."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self) -> Usage:
        """Return the usage now; what cannot be read is None."""
        times = os.times()
        try:
            descriptors = len(os.listdir(DESCRIPTORS)) - 1  # the listing itself holds one
        except OSError:
            descriptors = None
        try:
            disk = shutil.disk_usage(self._folder)
        except OSError:
            disk = None
        ceiling = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return Usage(
            rss_bytes(), times.user + times.system, descriptors,
            None if ceiling == resource.RLIM_INFINITY else ceiling, threading.active_count(),
            None if disk is None else disk.total - disk.free, None if disk is None else disk.total,
        )  # fmt: skip


class ResourceLedger:
    """Keep the last samples and judge them.

    clock_offset  returns the offset in nanoseconds, None where no time source can be read
    """

    def __init__(
        self, clock: Clock, machine: MachinePort, policy: ResourcePolicy | None = None, *,
        clock_offset: Callable[[], int | None] = lambda: None,
    ) -> None:  # fmt: skip
        self._clock, self._machine, self._clock_offset = clock, machine, clock_offset
        self.policy = policy or ResourcePolicy()
        self._samples: deque[ResourceSample] = deque(maxlen=self.policy.window_samples)
        self._lag_ns = 0
        self._cpu: tuple[int, float] | None = None

    def lag(self, lag_ns: int) -> None:
        """Take one measured loop lag; the worst one since the last sample stays."""
        self._lag_ns = max(self._lag_ns, lag_ns)

    def sample(self) -> ResourceSample:
        """Look at the machine, keep the sample and return it."""
        now, usage = self._clock.monotonic(), self._machine.read()
        share = None
        if self._cpu is not None and now > self._cpu[0]:
            share = (usage.cpu_s - self._cpu[1]) * NANOS_PER_SECOND / (now - self._cpu[0])
        self._cpu = now, usage.cpu_s
        taken = ResourceSample(
            now, usage.rss_bytes, share, usage.descriptors, usage.descriptors_max, usage.threads,
            usage.disk_used_bytes, usage.disk_bytes, self._lag_ns, self._clock_offset(),
        )  # fmt: skip
        self._lag_ns = 0
        self._samples.append(taken)
        return taken

    @property
    def recent(self) -> tuple[ResourceSample, ...]:
        """Return the samples that are kept, oldest first."""
        return tuple(self._samples)

    async def samples(self, keep: Callable[[ResourceSample], object], pulse: Pulse) -> None:
        """Sample for ever, each sample handed to `keep`; bound to `keep` it is the factory of a supervised task."""
        while True:
            keep(self.sample())
            pulse.beat()
            await asyncio.sleep(self.policy.interval_s)

    def forecasts(self) -> tuple[Forecast, ...]:
        """Return what will run out and when, for memory, descriptors, threads and disk."""
        policy, last = self.policy, self._samples[-1] if self._samples else None
        return (
            self._forecast("memory", lambda s: s.rss_bytes, policy.rss_bytes_max, policy.warm_up_s),
            self._forecast(
                "descriptors", lambda s: s.descriptors, None if last is None else last.descriptors_max, policy.warm_up_s
            ),
            self._forecast("threads", lambda s: s.threads, policy.threads_max, policy.warm_up_s),
            self._forecast("disk", lambda s: s.disk_used_bytes, None if last is None else last.disk_bytes, 0.0),
        )

    def lag_severity(self) -> Severity:
        """Judge the last sample's loop lag; UNKNOWN without a sample."""
        return lag_severity(self._samples[-1].lag_ns, self.policy) if self._samples else Severity.UNKNOWN

    def _forecast(
        self, name: str, value: Callable[[ResourceSample], int | None], limit: int | None, warm_up_s: float
    ) -> Forecast:
        settled = settled_of(tuple(self._samples), warm_up_s)
        points = [(s.at_ns / NANOS_PER_SECOND, float(v)) for s in settled if (v := value(s)) is not None]
        observed = value(self._samples[-1]) if self._samples else None
        if observed is None or limit is None or len(points) < self.policy.samples_min:
            found = f"{len(points)} of {self.policy.samples_min} samples" if limit is not None else "no limit known"
            return Forecast(name, Severity.UNKNOWN, observed, limit, None, f"{name}: no forecast, {found}")
        if observed >= limit:
            return Forecast(name, Severity.FAIL, observed, limit, 0.0, f"{name} full: {observed} of {limit}")
        slope = growth_per_second(points)
        if slope <= 0:
            return Forecast(name, Severity.OK, observed, limit, None, f"{name} does not grow: {observed} of {limit}")
        hours = (limit - observed) / slope / SECONDS_PER_HOUR
        policy = self.policy
        below_warn = Severity.WARN if hours < policy.forecast_warn_h else Severity.OK
        severity = Severity.FAIL if hours < policy.forecast_fail_h else below_warn
        return Forecast(name, severity, observed, limit, hours, f"{name} full in {hours:.1f} h: {observed} of {limit}")


def lag_severity(lag_ns: int, policy: ResourcePolicy) -> Severity:
    """Judge a loop lag: it warns, or fails, when it reaches the limit."""
    if lag_ns >= policy.lag_fail_ms * NANOS_PER_MILLI:
        return Severity.FAIL
    return Severity.WARN if lag_ns >= policy.lag_warn_ms * NANOS_PER_MILLI else Severity.OK


def settled_of(samples: Sequence[ResourceSample], warm_up_s: float) -> Sequence[ResourceSample]:
    """Return the samples after the warm-up, oldest first."""
    since = samples[0].at_ns + round(warm_up_s * NANOS_PER_SECOND) if samples else 0
    return [one for one in samples if one.at_ns >= since]


def growth_per_second(points: list[tuple[float, float]]) -> float:
    """Return the slope of the least-squares line through `(seconds, value)`; 0 when all are of one moment."""
    count = len(points)
    mean_t = sum(t for t, _ in points) / count
    mean_v = sum(v for _, v in points) / count
    spread = sum((t - mean_t) ** 2 for t, _ in points)
    return 0.0 if spread == 0 else sum((t - mean_t) * (v - mean_v) for t, v in points) / spread
