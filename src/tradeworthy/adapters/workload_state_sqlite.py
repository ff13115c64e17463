"""What periodic workloads remember, in one SQLite file below a desk's state: one row a key (APP-13)."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

TABLE = "workload_state"
BUSY_SECONDS = 1.0
"""How long a write waits for another process's transaction before it counts as failed."""


class StateRow(NamedTuple):
    """One thing that a workload remembers; `at` in nanoseconds UTC, `body` JSON."""

    workload: str
    key: str
    at: int
    body: str


class WorkloadStateFile:
    """The table of one file; a row put twice is one row. Raises `sqlite3.Error` or `OSError` while it takes none."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def put(self, rows: Iterable[StateRow]) -> None:
        """Put rows in one transaction; a row that is older than the one of its key changes nothing."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        base = sqlite3.connect(self._path, timeout=BUSY_SECONDS)
        try:
            with base:
                base.execute(
                    f"CREATE TABLE IF NOT EXISTS {TABLE} (workload TEXT NOT NULL, key TEXT NOT NULL, "
                    "at INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (workload, key))"
                )
                base.executemany(
                    f"INSERT INTO {TABLE} VALUES (?, ?, ?, ?) ON CONFLICT (workload, key) DO UPDATE SET "
                    "at = excluded.at, body = excluded.body WHERE excluded.at >= at", rows,
                )  # fmt: skip
        finally:
            base.close()

    def rows(self, workload: str) -> tuple[StateRow, ...]:
        """Return what a workload remembers, oldest first; nothing where no file is."""
        if not self._path.exists():
            return ()
        base = sqlite3.connect(self._path, timeout=BUSY_SECONDS)
        try:
            query = f"SELECT workload, key, at, body FROM {TABLE} WHERE workload = ? ORDER BY at, key"
            return tuple(StateRow(*row) for row in base.execute(query, (workload,)))
        finally:
            base.close()
