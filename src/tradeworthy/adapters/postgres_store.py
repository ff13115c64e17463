"""The operational store in PostgreSQL: the same rows, keys and rules as the embedded one (AC-05, MOD-03).

Needs the extra `postgres` (psycopg), imported when a store is opened.
"""

from collections.abc import Iterable
from decimal import Decimal
from enum import IntEnum
from typing import Any, Self, get_args, get_type_hints
from urllib.parse import urlsplit

from tradeworthy.adapters.upserts import listed, quoted, upsert
from tradeworthy.kernel.errors import InvalidInput, RetryLater, UsageError
from tradeworthy.trading.ledger.day import DayRolled
from tradeworthy.trading.ledger.projection import TABLES, Row, Table
from tradeworthy.trading.ledger.snapshot import AccountingSnapshot
from tradeworthy.trading.model.order import FillBooked, OrderChanged

SCHEMA = "tradeworthy_books"
CONNECT_SECONDS = 5
FACTS: dict[str, type] = {
    "fills": FillBooked, "accounting_snapshot": AccountingSnapshot, "instance_daily": DayRolled,
    "open_order_current": OrderChanged, "position_current": FillBooked,
}  # fmt: skip
"""The facts whose fields say of which kind a table's columns are."""
ODD = {"fill_key": str, "ts": int, "venue": str, "state": str, "open": int, "variant": str, "day": int}
"""Columns that are in no fact, or are another kind there."""


class PostgresStore:
    """A `ProjectionStore` at a PostgreSQL server; it can be dropped at any time and projected again from the journal.

    url  postgresql://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE; its tables lie in a schema of their own

    Raises `UsageError` without the extra, `RetryLater` while the server does not take a connection or a write.
    """

    def __init__(self, url: str) -> None:
        try:
            import psycopg
        except ModuleNotFoundError:
            raise UsageError("a store in PostgreSQL needs psycopg: install tradeworthy[postgres]") from None
        self.place, self._down = shown(url), psycopg.Error
        try:
            self._db: Any = psycopg.connect(url, connect_timeout=CONNECT_SECONDS, autocommit=True)
            self._db.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
            for name, table in TABLES.items():
                self._db.execute(_schema(name, table))
            self._db.execute(
                f"CREATE TABLE IF NOT EXISTS {SCHEMA}.projected (one BIGINT PRIMARY KEY CHECK (one = 1), seq BIGINT)"
            )
        except psycopg.Error as problem:
            raise RetryLater(f"cannot open the store {self.place}: {_said(problem)}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def upsert(self, rows: Iterable[Row]) -> int:
        """Write rows in one transaction, the newest seq of a key winning; return how many were given."""
        given = list(rows)
        if not given:
            return 0
        by_table: dict[str, list[tuple[object, ...]]] = {}
        for row in given:
            shape = TABLES[row.table]
            values = tuple(row.values[name] for name in (*shape.key, *shape.columns))
            by_table.setdefault(row.table, []).append((*values, row.seq))
        try:
            with self._db.transaction(), self._db.cursor() as cursor:
                for name, values_of in by_table.items():
                    cursor.executemany(_STATEMENTS[name], values_of)
                cursor.execute(
                    f"INSERT INTO {SCHEMA}.projected VALUES (1, %s) ON CONFLICT (one) DO UPDATE SET "
                    "seq = greatest(projected.seq, excluded.seq)", (max(row.seq for row in given),),
                )  # fmt: skip
        except self._down as problem:
            raise RetryLater(f"cannot write the store {self.place}: {_said(problem)}") from None
        return len(given)

    def count(self, table: str) -> int:
        """Return the rows of a table; raises `InvalidInput` for a name that is none."""
        if table not in TABLES:
            raise InvalidInput(f"table must be one of {', '.join(TABLES)}, was {table!r}")
        return int(self._read(f"SELECT count(*) FROM {SCHEMA}.{table}")[0][0])

    def seq(self) -> int:
        """Return the last journal seq that was projected, 0 for an empty store."""
        found = self._read(f"SELECT seq FROM {SCHEMA}.projected")
        return int(found[0][0]) if found else 0

    def rows(self, table: str) -> list[dict[str, object]]:
        """Return the rows of a table in the order of their keys, as the embedded store gives them."""
        self.count(table)
        shape = TABLES[table]
        names = [*shape.key, *shape.columns, "seq"]
        order = ", ".join(f'"{one}" COLLATE "C"' if _kind(table, one) == "TEXT" else f'"{one}"' for one in shape.key)
        found = self._read(f"SELECT {listed(names)} FROM {SCHEMA}.{table} ORDER BY {order}")
        return [dict(zip(names, row, strict=True)) for row in found]

    def close(self) -> None:
        """Let go of the connection."""
        self._db.close()

    def _read(self, query: str) -> list[tuple[Any, ...]]:
        try:
            found: list[tuple[Any, ...]] = self._db.execute(query).fetchall()
        except self._down as problem:
            raise RetryLater(f"cannot read the store {self.place}: {_said(problem)}") from None
        return found


def shown(url: str) -> str:
    """Return a URL without user and password."""
    parts = urlsplit(url)
    port = "" if parts.port is None else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def _said(problem: Exception) -> str:
    return str(problem).strip().partition("\n")[0]


def _kind(table: str, column: str) -> str:
    if table == "instance_daily" and column in ("equity_open", "equity"):
        return "BIGINT"
    hint = ODD.get(column) or get_type_hints(FACTS[table]).get(column, str)
    kinds = [one for one in (get_args(hint) or (hint,)) if isinstance(one, type)]
    if any(issubclass(one, float) for one in kinds):
        return "DOUBLE PRECISION"
    if any(issubclass(one, int | IntEnum) and not issubclass(one, Decimal) for one in kinds):
        return "BIGINT"
    return "TEXT"


def _schema(name: str, table: Table) -> str:
    keys = ", ".join(f"{quoted(one)} {_kind(name, one)} NOT NULL" for one in table.key)
    columns = ", ".join(f"{quoted(one)} {_kind(name, one)}" for one in table.columns)
    return (
        f"CREATE TABLE IF NOT EXISTS {SCHEMA}.{name} ({keys}, {columns}, seq BIGINT NOT NULL, "
        f"PRIMARY KEY ({listed(table.key)}))"
    )


_STATEMENTS = {
    name: upsert(f"{SCHEMA}.{name}", table.key, (*table.columns, "seq"), mark="%s", newer="seq")
    for name, table in TABLES.items()
}
