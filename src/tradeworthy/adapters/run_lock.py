"""A lock in a file that says who holds it; a dead or silent holder loses it (RF-02)."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.supervision.policy import nanos
from tradeworthy.kernel.supervision.process import same_process, start_ticks_of


class Holder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who holds a lock. Times are nanoseconds UTC; `start_ticks` tells a process from a later one with its pid."""

    pid: int
    host: str
    start_ticks: int | None
    started_at: int
    beat_at: int
    owner: str = ""


class RunLock:
    """One runner at a time, on one machine or a shared folder.

    ttl_s  how long a holder may be silent before another takes over;  owner  names a runner within its process
    """

    def __init__(self, path: Path, clock: Clock, *, ttl_s: float, owner: str) -> None:
        self._path, self._clock, self._ttl, self._owner = path, clock, nanos(ttl_s), owner

    def take(self) -> Holder | None:
        """Take the lock; returns None when it is taken now, else the holder that keeps it."""
        with self._door():
            held = self.holder()
            if held is not None and not self._mine(held) and self._lives(held):
                return held
            now = self._clock.now()
            self._write(Holder(os.getpid(), socket.gethostname(), start_ticks_of(os.getpid()), now, now, self._owner))
        return None

    def beat(self) -> None:
        """Say that the holder lives; does nothing for whoever does not hold it."""
        with self._door():
            held = self.holder()
            if held is not None and self._mine(held):
                self._write(msgspec.structs.replace(held, beat_at=self._clock.now()))

    def release(self) -> bool:
        """Give the lock back; only its holder can, others change nothing and hear False."""
        with self._door():
            held = self.holder()
            if held is None or not self._mine(held):
                return False
            self._path.unlink()
        return True

    def holder(self) -> Holder | None:
        """Return who holds it; None where nobody does, or where the file names nobody."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Holder)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None

    def _mine(self, held: Holder) -> bool:
        return (held.pid, held.host, held.owner) == (os.getpid(), socket.gethostname(), self._owner)

    def _lives(self, held: Holder) -> bool:
        if self._clock.now() - held.beat_at >= self._ttl:
            return False
        return held.host != socket.gethostname() or same_process(held.pid, held.start_ticks)

    def _write(self, holder: Holder) -> None:
        write_durably(self._path, msgspec.json.encode(holder))

    @contextmanager
    def _door(self) -> Iterator[None]:
        """Let one process at a time look and change; the machine opens it when a process dies."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_suffix(".door").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
