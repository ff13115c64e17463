"""How long the loop takes, stage by stage (DL-06): measured around the desk, told as an input that it does not fold."""

from collections.abc import Callable
from math import ceil
from typing import Any

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_MILLI, NANOS_PER_SECOND, Clock
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.severity import Severity

STEP, INDICATORS, DECIDE, IO_WAIT = "step", "indicators", "decide", "io_wait"
P95_SAMPLES_MIN = 20


class TimingPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nanoseconds; a p99 that reaches its limit is WARN. Below `samples_min` samples the maximum is told, UNKNOWN.

    kept  durations kept a stage and period; with more the oldest give way;  period_ns  of the monotonic clock
    """

    step_p99_ns: int = 100 * NANOS_PER_MILLI
    indicators_p99_ns: int = 50 * NANOS_PER_MILLI
    decide_p99_ns: int = 100 * NANOS_PER_MILLI
    io_wait_p99_ns: int = 50 * NANOS_PER_MILLI
    samples_min: int = 100
    kept: int = 4_096
    period_ns: int = 60 * NANOS_PER_SECOND

    def limit(self, stage: str) -> int:
        """Return the limit of a stage; the part before the colon names its kind."""
        limits = {STEP: self.step_p99_ns, INDICATORS: self.indicators_p99_ns, DECIDE: self.decide_p99_ns,
                  IO_WAIT: self.io_wait_p99_ns}  # fmt: skip
        return limits[stage.partition(":")[0]]


class StageTiming(msgspec.Struct, frozen=True):
    """One stage of a period, nanoseconds; p95 and p99 None where too few samples stand behind them."""

    stage: str
    samples: int
    p50_ns: int
    p99_ns: int | None
    max_ns: int
    limit_ns: int
    severity: Severity
    p95_ns: int | None = None


@fact("telemetry.desk.timing")
class DeskTiming(Fact, frozen=True):
    """All stages of one period; the worst severity names what to look at."""

    severity: Severity
    stages: tuple[StageTiming, ...]


class StageTimes:
    """Durations of a period by stage, from the monotonic clock."""

    __slots__ = ("_due", "_kept", "_policy", "_taken", "clock")

    def __init__(self, clock: Clock, policy: TimingPolicy) -> None:
        self.clock = clock
        self._policy = policy
        self._kept: dict[str, list[int]] = {}
        self._taken: dict[str, int] = {}
        self._due = clock.monotonic() + policy.period_ns

    def add(self, stage: str, nanos: int) -> None:
        """Take one duration."""
        kept = self._kept.setdefault(stage, [])
        taken = self._taken.get(stage, 0)
        self._taken[stage] = taken + 1
        if len(kept) < self._policy.kept:
            kept.append(nanos)
        else:
            kept[taken % self._policy.kept] = nanos

    def timed(self, stage: str, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Return `function` with its duration taken."""
        monotonic, add = self.clock.monotonic, self.add

        def measured(argument: Any) -> Any:
            began = monotonic()
            answer = function(argument)
            add(stage, monotonic() - began)
            return answer

        return measured

    def due(self) -> DeskTiming | None:
        """Return the period's timing when it is over, and begin the next; nothing for a period without samples."""
        now = self.clock.monotonic()
        if now < self._due or not self._kept:
            return None
        self._due = now + self._policy.period_ns
        stages = tuple(self._judge(stage, sorted(kept)) for stage, kept in sorted(self._kept.items()))
        self._kept, self._taken = {}, {}
        return DeskTiming(max(one.severity for one in stages), stages)

    def _judge(self, stage: str, kept: list[int]) -> StageTiming:
        policy, count = self._policy, len(kept)
        limit, p50 = policy.limit(stage), kept[ceil(count / 2) - 1]
        p95 = kept[ceil(0.95 * count) - 1] if count >= P95_SAMPLES_MIN else None
        if count < policy.samples_min:
            return StageTiming(stage, self._taken[stage], p50, None, kept[-1], limit, Severity.UNKNOWN, p95)
        p99 = kept[ceil(0.99 * count) - 1]
        severity = Severity.WARN if p99 >= limit else Severity.OK
        return StageTiming(stage, self._taken[stage], p50, p99, kept[-1], limit, severity, p95)
