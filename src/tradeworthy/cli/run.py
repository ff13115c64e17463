"""`tradeworthy run CONFIG`: a desk in the environment that its configuration names."""

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from tradeworthy.app import config
from tradeworthy.app.observed_run import observed_by
from tradeworthy.app.runner import RunResult, RunSession
from tradeworthy.cli.live import LiveDesk, instance_table, money
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import ExitCode, UsageError

DEFAULT_RUNS = Path("runs")


def run(
    configuration: Path, /, *, runs: Path = DEFAULT_RUNS,
    set_: Annotated[tuple[str, ...], Parameter(name="--set", negative="")] = (),
) -> int:
    """Run a desk and leave its journal, report and blotter in a run folder.

    Parameters
    ----------
    configuration
        A TOML document, e.g. config/paper.toml.
    runs
        Where run folders go.
    set_
        Override one key, e.g. --set desk.speed=10; may be given several times.
    """
    document = config.load(configuration, overrides=parsed(set_))
    return present(RunSession(document, root=runs), Console())


def parsed(words: tuple[str, ...]) -> dict[str, str]:
    """Split `section.key=value` words."""
    pairs = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise UsageError(f"--set takes section.key=value, was {word!r}")
        pairs[key] = value
    return pairs


def present(session: RunSession, console: Console) -> int:
    """Play a session under a live table, then print what came out and what to try next."""
    stopped = _Signals(session)
    link = observed_by(
        os.environ, clock=SystemClock(), capital=session.capital, emit=_emit, folder=lambda: session.folder
    )
    with stopped, LiveDesk(console, title=session.title, rows_total=session.rows_total) as live:
        if link is None:
            result = session.play(progress=live.update)
        else:
            result = session.play(progress=link.on_progress, observe=link.on_event)
            link.close(result.reason)
    summarise(result, console)
    if stopped.seen == signal.SIGINT:
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
    ):
        console.print(f"  {words}", highlight=False, soft_wrap=True)
    console.print(f"  open {result.folder / 'report.html'} in a browser", highlight=False, soft_wrap=True)


@dataclass
class _Signals:
    """Turn SIGINT and SIGTERM into an orderly end of the session."""

    session: RunSession
    seen: int | None = None

    def __enter__(self) -> "_Signals":
        self._before = {number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        self.seen = number
        self.session.request_stop(f"signal {signal.Signals(number).name}")
