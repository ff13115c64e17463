"""The contract of every store of backtests."""

import sqlite3
from decimal import Decimal

import msgspec
import pytest

from tradeworthy.adapters.backtest_sqlite import SqliteBacktestStore
from tradeworthy.kernel.errors import UsageError
from tradeworthy.research.backtest.rows import BarRow, FillRow
from tradeworthy.research.backtest.store import StoreCounts, StoredRegime, StoredRun

RUN = StoredRun(
    "a" * 64, "desk", "backtest", "c" * 64, "d" * 64, 7, 1, 2, "USD", Decimal("1000000"), Decimal("-0.000000001"),
    Decimal("12.5"), 0.01, None, 2, "optimistic_estimated", True, "{}",
)
BARS = [
    BarRow("EURUSD.SIM", 60 * n, 60, Decimal("1.10"), Decimal("1.2"), Decimal("1.0"), Decimal("1.1"), True,
           msgspec.Raw(b'{"mm":{"edge":0.1}}'))
    for n in range(1, 4)
]
FILLS = [
    FillRow(n, 60 * n, "mm", "EURUSD.SIM", f"o{n}", f"t{n}", "buy", Decimal("0.001"), Decimal("1.1"), "maker",
            None if n == 1 else Decimal("0.1"), Decimal(0), Decimal("0.001"), None, None if n == 1 else 0, None)
    for n in (1, 2)
]
REGIMES = [
    StoredRegime("mm", "EURUSD.SIM", "up", 0.5, Decimal("1.5"), 2, Decimal(3), Decimal("0.1"), None),
    StoredRegime("mm", "EURUSD.SIM", None, None, Decimal(0), 0, Decimal(0), Decimal(0), None),
]


@pytest.fixture(params=["file", "memory"])
def store(request, tmp_path):
    opened = SqliteBacktestStore(tmp_path / "b.sqlite" if request.param == "file" else ":memory:")
    yield opened
    opened.close()


def test_rows_come_back_as_they_went_in_to_the_last_digit(store):
    store.put(RUN, BARS, FILLS, REGIMES)
    assert store.runs() == (RUN,)
    assert [msgspec.json.encode(one) for one in store.bars(RUN.run_id)] == [msgspec.json.encode(one) for one in BARS]
    assert store.fills(RUN.run_id) == tuple(FILLS)
    assert store.regimes(RUN.run_id) == tuple(REGIMES)


def test_importing_twice_leaves_equal_counts(store):
    store.put(RUN, BARS, FILLS, REGIMES)
    once = store.counts()
    store.put(RUN, BARS, FILLS, REGIMES)
    assert store.counts() == once == StoreCounts(1, 3, 2, 2)


def test_a_shorter_import_of_the_same_run_replaces_the_longer_and_another_run_stays(store):
    other = msgspec.structs.replace(RUN, run_id="b" * 64)
    store.put(other, BARS, FILLS, REGIMES)
    store.put(RUN, BARS, FILLS, REGIMES)
    store.put(RUN, BARS[:1], [], [])
    assert store.counts() == StoreCounts(2, 4, 2, 2)
    assert store.fills(RUN.run_id) == ()
    assert len(store.fills(other.run_id)) == 2


def test_rows_that_break_on_the_way_leave_what_was_there(store):
    store.put(RUN, BARS, FILLS, REGIMES)

    def broken():
        yield BARS[0]
        raise UsageError("line 2 is no row")

    with pytest.raises(UsageError, match="line 2"):
        store.put(RUN, broken(), [], [])
    assert store.counts() == StoreCounts(1, 3, 2, 2)


def test_a_file_that_is_no_database_is_usage(tmp_path):
    path = tmp_path / "b.sqlite"
    path.write_bytes(b"not a database, but long enough to be read as one" * 40)
    with pytest.raises(UsageError, match="cannot open"):
        SqliteBacktestStore(path)


def test_a_second_opening_reads_what_the_first_wrote(tmp_path):
    first = SqliteBacktestStore(tmp_path / "b.sqlite")
    first.put(RUN, BARS, FILLS, REGIMES)
    first.close()
    second = SqliteBacktestStore(tmp_path / "b.sqlite")
    assert second.counts().bars == 3
    second.close()
    with sqlite3.connect(tmp_path / "b.sqlite") as raw:
        names = {name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert names == {"backtest_run", "backtest_bar", "backtest_fill", "backtest_regime_stats"}
