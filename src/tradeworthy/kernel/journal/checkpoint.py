"""Signed checkpoints: Ed25519 in a DSSE envelope over head, count, day root and line checks (JR-09)."""

import socket
from pathlib import Path
from typing import Any, Protocol

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.kernel import dsse
from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.journal.verify import PAYLOAD_TYPE

CHECKPOINT_EVENTS = 10_000
WITNESS_TIMEOUT_S = 5.0
REPLY_BYTES_MAX = 1 << 24


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """What a checkpoint says. `lines` holds the CRC-32 of each event after `since`, so damage is found to the seq.

    day_root         RFC 6962 root over the seals of the UTC day so far
    clock_offset_ns  the desk's wall clock minus the witness's, None when nobody could measure it: unknown, not zero
    clock_error_ns   half the round trip of that measurement, the most by which it can be wrong
    """

    head: str
    count: int
    since: int
    lines: bytes
    day: str
    day_root: str
    clock_offset_ns: int | None
    ts: int
    directory: str = ""
    provenance: str = ""
    clock_error_ns: int | None = None


class LineStream(Protocol):
    """A connection that carries one message a line, both ways."""

    def write(self, data: bytes, /) -> int | None: ...
    def flush(self) -> None: ...
    def readline(self, size: int = -1, /) -> bytes: ...


class CheckpointSigner(Protocol):
    """Turn a statement into a signed envelope; raises `OSError` or `InvalidInput` when it cannot."""

    def sign(self, statement: Statement) -> bytes: ...


class LocalSigner:
    """A key inside the desk's own process: whoever owns the process can sign, so it is only `attested`."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    def sign(self, statement: Statement) -> bytes:
        return envelope_of(statement, self._key, provenance="attested")


class WitnessSigner:
    """Ask the witness process, which reads the journal itself and signs what it read: `measured`.

    clock  what the desk stamps with; without one the witness cannot compare clocks and says so
    """

    def __init__(self, address: Path, clock: Clock | None = None) -> None:
        self._address, self._clock = address, clock

    def sign(self, statement: Statement) -> bytes:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(WITNESS_TIMEOUT_S)
            connection.connect(str(self._address))
            with connection.makefile("rwb") as stream:
                send_line(stream, msgspec.json.encode(statement))
                reply = receive_line(stream)
                answer: dict[str, Any] = msgspec.json.decode(reply) if reply else {}
                if answer.get("ask") == "now":
                    now = None if self._clock is None else self._clock.now()
                    send_line(stream, msgspec.json.encode({"now": now}))
                    reply = receive_line(stream)
                    answer = msgspec.json.decode(reply) if reply else {}
        if "payload" not in answer:
            found = answer.get("refused", "no answer")
            raise InvalidInput(f"expected a signed checkpoint of the witness, found {found}")
        return reply


def send_line(stream: LineStream, data: bytes) -> None:
    """Send one message."""
    stream.write(data + b"\n")
    stream.flush()


def receive_line(stream: LineStream) -> bytes:
    """Return one message without its line end, empty when the other side is gone."""
    line = stream.readline(REPLY_BYTES_MAX)
    if len(line) == REPLY_BYTES_MAX:
        raise InvalidInput(f"expected less than {REPLY_BYTES_MAX} bytes, found more")
    return line.rstrip(b"\n")


def envelope_of(statement: Statement, key: Ed25519PrivateKey, *, provenance: str) -> bytes:
    """Return the signed DSSE envelope of `statement`."""
    payload = msgspec.json.encode(msgspec.structs.replace(statement, provenance=provenance, directory=""))
    return msgspec.json.encode(dsse.envelope(payload, PAYLOAD_TYPE, key))


def latest_count(directory: Path) -> int:
    """Return the count of the newest checkpoint by its name, 0 without one."""
    return max((count_of(path) for path in directory.glob("checkpoint-*.dsse.json")), default=0)


def count_of(path: Path) -> int:
    """Return how many events a checkpoint's name says that it covers."""
    return int(path.name.removeprefix("checkpoint-").partition(".")[0])
