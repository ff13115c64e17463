"""The guard's second memory: the sentinel, and how a start takes the worse of it and the journal (GRD-05)."""

import hashlib
from collections.abc import Iterable
from typing import Protocol

import msgspec

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.trading.control.guard import HeldReason
from tradeworthy.trading.model import GuardLevel


class SentinelPort(Protocol):
    """Keep one small record across restarts, written whole or not at all."""

    def read(self) -> bytes | None:
        """Return the record; None where none was ever written."""
        ...

    def write(self, record: bytes) -> None:
        """Replace the record; durable when it returns."""
        ...


def encode(held: Iterable[HeldReason]) -> bytes:
    """Return the record: SHA-256 in hex, a line feed, the reasons as canonical JSON."""
    body = msgspec.json.encode(tuple(held), order="sorted")
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def decode(record: bytes) -> tuple[HeldReason, ...]:
    """Return the reasons; raises `InvalidInput` for a record that is torn, altered or of another form."""
    digest, _, body = record.partition(b"\n")
    if digest != hashlib.sha256(body).hexdigest().encode():
        raise InvalidInput(f"sentinel digest must be that of its body, was {digest[:64]!r}")
    try:
        return msgspec.json.decode(body, type=tuple[HeldReason, ...])
    except msgspec.DecodeError as error:
        raise InvalidInput(f"sentinel must hold guard reasons: {error}") from error


def restore(
    journal: tuple[HeldReason, ...] | None, record: bytes | None, *, first_run: bool, now: int
) -> tuple[HeldReason, ...]:
    """Return the reasons to start with: of each reason the worse of journal and sentinel.

    journal  None when it could not be read;  record  None when the sentinel is missing
    After a first run a memory that is missing or unreadable adds a stop.
    """
    faults: list[str] = []
    remembered: tuple[HeldReason, ...] = ()
    if record is not None:
        try:
            remembered = decode(record)
        except InvalidInput as error:
            faults.append(str(error))
    elif not first_run:
        faults.append("sentinel is missing after a first run")
    if journal is None:
        faults.append("journal's guard state is unreadable")
    worse: dict[tuple[str, str, str], HeldReason] = {}
    for reason in (*remembered, *(journal or ())):
        key = (reason.owner, reason.code, reason.scope)
        if key not in worse or reason.level > worse[key].level:
            worse[key] = reason
    if faults:
        fault = HeldReason("supervision", "guard_memory", GuardLevel.STOPPED, "desk", now, None, "; ".join(faults))
        worse[(fault.owner, fault.code, fault.scope)] = fault
    return tuple(worse.values())
