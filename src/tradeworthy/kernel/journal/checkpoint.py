"""Signed checkpoints: Ed25519 in a DSSE envelope over head, count, day root and line checks (JR-09)."""

import base64
import hashlib
import socket
from pathlib import Path
from typing import Any, Protocol

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.journal.verify import PAYLOAD_TYPE, pre_authentication

CHECKPOINT_EVENTS = 10_000
WITNESS_TIMEOUT_S = 5.0
REPLY_BYTES_MAX = 1 << 24


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """What a checkpoint says. `lines` holds the CRC-32 of each event after `since`, so damage is found to the seq.

    day_root         RFC 6962 root over the seals of the UTC day so far
    clock_offset_ns  measured offset of the wall clock, None when nobody measured it
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
    """Ask the witness process, which reads the journal itself and signs what it read: `measured`."""

    def __init__(self, address: Path) -> None:
        self._address = address

    def sign(self, statement: Statement) -> bytes:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(WITNESS_TIMEOUT_S)
            connection.connect(str(self._address))
            connection.sendall(msgspec.json.encode(statement) + b"\n")
            connection.shutdown(socket.SHUT_WR)
            reply = receive(connection)
        answer: dict[str, Any] = msgspec.json.decode(reply) if reply else {}
        if "payload" not in answer:
            found = answer.get("refused", "no answer")
            raise InvalidInput(f"expected a signed checkpoint of the witness, found {found}")
        return reply


def receive(connection: socket.socket) -> bytes:
    """Return all bytes until the other side stops sending."""
    received = bytearray()
    while part := connection.recv(1 << 16):
        received += part
        if len(received) > REPLY_BYTES_MAX:
            raise InvalidInput(f"expected at most {REPLY_BYTES_MAX} bytes, found more")
    return bytes(received)


def envelope_of(statement: Statement, key: Ed25519PrivateKey, *, provenance: str) -> bytes:
    """Return the signed DSSE envelope of `statement`."""
    payload = msgspec.json.encode(msgspec.structs.replace(statement, provenance=provenance, directory=""))
    public = key.public_key().public_bytes_raw()
    return msgspec.json.encode(
        {
            "payloadType": PAYLOAD_TYPE,
            "payload": base64.b64encode(payload).decode(),
            "signatures": [
                {
                    "keyid": hashlib.sha256(public).hexdigest()[:16],
                    "sig": base64.b64encode(key.sign(pre_authentication(payload))).decode(),
                }
            ],
        }
    )


def latest_count(directory: Path) -> int:
    """Return the count of the newest checkpoint by its name, 0 without one."""
    names = [path.name for path in directory.glob("checkpoint-*.dsse.json")]
    return max((int(name.removeprefix("checkpoint-").partition(".")[0]) for name in names), default=0)
