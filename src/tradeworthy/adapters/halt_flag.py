"""The halt flag: a small mapped file that says stop when journal, bus and event loop are dead (KS-02a)."""

import fcntl
import mmap
import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_MILLI, Clock
from tradeworthy.trading.control.halt import Halt

FLAG_BYTES = 1 << 16
_STATE, _RELEASES, _BODY = 0, 8, 16
"""Places in the file: one byte that is zero while nothing is halted; eight that count releases; a line of JSON that
ends with a zero byte."""
_UP, _ALL = 1, 2
EVIDENCE_MAX = 400
LOCK_TRIES, LOCK_WAIT_NS = 20, NANOS_PER_MILLI
HALTS_MAX = 64
UNREADABLE = "unreadable_flag"


class HaltFlag:
    """Hold what is halted in one mapped file (implements `HaltPort`); processes that map it see a trip at once.

    The pages belong to the machine: a trip outlives every process. It outlives the machine through the sentinel,
    which each trip writes next. A writer that cannot get the file's lock within 20 ms, because another one died or
    was stopped with it, halts the whole desk: one byte needs no lock.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._clock = clock
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o660)
        if os.fstat(self._file).st_size < FLAG_BYTES:
            os.ftruncate(self._file, FLAG_BYTES)
        self._map = mmap.mmap(self._file, FLAG_BYTES)

    def halted(self) -> bool:
        """Tell whether anything is halted; one byte is read."""
        return self._map[_STATE] != 0

    def halts(self) -> tuple[Halt, ...]:
        """Return what is halted; a flag that is up and cannot be read is a halt of the desk since ever."""
        state = self._map[_STATE]
        if state == 0:
            return ()
        found = self._read()
        if state != _UP or not found:
            return (*(found or ()), Halt("watchdog", UNREADABLE, "desk", 0, 0, "the flag is up and tells no reason"))
        return found

    def trip(self, halt: Halt) -> None:
        """Put a halt in force; the same owner, code and scope stays as it is.

        But each wish to flatten is a new trip, and so is a trip without that wish after one with it: it ends the
        flatten (KS-05).
        """
        whole = halt.scope == "desk"
        if whole:
            self._map[_STATE] = max(self._map[_STATE], _UP)  # before the lock: nothing may hold this one up
        halt = msgspec.structs.replace(halt, evidence=halt.evidence[:EVIDENCE_MAX])

        def added(held: tuple[Halt, ...]) -> tuple[Halt, ...]:
            return (*(one for one in held if _key(one) != _key(halt)), _first(held, halt))

        if not self._change(added):
            self._map[_STATE] = _ALL

    def release(self, owner: str, code: str, scope: str) -> None:
        """Take a halt away; nothing else may lower the flag. The one that stands for an unreadable flag is one too."""
        if (owner, code, scope) == ("watchdog", UNREADABLE, "desk") and self._map[_STATE]:
            self._map[_STATE] = _UP
        if self._change(lambda held: tuple(one for one in held if _key(one) != (owner, code, scope))):
            self._map[_RELEASES:_BODY] = (self.released() + 1).to_bytes(_BODY - _RELEASES, "little")

    def released(self) -> int:
        """Return how often something was released since the file was made."""
        return int.from_bytes(self._map[_RELEASES:_BODY], "little")

    def close(self) -> None:
        """Unmap the file; what it says stays."""
        self._map.close()
        os.close(self._file)

    def _change(self, change: Callable[[tuple[Halt, ...]], tuple[Halt, ...]]) -> bool:
        """Rewrite the record under the lock; False where the lock or the room is not to be had."""
        if not self._locked():
            return False
        try:
            before = self._read()
            held = change(before or ())
            body = msgspec.json.encode(held) + b"\0"
            if len(held) > HALTS_MAX or len(body) > FLAG_BYTES - _BODY:
                return False
            if held:
                self._map[_STATE] = max(self._map[_STATE], _UP)
            self._map[_BODY : _BODY + len(body)] = body
            if not held and self._map[_STATE] != _ALL:
                self._map[_STATE] = 0
            return True
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _locked(self) -> bool:
        for _ in range(LOCK_TRIES):
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._clock.sleep(LOCK_WAIT_NS)
            else:
                return True
        return False

    def _read(self) -> tuple[Halt, ...] | None:
        """Return the record, None where it is none (a writer is in the middle of it, or never wrote)."""
        end = self._map.find(b"\0", _BODY)
        try:
            return msgspec.json.decode(self._map[_BODY:end], type=tuple[Halt, ...])
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None


def _key(halt: Halt) -> tuple[str, str, str]:
    return halt.owner, halt.code, halt.scope


def _first(held: tuple[Halt, ...], halt: Halt) -> Halt:
    """Return the halt as it is in force: the one before it, unless either of them wants positions closed."""
    before = next((one for one in held if _key(one) == _key(halt)), None)
    return halt if before is None or before.flatten or halt.flatten else before
