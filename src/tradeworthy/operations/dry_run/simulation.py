"""A runtime that behaves, and misbehaves on request (DR-47): heartbeats, diary, performance file, one fault at a time.

The same steps run in a process of their own (`simulated-runtime`) and on a virtual clock (`virtual.py`).
"""

import os
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND, Clock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.operations.dry_run.audit.performance import PerformanceAggregates, PerformanceFile
from tradeworthy.operations.dry_run.model import PLACEHOLDER, stamp

FAULTS = frozenset({
    "silent", "die", "exit-code", "traceback", "nested-trace", "stderr-info", "stderr-plain", "long-line", "warn",
    "error", "ignore-sigint", "diary-stop", "diary-corrupt", "performance-stop", "future-time", "cpu", "memory", "fork",
})  # fmt: skip
LONG_LINE_BYTES = 5_000_000
FUTURE_SECONDS = 3_600.0
JITTER_RATIO = 0.02
"""Heartbeats come up to so much earlier than the tick; two seeds give two different runs."""
DAILY_RETURN = 0.0004
WIN_RATE = 0.55
TRACE = (
    "Traceback (most recent call last):\n  File \"desk.py\", line 7, in step\nValueError: simulated"
)

Out = Callable[[str, bytes], None]
"""(stream, bytes) of what is printed, ends of lines included."""


class Fault(NamedTuple):
    """One fault at a moment after the start; `value` has a meaning of its own for each kind."""

    kind: str
    value: float | None
    at_seconds: float


class SimulationPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What the simulated runtime does."""

    duration_seconds: float = 60.0
    tick_seconds: float = 2.0
    sharpe_ratio: float = 1.2
    diary: Path | None = None
    performance: Path | None = None
    label: str = "simulated"
    faults: tuple[Fault, ...] = ()
    seed: int = 0
    evidence_seconds: float = 0.0
    """Least time between two writes of diary or performance file; 0 writes at each tick."""
    durable: bool = True
    """Sync evidence to disk; off on a virtual clock, where file times are set to it instead."""


class Body(NamedTuple):
    """What only a real process can do; a virtual run pretends."""

    die: Callable[[], None]
    leave: Callable[[int], None]
    burn_cpu: Callable[[float], None]
    hold_memory: Callable[[float], None]
    fork: Callable[[float], None]


def fault_of(word: str) -> Fault:
    """Parse `KIND[=VALUE]@SECONDS`; raises `UsageError`."""
    body, at, moment = word.rpartition("@")
    kind, equals, value = body.partition("=")
    try:
        if not at or kind not in FAULTS:
            raise ValueError
        return Fault(kind, float(value) if equals else None, float(moment))
    except ValueError:
        raise UsageError(
            f"--fault takes KIND[=VALUE]@SECONDS with KIND one of {', '.join(sorted(FAULTS))}, was {word!r}"
        ) from None


class Simulation:
    """Steps of the runtime; the caller waits until `next_at` and calls `step`, and `stop` at the end."""

    def __init__(self, policy: SimulationPolicy, *, clock: Clock, out: Out, body: Body) -> None:
        self._policy = policy
        self._clock = clock
        self._out = out
        self._body = body
        self._random = Random(policy.seed)
        self._start = clock.monotonic()
        self._wall = clock.now()
        self._beat = 0
        self._pending = sorted(policy.faults, key=lambda one: one.at_seconds)
        self._on: dict[str, Fault] = {}
        self._next_tick = self._next_evidence = self._start
        self.ended = False
        self._line("startup", tick_seconds=policy.tick_seconds)
        if policy.performance is not None:
            self._write_performance(policy.performance, status=PLACEHOLDER)

    def next_at(self) -> int:
        """Return the monotonic moment of the next step."""
        moments = [self._next_tick, self._at(self._policy.duration_seconds)]
        if self._pending:
            moments.append(self._at(self._pending[0].at_seconds))
        return min(moments)

    def ignores(self, name: str) -> bool:
        """Tell whether a signal of this name is ignored now."""
        return name == "SIGINT" and "ignore-sigint" in self._on

    def step(self) -> None:
        """Do what is due."""
        now = self._clock.monotonic()
        while self._pending and self._at(self._pending[0].at_seconds) <= now:
            self._commit(self._pending.pop(0))
        if now >= self._at(self._policy.duration_seconds):
            self.stop("duration")
        elif now >= self._next_tick and not self.ended:
            self._tick(now)

    def stop(self, reason: str) -> None:
        """Say goodbye, once."""
        if not self.ended:
            self.ended = True
            self._line("shutdown", reason=reason)

    def _at(self, seconds: float) -> int:
        return self._start + round(seconds * NANOS_PER_SECOND)

    def _tick(self, now: int) -> None:
        self._beat += 1
        self._line("heartbeat", seq=self._beat)
        if now >= self._next_evidence:
            self._next_evidence = now + round(self._policy.evidence_seconds * NANOS_PER_SECOND)
            self._write_evidence()
        early = self._random.random() * JITTER_RATIO
        while self._next_tick <= now:
            self._next_tick += round(self._policy.tick_seconds * (1 - early) * NANOS_PER_SECOND)

    def _write_evidence(self) -> None:
        if self._policy.diary is not None and "diary-stop" not in self._on:
            self._append_diary(self._policy.diary)
        if self._policy.performance is not None and "performance-stop" not in self._on:
            self._write_performance(self._policy.performance, status="running")

    def _commit(self, fault: Fault) -> None:
        self._on[fault.kind] = fault
        match fault.kind:
            case "die":
                self._body.die()
            case "exit-code":
                self._body.leave(int(1 if fault.value is None else fault.value))
            case "traceback":
                self._print("stdout", TRACE.encode())
            case "nested-trace":
                self._line("worker_report", detail={"workers": [{"id": 1, "exc_info": TRACE}]})
            case "stderr-info":
                self._line("note_on_stderr", stream="stderr")
            case "stderr-plain":
                self._print("stderr", b"plain words on stderr")
            case "long-line":
                size = int(LONG_LINE_BYTES if fault.value is None else fault.value)
                self._line("long_line", filler="x" * size)
            case "warn" | "error":
                self._line(f"simulated_{fault.kind}", level="warning" if fault.kind == "warn" else "error")
            case "diary-corrupt":
                if self._policy.diary is not None:
                    self._append(self._policy.diary, b'{"entry_id": "torn", "recorded\n')
            case "future-time":
                self._line("from_tomorrow", ahead_seconds=FUTURE_SECONDS if fault.value is None else fault.value)
            case "cpu":
                self._body.burn_cpu(self._policy.duration_seconds if fault.value is None else fault.value)
            case "memory":
                self._body.hold_memory(256.0 if fault.value is None else fault.value)
            case "fork":
                self._body.fork(256.0 if fault.value is None else fault.value)
            case _:
                pass  # silent, ignore-sigint, diary-stop, performance-stop: being on is all they do

    def _silent(self) -> bool:
        fault = self._on.get("silent")
        if fault is None:
            return False
        return fault.value is None or self._clock.monotonic() < self._at(fault.at_seconds + fault.value)

    def _line(
        self, event: str, *, level: str = "info", stream: str = "stdout", ahead_seconds: float = 0.0, **more: Any
    ) -> None:
        moment = stamp(self._now() + round(ahead_seconds * NANOS_PER_SECOND))
        self._print(stream, msgspec.json.encode({"timestamp": moment, "level": level, "event": event, **more}))

    def _print(self, stream: str, line: bytes) -> None:
        if not self._silent():
            self._out(stream, line + b"\n")

    def _now(self) -> int:
        return self._clock.now()

    def _append_diary(self, path: Path) -> None:
        entry = {
            "entry_id": f"entry-{self._beat:06d}", "recorded_at": stamp(self._now()), "policy_id": "simulated",
            "decision": {"action": "hold"}, "regime_state": {"regime": "calm"}, "outcomes": {"status": "ok"},
            "notes": [], "metadata": {"run_label": self._policy.label}, "probes": [], "journal_seq": self._beat,
        }  # fmt: skip
        self._append(path, msgspec.json.encode(entry) + b"\n")

    def _append(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(data)
            file.flush()
            if self._policy.durable:
                os.fsync(file.fileno())
        self._date(path)

    def _write_performance(self, path: Path, *, status: str) -> None:
        now = stamp(self._now()).isoformat()
        days = max(0, (self._clock.monotonic() - self._start) // NANOS_PER_DAY)
        aggregates = PerformanceAggregates(
            trades=self._beat, roi=DAILY_RETURN * (1 + days), win_rate=WIN_RATE,
            sharpe_ratio=self._policy.sharpe_ratio, daily_returns=(DAILY_RETURN,) * days,
        )  # fmt: skip
        document = PerformanceFile(
            sequence=self._beat, status=status, run_label=self._policy.label, captured_at=now, generated_at=now,
            period_start=stamp(self._wall).isoformat(), aggregates=None if status == PLACEHOLDER else aggregates,
            metadata={"source": "simulated"},
        )  # fmt: skip
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(path.name + ".part")
        aside.write_bytes(msgspec.json.encode(document))
        aside.replace(path)
        self._date(path)

    def _date(self, path: Path) -> None:
        if not self._policy.durable:
            moment = self._now()
            os.utime(path, ns=(moment, moment))
