"""What travels on the bus and lies in the spool: one envelope around canonical JSON without secrets."""

from typing import Any, TypeVar

import msgspec

from tradeworthy.kernel.errors import InvalidInput, RetryLater
from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.kernel.journal.codec import require_finite
from tradeworthy.kernel.redaction import may_hold_secret, redact
from tradeworthy.kernel.telemetry.topics import topic_of

PAYLOAD_BYTES_MAX = 1 << 20
_ENCODER = msgspec.json.Encoder(decimal_format="string", order="sorted")
T = TypeVar("T")


class PublishRefused(RetryLater):
    """A stage of publishing cannot take an event now; the next stage may."""


class Message(msgspec.Struct, frozen=True):
    """One published event. `ts` is nanoseconds UTC; the payload is canonical JSON, the same bytes everywhere.

    event_id  by which a subscriber knows a repeat; of a journaled fact it is the journal's own
    source    who publishes
    """

    event_id: str
    topic: str
    ts: int
    source: str
    payload: msgspec.Raw

    def read(self, shape: type[T]) -> T:
        """Return the payload as `shape`; raises `msgspec.ValidationError`."""
        return msgspec.json.decode(self.payload, type=shape)


_DECODER = msgspec.json.Decoder(Message, strict=True)


def message_of(topic: str, payload: object, *, event_id: str, source: str, ts: int) -> Message:
    """Wrap `payload`, without its secrets, for a registered topic.

    Raises `UnknownTopic`, and `InvalidInput` for NaN, for more than 1 MiB, for what JSON cannot say, and for a fact
    that the journal has not accepted: facts travel as their accepted `Event`, never on the bus alone.
    """
    topic_of(topic)
    if not event_id or not source:
        raise InvalidInput(f"{topic}: event_id and source must not be empty, were {event_id!r} and {source!r}")
    if isinstance(payload, Fact) or (isinstance(payload, Event) and payload.seq < 1):
        raise InvalidInput(f"{topic}: expected an event that the journal accepted, found a {payload.kind} before that")
    require_finite(payload, topic)
    try:
        data = _ENCODER.encode(payload)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{topic}: expected a payload that JSON can say, found {error}") from None
    data = _clean(data)
    if len(data) > PAYLOAD_BYTES_MAX:
        raise InvalidInput(f"{topic}: a payload may have {PAYLOAD_BYTES_MAX} bytes, had {len(data)}")
    return Message(event_id, topic, ts, source, msgspec.Raw(data))


def line_of(message: Message) -> bytes:
    """Return the message as one line of JSON without secrets, its line feed included."""
    return _clean(_ENCODER.encode(message)) + b"\n"


def read_line(line: bytes) -> Message:
    """Return the message of one line; raises `InvalidInput` for anything else, an unknown topic included."""
    try:
        message = _DECODER.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidInput(f"expected one message a line, found {error}") from None
    topic_of(message.topic)
    return message


def _clean(data: bytes) -> bytes:
    if not may_hold_secret(data):
        return data
    plain: Any = msgspec.json.decode(data)
    return _ENCODER.encode(redact(plain))
