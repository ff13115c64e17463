"""The table `assessment_snapshots` in one SQLite file: a view of the snapshots' journal (FW-30)."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tradeworthy.kernel.errors import UsageError

BUSY_SECONDS = 30.0
TABLE = "assessment_snapshots"
_COLUMNS = (
    "id TEXT PRIMARY KEY, assessment TEXT NOT NULL, status INTEGER NOT NULL, generated_at INTEGER NOT NULL, "
    "expires_at INTEGER NOT NULL, environment TEXT NOT NULL, policy_hash TEXT NOT NULL, findings INTEGER NOT NULL, "
    "body TEXT NOT NULL"
)


class SnapshotRow(NamedTuple):
    """One snapshot; times in nanoseconds UTC, `body` its canonical JSON."""

    id: str
    assessment: str
    status: int
    generated_at: int
    expires_at: int
    environment: str
    policy_hash: str
    findings: int
    body: str


class SnapshotTable:
    """The table of one file; a snapshot put twice is one row. Raises `UsageError` for a file that takes none."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def put(self, rows: Iterable[SnapshotRow]) -> int:
        """Put rows by their id and return how many the table holds."""
        marks = ", ".join("?" for _ in SnapshotRow._fields)
        with _opened(self._path) as base:
            base.executemany(f"INSERT OR REPLACE INTO {TABLE} VALUES ({marks})", rows)
            return int(base.execute(f"SELECT count(*) FROM {TABLE}").fetchone()[0])

    def newest(self, assessment: str, most: int) -> tuple[SnapshotRow, ...]:
        """Return the newest rows of an assessment, newest first."""
        query = f"SELECT * FROM {TABLE} WHERE assessment = ? ORDER BY generated_at DESC, id LIMIT ?"
        with _opened(self._path) as base:
            return tuple(SnapshotRow(*row) for row in base.execute(query, (assessment, most)))


class _opened:
    """One connection and one transaction."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> sqlite3.Connection:
        try:
            self._base = sqlite3.connect(self._path, timeout=BUSY_SECONDS)
            self._base.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} ({_COLUMNS})")
            self._base.execute(f"CREATE INDEX IF NOT EXISTS {TABLE}_by_time ON {TABLE} (assessment, generated_at DESC)")
        except sqlite3.Error as problem:
            raise UsageError(f"cannot open the table {TABLE} in {self._path}: {problem}") from None
        return self._base

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            self._base.commit()
        self._base.close()
