"""How a subscriber gets its events: one at a time, in order, and again after a failure (TEL-03, TEL-04)."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.supervision.task import Pulse
from tradeworthy.kernel.telemetry.dead_letters import DeadLetters
from tradeworthy.kernel.telemetry.rolling import RollingCount
from tradeworthy.kernel.telemetry.subscription import Subscription, Waiting

YIELD_EVERY = 16
"""After so many events without a pause a dispatch lets the other tasks of the loop run."""


class Spans(Protocol):
    """Open a span for a piece of work (TRC-02)."""

    def __call__(self, name: str, **attributes: str | int | float) -> AbstractContextManager[object]: ...


class DeliveryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How a handler is served. Times are seconds.

    attempts           failures at one event that make it a dead letter
    retry_delay_s      before the second attempt, doubled before each further one
    handler_timeout_s  the most one attempt may take; then it has failed
    """

    attempts: int = 3
    retry_delay_s: float = 0.05
    handler_timeout_s: float = 30.0

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError(f"attempts must be at least 1, was {self.attempts}")
        if not 0 <= self.retry_delay_s < float("inf"):
            raise ValueError(f"retry_delay_s must be finite and 0 or more, was {self.retry_delay_s}")
        if not 0 < self.handler_timeout_s < float("inf"):
            raise ValueError(f"handler_timeout_s must be finite and above 0, was {self.handler_timeout_s}")


class BusCounts:
    """What a bus counts, each also over a rolling hour; `lock` of the bus guards them."""

    __slots__ = ("delivered", "dropped", "duplicates", "errors", "published")

    def __init__(self) -> None:
        self.published, self.dropped, self.errors = RollingCount(), RollingCount(), RollingCount()
        self.delivered = self.duplicates = 0


class AttemptLimit:
    """Cancel an attempt that takes too long, with one timer for many attempts: most end long before it is due."""

    __slots__ = ("_due", "_expired", "_limit", "_loop", "_timer", "task")

    def __init__(self, task: "asyncio.Task[object]", limit_s: float) -> None:
        self.task, self._limit, self._loop = task, limit_s, task.get_loop()
        self._due: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._expired = False

    def begin(self) -> None:
        """Start the time of an attempt."""
        self._due = self._loop.time() + self._limit
        if self._timer is None:
            self._timer = self._loop.call_at(self._due, self._look)

    def end(self) -> bool:
        """End the attempt; True when the limit cancelled it, and nobody else cancelled the task."""
        self._due = None
        if not self._expired:
            return False
        self._expired = False
        return self.task.uncancel() == 0

    def close(self) -> None:
        """Take the timer away."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        self._timer = None
        if self._due is None:
            return
        if self._loop.time() >= self._due:
            self._expired = True
            self.task.cancel()
        else:
            self._timer = self._loop.call_at(self._due, self._look)


class Delivery:
    """Serve subscriptions, each in a task of its own.

    lock     guards queues and counts against publishing threads
    at_rest  called whenever a subscriber has nothing left to do
    """

    def __init__(
        self, clock: Clock, lock: threading.Lock, counts: BusCounts, letters: DeadLetters, policy: DeliveryPolicy,
        spans: Spans | None, at_rest: Callable[[], object],
    ) -> None:  # fmt: skip
        self._clock, self._lock, self._counts, self._letters = clock, lock, counts, letters
        self._policy, self._spans, self._at_rest = policy, spans, at_rest

    def adopt(self, policy: DeliveryPolicy) -> None:
        """Serve by another policy: the next failure of a handler, and the limit of tasks that begin from now."""
        self._policy = policy

    async def serve(self, subscription: Subscription, pulse: Pulse) -> None:
        """Deliver for ever; an event in hand at a cancellation goes back to its place."""
        ourselves = asyncio.current_task()
        assert ourselves is not None
        limit = AttemptLimit(ourselves, self._policy.handler_timeout_s)
        handled = 0
        try:
            while True:
                waiting = self._take(subscription)
                if waiting is None:
                    handled = 0
                    pulse.beat()
                    await subscription.awake.wait()
                    continue
                await self._handle(subscription, waiting, limit)
                handled += 1
                if handled % YIELD_EVERY == 0:
                    pulse.beat()
                    await asyncio.sleep(0)
                if ourselves.cancelling():  # the handler kept the cancellation for itself
                    raise asyncio.CancelledError
        finally:
            limit.close()
            with self._lock:
                if subscription.put_back():
                    self._counts.dropped.add(self._clock.monotonic())

    def _take(self, subscription: Subscription) -> Waiting | None:
        with self._lock:
            if subscription.queue:
                subscription.hand = subscription.queue.popleft()
                return subscription.hand
            subscription.asleep = True
            subscription.awake.clear()
        self._at_rest()
        return None

    async def _handle(self, subscription: Subscription, waiting: Waiting, limit: AttemptLimit) -> None:
        message = waiting.message
        if subscription.deduplicator.knows(message.event_id):
            subscription.duplicates += 1
            self._counts.duplicates += 1
            subscription.hand = None
            return
        while (error := await self._attempt(subscription, waiting, limit)) is not None:
            failures = subscription.failures_of(message.event_id) + 1
            subscription.failed = message.event_id, failures
            subscription.errors += 1
            with self._lock:
                self._counts.errors.add(self._clock.monotonic())
            if failures >= self._policy.attempts:
                subscription.dead_letters += 1
                self._letters.bury(message, subscription.name, subscription.flow, failures, error)
                break
            await asyncio.sleep(self._policy.retry_delay_s * 2 ** (failures - 1))
        else:
            subscription.delivered += 1
            self._counts.delivered += 1
        subscription.deduplicator.remember(message.event_id)
        subscription.hand = None

    async def _attempt(
        self, subscription: Subscription, waiting: Waiting, limit: AttemptLimit
    ) -> BaseException | None:
        """Hand the event over once; returns the handler's failure. Our own cancellation passes through."""
        limit.begin()
        try:
            if self._spans is None:
                await subscription.handler(waiting.message)
            else:
                with self._span(self._spans, subscription, waiting):
                    await subscription.handler(waiting.message)
        except asyncio.CancelledError as error:
            if limit.end():
                return TimeoutError(f"expected an end within {self._policy.handler_timeout_s} s, found none")
            if limit.task.cancelling():
                raise
            return error
        except Exception as error:  # the handler's own: it harms its subscriber alone
            limit.end()
            return error
        limit.end()
        return None

    def _span(self, spans: Spans, subscription: Subscription, waiting: Waiting) -> AbstractContextManager[object]:
        lag = (self._clock.monotonic() - waiting.since) / NANOS_PER_SECOND
        return spans(
            "event_bus.handle", topic=waiting.message.topic, subscriber=subscription.name,
            queue_depth=subscription.depth, dispatch_lag_seconds=lag,
        )  # fmt: skip
