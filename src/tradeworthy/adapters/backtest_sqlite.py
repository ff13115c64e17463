"""The store of backtests in one SQLite file; the standard library's driver, no service."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tradeworthy.kernel.errors import HaltTrading, UsageError
from tradeworthy.research.backtest.rows import BarRow, FillRow
from tradeworthy.research.backtest.store import StoreCounts, StoredRegime, StoredRun

BUSY_SECONDS = 30.0
ROWS_BATCH = 1000
_QUOTE = '"'
_TABLES: dict[str, tuple[type[msgspec.Struct], str]] = {
    "backtest_run": (StoredRun, "run_id"),
    "backtest_bar": (BarRow, "run_id, number"),
    "backtest_fill": (FillRow, "run_id, number"),
    "backtest_regime_stats": (StoredRegime, "run_id, number"),
}
_NUMBERS = {"int": "INTEGER", "float": "REAL", "bool": "INTEGER"}
T = TypeVar("T", bound=msgspec.Struct)


class SqliteBacktestStore:
    """`BacktestStore` on SQLite; decimals and JSON are text, so no digit is lost.

    Raises `UsageError` for a path that cannot be opened or is no database.
    """

    def __init__(self, path: Path | str) -> None:
        try:
            self._db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
            for name, (row, key) in _TABLES.items():
                self._db.execute(f"CREATE TABLE IF NOT EXISTS {name} ({_columns(row)}, PRIMARY KEY ({key}))")
        except sqlite3.Error as problem:
            raise UsageError(f"cannot open the store of backtests at {path}: {problem}") from None

    def put(
        self, run: StoredRun, bars: Iterable[BarRow], fills: Iterable[FillRow], regimes: Iterable[StoredRegime]
    ) -> None:
        """Replace the run and its rows; a failure on the way leaves what was there before."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for name in _TABLES:
                self._db.execute(f"DELETE FROM {name} WHERE run_id = ?", (run.run_id,))
            self._insert("backtest_run", run.run_id, (run,))
            self._insert("backtest_bar", run.run_id, bars)
            self._insert("backtest_fill", run.run_id, fills)
            self._insert("backtest_regime_stats", run.run_id, regimes)
            self._db.execute("COMMIT")
        except sqlite3.Error as problem:
            self._db.execute("ROLLBACK")
            raise HaltTrading(f"the store of backtests refused run {run.run_id[:12]}: {problem}") from problem
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    def runs(self) -> tuple[StoredRun, ...]:
        """Return all runs by id."""
        return self._rows("backtest_run", StoredRun, "ORDER BY run_id", ())

    def bars(self, run_id: str) -> tuple[BarRow, ...]:
        """Return the run's bars in their order."""
        return self._rows("backtest_bar", BarRow, "WHERE run_id = ? ORDER BY number", (run_id,))

    def fills(self, run_id: str) -> tuple[FillRow, ...]:
        """Return the run's fills in their order."""
        return self._rows("backtest_fill", FillRow, "WHERE run_id = ? ORDER BY number", (run_id,))

    def regimes(self, run_id: str) -> tuple[StoredRegime, ...]:
        """Return the run's regime totals in their order."""
        return self._rows("backtest_regime_stats", StoredRegime, "WHERE run_id = ? ORDER BY number", (run_id,))

    def counts(self) -> StoreCounts:
        """Count the rows of each table."""
        return StoreCounts(*(self._db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in _TABLES))

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _insert(self, table: str, run_id: str, rows: Iterable[msgspec.Struct]) -> None:
        kind = _TABLES[table][0]
        names = _names(kind)
        marks = ", ".join("?" for _ in names)
        text = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"
        batch: list[tuple[Any, ...]] = []
        for number, row in enumerate(rows, 1):
            known = {"run_id": run_id, "number": number}
            batch.append(tuple(_stored(known[n] if n in known else getattr(row, n.strip(_QUOTE))) for n in names))
            if len(batch) >= ROWS_BATCH:
                self._db.executemany(text, batch)
                batch.clear()
        self._db.executemany(text, batch)

    def _rows(self, table: str, kind: type[T], rest: str, words: tuple[str, ...]) -> tuple[T, ...]:
        fields = kind.__struct_fields__
        found = self._db.execute(f"SELECT {', '.join(_quoted(f) for f in fields)} FROM {table} {rest}", words)
        raw = {f.name for f in msgspec.structs.fields(kind) if f.type is msgspec.Raw}
        return tuple(
            msgspec.convert(
                {n: msgspec.Raw(v.encode()) if n in raw else v for n, v in zip(fields, row, strict=True)}, kind,
                strict=False,
            )
            for row in found
        )


def _names(kind: type[msgspec.Struct]) -> list[str]:
    own = [_quoted(field) for field in kind.__struct_fields__]
    if kind is StoredRun:
        return own
    return ["run_id", *(["number"] if "number" not in own else []), *own]


def _columns(kind: type[msgspec.Struct]) -> str:
    types = {_quoted(field.name): _type(field.type) for field in msgspec.structs.fields(kind)}
    types |= {"run_id": "TEXT NOT NULL"} | ({} if kind is StoredRun else {"number": "INTEGER NOT NULL"})
    return ", ".join(f"{name} {types[name]}" for name in _names(kind))


def _quoted(name: str) -> str:
    return f'"{name}"' if name in ("end", "open", "close") else name


def _type(kind: Any) -> str:
    text = kind.__name__ if isinstance(kind, type) else str(kind)
    number = next((sql for name, sql in _NUMBERS.items() if text.split(" ")[0] == name), "TEXT")
    return number if "None" in text else f"{number} NOT NULL"


def _stored(value: Any) -> Any:
    if value is None or isinstance(value, int | float | str):
        return value
    return bytes(value).decode() if isinstance(value, msgspec.Raw) else str(value)
