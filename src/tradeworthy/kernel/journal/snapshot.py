"""Snapshots of folded state, bound to the journal's head; a damaged one is skipped, never repaired (JR-16)."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.journal.reader import first_seq_of, open_segment, segment_paths
from tradeworthy.kernel.journal.verify import LINE_BYTES_MAX, SEAL_PREFIX, unframe

SNAPSHOT_EVENTS = 100_000
SNAPSHOT_INTERVAL_NS = 900 * NANOS_PER_SECOND
_DIGEST_BYTES = 32


class Snapshot(msgspec.Struct, frozen=True):
    """State after `seq`, when the journal's head was `head`; `state` is the owner's own encoding."""

    seq: int
    head: str
    state: bytes


class SnapshotPolicy(msgspec.Struct, frozen=True):
    """A snapshot is due after so many events, or so much monotonic time in which at least one event came."""

    events: int = SNAPSHOT_EVENTS
    interval_ns: int = SNAPSHOT_INTERVAL_NS


class Snapshots:
    """Keep one owner's snapshots at their cadence; `seq` is where the last one, or the start, stands."""

    def __init__(self, directory: Path, clock: Clock, *, seq: int = 0, policy: SnapshotPolicy | None = None) -> None:
        self._directory, self._clock, self._policy = directory, clock, policy or SnapshotPolicy()
        self._seq, self._taken = seq, clock.monotonic()

    def offer(self, seq: int, head: str, state: Callable[[], bytes]) -> Path | None:
        """Write a snapshot when one is due; `seq` and `head` are those of a sealed batch. Costs nothing otherwise."""
        if not self.due(seq):
            return None
        self._seq, self._taken = seq, self._clock.monotonic()
        return write_snapshot(self._directory, Snapshot(seq, head, state()))

    def due(self, seq: int) -> bool:
        """Tell whether the last event's seq and the time since the last snapshot ask for a new one."""
        elapsed = self._clock.monotonic() - self._taken
        return seq != self._seq and snapshot_due(events=seq - self._seq, elapsed_ns=elapsed, policy=self._policy)


def snapshot_due(*, events: int, elapsed_ns: int, policy: SnapshotPolicy | None = None) -> bool:
    """Tell whether events or monotonic time since the last snapshot ask for a new one."""
    policy = policy or SnapshotPolicy()
    return events >= policy.events or elapsed_ns >= policy.interval_ns


def write_snapshot(directory: Path, snapshot: Snapshot) -> Path:
    """Write one file: SHA-256 of the body, then the body; an existing snapshot of this seq is refused."""
    path = directory / f"snapshot-{snapshot.seq:020d}.bin"
    if path.exists():
        raise FileExistsError(f"{path.name} exists, and a snapshot is never edited in place")
    body = msgspec.msgpack.encode(snapshot)
    write_durably(path, hashlib.sha256(body).digest() + body)
    return path


def newest_snapshot(
    directory: Path, *, head_at: Callable[[int], str | None] | None = None
) -> tuple[Snapshot | None, tuple[str, ...]]:
    """Return the newest good snapshot and one warning for each that was skipped; None means: fold from seq 1.

    head_at  gives the journal's head after a seq, None where no batch ends there; by default the seals of `directory`
    """
    warnings = []
    for path in sorted(directory.glob("snapshot-*.bin"), reverse=True):
        data = path.read_bytes()
        digest, body = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
        if hashlib.sha256(body).digest() != digest:
            warnings.append(f"{path.name}: the bytes do not have their SHA-256")
            continue
        snapshot = msgspec.msgpack.decode(body, type=Snapshot)
        found = head_after(directory, snapshot.seq) if head_at is None else head_at(snapshot.seq)
        if found != snapshot.head:
            warnings.append(f"{path.name}: its head is not the journal's at {snapshot.seq}")
            continue
        return snapshot, tuple(warnings)
    return None, tuple(warnings)


def head_after(directory: Path, seq: int) -> str | None:
    """Return the journal's head after `seq`, None where no batch ends there; reads the one segment that holds it."""
    paths = [path for path in segment_paths(directory) if first_seq_of(path) <= seq]
    if not paths:
        return None
    with open_segment(paths[-1]) as file:
        while line := file.readline(LINE_BYTES_MAX):
            if line.startswith(SEAL_PREFIX):
                fields = unframe(line, "seal")
                if fields is None or int(fields["last"]) > seq:
                    return None
                if int(fields["last"]) == seq:
                    return str(fields["hash"])
    return None
