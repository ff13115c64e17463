"""Tables that are views of journals, in SQLite or PostgreSQL: any tool can ask them, none may change a journal (FW-30).

A row is put by its key: the same journal projected twice gives the same rows. Times are nanoseconds UTC.
"""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from tradeworthy.adapters.upserts import upsert
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.redaction import redact

BUSY_SECONDS = 30.0
WHOLE, NUMBER, TEXT = "BIGINT", "DOUBLE PRECISION", "TEXT"
"""Kinds of columns, by names that both databases know."""
SQLITE, POSTGRES = "sqlite:", "postgresql://"


class Table(NamedTuple):
    """One table: columns with their kinds, the key of a row, what its index is over, and the time of a row."""

    name: str
    columns: tuple[tuple[str, str], ...]
    key: tuple[str, ...]
    sought_by: tuple[str, str]
    newest_by: str

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(name for name, _ in self.columns)


def _table(name: str, key: str, sought_by: str, newest_by: str, /, **columns: str) -> Table:
    first, last = sought_by.split()
    return Table(name, tuple(columns.items()), tuple(key.split()), (first, last), newest_by)


TABLES = {
    one.name: one
    for one in (
        _table(
            "ingest_runs", "run_id number source", "dimension executed_at", "executed_at", run_id=TEXT, number=WHOLE,
            source=TEXT, dimension=TEXT, status=TEXT, rows=WHOLE, freshness=NUMBER, duration=NUMBER,
            executed_at=WHOLE, symbols=TEXT, metadata=TEXT,
        ),
        _table(
            "compliance_audit", "event_id", "instance at", "at", event_id=TEXT, run_id=TEXT, at=WHOLE, kind=TEXT,
            instance=TEXT, instrument=TEXT, outcome=TEXT, codes=TEXT, policy_hash=TEXT,
        ),
        _table(
            "execution_snapshots", "id", "service recorded_at", "recorded_at", id=TEXT, service=TEXT,
            recorded_at=WHOLE, status=WHOLE, findings=WHOLE, body=TEXT,
        ),
        _table(
            "configuration_audit", "config_hash at field", "field at", "at", config_hash=TEXT, at=WHOLE, field=TEXT,
            previous=TEXT, current=TEXT, severity=TEXT, actor=TEXT, note=TEXT,
        ),
        _table(
            "assessment_snapshots", "id", "assessment generated_at", "generated_at", id=TEXT, assessment=TEXT,
            status=WHOLE, generated_at=WHOLE, expires_at=WHOLE, environment=TEXT, policy_hash=TEXT, findings=WHOLE,
            body=TEXT,
        ),
    )
}  # fmt: skip
Row = Sequence[Any]


class ProjectionStore(Protocol):
    """Put rows by their key, and ask for the newest."""

    def put(self, table: Table, rows: Iterable[Row]) -> int:
        """Put rows by their key and return how many the table holds; raises `UsageError` where it takes none."""
        ...

    def newest(self, table: Table, most: int) -> tuple[tuple[Any, ...], ...]:
        """Return the newest rows, newest first."""
        ...

    def keys(self, table: Table) -> list[tuple[Any, ...]]:
        """Return the key of every row; one that stands twice comes twice."""
        ...


class _Sql(ABC):
    """Both databases: one text of each statement, and marks of their own."""

    mark = "?"

    @abstractmethod
    def _opened(self) -> AbstractContextManager[Any]:
        """Open the database for one transaction."""

    def put(self, table: Table, rows: Iterable[Row]) -> int:
        """Put rows by their key and return how many the table holds."""
        others = [name for name in table.names if name not in table.key]
        order = [table.names.index(name) for name in (*table.key, *others)]
        text = upsert(table.name, table.key, others, mark=self.mark)
        with self._opened() as cursor:
            self._made(cursor, table)
            cursor.executemany(text, [tuple(row[at] for at in order) for row in rows])
            cursor.execute(f"SELECT count(*) FROM {table.name}")
            return int(cursor.fetchone()[0])

    def newest(self, table: Table, most: int) -> tuple[tuple[Any, ...], ...]:
        """Return the newest rows, newest first."""
        order = ", ".join((f"{table.newest_by} DESC", *table.key))
        with self._opened() as cursor:
            self._made(cursor, table)
            cursor.execute(f"SELECT {', '.join(table.names)} FROM {table.name} ORDER BY {order} LIMIT {int(most)}")
            return tuple(tuple(row) for row in cursor.fetchall())

    def keys(self, table: Table) -> list[tuple[Any, ...]]:
        """Return the key of every row; one that stands twice comes twice."""
        with self._opened() as cursor:
            self._made(cursor, table)
            cursor.execute(f"SELECT {', '.join(table.key)} FROM {table.name}")
            return [tuple(row) for row in cursor.fetchall()]

    def _made(self, cursor: Any, table: Table) -> None:
        columns = ", ".join(f"{name} {kind}" for name, kind in table.columns)
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {table.name} ({columns}, PRIMARY KEY ({', '.join(table.key)}))")
        first, last = table.sought_by
        cursor.execute(f"CREATE INDEX IF NOT EXISTS {table.name}_by_time ON {table.name} ({first}, {last} DESC)")


class SqliteProjections(_Sql):
    """The tables in one file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        try:
            base = sqlite3.connect(self._path, timeout=BUSY_SECONDS)
            try:
                with base:
                    yield base.cursor()
            finally:
                base.close()
        except sqlite3.Error as problem:
            raise UsageError(f"cannot write the tables in {self._path}: {problem}") from None


class PostgresProjections(_Sql):
    """The tables in a database of PostgreSQL; raises `UsageError` without the extra `postgres`."""

    mark = "%s"

    def __init__(self, url: str) -> None:
        try:
            import psycopg
        except ImportError:
            raise UsageError("PostgreSQL needs the extra: pip install 'tradeworthy[postgres]'") from None
        self._url, self._driver = url, psycopg

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        try:
            with self._driver.connect(self._url, connect_timeout=int(BUSY_SECONDS)) as base, base.cursor() as cursor:
                yield cursor
        except self._driver.Error as problem:
            raise UsageError(f"cannot write the tables: {redact(str(problem)).strip()}") from None


def projections_at(target: str) -> ProjectionStore:
    """Return the store that a target names: `sqlite:FILE` or `postgresql://...`; raises `UsageError` for another."""
    if target.startswith(POSTGRES):
        return PostgresProjections(target)
    if target.startswith(SQLITE) and len(target) > len(SQLITE):
        return SqliteProjections(Path(target.removeprefix(SQLITE)))
    raise UsageError(f"expected sqlite:FILE or postgresql://HOST/DATABASE, found {redact(target)}")
