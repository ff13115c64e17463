"""Serve one simulated venue over a local socket: a thread a connection, one lock around the venue."""

import select
import socket
import threading
from collections import Counter, deque
from contextlib import suppress
from decimal import Decimal
from functools import partial

from tradeworthy.adapters.venue_line import protocol
from tradeworthy.adapters.venue_line.drop_copy import DropCopy
from tradeworthy.adapters.venue_line.protocol import (
    Advance,
    Aids,
    Answer,
    Hello,
    Look,
    Market,
    Request,
    Restore,
    Scope,
    Send,
    TakeOff,
)
from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.supervision.policy import nanos
from tradeworthy.trading.control.halt import concerns, venue_of
from tradeworthy.trading.control.venue_view import CancelSeen, OpenOrder, VenueView
from tradeworthy.trading.model import CancelOrder, ExecReport, ReportType, SubmitOrder
from tradeworthy.trading.simulation.emergency import protects, take_off
from tradeworthy.trading.simulation.reports import refusal
from tradeworthy.trading.simulation.rules import Broken
from tradeworthy.trading.simulation.venue import SimulatedVenue

CANCELS_KEPT_MAX = 4_096
"""Answers to cancels that a view still shows; the oldest are forgotten first."""
ACCEPT_POLL_S = 0.05
DISCONNECTED = "venue.disconnected"
_ALLOWED: dict[type[Request], frozenset[Scope]] = {
    Send: frozenset({"trade"}), Market: frozenset({"trade"}), Advance: frozenset({"trade"}),
    Restore: frozenset({"trade"}), TakeOff: frozenset({"cancel_only"}),
    Look: frozenset({"trade", "cancel_only", "view"}),
}  # fmt: skip


class _Session:
    """One connection: who speaks, what it may, and what it may no more."""

    def __init__(self, hello: Hello) -> None:
        self.hello, self.scope = hello, hello.scope
        self.blocked: set[str] = set()


