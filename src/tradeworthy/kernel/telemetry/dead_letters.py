"""Events that a handler failed at for good, and the pause while those of a guarded flow are open (TEL-04)."""

import logging
from collections import deque
from collections.abc import Callable

import msgspec

from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.telemetry.hold import HoldPort
from tradeworthy.kernel.telemetry.message import Message
from tradeworthy.kernel.telemetry.topics import Flow, topic_of

PAYLOAD_SHOWN_MAX = 4_096
LINE = "event_dead_lettered"
"""The event of the ERROR line that tells a dead letter."""
LOG = logging.getLogger("tradeworthy.telemetry.bus")


class DeadLetter(msgspec.Struct, frozen=True):
    """An event that a handler failed at for good, whole, and why. `at` is nanoseconds UTC."""

    message: Message
    subscriber: str
    attempts: int
    error: str
    cause: str
    flow: Flow
    at: int


@fact("bus.dead_letter")
class DeadLettered(Fact, frozen=True):
    """A handler failed at an event for good; `payload` is the event's, its first 4,096 characters."""

    topic: str
    event_id: str
    subscriber: str
    flow: Flow
    attempts: int
    error: str
    cause: str
    payload: str = ""


@fact("bus.settled")
class DeadLettersSettled(Fact, frozen=True):
    """A person dealt with the dead letters of a flow; the pause that they caused is over."""

    flow: Flow
    letters: int
    by: str


class DeadLetters:
    """Keep the newest dead letters whole, journal each, and pause the desk while a guarded flow has open ones.

    record  journals a fact
    """

    def __init__(self, clock: Clock, hold: HoldPort, record: Callable[[Fact], object], *, kept: int) -> None:
        self._clock, self._hold, self._record = clock, hold, record
        self._letters: deque[DeadLetter] = deque(maxlen=kept)
        self._open: dict[Flow, int] = {}
        self.total = 0

    @property
    def open(self) -> int:
        """Dead letters of guarded flows that nobody has settled yet."""
        return sum(self._open.values())

    def adopt(self, kept: int) -> None:
        """Keep so many letters whole from now on, the newest."""
        self._letters = deque(self._letters, maxlen=kept)

    def letters(self) -> tuple[DeadLetter, ...]:
        """Return the newest, oldest first."""
        return tuple(self._letters)

    def bury(self, message: Message, subscriber: str, flow: Flow, attempts: int, error: BaseException) -> None:
        """Take an event that a subscriber failed at; `flow` counts where the topic's own is not guarded."""
        of_topic = topic_of(message.topic).flow
        flow = of_topic if of_topic.guarded else flow
        name, cause = type(error).__name__, str(redact(str(error)))
        self._letters.append(DeadLetter(message, subscriber, attempts, name, cause, flow, self._clock.now()))
        self.total += 1
        payload = bytes(message.payload)[:PAYLOAD_SHOWN_MAX].decode("utf-8", "replace")
        self._record(DeadLettered(message.topic, message.event_id, subscriber, flow, attempts, name, cause, payload))
        said = {"topic": message.topic, "event_id": message.event_id, "subscriber": subscriber, "cause": cause}
        LOG.error(LINE, extra={**said, "error": name, "attempts": attempts})
        if flow.guarded:
            self._open[flow] = self._open.get(flow, 0) + 1
            if self._open[flow] == 1:
                found = f"{attempts} failures of {subscriber} at {message.event_id}: {name}"
                self._hold.hold(_code(flow), f"expected {message.topic} to be handled, found {found}")

    def settle(self, flow: Flow, by: str) -> int:
        """Let go of the letters of a flow and end its pause, also one that an earlier run left; returns how many."""
        kept = [one for one in self._letters if one.flow is not flow]
        self._letters.clear()
        self._letters.extend(kept)
        count = self._open.pop(flow, 0)
        if flow.guarded:
            self._record(DeadLettersSettled(flow, count, by))
            self._hold.release(_code(flow))
        return count


def _code(flow: Flow) -> str:
    return f"poison_{flow.value}"
