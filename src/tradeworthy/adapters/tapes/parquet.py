"""Market events from a Parquet file with the columns of `columns.py`; needs the `data` extra (polars)."""

from collections.abc import Iterator
from pathlib import Path

from tradeworthy.adapters.tapes.columns import rows_of
from tradeworthy.adapters.tapes.lines import TapeRow
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.trading.model import Instrument

SLICE_ROWS = 65_536


def parquet_rows(path: Path, instrument: Instrument | None = None) -> Iterator[TapeRow]:
    """Yield the file's events in its order, 65 536 rows in memory at a time, only those of `instrument` if given."""
    import polars as pl

    try:
        scan = pl.scan_parquet(path)
        if instrument is not None:
            scan = scan.filter(pl.col("instrument") == instrument.instrument_id)
        offset = 0
        while (frame := scan.slice(offset, SLICE_ROWS).collect()).height:
            yield from rows_of(frame)
            offset += frame.height
            if frame.height < SLICE_ROWS:
                return
    except pl.exceptions.PolarsError as bad:
        raise InvalidInput(f"{path.name} must be a Parquet file of market events: {bad}") from None
