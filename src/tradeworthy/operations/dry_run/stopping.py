"""The end of a command: the stop ladder (DR-06) and what its exit means (DR-05)."""

import signal
from typing import NamedTuple

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.command import CLEAN_EXITS, ObservedCommand

FORCED_CODE = "shutdown.forced"


class ExitVerdict(NamedTuple):
    """What an exit means; `code` is empty when it is clean."""

    severity: Severity
    code: str
    message: str


class StopLadder:
    """SIGINT to the group at once, SIGTERM at half the grace, SIGKILL at its end."""

    def __init__(self, command: ObservedCommand, *, grace_seconds: float) -> None:
        self._command = command
        self._grace = round(grace_seconds * NANOS_PER_SECOND)
        self._rungs = [
            (0, signal.SIGINT), (self._grace // 2, signal.SIGTERM), (self._grace, signal.SIGKILL),
        ]  # fmt: skip
        self.requested_at: int | None = None
        self.forced = False

    def request(self, at: int) -> None:
        """Ask the command to stop, once."""
        if self.requested_at is None:
            self.requested_at = at
            self.climb(at)

    def hurry(self) -> None:
        """Skip what is left of the grace."""
        self._rungs = [(0, number) for _, number in self._rungs]

    def climb(self, at: int) -> None:
        """Send every signal whose time has come."""
        if self.requested_at is None:
            return
        while self._rungs and at - self.requested_at >= self._rungs[0][0]:
            _, number = self._rungs.pop(0)
            if number == signal.SIGKILL:
                self.forced = True
            self._command.signal_group(number)

    def next_at(self) -> int | None:
        """Return when the next signal is due."""
        if self.requested_at is None or not self._rungs:
            return None
        return self.requested_at + self._rungs[0][0]


def judge_exit(code: int, *, stop_requested: bool, forced: bool) -> ExitVerdict:
    """Judge an exit code; a negative one is the signal that killed the command."""
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"exited with {code}"
    if forced:
        return ExitVerdict(Severity.WARN, FORCED_CODE, f"the command had to be killed after the grace; it {how}")
    if stop_requested:
        if code in CLEAN_EXITS:
            return ExitVerdict(Severity.OK, "", "")
        return ExitVerdict(Severity.FAIL, "exit.code", f"the command {how} when asked to stop; expected 0, 130 or 143")
    if code != 0:
        return ExitVerdict(Severity.FAIL, "exit.early", f"the command {how} before it was asked to stop")
    return ExitVerdict(Severity.OK, "", "")
