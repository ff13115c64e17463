"""`tradeworthy data import`: recorded files into the catalog."""

from pathlib import Path

from cyclopts import App
from rich.console import Console

from tradeworthy.adapters.catalog import Catalog
from tradeworthy.adapters.tapes.open import FORMATS, TapeSpec, open_tape
from tradeworthy.app.tapes import files_of
from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.kernel.journal import Quarantine
from tradeworthy.trading.market_data.instruments import shipped

app = App(name="data", help="Bring recorded market data into the catalog.")
NANOS = 1_000_000_000


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
    if format not in FORMATS:
        raise UsageError(f"--format must be one of {', '.join(FORMATS)}, was {format!r}")
    known = shipped()
    if instrument not in known:
        raise UsageError(f"--instrument must be one of {', '.join(sorted(known))}, was {instrument!r}")
    files = files_of(path)
    quarantine = Quarantine(catalog)
    interval = None if interval_seconds is None else interval_seconds * NANOS
    total = 0
    for file in files:
        spec = TapeSpec(format, file, known[instrument], interval)
        parts = Catalog(catalog).ingest(open_tape(spec, lambda raw, why: quarantine.put(raw, why))).parts
        total = sum(part.rows for part in parts)
        console.print(f"{file.name}: the catalog holds {total:,} rows in {len(parts)} partitions", highlight=False)
    if quarantine.count:
        console.print(f"{quarantine.count} malformed lines, kept in {catalog / 'quarantine.jsonl'}", style="yellow")
        return ExitCode.WARN
    return ExitCode.PASS if total else ExitCode.COULD_NOT_JUDGE
