"""The operational store in one SQLite file: the books' rows, upserted by key (AC-05)."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from tradeworthy.adapters.upserts import listed, quoted, upsert
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.trading.ledger.projection import TABLES, Row, Table

BUSY_MS = 5_000
"""How long a writer waits for another process's transaction."""


class SqliteStore:
    """A `ProjectionStore` in a file; it can be deleted at any time and projected again from the journal."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        self._db.execute("PRAGMA journal_mode = WAL")
        for name, table in TABLES.items():
            self._db.execute(_schema(name, table))
        self._db.execute("CREATE TABLE IF NOT EXISTS projected (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER)")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def upsert(self, rows: Iterable[Row]) -> int:
        """Write rows in one transaction, the newest seq of a key winning; return how many were given."""
        given = list(rows)
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for row in given:
                values = [row.values[name] for name in (*TABLES[row.table].key, *TABLES[row.table].columns)]
                self._db.execute(_STATEMENTS[row.table], (*values, row.seq))
            if given:
                last = max(row.seq for row in given)
                self._db.execute(
                    "INSERT INTO projected VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET seq = max(seq, excluded.seq)",
                    (last,),
                )
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        return len(given)

    def count(self, table: str) -> int:
        """Return the rows of a table; raises `InvalidInput` for a name that is none."""
        if table not in TABLES:
            raise InvalidInput(f"table must be one of {', '.join(TABLES)}, was {table!r}")
        (found,) = self._db.execute(f"SELECT count(*) FROM {table}").fetchone()
        return int(found)

    def seq(self) -> int:
        """Return the last journal seq that was projected, 0 for an empty store."""
        found = self._db.execute("SELECT seq FROM projected").fetchone()
        return 0 if found is None else int(found[0])

    def rows(self, table: str) -> list[dict[str, object]]:
        """Return the rows of a table in the order of their keys."""
        self.count(table)
        names = [*TABLES[table].key, *TABLES[table].columns, "seq"]
        found = self._db.execute(f"SELECT {listed(names)} FROM {table} ORDER BY {listed(TABLES[table].key)}")
        return [dict(zip(names, row, strict=True)) for row in found]

    def close(self) -> None:
        """Close the file."""
        self._db.close()


def _schema(name: str, table: Table) -> str:
    keys = ", ".join(f"{quoted(one)} NOT NULL" for one in table.key)
    return (
        f"CREATE TABLE IF NOT EXISTS {name} ({keys}, {listed(table.columns)}, seq INTEGER NOT NULL, "
        f"PRIMARY KEY ({listed(table.key)}))"
    )


_STATEMENTS = {
    name: upsert(name, table.key, (*table.columns, "seq"), mark="?", newer="seq") for name, table in TABLES.items()
}
