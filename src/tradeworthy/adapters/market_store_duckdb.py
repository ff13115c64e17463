"""The embedded market store: one DuckDB file, and beside it the Parquet catalogue that its rows come from.

    <name>.duckdb
    <name>.catalog/source=<source>/instrument=<id>/day=YYYY-MM-DD/<kind>.parquet

A day's file is written first, whole or not at all; then rows, the run's row and the seal are committed together. A
crash between the two leaves a file that the next cycle finds as it is. Needs the `data` extra (duckdb, polars).
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tradeworthy.adapters.catalog import Catalog, Part
from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.kernel.errors import InvalidInput, RetryLater, UsageError
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.ingest.ports import Conclusion, Counted, MarketRow, RunRow, Sealed

TABLES = {
    "quote": ("market_data_quotes", (
        ("bid", "BIGINT"), ("ask", "BIGINT"), ("bid_lots", "BIGINT"), ("ask_lots", "BIGINT"),
    )),
    "trade": ("market_data_ticks", (
        ("price", "BIGINT"), ("lots", "BIGINT"), ("aggressor", "BIGINT"), ("trade_id", "VARCHAR"),
    )),
    "bar": ("market_data_bars", (
        ("interval_ns", "BIGINT"), ("open", "BIGINT"), ("high", "BIGINT"), ("low", "BIGINT"), ("close", "BIGINT"),
        ("volume", "BIGINT"), ("filled", "BOOLEAN"),
    )),
    "depth_diff": ("market_data_depth_diffs", (
        ("first_id", "BIGINT"), ("last_id", "BIGINT"), ("prev_id", "BIGINT"), ("bids", "BIGINT[][]"),
        ("asks", "BIGINT[][]"),
    )),
    "depth_snapshot": ("market_data_depth_snapshots", (
        ("last_id", "BIGINT"), ("bids", "BIGINT[][]"), ("asks", "BIGINT[][]"),
    )),
}  # fmt: skip
"""Table and own columns of each kind of row; prices are ticks and sizes lots, as the tape's instrument has them."""
KEY = ("source", "instrument_id", "ts_ns", "sequence")
"""`sequence` is the place of a row among those of equal source, instrument and time, in the feed's order (DB-12)."""
CATALOG = ".catalog"
_STAMPS = "source VARCHAR, instrument_id VARCHAR, ts_ns BIGINT, sequence BIGINT, ts_init_ns BIGINT"
_BESIDES = (
    """create table if not exists market_data_datasets (
        source VARCHAR, digest VARCHAR, instrument_id VARCHAR, "rows" BIGINT, rejected BIGINT, newest_ns BIGINT,
        severity VARCHAR, run_id VARCHAR, sealed_ns BIGINT, primary key (source, digest))""",
    """create table if not exists telemetry_ingest_runs (
        run_id VARCHAR, number BIGINT, source VARCHAR, instrument_id VARCHAR, digest VARCHAR, severity VARCHAR,
        fetched BIGINT, inserted BIGINT, unchanged BIGINT, rejected BIGINT, age_ns BIGINT, took_ns BIGINT,
        executed_ns BIGINT, primary key (run_id, number, source))""",
)


