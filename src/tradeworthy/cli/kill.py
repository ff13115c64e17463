"""`tradeworthy kill`: stop a desk. Anyone may; it latches, and survives every restart."""

from pathlib import Path

from rich.console import Console

from tradeworthy.app.guard_memory import guard_memory
from tradeworthy.app.runner import state_of
from tradeworthy.cli.run import DEFAULT_RUNS
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.trading.control import sentinel
from tradeworthy.trading.control.guard import HeldReason
from tradeworthy.trading.control.kill import scope_of
from tradeworthy.trading.model import GuardLevel


def kill(desk: str, /, *, reason: str, scope: str = "desk", runs: Path = DEFAULT_RUNS) -> int:
    """Stop a desk, running or not: a running desk reads the sentinel within 512 rows or 0.2 s of waiting.

    Parameters
    ----------
    desk
        The desk's name, as in its configuration.
    reason
        Why; it is journaled.
    scope
        desk, strategy:X, instrument:X or venue:X; any other stops the whole desk.
    runs
        Where run folders go.
    """
    if not reason.strip():
        raise UsageError("--reason must say why, was empty")
    file = guard_memory(state_of(runs, desk))
    now = SystemClock().now()
    held = sentinel.restore((), file.read(), first_run=True, now=now)
    scope = scope_of(scope)
    stop = HeldReason("operator", "kill", GuardLevel.STOPPED, scope, now, None, reason)
    kept = tuple(one for one in held if (one.owner, one.code, one.scope) != (stop.owner, stop.code, stop.scope))
    file.write(sentinel.encode((*kept, stop)))
    Console().print(f"{desk}: stopped ({scope}); it stays stopped through every restart", highlight=False)
    return ExitCode.PASS
