"""The board of cached facts: sources write to it at their own pace, whoever asks reads what is there (HLT-07)."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, TypeVar

import msgspec

from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.supervision import Pulse
from tradeworthy.operations.health.facts import GuardView, Observed, Readiness, RuntimeFacts
from tradeworthy.operations.health.judge import CHECKS, judge
from tradeworthy.operations.health.policy import HealthPolicy
from tradeworthy.operations.health.report import HealthReport

T = TypeVar("T")
REFRESH_SECONDS = 1.0


class RuntimeBoard:
    """Hold the newest facts of a run, and judge them when asked; nothing here waits or calls out.

    not_applicable  check to reason (`RuntimeFacts`)
    metrics         the metrics as exposition text, from memory
    """

    def __init__(
        self, clock: Clock, policy: HealthPolicy, *, run_id: str, environment: str,
        not_applicable: Mapping[str, str] | None = None, metrics: Callable[[], bytes] = lambda: b"",
    ) -> None:  # fmt: skip
        reasons = dict(not_applicable or {})
        _require(reasons.keys() <= CHECKS.keys(), f"checks must be of {sorted(CHECKS)}, were {sorted(reasons)}")
        self._clock, self._policy, self._metrics = clock, policy, metrics
        self._facts = RuntimeFacts(run_id=run_id, environment=environment, not_applicable=reasons)
        self._ready = Readiness()
        self._summary: bytes | None = None

    def put(self, check: str, seen: Observed) -> None:
        """Keep the newest facts of a check; raises `ValueError` for a check that there is not."""
        _require(check in CHECKS, f"check must be one of {sorted(CHECKS)}, was {check!r}")
        self._facts = msgspec.structs.replace(self._facts, **{check: seen})

    def adopt(self, policy: HealthPolicy) -> None:
        """Judge by other limits from now on."""
        self._policy = policy

    def keep_summary(self, summary: bytes) -> None:
        """Keep the newest summary, as JSON."""
        self._summary = summary

    def mark(self, ready: Readiness) -> None:
        """Say how far the start has come."""
        self._ready = ready

    def refresh(
        self, read: Callable[[], Awaitable[T]], take: Callable[[T], object], interval_s: float = REFRESH_SECONDS
    ) -> Callable[[Pulse], Coroutine[Any, Any, None]]:
        """Return the factory of a supervised task that reads a source for ever and hands on what it found.

        A source that hangs or fails harms its own facts alone: they grow old, and their check becomes UNKNOWN.
        """

        async def refreshing(pulse: Pulse) -> None:
            while True:
                take(await read())
                pulse.beat()
                await asyncio.sleep(interval_s)

        return refreshing

    def watch(
        self, reads: Mapping[str, Callable[[], Observed | None]], interval_s: float = REFRESH_SECONDS
    ) -> Callable[[Pulse], Coroutine[Any, Any, None]]:
        """Return the factory of one supervised task for all sources that answer from memory, by check.

        None keeps what was known. One that raises fails the task after the others were read; its facts grow old.
        """
        _require(reads.keys() <= CHECKS.keys(), f"checks must be of {sorted(CHECKS)}, were {sorted(reads)}")

        async def watching(pulse: Pulse) -> None:
            while True:
                problem: Exception | None = None
                for check, read in reads.items():
                    try:
                        seen = read()
                    except Exception as error:  # handed to the supervisor once every other source was read
                        problem = problem or error
                        continue
                    if seen is not None:
                        self.put(check, seen)
                if problem is not None:
                    raise problem
                pulse.beat()
                await asyncio.sleep(interval_s)

        return watching

    def facts(self) -> RuntimeFacts:
        """Return what is known."""
        return self._facts

    def health(self) -> HealthReport:
        """Judge what is known, now."""
        return judge(self._facts, self._policy, self._clock.now())

    def ready(self) -> Readiness:
        """Return how far the start has come."""
        return self._ready

    def guard(self) -> GuardView | None:
        """Return the guard as it was read last."""
        return self._facts.guard

    def summary(self) -> bytes | None:
        """Return the newest summary; None before the first."""
        return self._summary

    def metrics(self) -> bytes:
        """Return the metrics as exposition text."""
        return self._metrics()


def _require(holds: bool, text: str) -> None:
    if not holds:
        raise ValueError(text)
