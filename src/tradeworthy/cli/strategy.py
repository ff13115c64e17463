"""`tradeworthy strategy enable`: put a strategy back to work that a control disabled (RK-12)."""

from pathlib import Path

from cyclopts import App
from rich.console import Console

from tradeworthy.app.halting.guard_memory import guard_memory
from tradeworthy.app.runs.folder import state_of
from tradeworthy.cli.run import DEFAULT_RUNS
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.trading.control import sentinel
from tradeworthy.trading.control.enabling import EnableRequest, disabling, faults_of

app = App(name="strategy", help="What a designated person may do with one strategy instance.")


@app.command
def enable(desk: str, instance: str, /, *, author: str, role: str, reason: str, runs: Path = DEFAULT_RUNS) -> int:
    """Re-enable an instance of a desk that is not running; the next start trades it again.

    Parameters
    ----------
    desk
        The desk's name, as in its configuration.
    instance
        The instance's id.
    author
        Who asks.
    role
        The author's role; only the risk role is heard.
    reason
        Why; written with the change.
    runs
        Where run folders go.
    """
    file = guard_memory(state_of(runs, desk))
    record = file.read()
    if record is None:
        raise UsageError(f"expected the guard's memory of desk {desk!r} below {runs}, found none: has it run there?")
    held = sentinel.restore((), record, first_run=False, now=SystemClock().now())
    gone = disabling(held, instance)
    faults = faults_of(EnableRequest(instance, author, role, reason), gone)
    console = Console()
    if faults:
        console.print(f"{desk}: {instance} stays as it is: {'; '.join(faults)}", highlight=False, soft_wrap=True)
        return ExitCode.FAIL
    file.write(sentinel.encode(tuple(one for one in held if one not in gone)))
    text = f"{desk}: {instance} is enabled from the next start, by {author} ({role}): {reason}"
    console.print(text, highlight=False, soft_wrap=True)
    return ExitCode.PASS
