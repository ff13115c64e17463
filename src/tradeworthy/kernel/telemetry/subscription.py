"""One subscriber of the bus: its bounded queue, the event in its hand, and what it has done."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.supervision import SupervisedTask
from tradeworthy.kernel.telemetry.deduplicator import Deduplicator
from tradeworthy.kernel.telemetry.message import Message
from tradeworthy.kernel.telemetry.topics import Flow

Handler = Callable[[Message], Awaitable[object]]


class Waiting(NamedTuple):
    """An event in a queue: its number on the bus, the event, and when it came (nanoseconds, monotonic)."""

    number: int
    message: Message
    since: int


class SubscriberFacts(msgspec.Struct, frozen=True):
    """What is known of one subscriber: events that wait, the age of the oldest, and its totals."""

    name: str
    topics: int
    depth: int
    oldest_waiting_seconds: float
    delivered: int
    dropped: int
    handler_errors: int
    duplicates: int
    dead_letters: int


class Subscription:
    """The bus's own book of a subscriber; `lock` of the bus guards the queue, the loop's thread has all else."""

    __slots__ = (
        "asleep", "awake", "capacity", "dead_letters", "deduplicator", "delivered", "dropped", "duplicates", "errors",
        "failed", "flow", "hand", "handler", "name", "queue", "swapping", "task", "topics",
    )  # fmt: skip

    def __init__(
        self, name: str, handler: Handler, topics: frozenset[str], *, flow: Flow, capacity: int, remembered: int
    ) -> None:
        self.name, self.handler, self.topics, self.flow, self.capacity = name, handler, topics, flow, capacity
        self.queue: deque[Waiting] = deque()
        self.hand: Waiting | None = None
        self.failed: tuple[str, int] = ("", 0)  # the event in hand, and how often the handler failed at it
        self.deduplicator = Deduplicator(remembered)
        self.awake = asyncio.Event()
        self.asleep = True
        self.task: SupervisedTask | None = None
        self.swapping = False
        self.delivered = self.dropped = self.errors = self.duplicates = self.dead_letters = 0

    @property
    def alive(self) -> bool:
        """Whether a task serves it, or will again."""
        return self.swapping or (self.task is not None and self.task.alive)

    @property
    def stuck(self) -> bool:
        """Whether an attempt that was given up still runs; no other may start beside it."""
        return self.task is not None and not self.task.alive and self.task.attempt is not None

    @property
    def depth(self) -> int:
        """Events that wait."""
        return len(self.queue)

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is in hand."""
        return self.hand is None and not self.queue

    def put(self, waiting: Waiting) -> int:
        """Add the newest event; returns how many of the oldest were dropped for it."""
        dropped = 0
        while len(self.queue) >= self.capacity:
            self.queue.popleft()
            dropped += 1
        self.dropped += dropped
        self.queue.append(waiting)
        return dropped

    def put_back(self) -> bool:
        """Return the event in hand to its place; True when it found none there and was dropped, being the oldest."""
        waiting, self.hand = self.hand, None
        if waiting is None:
            return False
        if len(self.queue) >= self.capacity:
            self.dropped += 1
            return True
        self.queue.appendleft(waiting)
        return False

    def failures_of(self, event_id: str) -> int:
        """Return how often the present handler failed at an event."""
        return self.failed[1] if self.failed[0] == event_id else 0

    def facts(self, now: int) -> SubscriberFacts:
        """Return the subscriber at a moment of the monotonic clock."""
        return SubscriberFacts(
            self.name, len(self.topics), self.depth, self.oldest(now) / NANOS_PER_SECOND, self.delivered, self.dropped,
            self.errors, self.duplicates, self.dead_letters,
        )  # fmt: skip

    def oldest(self, now: int) -> int:
        """Return the nanoseconds that the oldest event has waited, 0 when none waits."""
        first = self.hand or (self.queue[0] if self.queue else None)
        return 0 if first is None else max(0, now - first.since)
