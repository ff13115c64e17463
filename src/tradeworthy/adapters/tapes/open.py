"""Open a tape by the name of its format."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from tradeworthy.adapters.tapes import binance, lean
from tradeworthy.adapters.tapes.csv_bars import csv_bars
from tradeworthy.adapters.tapes.lines import OnBad, TapeRow, refuse
from tradeworthy.adapters.tapes.parquet import parquet_rows
from tradeworthy.kernel.errors import UsageError
from tradeworthy.trading.model import Instrument

_READERS = {
    "lean_fx_ticks": lean.fx_ticks,
    "lean_crypto_minute": lean.crypto_minute,
    "lean_equity_minute": lean.equity_minute,
    "lean_equity_daily": lean.equity_daily,
    "lean_equity_factors": lean.equity_factors,
    "binance": binance.recorded,
}
FORMATS = (*_READERS, "csv_bars", "parquet")


class TapeSpec(msgspec.Struct, frozen=True):
    """Which file in which format holds which instrument; `interval_ns` is needed by `csv_bars`."""

    format: str
    path: Path
    instrument: Instrument
    interval_ns: int | None = None


def open_tape(spec: TapeSpec, on_bad: OnBad = refuse) -> Iterator[TapeRow]:
    """Yield `(ts_event, ts_init, event)` of the tape; raises `UsageError` for a missing file or unknown format."""
    if not spec.path.is_file():
        raise UsageError(f"a tape must be a file, found none at {spec.path}")
    reader = _READERS.get(spec.format)
    if reader is not None:
        return reader(spec.path, spec.instrument, on_bad)
    if spec.format == "parquet":
        return parquet_rows(spec.path, spec.instrument)
    if spec.format == "csv_bars":
        if spec.interval_ns is None:
            raise UsageError("a csv_bars tape needs its interval, was none")
        return csv_bars(spec.path, spec.instrument, spec.interval_ns, on_bad)
    raise UsageError(f"tape format must be one of {', '.join(FORMATS)}, was {spec.format!r}")
