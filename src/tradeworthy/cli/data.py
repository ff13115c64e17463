"""`tradeworthy data import`: recorded files into the catalog."""

from pathlib import Path

from cyclopts import App
from rich.console import Console

from tradeworthy.app.market_data.data_import import import_files
from tradeworthy.kernel.errors import ExitCode

app = App(name="data", help="Bring recorded market data into the catalog.")


@app.command(name="import")
def import_(
    path: str, /, *, format: str, instrument: str, catalog: Path = Path("catalog"), interval_seconds: int | None = None
) -> int:
    """Import a file or a folder; the same data again changes nothing, other data under the same day is refused.

    Parameters
    ----------
    path
        A file, or a folder or a pattern whose files are read in name order.
    format
        lean_fx_ticks, lean_crypto_minute, lean_equity_minute, lean_equity_daily, binance, csv_bars or parquet.
    instrument
        Its id, e.g. EURUSD.OANDA.
    catalog
        Where partitions and their manifest go.
    interval_seconds
        Length of a bar, for csv_bars.
    """
    console = Console()
    total = quarantined = 0
    for done in import_files(
        path, format=format, instrument=instrument, catalog=catalog, interval_seconds=interval_seconds
    ):
        total, quarantined = done.rows, done.quarantined
        console.print(
            f"{done.file.name}: the catalog holds {total:,} rows in {done.partitions} partitions", highlight=False
        )
    if quarantined:
        console.print(f"{quarantined} malformed lines, kept in {catalog / 'quarantine.jsonl'}", style="yellow")
        return ExitCode.WARN
    return ExitCode.PASS if total else ExitCode.COULD_NOT_JUDGE
