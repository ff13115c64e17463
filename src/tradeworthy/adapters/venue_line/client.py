"""The desk's end of the line to a venue."""

from collections.abc import Iterable
from contextlib import suppress
from decimal import Decimal
from heapq import heappop, heappush

from tradeworthy.adapters.venue_line import protocol
from tradeworthy.adapters.venue_line.line import Line, LinePolicy, NoAnswer, NotSent, opened
from tradeworthy.adapters.venue_line.protocol import (
    Advance,
    Answer,
    Hello,
    Market,
    Request,
    Restore,
    Send,
)
from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.kernel.supervision.policy import nanos
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


class VenueClient:
    """A venue in another process (implements `VenuePort`), in lock-step, so that a run gives the same digest.

    What gets no answer in time is unknown, never "no": an order and its cancel are reported `unknown`, and the desk
    looks them up in its own time; an order that did not leave this process is rejected, because that is certain.
    Reports are numbered, so that none is lost or doubled by a line that broke.

    The desk waits for a line that stands, `answer_within_s` at the most, and then no more: a line that broke is opened
    anew beside the desk's steps, each request looking whether the venue has greeted meanwhile.
    """

    def __init__(
        self, url: str, clock: Clock, *, name: str = "desk", token: int = 0, cancel_on_disconnect: bool = True,
        policy: LinePolicy | None = None,
    ) -> None:
        self._url, self._clock, self._policy = url, clock, policy or LinePolicy()
        self._hello = Hello(0, name, "trade", token, cancel_on_disconnect)
        self._line: Line | None = None
        self._opening: Line | None = None
        self._retry_at = 0
        self._due: int | None = None
        self._local: list[tuple[int, int, ExecReport]] = []
        self._charges: list[tuple[int, BorrowCharged]] = []
        self._venue = ""
        self._seen = self._number = 0
        self.unanswered = 0
        try:
            self._adopt(opened(url, self._hello, clock, self._policy))
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
        self._give_up_opening()
        self._drop()

    def _ask(self, request: Request) -> Answer:
        line = self._line or self._reopened()
        try:
            return line.ask(request)
        except NoAnswer:
            self.unanswered += 1
            self._drop()
            raise

    def _reopened(self) -> Line:
        """Return the line once the venue has greeted on a new one; raises `NotSent` while it has not."""
        now, policy = self._clock.monotonic(), self._policy
        line, within = self._opening, 0.0
        try:
            if line is None:
                if now < self._retry_at:
                    raise NotSent("the line to the venue is down")
                self._retry_at = now + nanos(policy.retry_every_s)
                line = self._opening = Line(self._url, self._hello, self._clock, policy)
                within = policy.greet_within_s
            if line.greeted(within):
                self._opening = None
                return self._adopt(line)
        except NotSent:
            raise
        except (OSError, ConfigurationRefused) as problem:
            self._give_up_opening()
            raise NotSent(f"the line to the venue is down: {problem}") from None
        if now - line.opened_at >= nanos(policy.answer_within_s):
            self._give_up_opening()
        raise NotSent("the line to the venue is down: it has not greeted")

    def _adopt(self, line: Line) -> Line:
        """Take a line whose session stands; what the venue reported meanwhile comes with the next `advance`."""
        greeting = line.greeting
        assert greeting is not None
        if greeting.venue != self._venue:
            self._venue, self._seen = greeting.venue, 0
        self._line = line
        self._take(greeting)
        return line

    def _give_up_opening(self) -> None:
        if self._opening is not None:
            self._opening.close()
            self._opening = None

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


def _delivery(one: tuple[int, ExecReport]) -> int:
    return one[0]
