"""`tradeworthy backtest run|report|import|list|trials|promote`: test an idea, look at it, judge it."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table

from tradeworthy.app.research import backtests
from tradeworthy.app.research.backtests import STORE, Part
from tradeworthy.app.research.trials import TrialBook
from tradeworthy.app.runs.runner import RunSession
from tradeworthy.cli.live import money
from tradeworthy.cli.regression import present as present_report
from tradeworthy.cli.run import DEFAULT_RUNS, parsed, present
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import ExitCode
from tradeworthy.kernel.severity import Severity
from tradeworthy.research.backtest.statistics import DEFLATED_MIN, DEFLATED_WARN

app = App(name="backtest", help="Test an idea on recorded data: the same desk, journal and venue as on paper.")


@app.command
def run(
    configuration: Path, /, *, runs: Path = DEFAULT_RUNS, instance: str | None = None, catalog: Path | None = None,
    start: str | None = None, end: str | None = None, capital: str | None = None, family: str | None = None,
    part: Part | None = None, set_: Annotated[tuple[str, ...], Parameter(name="--set", negative="")] = (),
) -> int:
    """Run a backtest; the run id is the hash of code, configuration, data and seed.

    Parameters
    ----------
    configuration
        A TOML document; its environment is taken as backtest.
    runs
        Where run folders go.
    instance
        Run this instance alone.
    catalog
        A catalog of recorded markets in place of the document's tapes.
    start
        First moment that is played, an ISO date or time, UTC.
    end
        First moment that is not played any more.
    capital
        Capital in base currency; the document's, or 1,000,000.
    family
        Record the run as a trial of this family.
    part
        Play the in-sample part of the window (in) or open the part kept back (out), which counts as a trial.
    set_
        Override one key, e.g. --set venue.submit_ms=50; may be given several times.
    """
    document = backtests.prepared(
        configuration, overrides=parsed(set_), instance=instance, catalog=catalog, start=start, end=end,
        capital=capital, part=part,
    )
    console = Console()
    session = RunSession(document, root=runs)
    code = present(session, console)
    if family is not None and code == ExitCode.PASS and session.folder is not None:
        book = TrialBook(runs, clock=SystemClock())
        register = backtests.record_run(session.folder, book=book, family=family, part=part)
        console.print(
            f"trial {register.count(family)} of {family}; the part kept back was opened "
            f"{register.openings(family)} times", highlight=False,
        )
    return code


@app.command
def report(folder: Path, /, *, overlay: Path | None = None, out: Path | None = None) -> int:
    """Draw the offline page of a run again, over another run if one is named.

    Parameters
    ----------
    folder
        A run folder.
    overlay
        Another run folder, drawn dashed and rebased to the first one's capital.
    out
        Where the page goes; `report.html` or `overlay.html` in the run folder if absent.
    """
    place = backtests.draw(folder, overlay=overlay, out=out)
    Console().print(f"open {place} in a browser", highlight=False, soft_wrap=True)
    return ExitCode.PASS


@app.command(name="import")
def import_(*folders: Path, store: Path = DEFAULT_RUNS / STORE) -> int:
    """Put run folders into the store of backtests; one that is there already is replaced.

    Parameters
    ----------
    folders
        Run folders with their manifests.
    store
        The store, a SQLite file.
    """
    opened = backtests.open_store(store)
    try:
        for folder in folders:
            backtests.import_run(folder, opened)
        counts = opened.counts()
    finally:
        opened.close()
    Console().print(
        f"{counts.runs:,} runs, {counts.bars:,} bars, {counts.fills:,} fills, {counts.regimes:,} regime rows in "
        f"{store}", highlight=False, soft_wrap=True,
    )
    return ExitCode.PASS if folders else ExitCode.COULD_NOT_JUDGE


@app.command(name="list")
def list_(*, store: Path = DEFAULT_RUNS / STORE) -> int:
    """Print the runs in the store.

    Parameters
    ----------
    store
        The store, a SQLite file.
    """
    opened = backtests.open_store(store)
    try:
        rows = opened.runs()
    finally:
        opened.close()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("run", "name", "net", "drawdown", "Sharpe", "fills", "data"):
        table.add_column(name, justify="left" if name in ("run", "name", "data") else "right")
    for one in rows:
        table.add_row(
            one.run_id[:12], one.name, f"{money(one.net)} {one.currency}", f"{one.drawdown:.2%}",
            "–" if one.sharpe is None else f"{one.sharpe:.2f}", f"{one.fills:,}",
            "made or derived" if one.synthetic else "recorded",
        )
    Console().print(table)
    return ExitCode.PASS


@app.command
def trials(family: str, /, *, runs: Path = DEFAULT_RUNS) -> int:
    """Judge a family by all its recorded trials; exit 1 or 2 by the deflated Sharpe and the overfit, 3 if unknown.

    Parameters
    ----------
    family
        The family's name.
    runs
        Where run folders and the register are.
    """
    found = backtests.family_verdict(runs, book=TrialBook(runs, clock=SystemClock()), family=family)
    console = Console()
    console.print(f"{found.trials} trials of {family}, {found.openings} of them looks at the part kept back",
                  highlight=False)
    shown = "unknown" if found.deflated_sharpe is None else f"{found.deflated_sharpe:.4f}"
    console.print(f"deflated Sharpe of the best: {shown} (at least {DEFLATED_MIN})", highlight=False)
    judged = Severity.UNKNOWN
    if found.deflated_sharpe is not None:
        judged = Severity.OK if found.deflated_sharpe >= DEFLATED_MIN else Severity.FAIL
        if DEFLATED_WARN <= found.deflated_sharpe < DEFLATED_MIN:
            judged = Severity.WARN
    overfit = found.overfit
    said = "unknown" if overfit is None or overfit.probability is None else f"{overfit.probability:.3f}"
    console.print(f"probability of overfitting: {said}", highlight=False)
    for note in (*found.notes, *(() if overfit is None or overfit.note is None else (overfit.note,))):
        console.print(note, style="yellow", highlight=False)
    worst = max(judged, Severity.UNKNOWN if overfit is None else overfit.severity)
    return (ExitCode.PASS, ExitCode.WARN, ExitCode.COULD_NOT_JUDGE, ExitCode.FAIL)[worst]


@app.command
def promote(
    record: Path | None = None, /, *, run: Path | None = None, family: str | None = None, runs: Path = DEFAULT_RUNS,
    deployed: Path | None = None, out: Path | None = None,
) -> int:
    """Check a promotion; exit 2 names every requirement that fails or is missing.

    Parameters
    ----------
    record
        A JSON file with the record's fields; what is measured goes before it.
    run
        The run folder of the out-of-sample part.
    family
        The family whose trials deflate the Sharpe ratio.
    runs
        Where run folders and the register are.
    deployed
        The configuration that would be deployed.
    out
        Where `promotion.json` goes; the run folder or the runs folder if absent.
    """
    verdict = None
    if family is not None:
        verdict = backtests.family_verdict(runs, book=TrialBook(runs, clock=SystemClock()), family=family)
    report = backtests.promotion_report(record, run=run, family=verdict, deployed=deployed)
    return present_report(report, out or run or runs)