class VenueServer:
    """Answer desks, watchdogs and lookers-on. One trading session at a time: the newest with the highest token.

    clock  stamps what arrives;  aids  whether tests may make the line slow, silent or unwilling
    """

    def __init__(self, venue: SimulatedVenue, listener: socket.socket, clock: Clock, *, aids: bool = False) -> None:
        self._venue, self._listener, self._clock = venue, listener, clock
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._with_aids, self._aids = aids, Aids()
        self._refuse_cancels = 0
        self._name = f"{clock.now()}"
        self._tokens: dict[Scope, int] = {}
        self._trading: _Session | None = None
        self._sessions: dict[_Session, socket.socket] = {}
        self._copy = DropCopy()
        venue.wire.copy = self._copy.on_report
        self._outbox: deque[tuple[int, int, ExecReport]] = deque()
        self._numbered = 0
        self._own: list[tuple[int, ExecReport]] = []
        self._ts = 0
        self._fresh = True
        self._orders = self._blocked = 0
        self._last: tuple[str, int] | None = None
        self._last_opening_at: int | None = None
        self._cancels: deque[CancelSeen] = deque(maxlen=CANCELS_KEPT_MAX)
        self._requests: Counter[str] = Counter()

    def serve(self) -> None:
        """Answer until `stop`."""
        while not self._stopping.is_set():
            ready, _, _ = select.select([self._listener], [], [], ACCEPT_POLL_S)
            if ready:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()
        self._listener.close()
        with self._lock:
            for connection in self._sessions.values():
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        """End `serve`; callable from a signal handler."""
        self._stopping.set()

    def _talk(self, connection: socket.socket) -> None:
        session: _Session | None = None
        with connection, connection.makefile("rb") as lines:
            try:
                while line := lines.readline(protocol.LINE_BYTES_MAX):
                    request = protocol.request_of(line)
                    if isinstance(request, Hello):
                        session, answer = self._open(request, session, connection)
                    else:
                        answer = self._heard(request, session)
                    if answer is not None:
                        connection.sendall(protocol.encode(answer))
            except (OSError, InvalidInput):
                pass  # the other side is gone, or speaks another tongue: the session ends
            finally:
                self._close(session)

    def _open(
        self, hello: Hello, before: _Session | None, connection: socket.socket
    ) -> tuple[_Session | None, Answer | None]:
        with self._lock:
            highest = self._tokens.get(hello.scope, 0)
            if hello.token < highest:
                return before, Answer(hello.n, self._name, refused=_older(hello.token, highest))
            self._tokens[hello.scope] = hello.token
            session = _Session(hello)
            if before is not None:
                self._sessions.pop(before, None)
            self._sessions[session] = connection
            if hello.scope == "trade":
                self._trading = session
            self._requests[f"{hello.scope}.hello"] += 1
            return session, None if self._swallows(session) else self._answer(hello.n)

    def _close(self, session: _Session | None) -> None:
        """End a session; its orders go with it where it asked for that, unless another trades in its place."""
        if session is None:
            return
        with self._lock:
            self._sessions.pop(session, None)
            if session is self._trading:
                self._trading = None
                if session.hello.cancel_on_disconnect:
                    self._take_off(("desk",), DISCONNECTED, session.hello.name, session.hello.token)

    def _heard(self, request: Request, session: _Session | None) -> Answer | None:
        """Answer one request after the time that a test asked for; None where nothing may be said."""
        if isinstance(request, Aids):
            if self._with_aids:
                self._aids, self._refuse_cancels = request, request.refuse_cancels
                return self._answer(request.n)
            return Answer(request.n, self._name, refused="this venue serves no tests: start it with aids")
        if session is None:
            return Answer(request.n, self._name, refused="expected a hello first")
        received = self._clock.now()
        if self._aids.slow_s and self._aids.concern(session.scope):
            self._clock.sleep(nanos(self._aids.slow_s))
        silent = self._swallows(session)
        if silent and self._aids.silent == "lost":
            return None
        with self._lock:
            answer = self._act(request, session, received)
        return None if silent else answer

    def _swallows(self, session: _Session) -> bool:
        return bool(self._aids.silent) and self._aids.concern(session.scope)

    def _act(self, request: Request, session: _Session, received: int) -> Answer:
        self._count(request, session)
        allowed = _ALLOWED.get(type(request), frozenset())
        if session.scope not in allowed:
            what = type(request).__name__.lower()
            return Answer(request.n, self._name, refused=f"{what} needs scope {sorted(allowed)}, was {session.scope}")
        if session.scope == "trade" and session is not self._trading:
            return Answer(request.n, self._name, refused="another trading session took over")
        match request:
            case Send():
                self._send(request, session, received)
            case Market():
                self._fresh = False
                self._ts = max(self._ts, request.ts)
                self._venue.on_market(protocol.fact_of(request.kind, request.fact), request.ts)  # type: ignore[arg-type]
            case Advance():
                return self._advance(request)
            case Restore():
                self._restore(request)
            case TakeOff():
                return self._emergency(request, session)
            case Look():
                return Answer(request.n, self._name, self._due(), view=self._view())
        return self._answer(request.n)

    def _count(self, request: Request, session: _Session) -> None:
        what = type(request).__name__.lower()
        if isinstance(request, Send):
            what = request.kind.rpartition(".")[2]
        self._requests[f"{session.scope}.{what}"] += 1

    def _send(self, request: Send, session: _Session, received: int) -> None:
        command = protocol.fact_of(request.kind, request.command)
        self._fresh, self._ts = False, max(self._ts, request.ts)
        if isinstance(command, SubmitOrder):
            blocked = any(_covers(scope, command.instance, command.instrument) for scope in session.blocked)
            if blocked and not command.reduce_only:  # closing a position is for the desk's own gates to judge
                self._blocked += 1
                broken = Broken("venue.session_blocked", "orders were taken off by the account: open a new session")
                self._own.append((request.ts, refusal(ReportType.REJECTED, command, broken)))
                return
            self._orders += 1
            self._last = command.client_order_id, received
            if not command.reduce_only:
                self._last_opening_at = received
        elif isinstance(command, CancelOrder):
            self._note(command.client_order_id, session, "taken")
        self._venue.send(command, request.ts)  # type: ignore[arg-type]

    def _advance(self, request: Advance) -> Answer:
        self._ts = max(self._ts, request.ts)
        outbox = self._outbox
        while outbox and outbox[0][0] <= request.seen:
            outbox.popleft()
        delivered = self._venue.advance(request.ts)
        if self._own:
            delivered = sorted([*self._own, *delivered], key=_delivery)
            self._own.clear()
        for due, report in delivered:
            self._numbered += 1
            outbox.append((self._numbered, due, report))
        charges = tuple(self._venue.drain_charges())
        return Answer(request.n, self._name, self._due(), reports=tuple(outbox), charges=charges)

    def _restore(self, request: Restore) -> None:
        if not self._fresh:
            return
        self._fresh = False
        self._venue.restore((one, name, lots, Decimal(price)) for one, name, lots, price in request.positions)
        self._copy.hold((name, lots) for _, name, lots, _ in request.positions)

    def _emergency(self, request: TakeOff, session: _Session) -> Answer:
        highest = self._tokens.get("cancel_only", 0)
        if request.token < highest:
            return Answer(request.n, self._name, refused=_older(request.token, highest))
        self._tokens["cancel_only"] = request.token
        if self._refuse_cancels > 0:
            self._refuse_cancels -= 1
            for order in self._venue.open_orders():
                self._note(order.client_order_id, session, "refused")
            return Answer(request.n, self._name, self._due(), refused="the venue refuses to cancel now")
        if request.block and self._trading is not None:
            self._trading.blocked.update(request.scopes)
        taken = self._take_off(request.scopes, request.code, session.hello.name, request.token)
        return Answer(request.n, self._name, self._due(), taken=tuple(taken))

    def _take_off(self, scopes: tuple[str, ...], code: str, by: str, token: int) -> list[str]:
        taken: list[str] = []
        for scope in scopes:
            taken += take_off(self._venue, partial(_covers, scope), code, self._ts)
        at = self._clock.now()
        self._cancels.extend(CancelSeen(one, by, token, at, "taken off") for one in taken)
        return taken

    def _note(self, name: str, session: _Session, answer: str) -> None:
        hello = session.hello
        self._cancels.append(CancelSeen(name, hello.name, hello.token, self._clock.now(), answer))

    def _view(self) -> VenueView:
        venue = self._venue
        resting = [
            OpenOrder(
                o.client_order_id, o.instance, o.instrument, int(o.side), o.leaves, o.venue_order_id,
                protective=protects(o), reduce_only=o.reduce_only,
            )
            for o in venue.open_orders()
        ]
        coming = [
            OpenOrder(
                one.client_order_id, one.instance, one.instrument, int(one.side), one.lots, under_way=True,
                reduce_only=one.reduce_only,
            )
            for one in venue.wire.submits()
        ]
        last, at = self._last or ("", None)
        return VenueView(
            self._clock.now(), self._ts, (*resting, *coming),
            {name: lots for name, lots in sorted(venue.positions().items()) if lots}, last, at, self._orders,
            self._blocked, tuple(self._cancels), self._copy.open, self._copy.positions, dict(self._requests),
            copied=True, last_opening_at=self._last_opening_at,
        )  # fmt: skip

    def _due(self) -> int | None:
        dues = [due for due in (self._venue.next_due(), *(at for at, _ in self._own)) if due is not None]
        return min(dues, default=None)

    def _answer(self, n: int) -> Answer:
        return Answer(n, self._name, self._due())


def _covers(scope: str, instance: str, instrument: str) -> bool:
    return concerns(scope, instance=instance, instrument=instrument, venue=venue_of(instrument))


def _older(token: int, highest: int) -> str:
    return f"fencing token {token} is older than {highest}"


def _delivery(one: tuple[int, ExecReport]) -> int:
    return one[0]
