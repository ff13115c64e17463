"""`tradeworthy run CONFIG`: a desk in the environment that its configuration names."""

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from rich.console import Console

from tradeworthy.app.config import Document
from tradeworthy.app.evidence.observed_run import observed_by
from tradeworthy.app.runs.runner import RunResult, RunSession
from tradeworthy.cli.live import LiveDesk, instance_table, money
from tradeworthy.cli.signals import Signals
from tradeworthy.cli.start_switches import DEFAULT_RUNS as DEFAULT_RUNS
from tradeworthy.cli.start_switches import Start
from tradeworthy.cli.start_switches import parsed as parsed
from tradeworthy.cli.supervised import play, require_seconds
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import ExitCode

USUAL = Start()
INTERRUPT = "SIGINT"


def run(
    configuration: Path | None = None, /, *, no_trading: bool = False, timeout: float | None = None,
    start: Start = USUAL,
) -> int:
    """Run a desk and leave its journal, report and blotter in a run folder.

    A paper desk runs in a supervised process: it beats to its watchdog, answers at http://127.0.0.1:8080/health, hears
    people and ends gracefully. A backtest plays its tapes and nothing else.

    Exit 0 after a clean end; 1 when a task was abandoned; 2 when an order or a record is in doubt, or the start failed;
    3 for a wrong word; 130 when a second signal cut the end short.

    SIGHUP reads the document anew: log level, bounds of telemetry and health limits change at once, anything else is
    refused as a whole.

    Parameters
    ----------
    configuration
        A TOML document, e.g. config/paper.toml.
    no_trading
        Start everything but the desk.
    timeout
        End gracefully after so many seconds.
    """
    require_seconds(timeout)
    document = start.document(configuration)
    if document.desk.environment == "backtest":
        return present(RunSession(document, root=start.runs), Console())
    again = partial(start.document, configuration)
    return play_desk(document, start, Console(), again, no_trading=no_trading, timeout=timeout)


def play_desk(
    document: Document, start: Start, console: Console, read: Callable[[], Document], *, no_trading: bool = False,
    timeout: float | None = None,
) -> int:  # fmt: skip
    """Play a document in a supervised process, under a live table where the output is a terminal."""
    ended, result = play(document, start, console, no_trading=no_trading, timeout=timeout, read=read)
    if result is not None:
        summarise(result, console)
    if ended.reason == "failed":
        console.print(f"failed: {ended.detail}", style="red", markup=False, highlight=False, soft_wrap=True)
    return ended.exit_code


def present(session: RunSession, console: Console) -> int:
    """Play a session under a live table, then print what came out and what to try next."""
    link = observed_by(
        os.environ, clock=SystemClock(), capital=session.capital, emit=_emit, folder=lambda: session.folder
    )
    with Signals() as signals, LiveDesk(console, title=session.title, rows_total=session.rows_total) as live:
        signals.pass_to(lambda name: session.request_stop(f"signal {name}"))
        if link is None:
            result = session.play(progress=live.update)
        else:
            result = session.play(progress=link.on_progress, observe=link.on_event)
            link.close(result.reason)
    summarise(result, console)
    if INTERRUPT in signals.heard:
        return ExitCode.INTERRUPTED
    return ExitCode.PASS


def _emit(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def summarise(result: RunResult, console: Console) -> None:
    """Print the summary table, the folder and the next commands."""
    console.print(instance_table(result.lines, result.currency))
    rate = f"{result.events_a_second:,.0f} events/s" if result.events_a_second else "too short to time"
    console.print(
        f"\n{result.inputs:,} events in, {result.outcomes:,} outcomes; "
        f"equity {money(result.equity)} {result.currency}; "
        f"guard {result.guard}; {rate}, journal on", highlight=False,
    )
    for caveat in result.caveats:
        console.print(f"caveat: {caveat}", style="yellow", highlight=False)
    console.print(f"\nrun folder   {result.folder}", highlight=False, soft_wrap=True)
    console.print(f"digest       {result.digest}", highlight=False, soft_wrap=True)
    console.print("\nnext:", style="bold")
    for words in (
        f"tradeworthy replay {result.folder}", f"tradeworthy journal verify {result.folder}",
        f"tradeworthy journal show {result.folder} --kind intent.refused",
        f"tradeworthy assess --all --run {result.folder}",
    ):
        console.print(f"  {words}", highlight=False, soft_wrap=True)
    console.print(f"  open {result.folder / 'report.html'} in a browser", highlight=False, soft_wrap=True)
