"""One channel: its own queue, its own task, its own receipts; whatever it does, no other one waits (AR-07, AR-08)."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from random import Random
from typing import NamedTuple, Protocol

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.supervision.backoff import delay_s
from tradeworthy.kernel.supervision.policy import nanos
from tradeworthy.kernel.supervision.task import Pulse
from tradeworthy.operations.incidents.model import Notice, Outcome, Receipt
from tradeworthy.operations.incidents.policy import AlertPolicy, ChannelPolicy

LOG = logging.getLogger("tradeworthy.alerts.channel")
REASON_MAX = 300
"""Characters of a reason that are kept."""


class Sent(NamedTuple):
    """A gateway took a notice: how it calls it, empty where it gives no name."""

    provider_id: str = ""


class Refused(Exception):
    """The gateway will not take this notice, however often it is offered."""


class Transport(Protocol):
    """A way out. `send` returns what the gateway said, and raises whatever went wrong; `Refused` is final.

    A notice that comes again has the same `id`; a receiver may see it twice.
    """

    async def send(self, notice: Notice, *, timeout_s: float) -> Sent: ...


class ChannelFacts(NamedTuple):
    """One channel at this moment."""

    name: str
    configured: bool
    waiting: int
    accepted: int
    undelivered: int
    last_reason: str


class Channel:
    """Bring notices out over one transport, one after another.

    transport  None: nothing is configured, and every notice is `undelivered` at once
    problem    why there is none
    tell       hears of every receipt, on the event loop
    """

    def __init__(
        self, policy: ChannelPolicy, transport: Transport | None, clock: Clock, random: Random, bounds: AlertPolicy,
        tell: Callable[[Receipt], None], *, problem: str = "no destination is configured",
    ) -> None:  # fmt: skip
        self.policy, self._transport, self._clock, self._random = policy, transport, clock, random
        self._bounds, self._tell, self._problem = bounds, tell, problem
        self._queue: deque[tuple[Notice, int]] = deque()
        self._ready = asyncio.Event()
        self._accepted = self._undelivered = 0
        self._reason = "" if transport is not None else problem

    @property
    def name(self) -> str:
        """How rules call it."""
        return self.policy.name

    @property
    def configured(self) -> bool:
        """Whether there is a way out at all."""
        return self._transport is not None

    def put(self, notice: Notice) -> None:
        """Queue a notice; where that cannot be, its receipt says so at once."""
        now = self._clock.monotonic()
        if self._transport is None:
            self._settle(notice, now, 0, reason=self._problem)
        elif len(self._queue) >= self._bounds.queue_max:
            self._settle(notice, now, 0, reason=f"queue full: {self._bounds.queue_max} notices wait")
        else:
            self._queue.append((notice, now))
            self._ready.set()

    async def work(self, pulse: Pulse) -> None:
        """Send what is queued for ever: the factory of a supervised task."""
        while True:
            pulse.beat()
            if not self._queue:
                self._ready.clear()
                await self._ready.wait()
                continue
            notice, since = self._queue[0]
            try:
                await self._deliver(notice, since, pulse)
            except Exception as problem:  # it may not break the next attempt as well; the supervisor learns of it
                self._queue.popleft()
                self._settle(notice, since, 0, reason=f"{type(problem).__name__}: {problem}")
                raise
            self._queue.popleft()

    def give_up(self, reason: str) -> None:
        """Settle what still waits as undelivered, e.g. at the end of the process."""
        while self._queue:
            notice, since = self._queue.popleft()
            self._settle(notice, since, 0, reason=reason)

    def facts(self) -> ChannelFacts:
        """Return the channel at this moment."""
        return ChannelFacts(
            self.name, self.configured, len(self._queue), self._accepted, self._undelivered, self._reason
        )

    async def _deliver(self, notice: Notice, since: int, pulse: Pulse) -> None:
        assert self._transport is not None
        bounds, deadline = self._bounds, since + nanos(self._bounds.total_deadline_s)
        reason = "waited in the queue for longer than the deadline"
        attempts = 0
        while attempts < bounds.attempts:
            left_s = (deadline - self._clock.monotonic()) / NANOS_PER_SECOND
            if left_s <= 0:
                break
            attempts += 1
            within = min(bounds.attempt_deadline_s, left_s)
            try:
                async with asyncio.timeout(within):  # `wait_for` may lose a cancellation to a result
                    sent = await self._transport.send(notice, timeout_s=within)
            except TimeoutError:
                reason = f"no answer within {within:g} s"
            except Refused as problem:
                reason = f"refused: {problem}"
                break
            except Exception as problem:  # whatever a transport raises is its receipt's reason
                reason = f"{type(problem).__name__}: {problem}"
            else:
                self._settle(notice, since, attempts, sent=sent)
                return
            pulse.beat()
            if attempts < bounds.attempts:
                wait = max(bounds.backoff_min_s, delay_s(
                    attempts, base_s=2 * bounds.backoff_min_s, cap_s=bounds.backoff_max_s, random=self._random
                ))  # fmt: skip
                await asyncio.sleep(min(wait, max(0.0, (deadline - self._clock.monotonic()) / NANOS_PER_SECOND)))
        self._settle(notice, since, attempts, reason=reason)

    def _settle(self, notice: Notice, since: int, attempts: int, *, sent: Sent | None = None, reason: str = "") -> None:
        said = str(redact(reason))[:REASON_MAX]
        if sent is None:
            self._undelivered += 1
            self._reason = said
            LOG.warning("alert_undelivered", extra={"channel": self.name, "notice": notice.id, "reason": said})
        else:
            self._accepted += 1
            self._reason = ""
        now = self._clock.monotonic()
        self._tell(Receipt(
            notice=notice.id, channel=self.name,
            outcome=Outcome.UNDELIVERED if sent is None else Outcome.ACCEPTED, purpose=notice.purpose,
            severity=notice.severity, alerts=tuple(one.id for one in notice.alerts), attempts=attempts,
            latency_ns=now - since, at=self._clock.now(),
            provider_id="" if sent is None else str(redact(sent.provider_id))[:REASON_MAX], reason=said,
            event_ns=now - notice.accepted_at if notice.accepted_at else 0, dedup=notice.dedup,
        ))  # fmt: skip
