"""`tradeworthy regression check|windows RUN`: does a recorded run keep the rules of every history?"""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table

from tradeworthy.app.research.regression import check_invariants, check_windows
from tradeworthy.kernel.report import Report, write
from tradeworthy.kernel.severity import Severity

app = App(name="regression", help="Judge a recorded run by the rules that every history must keep.")
STYLES = {Severity.OK: "green", Severity.WARN: "yellow", Severity.UNKNOWN: "magenta", Severity.FAIL: "red"}


@app.command
def check(
    run: Path,
    /,
    *,
    head: str | None = None,
    no_trade: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    out: Path | None = None,
) -> int:
    """Check the behaviour invariants of a run; exit 2 names the event that breaks one.

    Parameters
    ----------
    run
        A run folder.
    head
        Pin the journal: the expected hash of its last seal.
    no_trade
        An instance that may send nothing; may be given several times.
    out
        Where `regression.json` goes; the run folder if absent.
    """
    return present(check_invariants(run, no_trade=no_trade, head=head), out or run)


@app.command
def windows(
    run: Path, /, *, window: Annotated[tuple[str, ...], Parameter(negative="")] = (), out: Path | None = None
) -> int:
    """Replay distinct windows of a run twice each; exit 2 for unequal digests or windows with the same data.

    Parameters
    ----------
    run
        A run folder.
    window
        label:start:stop in inputs, e.g. calm:0:500; chosen from the journal if absent.
    out
        Where `replay-windows.json` goes; the run folder if absent.
    """
    return present(check_windows(run, windows=window), out or run)


def present(report: Report, folder: Path) -> int:
    """Keep a report, print its checks and return its exit code."""
    written = write(report, folder)
    console = Console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("check", "severity", "observed", "limit"):
        table.add_column(name, overflow="fold")
    for one in report.checks:
        table.add_row(one.code, f"[{STYLES[one.severity]}]{one.severity.name}[/]", one.observed, one.limit)
    console.print(table)
    for one in report.failed():
        console.print(f"{one.severity.name} {one.code}: {one.text or one.observed}", highlight=False, markup=False)
    console.print(f"\n{report.severity.name}  {written.latest}", highlight=False, soft_wrap=True)
    console.print(f"sha256  {written.sha256}", highlight=False, soft_wrap=True)
    return report.exit_code
