"""`tradeworthy pnl explain|kpis|store RUN`: a run's profit by source, its key figures, its books as rows."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
from cyclopts import App
from rich.console import Console
from rich.table import Table

from tradeworthy.app.research.profit import DayExplained, profit_of, store_run
from tradeworthy.kernel.errors import ExitCode
from tradeworthy.kernel.ids import digest_of
from tradeworthy.kernel.severity import Severity
from tradeworthy.trading.ledger.kpis import KpiPolicy

app = App(name="pnl", help="Explain a run's profit and judge its key figures.")
EPOCH = date(1970, 1, 1)
EXITS = {Severity.OK: ExitCode.PASS, Severity.WARN: ExitCode.WARN, Severity.FAIL: ExitCode.FAIL}


@app.command
def explain(run: Path, /, *, instance: str | None = None, out: Path | None = None) -> int:
    """Explain each day's profit by source; exit 1 for a residual above a minor unit, 2 above 1 bp of equity.

    Parameters
    ----------
    run
        A run folder, also one that a crash left behind.
    instance
        Only this instance.
    out
        Also write the report here as canonical JSON, its SHA-256 printed.
    """
    days = [day for day in profit_of(run).days if instance is None or day.instance == instance]
    console = Console()
    console.print(_table(days))
    for day in days:
        if day.explained is None:
            console.print(f"{_date(day.day)} {day.instance}: equity not known: {day.why}", style="yellow", markup=False)
    _write(console, days, out)
    return EXITS.get(max((day.severity for day in days), default=Severity.UNKNOWN), ExitCode.COULD_NOT_JUDGE)


@app.command
def kpis(run: Path, /, *, out: Path | None = None) -> int:
    """Judge turnover, fees, profit factor and drawdown of a run; exit 3 where there is nothing to judge.

    Parameters
    ----------
    run
        A run folder, also one that a crash left behind.
    out
        Also write the report here as canonical JSON, its SHA-256 printed.
    """
    report = profit_of(run).kpis(KpiPolicy())
    console = Console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("figure", "value", "limit", "severity"):
        table.add_column(name, justify="left" if name in ("figure", "severity") else "right", no_wrap=True)
    for kpi in report.kpis:
        value = "not known" if kpi.value is None else f"{kpi.value:.4f}"
        table.add_row(kpi.name, value, f"{kpi.limit:f}", kpi.severity.name)
    console.print(table)
    console.print(f"{report.fills:,} fills, fees {report.fees:,.2f}", highlight=False)
    _write(console, report, out)
    return EXITS.get(report.severity, ExitCode.COULD_NOT_JUDGE)


@app.command
def store(run: Path, path: Path, /) -> int:
    """Keep a run's books as rows of a SQLite file: fills, snapshots, days, orders, positions; upserted by key.

    Parameters
    ----------
    run
        A run folder, also one that a crash left behind.
    path
        The SQLite file; it is made where there is none.
    """
    console = Console()
    for table, count in store_run(run, path).items():
        console.print(f"{table:<20} {count:>10,}", highlight=False)
    return ExitCode.PASS


def _table(days: list[DayExplained]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("day", no_wrap=True)
    table.add_column("instance")
    for name in ("price", "spread", "fees", "funding", "other", "flows", "residual"):
        table.add_column(name, justify="right", no_wrap=True)
    for day in days:
        told = day.explained
        if told is None:
            table.add_row(_date(day.day), day.instance, *["-"] * 7)
            continue
        figures = (
            told.price_move, told.captured_spread, told.fees, told.funding,
            told.borrow + told.currency + told.dividends, told.flows, told.residual,
        )
        table.add_row(_date(day.day), day.instance, *(f"{figure:,.2f}" for figure in figures))
    return table


def _write(console: Console, report: Any, out: Path | None) -> None:
    if out is None:
        return
    text = msgspec.json.encode(report, order="sorted").decode() + "\n"
    out.write_text(text)
    console.print(f"{out}\nsha256 {digest_of(text)}", highlight=False, soft_wrap=True)


def _date(day: int) -> str:
    return (EPOCH + timedelta(days=day)).isoformat()
