"""What passes between a desk and its watchdog: beats and a farewell one way, answers the other (WD-01)."""

import socket
from pathlib import Path

import msgspec

from tradeworthy.kernel.errors import InvalidInput

MESSAGE_BYTES_MAX = 4_096
MESSAGES_MAX = 256
"""The most that one look at the channel takes."""


class WatchdogPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How a watchdog watches and acts. Times are seconds.

    beat_interval_s  from the desk's event loop
    hang_after_s     silence that is a hang
    poll_s           how often the watchdog looks; with `hang_after_s` it bounds the detection
    stacks_wait_s    how long a signalled process may take to write its stacks
    verify_within_s  from detection to no open orders, or the incident is partial or unverified
    repeat_s         until orders are gone, cancels and pages are repeated
    kill_after_s     silence after which the process is killed; None never (paper)
    missing_after_s  the desk misses its watchdog after so much silence
    relaunches, relaunch_window_s  how often a missing watchdog is launched again
    service_alive_s  how often the process manager hears that the loop lives, well below its own limit of 10 s
    """

    beat_interval_s: float = 0.25
    hang_after_s: float = 1.5
    poll_s: float = 0.05
    stacks_wait_s: float = 0.5
    verify_within_s: float = 5.0
    repeat_s: float = 30.0
    kill_after_s: float | None = 10.0
    missing_after_s: float = 5.0
    relaunches: int = 5
    relaunch_window_s: float = 60.0
    service_alive_s: float = 3.0

    def __post_init__(self) -> None:
        if not 0 < self.beat_interval_s < self.hang_after_s:
            raise ValueError(f"beat_interval_s must be above 0 and below hang_after_s, was {self.beat_interval_s}")
        if self.kill_after_s is not None and self.kill_after_s <= self.hang_after_s:
            raise ValueError(f"kill_after_s must be above hang_after_s or None, was {self.kill_after_s}")


class WatchdogJob(msgspec.Struct, frozen=True, kw_only=True):
    """Whom one watchdog watches: it acts on this run and process only, and only while its token is the highest.

    start_ticks  the process's start by the machine, so that a reused pid is not taken for it; None where unknown
    channel      the number of the inherited socket
    folder       where token, stacks and evidence lie
    """

    run_id: str
    pid: int
    start_ticks: int | None
    token: int
    channel: int
    folder: str
    policy: WatchdogPolicy

    @property
    def stacks_file(self) -> Path:
        """Where the desk's process writes its stacks when it is signalled."""
        return stacks_file_of(Path(self.folder))


class Beat(msgspec.Struct, frozen=True, tag="beat"):
    """The loop lives. `lag_ns` is how late this beat was; `head` and `guard` are the journal's head and the guard."""

    run_id: str
    pid: int
    sequence: int
    monotonic_ns: int
    lag_ns: int
    head: str
    guard: str


class Farewell(msgspec.Struct, frozen=True, tag="farewell"):
    """The desk ends in order; silence from now on is right."""

    run_id: str
    pid: int


class Answer(msgspec.Struct, frozen=True, tag="answer"):
    """The watchdog of this token has taken the beat with this number."""

    token: int
    sequence: int


Message = Beat | Farewell | Answer
_DECODER: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)


class Channel:
    """One end of a pair of sockets that never blocks: what cannot be sent is dropped and counted."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._end = end
        self.dropped = 0
        self.closed = False

    def send(self, message: Message) -> None:
        """Send a message, or drop it when the other side does not read."""
        try:
            self._end.send(msgspec.json.encode(message))
        except (BlockingIOError, ConnectionError):
            self.dropped += 1

    def receive(self) -> list[Message]:
        """Return what has come; sets `closed` when the other side is gone."""
        found: list[Message] = []
        while len(found) < MESSAGES_MAX:
            try:
                data = self._end.recv(MESSAGE_BYTES_MAX)
            except BlockingIOError:
                break
            except ConnectionError:
                data = b""
            if not data:
                self.closed = True
                break
            found.append(decode(data))
        return found

    def fileno(self) -> int:
        """Return the socket's number."""
        return self._end.fileno()

    def close(self) -> None:
        """Close this end."""
        self._end.close()


def decode(data: bytes) -> Message:
    """Return a message; raises `InvalidInput` for anything else."""
    try:
        return _DECODER.decode(data)
    except msgspec.DecodeError as error:
        raise InvalidInput(f"expected a message between desk and watchdog, found {data[:80]!r}: {error}") from error


def pair() -> tuple[socket.socket, socket.socket]:
    """Return two connected ends that keep the borders of messages and tell when the other side is gone."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def stacks_file_of(folder: Path) -> Path:
    """Return where a desk's process writes its stacks."""
    return folder / "stacks.txt"
