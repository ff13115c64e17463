"""What the embedded market store holds by day, read beside its writer: for retention (AS-11)."""

from datetime import UTC, date, datetime
from pathlib import Path

import msgspec

from tradeworthy.adapters.market_store_duckdb import TABLES
from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.kernel.errors import RetryLater, UsageError

BARS = "bar"


class HeldDays(msgspec.Struct, frozen=True):
    """Rows of one kind and instrument, daily bars apart from all else; `days` are UTC dates with a row."""

    kind: str
    instrument: str
    daily: bool
    rows: int
    days: tuple[date, ...]


def held_days(path: Path) -> tuple[HeldDays, ...]:
    """Return what a store holds. Raises `UsageError` where there is none, `RetryLater` while its writer has it."""
    try:
        import duckdb
    except ModuleNotFoundError:
        raise UsageError("the market store needs DuckDB: install tradeworthy[data]") from None
    if not path.is_file():
        raise UsageError(f"expected a market store at {path}, found none: run tradeworthy ingest-once first")
    try:
        connection = duckdb.connect(str(path), read_only=True, config={"threads": 1})
    except duckdb.Error as problem:
        raise RetryLater(f"cannot read the market store {path}: {problem}") from None
    found = []
    try:
        for kind, (table, _) in TABLES.items():
            daily = f"interval_ns >= {NANOS_PER_DAY}" if kind == BARS else "false"
            at = "ts_ns - 1" if kind == BARS else "ts_ns"  # a bar is stamped at its close: midnight ends its day
            rows = connection.execute(
                f"select instrument_id, {daily}, ({at}) // {NANOS_PER_DAY}, count(*) from {table} "
                "group by all order by all"
            ).fetchall()
            for key in dict.fromkeys((row[0], row[1]) for row in rows):
                own = [(int(row[2]), int(row[3])) for row in rows if (row[0], row[1]) == key]
                days = tuple(_date(day) for day, _ in own)
                found.append(HeldDays(kind, key[0], bool(key[1]), sum(count for _, count in own), days))
    finally:
        connection.close()
    return tuple(found)


def _date(day: int) -> date:
    return datetime.fromtimestamp(day * NANOS_PER_DAY // NANOS_PER_SECOND, UTC).date()
