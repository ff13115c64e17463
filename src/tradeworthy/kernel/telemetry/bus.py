"""The bounded bus inside the process: every subscriber has its own queue and its own task (TEL-03, TEL-04, TEL-06).

It carries telemetry, and copies of facts that the journal has accepted; a full queue drops its oldest event, so nothing
that must not be lost may travel on the bus alone.
"""

import asyncio
import logging
import threading
from collections.abc import Iterable
from functools import partial

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.errors import DeskError
from tradeworthy.kernel.facts import Fact
from tradeworthy.kernel.supervision import (
    Criticality,
    Metadata,
    Scope,
    SupervisedTask,
    TaskPolicy,
    TaskSnapshot,
    TaskSupervisor,
)
from tradeworthy.kernel.supervision.snapshot import of_task
from tradeworthy.kernel.supervision.task import Factory
from tradeworthy.kernel.telemetry.bus_health import BusFacts
from tradeworthy.kernel.telemetry.dead_letters import DeadLetter, DeadLetters
from tradeworthy.kernel.telemetry.delivery import BusCounts, Delivery, DeliveryPolicy, Spans
from tradeworthy.kernel.telemetry.hold import HoldPort
from tradeworthy.kernel.telemetry.message import Message, PublishRefused
from tradeworthy.kernel.telemetry.subscription import Handler, SubscriberFacts, Subscription, Waiting
from tradeworthy.kernel.telemetry.topics import Flow, topic_of, topics_of

OWNER = "event_bus"
LOG = logging.getLogger("tradeworthy.telemetry.bus")


class BusStopped(PublishRefused):
    """The bus does not run."""


class PublishTimeout(PublishRefused):
    """A stage did not take an event in time."""


class HandlerStuck(DeskError):
    """A handler ignored its cancellation: its subscriber is taken off the bus, no successor starts beside it."""


class BusPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of the bus. Times are seconds.

    expected           whether a bus that does not run is a failure
    capacity_events    that wait for one subscriber, before the oldest is dropped
    dead_letters       kept whole, the newest
    remembered_ids     by which one subscriber knows a repeat
    subscribers_max    at one time
    stop_timeout_s     from a stop to the moment it no longer waits for handlers; above the grace of a task
    delivery           how a handler is served
    """

    expected: bool = True
    capacity_events: int = 1_000
    dead_letters: int = 256
    remembered_ids: int = 4_096
    subscribers_max: int = 64
    stop_timeout_s: float = 6.0
    delivery: DeliveryPolicy = DeliveryPolicy()

    def __post_init__(self) -> None:
        for name in ("capacity_events", "dead_letters", "remembered_ids", "subscribers_max"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, was {getattr(self, name)}")
        if not 0 < self.stop_timeout_s < float("inf"):
            raise ValueError(f"stop_timeout_s must be finite and above 0, was {self.stop_timeout_s}")


class Bus:
    """Deliver each event to its subscribers, in order, each at its own pace.

    supervisor  owns the tasks, in a scope of the bus's own, and journals dead letters
    hold        pauses the desk when a flow of risk, compliance or execution has a dead letter
    spans       opens a span for each publishing and each handling; None opens none

    `publish` may be called by any thread and by the synchronous desk; everything else belongs to the loop's thread.
    """

    def __init__(
        self, supervisor: TaskSupervisor, clock: Clock, hold: HoldPort, *, policy: BusPolicy | None = None,
        spans: Spans | None = None,
    ) -> None:  # fmt: skip
        self._supervisor, self._clock, self._spans = supervisor, clock, spans
        self._policy = policy or BusPolicy()
        self._lock = threading.Lock()
        self._subscriptions: dict[str, Subscription] = {}
        self._routes: dict[str, tuple[Subscription, ...]] = {}
        self._letters = DeadLetters(clock, hold, self._record, kept=self._policy.dead_letters)
        self._counts = BusCounts()
        self._delivery = Delivery(
            clock, self._lock, self._counts, self._letters, self._policy.delivery, spans, self._on_rest
        )
        self._number = 0
        self._published_at: int | None = None
        self._started = self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0
        self._scope: Scope | None = None
        self._drains: list[asyncio.Future[bool]] = []

    @property
    def running(self) -> bool:
        """Whether events are taken, and somebody is there to deliver them."""
        return self._started and (not self._subscriptions or any(one.alive for one in self._subscriptions.values()))

    def start(self) -> None:
        """Begin to take and deliver events, first those that waited at the last stop; again does nothing.

        A subscriber whose old handler still ignores its cancellation is not served: its queue drops and counts.
        Must be called on the event loop; raises `RuntimeError` while the supervisor is cancelling or a stop is under
        way.
        """
        if self._started and self.running:
            return
        if self._stopping:
            raise RuntimeError("expected no stop of the bus under way, found one: await it first")
        self._loop, self._thread = asyncio.get_running_loop(), threading.get_ident()
        self._scope = self._supervisor.scope(OWNER, owner=OWNER)
        for subscription in self._subscriptions.values():
            if subscription.stuck:
                LOG.error("subscriber_not_started", extra={"subscriber": subscription.name, "cause": "stuck handler"})
            elif not subscription.alive:
                self._run(subscription)
        self._started = True

    async def stop(self) -> None:
        """Take no more events and end every task of the bus, bounded; what waits stays for the next start.

        A task of the bus itself must not call it: it would wait for its own end.
        """
        with self._lock:
            self._started = False
        scope, self._scope = self._scope, None
        if scope is None:
            return
        self._stopping = True
        try:
            await self._end([one for one in scope.leaves() if isinstance(one, SupervisedTask)])
        finally:
            self._stopping = False
        for drain in self._drains:
            if not drain.done():
                drain.set_result(False)
        self._drains.clear()
        scope.conclude()

    def subscribe(
        self, name: str, handler: Handler, *, topics: Iterable[str], flow: Flow = Flow.TELEMETRY
    ) -> Subscription:
        """Add a subscriber for topics, or for prefixes that end with a point.

        flow  what the handler's work is for; a guarded one pauses the desk by a dead letter of any topic

        Raises `UnknownTopic`, and `ValueError` for a name that is taken or one subscriber too many.
        """
        if name in self._subscriptions:
            raise ValueError(f"expected a new subscriber, {name!r} is on the bus")
        if len(self._subscriptions) >= self._policy.subscribers_max:
            raise ValueError(f"expected at most {self._policy.subscribers_max} subscribers, {name!r} is one more")
        made = Subscription(
            name, handler, topics_of(topics), flow=flow, capacity=self._policy.capacity_events,
            remembered=self._policy.remembered_ids,
        )  # fmt: skip
        with self._lock:
            self._subscriptions[name] = made
            self._routes.clear()
        if self._scope is not None:
            self._run(made)
        return made

    async def unsubscribe(self, name: str) -> None:
        """Take a subscriber off the bus; its handler is cancelled and what waits for it is let go."""
        with self._lock:
            gone = self._subscriptions.pop(name)
            self._routes.clear()
        if gone.task is not None:
            await self._end([gone.task])

    async def swap(self, name: str, handler: Handler) -> None:
        """Give a subscriber another handler; the old one is cancelled, and the event in its hand comes again.

        Raises `HandlerStuck` when the old handler ignores its cancellation: the subscriber is then off the bus.
        """
        subscription = self._subscriptions[name]
        task, subscription.swapping = subscription.task, True
        try:
            if task is not None:
                await self._end([task])
        finally:
            subscription.swapping = False
        if subscription.stuck:
            with self._lock:
                self._subscriptions.pop(name, None)
                self._routes.clear()
            raise HandlerStuck(f"expected the handler of {name} to end, found it running: {name} is off the bus")
        subscription.handler, subscription.failed = handler, ("", 0)
        if self._scope is not None:
            self._run(subscription)

    def publish(self, message: Message, *, timeout_s: float = 0.5) -> None:
        """Put an event into the queue of each of its subscribers; waits for nobody's handler.

        Raises `UnknownTopic`, `BusStopped`, and `PublishTimeout` when the queues stay locked for `timeout_s`.
        """
        if self._spans is None:
            self._put(message, timeout_s)
        else:
            with self._spans("event_bus.publish", topic=message.topic):
                self._put(message, timeout_s)

    def create_background_task(
        self, factory: Factory, *, name: str, criticality: Criticality = Criticality.OPTIONAL,
        policy: TaskPolicy | None = None, metadata: Metadata | None = None,
    ) -> SupervisedTask:  # fmt: skip
        """Run a job in the bus's scope: it is shown with the bus and ends with it; raises `BusStopped`."""
        if self._scope is None:
            raise BusStopped(f"expected a running bus for the job {name}, it is stopped")
        return self._supervisor.create(
            factory, owner=OWNER, name=f"{OWNER}.{name}", criticality=criticality, policy=policy, metadata=metadata,
            scope=self._scope,
        )  # fmt: skip

    async def drained(self, timeout_s: float) -> bool:
        """Wait until everything taken so far was dealt with; False when the bus stopped or the time is over."""
        if self._all_idle():
            return self.running
        drain: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._drains.append(drain)
        try:
            async with asyncio.timeout(timeout_s):
                return await drain
        except TimeoutError:
            return False
        finally:
            if drain in self._drains:
                self._drains.remove(drain)

    def adopt(self, policy: BusPolicy) -> None:
        """Keep other bounds from now on; a queue that is longer gives its oldest up with the next event."""
        self._policy = policy
        self._delivery.adopt(policy.delivery)
        self._letters.adopt(policy.dead_letters)
        with self._lock:
            for one in self._subscriptions.values():
                one.capacity = policy.capacity_events

    def take_undelivered(self) -> tuple[Message, ...]:
        """Empty the queues of a stopped bus; returns each event once, in the order of publishing."""
        if self._started:
            raise RuntimeError("expected a stopped bus, it runs: its queues are its own")
        found: dict[int, Message] = {}
        for subscription in self._subscriptions.values():
            found.update((waiting.number, waiting.message) for waiting in subscription.queue)
            subscription.queue.clear()
        return tuple(message for _, message in sorted(found.items(), key=lambda pair: pair[0]))

    def dead_letters(self) -> tuple[DeadLetter, ...]:
        """Return the newest dead letters, oldest first."""
        return self._letters.letters()

    def settle(self, flow: Flow, *, by: str) -> int:
        """Note that a person dealt with the dead letters of a flow, and end its pause, one of an earlier run too.

        Returns how many were open in this run.
        """
        return self._letters.settle(flow, by)

    def task_snapshots(self) -> tuple[TaskSnapshot, ...]:
        """Return the living tasks of the bus: a dispatch for each subscriber, and jobs."""
        now = self._clock.monotonic()
        leaves = [] if self._scope is None else self._scope.leaves()
        return tuple(of_task(one, now) for one in leaves if isinstance(one, SupervisedTask))

    def subscribers(self) -> tuple[SubscriberFacts, ...]:
        """Return each subscriber, in order of subscription."""
        now = self._clock.monotonic()
        with self._lock:
            return tuple(one.facts(now) for one in self._subscriptions.values())

    def facts(self) -> BusFacts:
        """Return what the bus is judged by; for any thread."""
        now = self._clock.monotonic()
        with self._lock:
            all_of_them = tuple(self._subscriptions.values())
            age = None if self._published_at is None else (now - self._published_at) / NANOS_PER_SECOND
            return BusFacts(
                expected=self._policy.expected, running=self.running, bound=self._policy.capacity_events,
                depth=max((one.depth for one in all_of_them), default=0), subscribers=len(all_of_them),
                published=self._counts.published.within(now), dropped=self._counts.dropped.within(now),
                handler_errors=self._counts.errors.within(now), last_published_age_seconds=age,
                oldest_waiting_seconds=max((one.oldest(now) for one in all_of_them), default=0) / NANOS_PER_SECOND,
                open_dead_letters=self._letters.open, published_total=self._counts.published.total,
                delivered_total=self._counts.delivered, dropped_total=self._counts.dropped.total,
                handler_errors_total=self._counts.errors.total, duplicates_total=self._counts.duplicates,
                dead_letters_total=self._letters.total,
            )  # fmt: skip

    def _put(self, message: Message, timeout_s: float) -> None:
        topic_of(message.topic)
        if not self._lock.acquire(timeout=timeout_s):
            raise PublishTimeout(f"{message.topic}: expected to be taken within {timeout_s} s, found the bus locked")
        wake: list[Subscription] = []
        try:
            routes = self._routes.get(message.topic)
            if routes is None:
                routes = tuple(one for one in self._subscriptions.values() if message.topic in one.topics)
                self._routes[message.topic] = routes
            if not self._started or self._loop is None or (routes and not any(one.alive for one in routes)):
                raise BusStopped(f"{message.topic}: expected a running bus, it is stopped")
            now = self._clock.monotonic()
            self._number += 1
            waiting = Waiting(self._number, message, now)
            for one in routes:
                if dropped := one.put(waiting):
                    self._counts.dropped.add(now, dropped)
                if one.asleep:
                    one.asleep = False
                    wake.append(one)
            self._counts.published.add(now)
            self._published_at = now
            loop = self._loop
        finally:
            self._lock.release()
        if wake and threading.get_ident() == self._thread:
            _wake(wake)
        elif wake:
            try:
                loop.call_soon_threadsafe(_wake, wake)
            except RuntimeError:  # the loop is closed: nobody will ever deliver
                raise BusStopped(f"{message.topic}: expected a running loop, it is closed") from None

    def _run(self, subscription: Subscription) -> None:
        subscription.awake, subscription.asleep = asyncio.Event(), False
        guarded = subscription.flow.guarded
        subscription.task = self.create_background_task(
            partial(self._delivery.serve, subscription), name=subscription.name,
            criticality=Criticality.IMPORTANT if guarded else Criticality.OPTIONAL,
            metadata={"subscriber": subscription.name, "topics": len(subscription.topics)},
        )  # fmt: skip

    async def _end(self, tasks: list[SupervisedTask]) -> None:
        for task in tasks:
            task.cancel()
        waiting = [task.done for task in tasks if not task.done.done()]
        if waiting:
            await asyncio.wait(waiting, timeout=self._policy.stop_timeout_s)

    def _on_rest(self) -> None:
        if self._drains and self._all_idle():
            for drain in self._drains:
                if not drain.done():
                    drain.set_result(True)
            self._drains.clear()

    def _record(self, payload: Fact) -> None:
        self._supervisor.record(payload, None)

    def _all_idle(self) -> bool:
        return all(one.idle for one in self._subscriptions.values() if one.alive)


def _wake(subscriptions: Iterable[Subscription]) -> None:
    for one in subscriptions:
        one.awake.set()
