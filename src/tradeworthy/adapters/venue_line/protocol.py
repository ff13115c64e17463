"""What passes on the line to a venue: one numbered request a line, one answer with its number."""

import socket
from pathlib import Path
from typing import Literal

import msgspec

from tradeworthy.kernel.errors import InvalidInput, UsageError
from tradeworthy.kernel.facts import KINDS, Fact
from tradeworthy.trading.control.venue_view import VenueView
from tradeworthy.trading.model import BorrowCharged, ExecReport

LINE_BYTES_MAX = 1 << 24
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
Scope = Literal["trade", "cancel_only", "view"]
"""What a session may: everything, take orders off and look, or look."""


class Hello(msgspec.Struct, frozen=True, tag="hello", omit_defaults=True):
    """Open a session. An older token than the highest of its scope is refused; a newer one fences the older out.

    cancel_on_disconnect  take every order off when this session's connection ends
    """

    n: int
    name: str
    scope: Scope
    token: int = 0
    cancel_on_disconnect: bool = False


class Send(msgspec.Struct, frozen=True, tag="send"):
    """A command of the desk, sent at `ts` of the market's time."""

    n: int
    kind: str
    command: msgspec.Raw
    ts: int


class Market(msgspec.Struct, frozen=True, tag="market"):
    """The market moved."""

    n: int
    kind: str
    fact: msgspec.Raw
    ts: int


class Advance(msgspec.Struct, frozen=True, tag="advance"):
    """Let the market's time reach `ts`; `seen` is the number of the last report that arrived at the desk."""

    n: int
    ts: int
    seen: int


class Restore(msgspec.Struct, frozen=True, tag="restore"):
    """Hold what an earlier venue held; a venue that has traded holds its own and keeps it."""

    n: int
    positions: tuple[tuple[str, str, int, str], ...]


class TakeOff(msgspec.Struct, frozen=True, tag="take_off", omit_defaults=True):
    """Take orders off at once; with `block` the trading session of now may open nothing in these scopes any more."""

    n: int
    token: int
    scopes: tuple[str, ...] = ("desk",)
    block: bool = True
    code: str = "venue.emergency_cancel"


class Look(msgspec.Struct, frozen=True, tag="look"):
    """Show the account."""

    n: int


class Aids(msgspec.Struct, frozen=True, tag="aids", omit_defaults=True):
    """What a test asks of the server, where it was started with aids; each call replaces the last.

    slow_s          added before each answer
    silent          requests are `lost`, or heard and `unanswered`: a connection that is half open
    refuse_cancels  so many of the next emergency cancels are refused
    scopes          whose sessions are concerned, empty = all
    """

    n: int = 0
    slow_s: float = 0.0
    silent: Literal["", "lost", "unanswered"] = ""
    refuse_cancels: int = 0
    scopes: tuple[Scope, ...] = ()

    def concern(self, scope: Scope) -> bool:
        """Tell whether a session of this scope is meant."""
        return not self.scopes or scope in self.scopes


Request = Hello | Send | Market | Advance | Restore | TakeOff | Look | Aids


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """The venue's answer to request `n`.

    venue    names this life of the venue: numbers of reports belong to it
    due      when the venue has something next, as in `VenuePort.next_due`
    reports  `(number, delivered at, report)`, until the desk says that it has them
    taken    ids of the orders that a `TakeOff` took off;  refused  why nothing was done
    """

    n: int
    venue: str = ""
    due: int | None = None
    refused: str = ""
    reports: tuple[tuple[int, int, ExecReport], ...] = ()
    charges: tuple[tuple[int, BorrowCharged], ...] = ()
    taken: tuple[str, ...] = ()
    view: VenueView | None = None


_REQUESTS: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
_ANSWERS: msgspec.json.Decoder[Answer] = msgspec.json.Decoder(Answer)
_DECODERS: dict[str, msgspec.json.Decoder[Fact]] = {}


def encode(message: Request | Answer) -> bytes:
    """Return a message as one line."""
    return msgspec.json.encode(message) + b"\n"


def raw(fact: Fact) -> msgspec.Raw:
    """Return a fact's own bytes, to go into a request beside its kind."""
    return msgspec.Raw(msgspec.json.encode(fact))


def request_of(line: bytes) -> Request:
    """Return a request; raises `InvalidInput` for anything else."""
    try:
        return _REQUESTS.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"expected a request to the venue, found {line[:80]!r}: {error}") from error


def answer_of(line: bytes) -> Answer:
    """Return an answer; raises `InvalidInput` for anything else."""
    try:
        return _ANSWERS.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"expected an answer of the venue, found {line[:80]!r}: {error}") from error


def fact_of(kind: str, data: msgspec.Raw) -> Fact:
    """Return the fact of a registered kind; raises `InvalidInput`."""
    decoder = _DECODERS.get(kind)
    if decoder is None:
        known = KINDS.get(kind)
        if known is None:
            raise InvalidInput(f"expected a registered kind, found {kind!r}")
        decoder = _DECODERS[kind] = msgspec.json.Decoder(known)
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"expected a {kind}, found {bytes(data)[:80]!r}: {error}") from error


def listening(url: str) -> socket.socket:
    """Return a socket that listens at `unix:///path` or `tcp://127.0.0.1:PORT`; a stale socket file is replaced."""
    place = _place(url)
    if isinstance(place, tuple):
        return socket.create_server(place)
    Path(place).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(place)
    Path(place).chmod(0o600)
    listener.listen(16)
    return listener


def connected(url: str, within_s: float) -> socket.socket:
    """Return a socket connected to `url`; raises `OSError` when nobody answers in time."""
    place = _place(url)
    if isinstance(place, tuple):
        line = socket.create_connection(place, within_s)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return line
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.settimeout(within_s)
    try:
        line.connect(place)
    except OSError:
        line.close()
        raise
    return line


def _place(url: str) -> str | tuple[str, int]:
    kind, _, rest = url.partition("://")
    if kind == "unix" and rest.startswith("/"):
        return rest
    host, _, port = rest.rpartition(":")
    if kind == "tcp" and host in LOOPBACK and port.isdigit():
        return host, int(port)
    raise UsageError(f"expected unix:///PATH or tcp://127.0.0.1:PORT for a venue, found {url!r}")
