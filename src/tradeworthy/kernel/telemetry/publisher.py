"""The one publisher: to the bus, else to the durable spool, else a typed error; never silent (TEL-01, TEL-02)."""

import asyncio
import logging
import threading
from typing import Protocol

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.errors import DeskError
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.supervision.task import Pulse
from tradeworthy.kernel.telemetry.message import Message, PublishRefused, message_of
from tradeworthy.kernel.telemetry.spool import Spool, SpoolFacts
from tradeworthy.kernel.words import Word

LOG = logging.getLogger("tradeworthy.telemetry.publisher")


class Stage(Word):
    """Where publishing ended: at the bus, or at the spool behind it."""

    PRIMARY = "primary"
    FAILOVER = "failover"


class PublishFailed(DeskError):
    """An event was published nowhere. The cause is redacted text; the exception itself is `__cause__`."""

    def __init__(self, topic: str, stage: Stage, error: BaseException) -> None:
        self.topic, self.stage, self.cause = topic, stage, str(redact(error))
        super().__init__(f"{topic}: expected to be published, failed at {stage.value}: {self.cause}")


class Primary(Protocol):
    """What events are published to first: the bus of the process, or a broker's client behind the same words.

    `publish` raises `PublishRefused` (stopped, refused, out of time) or `TimeoutError` when it cannot take an event
    now; anything else it raises is a failure that no spool hides.
    """

    @property
    def running(self) -> bool: ...
    def publish(self, message: Message, *, timeout_s: float) -> None: ...
    async def drained(self, timeout_s: float) -> bool: ...


class PublisherPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How events are published. Times are seconds.

    timeout_s          the most the first stage may take for one event
    replay_interval_s  how often the spool is tried again
    replay_batch       events that are brought again before they are taken off the spool; at most the bus's capacity
    replay_wait_s      how long one batch waits for a slow subscriber before the next is brought
    """

    timeout_s: float = 0.5
    replay_interval_s: float = 1.0
    replay_batch: int = 100
    replay_wait_s: float = 30.0

    def __post_init__(self) -> None:
        for name in ("timeout_s", "replay_interval_s", "replay_wait_s"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ValueError(f"{name} must be finite and above 0, was {getattr(self, name)}")
        if self.replay_batch < 1:
            raise ValueError(f"replay_batch must be at least 1, was {self.replay_batch}")


class PublisherFacts(msgspec.Struct, frozen=True):
    """What is known of publishing: whether the spool stands in, since how long and why, and totals of events."""

    failed_over: bool
    failover_seconds: float
    cause: str
    outages_total: int
    spooled_total: int
    replayed_total: int
    failed_total: int
    spool: SpoolFacts


class Publisher:
    """Publish events of one run; from any thread, the order of one thread is kept through an outage.

    run_id  makes the event ids of this run its own

    While the spool holds events, new ones go behind them, so that subscribers see one order. A spooled event costs
    its caller the disk's sync; the bus costs no wait.
    """

    def __init__(
        self, primary: Primary, spool: Spool, clock: Clock, *, run_id: str, policy: PublisherPolicy | None = None
    ) -> None:
        self._primary, self._spool, self._clock, self._run_id = primary, spool, clock, run_id
        self._policy = policy or PublisherPolicy()
        self._lock = threading.RLock()
        self._number = 0
        self._spooled = self._replayed = self._failed = self._outages = 0
        self._since: int | None = None
        self._cause = ""
        if spool.backlog:
            self._fail_over(f"{spool.backlog} events of an earlier run wait")

    def publish(self, topic: str, payload: object, *, source: str, event_id: str | None = None) -> Message:
        """Publish one event; returns it as it travels, without secrets.

        event_id  of what has an id already, e.g. a snapshot's; an accepted `Event` brings its own

        Raises `UnknownTopic` or `InvalidInput` for what may not travel, and `PublishFailed` when no stage took it.
        """
        if event_id is None:
            event_id = payload.event_id if isinstance(payload, Event) else self._next_id(source)
        message = message_of(topic, payload, event_id=event_id, source=source, ts=self._clock.now())
        self.send(message)
        return message

    def send(self, message: Message) -> None:
        """Publish an event that is wrapped already; raises `PublishFailed`."""
        refusal: BaseException | None = None
        if self._since is None and (refusal := self._offer(message)) is None:
            return
        with self._lock:
            if refusal is None and self._since is None and (refusal := self._offer(message)) is None:
                return  # the spool was emptied while this waited for it
            self._keep(message, refusal)

    async def replay(self) -> int:
        """Bring the spool's events to the bus, in order, and take them off as they were dealt with; returns how many.

        Ends at an empty spool, which ends the outage, or at a refusal. Raises `PublishFailed` for any other failure.
        """
        brought = 0
        while self._since is not None and self._primary.running:
            batch = self._spool.peek(self._policy.replay_batch)
            if not batch.lines:
                with self._lock:  # nothing can be spooled between this look and the end of the outage
                    if not self._spool.peek(1).lines:
                        self._recover()
                continue
            for message in batch.messages:
                if self._offer(message) is not None:
                    return brought
            if not await self._primary.drained(self._policy.replay_wait_s) and not self._primary.running:
                return brought
            self._spool.acknowledge(batch)
            brought += len(batch.messages)
            self._replayed += len(batch.messages)
        return brought

    async def replays(self, pulse: Pulse) -> None:
        """Bring the spool's events again whenever there are any: the factory of a supervised task."""
        while True:
            await self.replay()
            pulse.beat()
            await asyncio.sleep(self._policy.replay_interval_s)

    def adopt(self, policy: PublisherPolicy) -> None:
        """Publish by other bounds from now on."""
        self._policy = policy

    def keep(self, messages: tuple[Message, ...]) -> None:
        """Spool what a stopped bus had taken and not delivered, before the process ends; raises `PublishFailed`."""
        with self._lock:
            for message in messages:
                self._keep(message, PublishRefused("the bus stopped before it was delivered"))

    def facts(self) -> PublisherFacts:
        """Return publishing at this moment; for any thread."""
        since = self._since
        seconds = 0.0 if since is None else (self._clock.monotonic() - since) / NANOS_PER_SECOND
        return PublisherFacts(
            since is not None, seconds, self._cause, self._outages, self._spooled, self._replayed, self._failed,
            self._spool.facts(),
        )  # fmt: skip

    def _next_id(self, source: str) -> str:
        with self._lock:
            self._number += 1
            return f"{source}:{self._run_id}:{self._number}"

    def _offer(self, message: Message) -> BaseException | None:
        """Offer an event to the first stage; returns why it could not take it now."""
        try:
            self._primary.publish(message, timeout_s=self._policy.timeout_s)
        except (PublishRefused, TimeoutError) as error:
            return error
        except Exception as error:  # typed, with its topic, at once: no spool hides a defect
            with self._lock:
                self._failed += 1
            raise PublishFailed(message.topic, Stage.PRIMARY, error) from error
        return None

    def _keep(self, message: Message, refusal: BaseException | None) -> None:
        if self._since is None:
            self._fail_over(str(redact(refusal)))
        try:
            self._spool.append(message)
        except Exception as error:  # the last stage: whatever it is, the caller must know
            self._failed += 1
            raise PublishFailed(message.topic, Stage.FAILOVER, error) from error
        self._spooled += 1

    def _fail_over(self, cause: str) -> None:
        self._since, self._cause = self._clock.monotonic(), cause
        self._outages += 1
        LOG.warning("publish_failed_over", extra={"cause": cause})

    def _recover(self) -> None:
        assert self._since is not None
        seconds = (self._clock.monotonic() - self._since) / NANOS_PER_SECOND
        self._since, self._cause = None, ""
        LOG.info("publish_recovered", extra={"seconds": seconds, "replayed_total": self._replayed})
