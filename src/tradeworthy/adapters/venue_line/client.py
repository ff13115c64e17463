"""The desk's end of the line to a venue, and the watchdog's own."""

from collections.abc import Iterable
from contextlib import suppress
from decimal import Decimal
from heapq import heappop, heappush

import msgspec

from tradeworthy.adapters.venue_line import protocol
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
from tradeworthy.kernel.errors import ConfigurationRefused, InvalidInput
from tradeworthy.kernel.supervision.policy import nanos
from tradeworthy.trading.control.venue_view import VenueView
from tradeworthy.trading.model import (
    BorrowCharged,
    Command,
    ExecReport,
    MarketEvent,
    QueryOrder,
    ReportType,
    SubmitOrder,
)

NO_ANSWER, NOT_SENT = "venue.no_answer", "venue.not_connected"
RECEIVE_BYTES = 1 << 16


class LinePolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long the line is waited for, in seconds.

    Connecting, the hello and one request together stay below the 1.5 s of silence that a watchdog takes for a hang.
    """

    answer_within_s: float = 0.6
    connect_within_s: float = 0.25
    retry_every_s: float = 1.0


class NotSent(ConnectionError):
    """Nothing left this process."""


class NoAnswer(TimeoutError):
    """The request may have been heard."""


class Line:
    """One connection with one session, in lock-step. After `NoAnswer` it is closed."""

    def __init__(self, url: str, hello: Hello, clock: Clock, policy: LinePolicy) -> None:
        self._clock, self._within = clock, nanos(policy.answer_within_s)
        self._buffer = b""
        self._n = 0
        self._socket = protocol.connected(url, policy.connect_within_s)
        try:
            self.greeting = self.ask(hello)
            if self.greeting.refused:
                raise ConfigurationRefused(f"the venue at {url} refused the session: {self.greeting.refused}")
        except BaseException:
            self.close()
            raise

    def ask(self, request: Request) -> Answer:
        """Return the answer to a request; raises `NoAnswer` when none comes in time or the line breaks."""
        self._n += 1
        deadline = self._clock.monotonic() + self._within
        try:
            self._socket.settimeout(self._within / 1e9)
            self._socket.sendall(protocol.encode(msgspec.structs.replace(request, n=self._n)))
            while (answer := protocol.answer_of(self._line(deadline))).n != self._n:
                pass
        except (OSError, InvalidInput) as problem:
            self.close()
            raise NoAnswer(f"expected the venue's answer, found {type(problem).__name__}: {problem}") from None
        return answer

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def _line(self, deadline: int) -> bytes:
        while b"\n" not in self._buffer:
            left = deadline - self._clock.monotonic()
            if left <= 0:
                raise TimeoutError(f"no answer within {self._within / 1e9} s")
            self._socket.settimeout(left / 1e9)
            data = self._socket.recv(RECEIVE_BYTES)
            if not data:
                raise ConnectionError("the venue closed the line")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line


class VenueClient:
    """A venue in another process (implements `VenuePort`), in lock-step, so that a run gives the same digest.

    What gets no answer in time is unknown, never "no": an order and its cancel are reported `unknown`, and the desk
    looks them up in its own time; an order that did not leave this process is rejected, because that is certain.
    Reports are numbered, so that none is lost or doubled by a line that broke.
    """

    def __init__(
        self, url: str, clock: Clock, *, name: str = "desk", token: int = 0, cancel_on_disconnect: bool = True,
        policy: LinePolicy | None = None,
    ) -> None:
        self._url, self._clock, self._policy = url, clock, policy or LinePolicy()
        self._hello = Hello(0, name, "trade", token, cancel_on_disconnect)
        self._line: Line | None = None
        self._retry_at = 0
        self._due: int | None = None
        self._local: list[tuple[int, int, ExecReport]] = []
        self._charges: list[tuple[int, BorrowCharged]] = []
        self._venue = ""
        self._seen = self._number = 0
        self.unanswered = 0
        try:
            self._open()
        except (OSError, NoAnswer) as problem:
            raise ConfigurationRefused(f"expected a venue at {url}, found {problem}: is it served?") from None

    @property
    def connected(self) -> bool:
        """Whether the line stands, as far as anyone knows."""
        return self._line is not None

    def reopen(self) -> None:
        """Open a new session: after a re-arm, because the venue blocks the one whose orders were taken off.

        It opens on the line that stands, so that no order goes with a connection that ends.
        """
        self._retry_at = 0
        if self._line is not None:
            with suppress(NotSent, NoAnswer):
                self._take(self._ask(self._hello))

    def send(self, command: Command, ts: int) -> None:
        """Send a command; what becomes of it is told by reports."""
        try:
            self._take(self._ask(Send(0, command.kind, protocol.raw(command), ts)))
        except NotSent:
            if isinstance(command, SubmitOrder):
                self._report(ReportType.REJECTED, command, NOT_SENT, ts)
            else:
                self._doubt(command, NOT_SENT, ts)
        except NoAnswer:
            self._doubt(command, NO_ANSWER, ts)

    def next_due(self) -> int | None:
        """Return the earliest time of anything pending, as the venue told it last."""
        if self._local and (self._due is None or self._local[0][0] < self._due):
            return self._local[0][0]
        return self._due

    def advance(self, ts: int) -> list[tuple[int, ExecReport]]:
        """Return the reports delivered until `ts`, those made here beside those of the venue, by delivery."""
        delivered: list[tuple[int, ExecReport]] = []
        try:
            answer = self._take(self._ask(Advance(0, ts, self._seen)))
        except (NotSent, NoAnswer):
            self._due = None
        else:
            for number, due, report in answer.reports:
                if number > self._seen:
                    self._seen = number
                    delivered.append((due, report))
        local = []
        while self._local and self._local[0][0] <= ts:
            due, _, report = heappop(self._local)
            local.append((due, report))
        return sorted([*delivered, *local], key=_delivery) if local else delivered

    def on_market(self, fact: MarketEvent, ts: int) -> None:
        """Let the venue's market move; a venue that does not hear it trades on what it knew."""
        try:
            self._take(self._ask(Market(0, fact.kind, protocol.raw(fact), ts)))
        except (NotSent, NoAnswer):
            return

    def restore(self, positions: Iterable[tuple[str, str, int, Decimal]]) -> None:
        """Let a venue that has not traded yet hold what an earlier one held; raises `NoAnswer` or `NotSent`."""
        held = tuple((instance, name, lots, str(average)) for instance, name, lots, average in positions)
        self._take(self._ask(Restore(0, held)))

    def drain_charges(self) -> list[tuple[int, BorrowCharged]]:
        """Return the borrow fees that the last answers told."""
        charges, self._charges = self._charges, []
        return charges

    def close(self) -> None:
        """End the session; orders stay or go as it was opened."""
        self._drop()

    def _ask(self, request: Request) -> Answer:
        if self._line is None:
            if self._clock.monotonic() < self._retry_at:
                raise NotSent("the line to the venue is down")
            try:
                self._open()
            except (OSError, ConfigurationRefused) as problem:
                self._retry_at = self._clock.monotonic() + nanos(self._policy.retry_every_s)
                raise NotSent(f"the line to the venue is down: {problem}") from None
        assert self._line is not None
        try:
            return self._line.ask(request)
        except NoAnswer:
            self.unanswered += 1
            self._drop()
            raise

    def _open(self) -> None:
        """Open a session; what the venue reported meanwhile comes with the next answer to `advance`."""
        line = Line(self._url, self._hello, self._clock, self._policy)
        if line.greeting.venue != self._venue:
            self._venue, self._seen = line.greeting.venue, 0
        self._line = line
        self._take(line.greeting)

    def _drop(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
        self._retry_at = self._clock.monotonic() + nanos(self._policy.retry_every_s)

    def _take(self, answer: Answer) -> Answer:
        if answer.refused:
            self._drop()
            raise NotSent(f"the venue refused: {answer.refused}")
        self._due = answer.due
        self._charges += answer.charges
        return answer

    def _doubt(self, command: Command, code: str, ts: int) -> None:
        """Report that nobody knows; a look-up that gets no answer leaves the doubt as it was."""
        if not isinstance(command, QueryOrder):
            self._report(ReportType.UNKNOWN, command, code, ts)

    def _report(self, type: ReportType, command: Command, code: str, ts: int) -> None:
        self._number += 1
        report = ExecReport(type, command.client_order_id, command.instrument, code=code)
        heappush(self._local, (ts + 1, self._number, report))


class EmergencyLine:
    """A session of its own beside the desk's: look, and with scope `cancel_only` take orders off.

    It connects at each need anew when the line broke; what fails raises, and whoever calls decides.
    """

    def __init__(
        self, url: str, clock: Clock, *, name: str, token: int = 0, scope: Scope = "cancel_only",
        policy: LinePolicy | None = None,
    ) -> None:
        self._url, self._clock, self._policy = url, clock, policy or LinePolicy()
        self._hello = Hello(0, name, scope, token)
        self._line: Line | None = None

    def greet(self) -> None:
        """Open the session now, so that an older token is fenced out from now on."""
        self._ask(Look(0))

    def take_off(self, scopes: tuple[str, ...], *, token: int, block: bool = True) -> tuple[str, ...]:
        """Take every order of these scopes off; raises `PermissionError` when the venue refuses."""
        return self._ask(TakeOff(0, token, scopes, block)).taken

    def view(self) -> VenueView:
        """Return what the venue shows."""
        shown = self._ask(Look(0)).view
        if shown is None:
            raise InvalidInput("expected the venue's view, found none")
        return shown

    def aid(self, aids: Aids) -> None:
        """Ask a server that was started for tests to fail so."""
        self._ask(aids)

    def close(self) -> None:
        """End the session."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def _ask(self, request: Request) -> Answer:
        if self._line is None:
            self._line = Line(self._url, self._hello, self._clock, self._policy)
        try:
            answer = self._line.ask(request)
        except NoAnswer:
            self._line = None
            raise
        if answer.refused:
            raise PermissionError(answer.refused)
        return answer


def _delivery(one: tuple[int, ExecReport]) -> int:
    return one[0]
