"""`tradeworthy backtest walk-forward CONFIG`: the test parts of a window, one after another."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from tradeworthy.app.research import backtests
from tradeworthy.app.research.trials import TrialBook
from tradeworthy.app.runs.runner import RunSession
from tradeworthy.cli.live import money
from tradeworthy.cli.run import DEFAULT_RUNS, parsed
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import ExitCode

FOLDS = 5


def walk_forward(
    configuration: Path, /, *, start: str, end: str, folds: int = FOLDS, purge_seconds: float = 0.0,
    runs: Path = DEFAULT_RUNS, instance: str | None = None, catalog: Path | None = None, capital: str | None = None,
    family: str | None = None, set_: Annotated[tuple[str, ...], Parameter(name="--set", negative="")] = (),
) -> int:
    """Play the test part of each fold with a desk that starts cold; what came before it is never traded.

    Parameters
    ----------
    configuration
        A TOML document.
    start
        First moment of the window, an ISO date or time, UTC.
    end
        First moment after the window.
    folds
        Test parts; the window has one part more, the first is training only.
    purge_seconds
        Horizon of a decision, kept free before each test.
    runs
        Where run folders go.
    instance
        Run this instance alone.
    catalog
        A catalog of recorded markets in place of the document's tapes.
    capital
        Capital in base currency.
    family
        Record each fold as a trial and as a look at the part kept back.
    set_
        Override one key; may be given several times.
    """
    document = backtests.prepared(
        configuration, overrides=parsed(set_), instance=instance, catalog=catalog, start=start, end=end,
        capital=capital, part=None,
    )
    console = Console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("from", "to", "net", "return", "drawdown", "fills", "run folder"):
        table.add_column(name, justify="right" if name in ("net", "return", "drawdown", "fills") else "left")
    for fold in backtests.walk_forward_documents(document, folds=folds, purge_seconds=purge_seconds):
        result = RunSession(fold, root=runs).play()
        if family is not None:
            backtests.record_run(
                result.folder, book=TrialBook(runs, clock=SystemClock()), family=family, part="out"
            )
        summary = backtests.summary_in(result.folder)
        performance = summary.performance
        table.add_row(
            fold.desk.start[:16], fold.desk.end[:16], money(summary.profit.net), f"{performance.total_return:.4%}",
            f"{performance.drawdown:.4%}", f"{summary.activity.fills:,}", result.folder.name,
        )
    console.print(table)
    return ExitCode.PASS
