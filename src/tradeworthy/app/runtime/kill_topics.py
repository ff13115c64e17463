"""What is published on the topics that ask for a stop trips the halt flag: any part of the process may kill (KS-01)."""

import msgspec

from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.telemetry.message import Message
from tradeworthy.kernel.telemetry.topics import KILL_TOPIC
from tradeworthy.trading.control.halt import Halt, HaltPort
from tradeworthy.trading.control.kill import scope_of

OPERATOR, KILL = "operator", "kill"
UNREADABLE = "a stop that cannot be read"


class Asked(msgspec.Struct, frozen=True):
    """The payload of a topic that asks for a stop; a scope that is not known is the desk."""

    scope: str = "desk"
    reason: str = ""
    flatten: bool = False


class KillTopics:
    """The bus's subscriber that trips: the flag holds every send back at once, the desk hears of it at its next look.

    Nobody needs approval, and what cannot be read is a stop of the whole desk.
    """

    def __init__(self, flag: HaltPort, clock: Clock) -> None:
        self._flag, self._clock = flag, clock

    async def take(self, message: Message) -> None:
        """Trip in the name of whoever the topic is of: `risk.` and `compliance.` their rooms, else the operator."""
        try:
            asked = message.read(Asked)
        except msgspec.DecodeError:
            asked = Asked(reason=UNREADABLE)
        owner, _, code = message.topic.partition(".")
        if message.topic == KILL_TOPIC:
            owner, code = OPERATOR, KILL
        evidence = f"{message.source}: {asked.reason}" if asked.reason else message.source
        self._flag.trip(Halt(
            owner, code, scope_of(asked.scope), self._clock.now(), self._clock.monotonic(), evidence, asked.flatten
        ))  # fmt: skip
