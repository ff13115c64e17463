"""Bars from a CSV with a header: `time,open,high,low,close[,volume]`, names in any case and order."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tradeworthy.adapters.tapes.lines import OnBad, TapeRow, check_bar, lines_of, lots_reader, price_reader, refuse
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.trading.model import Bar, Instrument

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DOTTED = "%d.%m.%Y %H:%M:%S.%f"
_NEEDED = ("time", "open", "high", "low", "close")


def csv_bars(path: Path, instrument: Instrument, interval_ns: int, on_bad: OnBad = refuse) -> Iterator[TapeRow]:
    """Yield one bar a line. The file's time is the bar's start, UTC where it names no zone; the event is its close.

    Times are ISO 8601 or `DD.MM.YYYY HH:MM:SS.fff`. The volume's part below one lot is cut off.
    """
    price, lots, name = price_reader(instrument), lots_reader(instrument), instrument.instrument_id
    lines = lines_of(path, on_bad)
    header = [field.strip().lower() for field in _fields(next(lines, b""))]
    if missing := [field for field in _NEEDED if field not in header]:
        raise InvalidInput(f"{path.name}: header must name {', '.join(_NEEDED)}, missing {', '.join(missing)}")
    t, o, h, low, c = (header.index(field) for field in _NEEDED)
    v = header.index("volume") if "volume" in header else None
    last = 0
    for raw in lines:
        try:
            row = _fields(raw)
            if len(row) != len(header):
                raise InvalidInput(f"a line must have {len(header)} fields, had {len(row)}")
            ts = parse_time(row[t]) + interval_ns
            if ts <= last:
                raise InvalidInput(f"time must go forward, was {last - ts} ns before the line above")
            bar = Bar(name, interval_ns, price(row[o]), price(row[h]), price(row[low]), price(row[c]),
                      None if v is None or not row[v] else lots(row[v]))
            check_bar(bar.open, bar.high, bar.low, bar.close)
        except (ValueError, InvalidInput) as bad:
            on_bad(raw, str(bad))
            continue
        last = ts
        yield ts, ts, bar


def parse_time(text: str) -> int:
    """Return nanoseconds UTC of an ISO 8601 or `DD.MM.YYYY HH:MM:SS.fff` text."""
    when = datetime.strptime(text, _DOTTED) if text[2:3] == "." else datetime.fromisoformat(text)
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return (when - _EPOCH) // timedelta(microseconds=1) * 1_000


def _fields(raw: bytes) -> list[str]:
    return next(csv.reader([raw.decode("utf-8-sig")]), [])
