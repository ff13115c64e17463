"""Snapshots of folded state, bound to the journal's head; a damaged one is skipped, never repaired (JR-16)."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.journal.files import write_durably

SNAPSHOT_EVENTS = 100_000
SNAPSHOT_INTERVAL_NS = 900 * NANOS_PER_SECOND
_DIGEST_BYTES = 32


class Snapshot(msgspec.Struct, frozen=True):
    """State after `seq`, when the journal's head was `head`; `state` is the owner's own encoding."""

    seq: int
    head: str
    state: bytes


def snapshot_due(*, events: int, elapsed_ns: int) -> bool:
    """Tell whether events or monotonic time since the last snapshot ask for a new one."""
    return events >= SNAPSHOT_EVENTS or elapsed_ns >= SNAPSHOT_INTERVAL_NS


def write_snapshot(directory: Path, snapshot: Snapshot) -> Path:
    """Write one file: SHA-256 of the body, then the body; an existing snapshot of this seq is refused."""
    path = directory / f"snapshot-{snapshot.seq:020d}.bin"
    if path.exists():
        raise FileExistsError(f"{path.name} exists, and a snapshot is never edited in place")
    body = msgspec.msgpack.encode(snapshot)
    write_durably(path, hashlib.sha256(body).digest() + body)
    return path


def newest_snapshot(
    directory: Path, *, head_at: Callable[[int], str | None]
) -> tuple[Snapshot | None, tuple[str, ...]]:
    """Return the newest good snapshot and one warning for each that was skipped; None means: fold from seq 1.

    head_at  gives the journal's head after a seq, None where no batch ends there
    """
    warnings = []
    for path in sorted(directory.glob("snapshot-*.bin"), reverse=True):
        data = path.read_bytes()
        digest, body = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
        if hashlib.sha256(body).digest() != digest:
            warnings.append(f"{path.name}: the bytes do not have their SHA-256")
            continue
        snapshot = msgspec.msgpack.decode(body, type=Snapshot)
        if head_at(snapshot.seq) != snapshot.head:
            warnings.append(f"{path.name}: its head is not the journal's at {snapshot.seq}")
            continue
        return snapshot, tuple(warnings)
    return None, tuple(warnings)
