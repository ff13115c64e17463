"""One connection to a venue with one session, and how long it is waited for."""

import select

import msgspec

from tradeworthy.adapters.venue_line import protocol
from tradeworthy.adapters.venue_line.protocol import Answer, Hello, Request
from tradeworthy.kernel.clock import NANOS_PER_MILLI, Clock
from tradeworthy.kernel.errors import ConfigurationRefused, InvalidInput
from tradeworthy.kernel.supervision.policy import nanos

RECEIVE_BYTES = 1 << 16


class LinePolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long the line is waited for, in seconds.

    answer_within_s   one request; connecting, the hello and one request together stay below the 1.5 s of silence that
                      a watchdog takes for a hang
    retry_every_s     a line that is down is opened anew so often
    greet_within_s    a desk waits so long for the hello of a new line, and looks for it at its next request then
    hedge_after_s     an emergency asks once more, on a fresh connection beside those that did not answer
    """

    answer_within_s: float = 0.6
    connect_within_s: float = 0.25
    retry_every_s: float = 1.0
    greet_within_s: float = 0.05
    hedge_after_s: float = 0.2


class NotSent(ConnectionError):
    """Nothing left this process."""


class NoAnswer(TimeoutError):
    """The request may have been heard."""


class Line:
    """One connection, in lock-step: the hello has left when it is made. After `NoAnswer` it is closed."""

    def __init__(self, url: str, hello: Hello, clock: Clock, policy: LinePolicy) -> None:
        self._url, self._clock, self._within = url, clock, nanos(policy.answer_within_s)
        self._buffer = b""
        self._n = 0
        self.greeting: Answer | None = None
        self.opened_at = clock.monotonic()
        self._socket = protocol.connected(url, policy.connect_within_s)
        try:
            self.tell(hello)
        except BaseException:
            self.close()
            raise

    def fileno(self) -> int:
        """Return the connection's descriptor, to wait for it."""
        return self._socket.fileno()

    def greeted(self, within_s: float) -> bool:
        """Wait for the answer to the hello; raises `NoAnswer` when the line broke, `ConfigurationRefused` for a no."""
        deadline = self._clock.monotonic() + nanos(within_s)
        try:
            while self.greeting is None and self._fed(deadline):
                self._next(1)
        except (OSError, InvalidInput) as problem:
            raise self._broken(problem) from None
        return self.greeting is not None

    def tell(self, request: Request) -> int:
        """Send a request and return its number; raises `NoAnswer` when the line breaks."""
        self._n += 1
        try:
            self._socket.settimeout(self._within / 1e9)
            self._socket.sendall(protocol.encode(msgspec.structs.replace(request, n=self._n)))
        except OSError as problem:
            raise self._broken(problem) from None
        return self._n

    def heard(self, n: int) -> Answer | None:
        """Take what has come, without waiting, and return the answer to request `n` if it is there."""
        try:
            return self._next(n) if self._fed(self._clock.monotonic()) else None
        except (OSError, InvalidInput) as problem:
            raise self._broken(problem) from None

    def ask(self, request: Request) -> Answer:
        """Return the answer to a request; raises `NoAnswer` when none comes in time or the line breaks."""
        n = self.tell(request)
        deadline = self._clock.monotonic() + self._within
        try:
            while self._fed(deadline):
                answer = self._next(n)
                if answer is not None:
                    return answer
        except (OSError, InvalidInput) as problem:
            raise self._broken(problem) from None
        raise self._broken(TimeoutError(f"no answer within {self._within / 1e9} s"))

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def _next(self, n: int) -> Answer | None:
        """Return the answer to request `n` where it lies whole in the buffer; those before it are passed over."""
        while b"\n" in self._buffer:
            line, _, self._buffer = self._buffer.partition(b"\n")
            answer = protocol.answer_of(line)
            if answer.n == 1 and self.greeting is None:
                if answer.refused:
                    self.close()
                    raise ConfigurationRefused(f"the venue at {self._url} refused the session: {answer.refused}")
                self.greeting = answer
            if answer.n == n:
                return answer
        return None

    def _fed(self, deadline: int) -> bool:
        """Bring a whole line into the buffer; tell whether there is one by the deadline."""
        while b"\n" not in self._buffer:
            left = max(0, deadline - self._clock.monotonic())
            ready = select.poll()
            ready.register(self._socket, select.POLLIN)
            if not ready.poll(left / NANOS_PER_MILLI):
                return False
            self._socket.settimeout(0.0)
            data = self._socket.recv(RECEIVE_BYTES)
            if not data:
                raise ConnectionError("the venue closed the line")
            self._buffer += data
        return True

    def _broken(self, problem: Exception) -> NoAnswer:
        self.close()
        return NoAnswer(f"expected the venue's answer, found {type(problem).__name__}: {problem}")


def opened(url: str, hello: Hello, clock: Clock, policy: LinePolicy) -> Line:
    """Return a line whose session stands.

    Raises `OSError` where nobody listens, `NoAnswer` without a greeting in time, `ConfigurationRefused` for a no.
    """
    line = Line(url, hello, clock, policy)
    if not line.greeted(policy.answer_within_s):
        line.close()
        raise NoAnswer(f"expected the venue's hello, found none within {policy.answer_within_s} s")
    return line