class DuckDbMarketStore:
    """Take rows in once. One process writes at a time; a second one gets `RetryLater`.

    path  of the DuckDB file, made where it is not there; raises `UsageError` without the `data` extra
    """

    def __init__(self, path: Path) -> None:
        try:
            import duckdb
        except ModuleNotFoundError:
            raise UsageError("embedded ingest needs DuckDB: install tradeworthy[data]") from None
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._catalog, self._error = path, catalog_of(path), duckdb.Error
        try:
            # one thread: the desk in this process needs the other cores
            self._connection: Any = duckdb.connect(str(path), config={"threads": 1})
            self._make_tables()
        except duckdb.Error as problem:
            raise RetryLater(f"cannot open the market store {path}: {problem}") from None

    @property
    def place(self) -> str:
        """Return the path of the file."""
        return str(self._path)

    def sealed(self, source: str, digest: str) -> Sealed | None:
        """Return the dataset that was taken in whole from these bytes."""
        found = self._connection.execute(
            'select instrument_id, "rows", rejected, newest_ns, severity, run_id, sealed_ns from market_data_datasets '
            "where source = ? and digest = ?", (source, digest),
        ).fetchone()  # fmt: skip
        if found is None:
            return None
        instrument, rows, rejected, newest, severity, run_id, at = found
        return Sealed(
            source=source, instrument=instrument, digest=digest, rows=rows, rejected=rejected, newest=newest,
            severity=Severity[severity], run_id=run_id, at=at,
        )  # fmt: skip

    def take(self, source: str, rows: Iterator[MarketRow], conclude: Callable[[Counted], Conclusion]) -> Counted:
        """Write the days' files, then rows, run and seal in one transaction."""
        days: set[int] = set()
        catalog = self._catalog / f"source={source}"
        manifest = Catalog(catalog).ingest(_noting(rows, days), growing=True)
        parts = [part for part in manifest.parts if part.first // NANOS_PER_DAY in days]
        connection = self._connection
        connection.execute("begin transaction")
        try:
            counts = [self._add(source, catalog, part) for part in parts]
            counted = Counted(sum(one.inserted for one in counts), sum(one.unchanged for one in counts))
            concluded = conclude(counted)
            self._note(concluded.run)
            if concluded.seal is not None:
                self._seal(concluded.seal)
            connection.execute("commit")
        except self._error as problem:
            connection.execute("rollback")
            raise RetryLater(f"cannot write the market store {self._path}: {problem}") from None
        except BaseException:
            connection.execute("rollback")
            raise
        connection.execute("checkpoint")
        return counted

    def count(self, kind: str) -> int:
        """Return how many rows of a kind are held."""
        found = self._connection.execute(f"select count(*) from {TABLES[kind][0]}").fetchone()
        return int(found[0])

    def runs(self) -> int:
        """Return how many runs of sources are noted."""
        return int(self._connection.execute("select count(*) from telemetry_ingest_runs").fetchone()[0])

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _make_tables(self) -> None:
        for table, columns in TABLES.values():
            own = ", ".join(f"{name} {kind}" for name, kind in columns)
            self._connection.execute(
                f"create table if not exists {table} ({_STAMPS}, {own}, primary key ({', '.join(KEY)}))"
            )
        for statement in _BESIDES:
            self._connection.execute(statement)

    def _add(self, source: str, catalog: Path, part: Part) -> Counted:
        table, columns = TABLES[part.kind]
        own = ", ".join(name for name, _ in columns)
        execute = self._connection.execute
        execute(
            "create or replace temp table staged as select cast(? as VARCHAR) as source, instrument as instrument_id, "
            "ts_event as ts_ns, row_number() over (partition by instrument, ts_event order by file_row_number) - 1 as "
            f"sequence, ts_init as ts_init_ns, {own} "
            "from read_parquet(?, hive_partitioning = false, file_row_number = true)",
            (source, str(catalog / part.path)),
        )
        same = " and ".join(f"held.{name} = staged.{name}" for name in KEY)
        differs = " or ".join(f"held.{name} is distinct from staged.{name}" for name in _values(columns))
        known, others = execute(
            f"select count(*), count(*) filter (where {differs}) from staged join {table} held on {same}"
        ).fetchone()
        if others:
            raise InvalidInput(f"{part.path}: {others} rows must equal those of {table}, were others")
        execute(f"insert into {table} by name select staged.* from staged anti join {table} held on {same}")
        return Counted(part.rows - known, known)

    def _note(self, run: RunRow) -> None:
        self._connection.execute(
            "insert into telemetry_ingest_runs values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (run.run_id, run.number, run.source, run.instrument, run.digest, run.severity.name, run.fetched,
             run.inserted, run.unchanged, run.rejected, run.age_ns, run.took_ns, run.at),
        )  # fmt: skip

    def _seal(self, seal: Sealed) -> None:
        self._connection.execute(
            "insert into market_data_datasets values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (seal.source, seal.digest, seal.instrument, seal.rows, seal.rejected, seal.newest, seal.severity.name,
             seal.run_id, seal.at),
        )  # fmt: skip


def catalog_of(path: Path) -> Path:
    """Return the folder of the Parquet catalogue that belongs to a DuckDB file."""
    return path.with_name(path.stem + CATALOG)


def _values(columns: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    return "ts_init_ns", *(name for name, _ in columns)


def _noting(rows: Iterator[MarketRow], days: set[int]) -> Iterator[MarketRow]:
    for row in rows:
        days.add(row[0] // NANOS_PER_DAY)
        yield row
