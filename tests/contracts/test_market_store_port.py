"""The market store port: what every store of market data must do."""

import sys
from pathlib import Path

import pytest
from held_market import NOW, SECOND, HeldMarket, X, quote, quotes

from tradeworthy.kernel.errors import InvalidInput, RetryLater
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.ingest.ports import Conclusion, RunRow, Sealed
from tradeworthy.trading.model import Bar, DepthDiff, DepthSnapshot, Side, Trade

pytest.importorskip("duckdb", reason="the data extra is not installed")
pytest.importorskip("polars", reason="the data extra is not installed")
from tradeworthy.adapters.market_store_duckdb import DuckDbMarketStore, catalog_of

DAY = 86_400 * SECOND
KINDS = [
    quote(NOW), (NOW + 1, NOW + 2, Trade(X, 100, 2, Side.SELL, "t1")), (NOW + 3, NOW + 4, Trade(X, 100, 2)),
    (NOW + 5, NOW + 6, DepthDiff(X, 1, 2, None, ((99, 0),), ())),
    (NOW + 7, NOW + 8, DepthSnapshot(X, 3, ((99, 1), (98, 4)), ((101, 2),))),
    (NOW + 9, NOW + 10, Bar(X, 60, 1, 3, 1, 2, None, True)),
]  # fmt: skip


@pytest.fixture(params=["memory", "duckdb"])
def store(request, tmp_path):
    made = HeldMarket() if request.param == "memory" else DuckDbMarketStore(tmp_path / "d" / "tier0.duckdb")
    yield made
    made.close()


def concluding(counted, *, digest="d1", run_id="r1", number=1, source="a", seal=True):
    run = RunRow(
        run_id=run_id, number=number, source=source, instrument=X, digest=digest, severity=Severity.WARN, fetched=3,
        inserted=counted.inserted, unchanged=counted.unchanged, rejected=1, age_ns=None, took_ns=5, at=NOW,
    )  # fmt: skip
    kept = Sealed(source=source, instrument=X, digest=digest, rows=3, rejected=1, newest=None, severity=Severity.WARN,
                  run_id=run_id, at=NOW)  # fmt: skip
    return Conclusion(run, kept if seal else None)


def take(store, rows, *, source="a", **odd):
    return store.take(source, iter(rows), lambda counted: concluding(counted, source=source, **odd))


def test_every_kind_of_row_is_held_once(store):
    assert take(store, KINDS).inserted == len(KINDS)
    again = take(store, KINDS, digest="d2", number=2)
    assert (again.inserted, again.unchanged) == (0, len(KINDS))
    assert [store.count(kind) for kind in ("quote", "trade", "bar")] == [1, 2, 1]


def test_equal_rows_of_one_moment_are_known_by_their_place(store):
    trade = (NOW, NOW, Trade(X, 100, 1))
    assert take(store, [trade, trade]).inserted == 2
    assert take(store, [trade, trade, trade], digest="d2", number=2).inserted == 1


def test_two_sources_never_overwrite_each_other(store):
    take(store, [quote(NOW, 99)])
    assert take(store, [quote(NOW, 98)], source="b").inserted == 1
    assert store.count("quote") == 2


def test_rows_that_contradict_those_held_are_refused_whole(store):
    take(store, quotes(3, start=NOW))
    with pytest.raises(InvalidInput, match="must equal"):
        take(store, [quote(NOW, 1, 200), *quotes(5, start=NOW)[1:]], digest="d2", number=2)
    assert (store.count("quote"), store.runs(), store.sealed("a", "d2")) == (3, 1, None)


def test_a_feed_goes_on_over_midnight(store):
    late = NOW // DAY * DAY + DAY - 2 * SECOND
    assert take(store, quotes(3, start=late)).inserted == 3
    found = take(store, quotes(6, start=late), digest="d2", number=2)
    assert (found.inserted, found.unchanged) == (3, 3)


def test_rows_run_and_seal_stand_together_or_not_at_all(store):
    def broken(counted):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.take("a", iter(quotes(3)), broken)
    assert (store.count("quote"), store.runs(), store.sealed("a", "d1")) == (0, 0, None)
    assert take(store, quotes(3)).inserted == 3


def test_a_seal_is_given_back_as_it_was(store):
    take(store, quotes(1))
    assert store.sealed("a", "d1") == Sealed(
        source="a", instrument=X, digest="d1", rows=3, rejected=1, newest=None, severity=Severity.WARN, run_id="r1",
        at=NOW,
    )  # fmt: skip
    assert store.sealed("b", "d1") is None


def test_what_is_not_sealed_is_held_all_the_same(store):
    take(store, quotes(2), seal=False)
    assert (store.count("quote"), store.sealed("a", "d1"), store.runs()) == (2, None, 1)


def test_no_row_is_a_run_too(store):
    assert take(store, []).inserted == 0
    assert store.runs() == 1


def test_a_second_writer_is_told_to_come_later(tmp_path):
    import subprocess

    path = tmp_path / "tier0.duckdb"
    held = DuckDbMarketStore(path)
    code = (
        "import sys; from pathlib import Path; from tradeworthy.kernel.errors import RetryLater\n"
        "from tradeworthy.adapters.market_store_duckdb import DuckDbMarketStore\n"
        "try: DuckDbMarketStore(Path(sys.argv[1]))\n"
        "except RetryLater: sys.exit(7)\n"
    )
    source = str(Path(__file__).parents[2] / "src")
    try:
        done = subprocess.run([sys.executable, "-c", code, str(path)], env={"PYTHONPATH": source}, check=False)
    finally:
        held.close()
    assert done.returncode == 7
    DuckDbMarketStore(path).close()


def test_a_file_that_is_no_database_is_not_written_over(tmp_path):
    path = tmp_path / "tier0.duckdb"
    path.write_bytes(b"notes of somebody" * 1000)
    with pytest.raises(RetryLater, match="cannot open the market store"):
        DuckDbMarketStore(path)
    assert path.read_bytes() == b"notes of somebody" * 1000


def test_rows_stay_after_the_file_is_closed_and_the_catalogue_lies_beside_it(tmp_path):
    path = tmp_path / "tier0.duckdb"
    first = DuckDbMarketStore(path)
    take(first, KINDS)
    first.close()
    again = DuckDbMarketStore(path)
    assert [again.count(kind) for kind in ("quote", "trade", "bar", "depth_diff", "depth_snapshot")] == [1, 2, 1, 1, 1]
    again.close()
    parts = sorted(one.name for one in (catalog_of(path) / "source=a").rglob("*.parquet"))
    assert parts == ["bar.parquet", "depth_diff.parquet", "depth_snapshot.parquet", "quote.parquet", "trade.parquet"]


def test_a_lost_database_is_filled_again_from_the_feed_and_its_catalogue(tmp_path):
    path = tmp_path / "tier0.duckdb"
    first = DuckDbMarketStore(path)
    take(first, quotes(5))
    first.close()
    path.unlink()
    again = DuckDbMarketStore(path)
    assert take(again, quotes(5)).inserted == 5
    again.close()
