import os
from pathlib import Path

import pytest

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.trading.model import Bar, DepthDiff, DepthSnapshot, Mark, Quote, Side, Trade

pytest.importorskip("polars", reason="the data extra is not installed")
from tradeworthy.adapters.catalog import Catalog
from tradeworthy.adapters.tapes import TapeSpec, open_tape
from tradeworthy.trading.market_data.instruments import shipped

DATA = Path(os.environ.get("TRADEWORTHY_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))
DAY = 86_400_000_000_000
X = "X.Y"
ROWS = [
    (1, 2, Quote(X, 99, 101, 5, None)),
    (3, 4, Trade(X, 100, 2, Side.SELL, "t1")),
    (5, 6, Trade(X, 100, 2)),
    (7, 8, DepthDiff(X, 1, 2, None, ((99, 0),), ())),
    (9, 10, DepthSnapshot(X, 3, ((99, 1), (98, 4)), ((101, 2),))),
    (11, 12, Bar(X, 60, 1, 3, 1, 2, None, True)),
    (DAY + 1, DAY + 2, Quote(X, 98, 101)),
]


def test_rows_come_back_as_they_went_in(tmp_path):
    catalog = Catalog(tmp_path)
    manifest = catalog.ingest(ROWS)
    assert len(manifest.parts) == 6
    kinds = {"quote": Quote, "trade": Trade, "depth_diff": DepthDiff, "depth_snapshot": DepthSnapshot, "bar": Bar}
    for kind, type_ in kinds.items():
        assert list(catalog.read(X, kind)) == [row for row in ROWS if type(row[2]) is type_]
    trades = next(part for part in manifest.parts if part.kind == "trade")
    assert (trades.rows, trades.first, trades.last, trades.day) == (2, 3, 5, "1970-01-01")


def test_ingesting_again_gives_the_equal_manifest(tmp_path):
    first = Catalog(tmp_path / "a").ingest(ROWS)
    stored = (tmp_path / "a/manifest.json").read_bytes()
    assert Catalog(tmp_path / "a").ingest(ROWS) == first
    assert (tmp_path / "a/manifest.json").read_bytes() == stored
    assert Catalog(tmp_path / "b").ingest(ROWS) == first


def test_changed_byte_is_refused(tmp_path):
    catalog = Catalog(tmp_path)
    part = catalog.ingest(ROWS).parts[0]
    path = tmp_path / part.path
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    for act in (lambda: list(catalog.read(X, part.kind)), lambda: catalog.ingest(ROWS)):
        with pytest.raises(InvalidInput, match="SHA-256 must be"):
            act()
    path.unlink()
    with pytest.raises(InvalidInput, match="no file"):
        catalog.verify(part)


def test_other_rows_for_a_stored_day_are_refused(tmp_path):
    catalog = Catalog(tmp_path)
    before = catalog.ingest(ROWS)
    with pytest.raises(InvalidInput, match="must equal the 1 stored ones"):
        catalog.ingest([(1, 2, Quote(X, 99, 102))])
    with pytest.raises(InvalidInput, match="in one stretch"):
        catalog.ingest([ROWS[0], ROWS[-1], ROWS[0]])
    assert catalog.manifest() == before


def test_events_without_a_table_and_odd_names_are_refused(tmp_path):
    with pytest.raises(InvalidInput, match="a table holds"):
        Catalog(tmp_path).ingest([(1, 1, Mark(X, 5))])
    with pytest.raises(InvalidInput, match="file name"):
        Catalog(tmp_path).ingest([(1, 1, Quote("../x", 5, 6))])


def test_parquet_with_other_columns_is_refused(tmp_path):
    import polars as pl

    path = tmp_path / "x.parquet"
    pl.DataFrame({"a": [1], "instrument": ["EURUSD.DEMO"]}).write_parquet(path)
    with pytest.raises(InvalidInput, match="columns must be"):
        list(open_tape(TapeSpec("parquet", path, shipped()["EURUSD.DEMO"])))
    path.write_bytes(b"PAR1")
    with pytest.raises(InvalidInput, match="must be a Parquet file"):
        list(open_tape(TapeSpec("parquet", path, shipped()["EURUSD.DEMO"])))


@pytest.mark.skipif(not DATA.is_dir(), reason="market data folder is absent (TRADEWORTHY_DATA)")
def test_duckdb_reads_a_real_day(tmp_path):
    duckdb = pytest.importorskip("duckdb", reason="the data extra is not installed")
    spec = TapeSpec("lean_fx_ticks", DATA / "fx_ticks/oanda/eurusd/20140501_quote.zip", shipped()["EURUSD.OANDA"])
    manifest = Catalog(tmp_path).ingest(open_tape(spec))
    ((count, spread),) = duckdb.sql(
        f"select count(*), min(ask - bid) from read_parquet('{tmp_path}/*/*/quote.parquet', hive_partitioning = false)"
    ).fetchall()
    assert count == sum(part.rows for part in manifest.parts) == 24_179
    assert spread > 0
