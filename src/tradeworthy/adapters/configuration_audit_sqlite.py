"""The table `configuration_audit` in one SQLite file: a view of the audit's journal that any tool can ask."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tradeworthy.kernel.errors import UsageError

BUSY_SECONDS = 30.0
TABLE = "configuration_audit"


class AuditRow(NamedTuple):
    """One look at the configuration; `at` in nanoseconds UTC, `changes` as JSON."""

    seq: int
    at: int
    actor: str
    environment: str
    config_hash: str
    previous_hash: str
    first: bool
    severity: str
    added: int
    removed: int
    updated: int
    changes: str


_KINDS = {int: "INTEGER", bool: "INTEGER", str: "TEXT"}


def put_rows(path: Path, rows: Iterable[AuditRow]) -> int:
    """Put rows by their seq and return how many the table holds; raises `UsageError` for a file that takes none."""
    columns = ", ".join(f"{name} {_KINDS[kind]} NOT NULL" for name, kind in AuditRow.__annotations__.items())
    marks = ", ".join("?" for _ in AuditRow._fields)
    try:
        base = sqlite3.connect(path, timeout=BUSY_SECONDS)
        try:
            with base:
                base.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} ({columns}, PRIMARY KEY (seq))")
                base.executemany(f"INSERT OR REPLACE INTO {TABLE} VALUES ({marks})", rows)
                return int(base.execute(f"SELECT count(*) FROM {TABLE}").fetchone()[0])
        finally:
            base.close()
    except sqlite3.Error as problem:
        raise UsageError(f"cannot write the table {TABLE} in {path}: {problem}") from None
