"""The witness process: it alone holds the key, reads the journal itself, and signs only what it found there.

It also compares its clock with the desk's: it asks for the time and takes the middle of the round trip.

Run as `python -m tradeworthy.kernel.journal.witness KEYFILE SOCKET`; KEYFILE holds 32 bytes in hex, and is made when
absent; KEYFILE.pub gets the public key, by which checkpoints are verified.
"""

import os
import socket
import sys
from pathlib import Path
from typing import NoReturn

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.kernel.clock import NANOS_PER_MILLI, Clock, SystemClock
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.journal.checkpoint import (
    WITNESS_TIMEOUT_S,
    LineStream,
    Statement,
    envelope_of,
    receive_line,
    send_line,
)
from tradeworthy.kernel.journal.verify import LINE_BYTES_MAX, Broken, Chain, segments_of

ROUND_TRIP_NANOS_MAX = 100 * NANOS_PER_MILLI
"""A slower answer says too little about the desk's clock: its offset stays unknown."""


class Observed:
    """One journal as the witness has read it so far; it goes on from where it stopped."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._chain = Chain(self._on_seal)
        self._checks = bytearray()
        self._path: Path | None = None
        self._offset = 0
        self._since = 0

    def confirm(self, statement: Statement) -> Statement:
        """Return the statement as this process read it; raises `InvalidInput` where the two differ."""
        try:
            self._advance(statement.count)
        except (Broken, OSError) as problem:
            raise InvalidInput(f"the journal is not intact: {problem}") from None
        chain = self._chain
        if (chain.count, chain.head) != (statement.count, statement.head):
            found = f"{chain.head} at {chain.count}"
            raise InvalidInput(f"expected head {statement.head} at {statement.count}, found {found}")
        if not self._since <= statement.since <= chain.count:
            raise InvalidInput(f"expected a checkpoint since {self._since} or later, was since {statement.since}")
        checks = bytes(self._checks[(statement.since - self._since) * 4 :])
        del self._checks[: (statement.since - self._since) * 4]
        self._since = statement.since
        return msgspec.structs.replace(statement, lines=checks, day=chain.day, day_root=chain.merkle.root())

    def _on_seal(self, _chain: Chain, _first: int, _last: int, checks: bytes) -> None:
        self._checks += checks

    def _advance(self, count: int) -> None:
        chain = self._chain
        while chain.count < count:
            paths = segments_of(self._directory)
            if self._path is None or (self._offset == self._path.stat().st_size and self._path != paths[-1]):
                self._path = paths[0] if self._path is None else paths[paths.index(self._path) + 1]
                self._offset = 0
                chain.open_segment()
            before = chain.count
            with self._path.open("rb") as file:
                file.seek(self._offset)
                while chain.count < count and (line := file.readline(LINE_BYTES_MAX)):
                    if not line.endswith(b"\n"):
                        raise InvalidInput(f"expected {count} sealed events, found a torn line after {chain.count}")
                    chain.feed(line)
                    self._offset += len(line)
            if chain.count == before and self._path == paths[-1]:
                raise InvalidInput(f"expected {count} sealed events, found {chain.count}")


def serve(key: Ed25519PrivateKey, address: Path, clock: Clock) -> NoReturn:
    """Answer one request a connection, for ever; a refusal says why."""
    observed: dict[str, Observed] = {}
    address.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(address))
        os.chmod(address, 0o600)
        listener.listen(8)
        print("ready", flush=True)
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(WITNESS_TIMEOUT_S)
                try:
                    with connection.makefile("rwb") as stream:
                        _answer(stream, key, observed, clock)
                except (OSError, InvalidInput) as problem:
                    print(f"request dropped: {problem}", file=sys.stderr, flush=True)


def _answer(stream: LineStream, key: Ed25519PrivateKey, observed: dict[str, Observed], clock: Clock) -> None:
    try:
        statement = msgspec.json.decode(receive_line(stream), type=Statement)
        journal = observed.setdefault(statement.directory, Observed(Path(statement.directory)))
        measured = journal.confirm(statement)
        offset, error = _clock_offset(stream, clock)
    except (InvalidInput, msgspec.MsgspecError) as problem:
        send_line(stream, msgspec.json.encode({"refused": str(problem)}))
        return
    measured = msgspec.structs.replace(measured, ts=clock.now(), clock_offset_ns=offset, clock_error_ns=error)
    send_line(stream, envelope_of(measured, key, provenance="measured"))


def _clock_offset(stream: LineStream, clock: Clock) -> tuple[int | None, int | None]:
    """Return the desk's clock minus this one and the most it can be wrong by; None where it cannot be measured."""
    before = clock.monotonic()
    asked = clock.now()
    send_line(stream, b'{"ask":"now"}')
    answer = msgspec.json.decode(receive_line(stream), type=dict[str, int | None])
    taken = clock.monotonic() - before
    now = answer.get("now")
    if now is None or taken > ROUND_TRIP_NANOS_MAX:
        return None, None
    return now - (asked + taken // 2), taken // 2


def load_key(path: Path) -> Ed25519PrivateKey:
    """Return the key in `path`, made anew when there is no such file; its public half is written to `path.pub`.

    Raises `InvalidInput` for a file that holds no 32 bytes in hex.
    """
    if not path.exists():
        raw = Ed25519PrivateKey.generate().private_bytes_raw()
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(raw.hex() + "\n")
    try:
        key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text().strip()))
    except ValueError:
        raise InvalidInput(f"expected a key of 64 hex digits in {path}, found something else") from None
    path.with_name(path.name + ".pub").write_text(key.public_key().public_bytes_raw().hex() + "\n")
    return key


def main(arguments: list[str]) -> int:
    """Serve with the key of the first argument at the socket of the second."""
    if len(arguments) != 2:
        print("expected KEYFILE SOCKET", file=sys.stderr)
        return 3
    try:
        serve(load_key(Path(arguments[0])), Path(arguments[1]), SystemClock())
    except (InvalidInput, OSError) as problem:
        print(f"the witness cannot start: {problem}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
