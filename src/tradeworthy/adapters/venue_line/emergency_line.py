"""The watchdog's own line to a venue, and every onlooker's: it asks again on a fresh connection before it gives up."""

import select

from tradeworthy.adapters.venue_line.line import Line, LinePolicy, NoAnswer
from tradeworthy.adapters.venue_line.protocol import Aids, Answer, Hello, Look, Request, Scope, TakeOff
from tradeworthy.kernel.clock import NANOS_PER_MILLI, Clock
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.supervision.policy import nanos
from tradeworthy.trading.control.venue_view import VenueView


class EmergencyLine:
    """A session of its own beside the desk's: look, and with scope `cancel_only` take orders off.

    What it asks may be asked twice. A request without an answer is told again each `hedge_after_s`, on a connection of
    its own beside those that are silent; the first answer counts, so that a connection which is half open costs no more
    than one such pause. What fails raises, and whoever calls decides.
    """

    def __init__(
        self, url: str, clock: Clock, *, name: str, token: int = 0, scope: Scope = "cancel_only",
        policy: LinePolicy | None = None,
    ) -> None:  # fmt: skip
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
        answer = self._first_answer(request)
        if answer.refused:
            raise PermissionError(answer.refused)
        return answer

    def _first_answer(self, request: Request) -> Answer:
        """Return the first answer of any connection and keep that one; raises `NoAnswer` when none answers in time."""
        clock, policy = self._clock, self._policy
        again_at = clock.monotonic()
        deadline = again_at + nanos(policy.answer_within_s)
        asked: dict[Line, int] = {}
        found: Line | None = None
        standing, self._line = self._line, None
        try:
            while (now := clock.monotonic()) < deadline:
                if now >= again_at:
                    again_at = now + nanos(policy.hedge_after_s)
                    try:
                        line, standing = standing or Line(self._url, self._hello, clock, policy), None
                        asked[line] = line.tell(request)
                    except NoAnswer:
                        again_at = now  # the line that stood was dead: that is known at once
                    except OSError:
                        if not asked:
                            raise
                for line in _with_news(asked, min(again_at, deadline) - clock.monotonic()):
                    try:
                        answer = line.heard(asked[line])
                    except NoAnswer:
                        del asked[line]
                        continue
                    if answer is not None:
                        found = self._line = line
                        return answer
            raise NoAnswer(f"expected the venue's answer, found none within {policy.answer_within_s} s")
        finally:
            for line in asked:
                if line is not found:
                    line.close()


def _with_news(lines: dict[Line, int], nanoseconds: int) -> list[Line]:
    """Wait until one of these lines has something to read, at most so long; return those that have."""
    ready = select.poll()
    by_number = {line.fileno(): line for line in lines}
    for number in by_number:
        ready.register(number, select.POLLIN)
    return [by_number[number] for number, _ in ready.poll(max(0.0, nanoseconds / NANOS_PER_MILLI))]
