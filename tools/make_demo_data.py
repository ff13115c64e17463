"""Make the demo's Parquet files out of the two packages that carry the data (see NOTICE).

    python tools/make_demo_data.py GYM_ANYTRADING_WHEEL SKFOLIO_WHEEL OUTPUT_FOLDER
"""

import csv
import gzip
import io
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from tradeworthy.adapters.tapes.columns import frame_of
from tradeworthy.adapters.tapes.csv_bars import csv_bars
from tradeworthy.adapters.tapes.lines import TapeRow
from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.trading.market_data.instruments import shipped
from tradeworthy.trading.model import Bar

EURUSD_MEMBER = "gym_anytrading/datasets/data/FOREX_EURUSD_1H_ASK.csv"
SP500_MEMBER = "skfolio/datasets/data/sp500_dataset.csv.gz"
SYMBOLS = ("AAPL", "JPM", "KO", "XOM")
FIRST_DAY = date(2013, 1, 1)
HOUR_NS = 3_600 * NANOS_PER_SECOND


def hourly(wheel: Path) -> list[TapeRow]:
    """Return the EUR/USD bars, stamped at their close."""
    with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "eurusd.csv"
        path.write_bytes(archive.read(EURUSD_MEMBER))
        return list(csv_bars(path, shipped()["EURUSD.DEMO"], HOUR_NS))


def daily(wheel: Path) -> Iterator[TapeRow]:
    """Yield one bar a symbol and day, open, high and low repeating the close."""
    with zipfile.ZipFile(wheel) as archive:
        text = gzip.decompress(archive.read(SP500_MEMBER)).decode()
    zone = ZoneInfo("America/New_York")
    for row in csv.DictReader(io.StringIO(text)):
        day = date.fromisoformat(row["Date"])
        if day < FIRST_DAY:
            continue
        ts = int(datetime.combine(day, time(16), zone).timestamp()) * NANOS_PER_SECOND
        for symbol in SYMBOLS:
            instrument = shipped()[f"{symbol}.DEMO"]
            close = instrument.ticks(row[symbol])
            yield ts, ts, Bar(instrument.instrument_id, NANOS_PER_DAY, close, close, close, close)


def main(forex: Path, equities: Path, output: Path) -> None:
    """Write both files into `output`."""
    by_symbol = sorted(daily(equities), key=lambda row: (row[2].instrument, row[0]))
    for name, rows in (("eurusd_hourly", hourly(forex)), ("sp500_daily", by_symbol)):
        path = output / f"{name}.parquet"
        frame_of("bar", rows).write_parquet(path, compression="zstd", compression_level=19)
        print(f"{path.name}: {len(rows)} rows, {path.stat().st_size} bytes")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*map(Path, sys.argv[1:]))
