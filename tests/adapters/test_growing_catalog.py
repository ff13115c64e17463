"""A catalogue whose feed is still being recorded: a day may go on, and nothing else may change."""

import pytest

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.trading.model import Quote

pytest.importorskip("polars", reason="the data extra is not installed")
from tradeworthy.adapters.catalog import Catalog

X = "X.Y"


def rows(*bids):
    return [(number, number + 1, Quote(X, bid, bid + 2)) for number, bid in enumerate(bids, 1)]


def test_a_day_that_goes_on_is_stored_whole(tmp_path):
    catalog = Catalog(tmp_path)
    catalog.ingest(rows(10, 11))
    (part,) = catalog.ingest(rows(10, 11, 12), growing=True).parts
    assert part.rows == 3
    assert list(catalog.read(X, "quote")) == rows(10, 11, 12)


@pytest.mark.parametrize("other", [rows(10, 99, 12), rows(10), rows(99, 11)])
def test_a_day_whose_stored_rows_changed_is_refused(tmp_path, other):
    catalog = Catalog(tmp_path)
    catalog.ingest(rows(10, 11))
    with pytest.raises(InvalidInput, match="rows must equal the 2 stored ones"):
        catalog.ingest(other, growing=True)
    assert list(catalog.read(X, "quote")) == rows(10, 11)


def test_a_day_goes_on_only_where_that_is_asked_for(tmp_path):
    catalog = Catalog(tmp_path)
    catalog.ingest(rows(10, 11))
    with pytest.raises(InvalidInput, match="rows must equal"):
        catalog.ingest(rows(10, 11, 12))


def test_a_crash_between_the_longer_file_and_its_manifest_is_mended_by_the_feed(tmp_path):
    catalog = Catalog(tmp_path)
    catalog.ingest(rows(10, 11))
    before = (tmp_path / "manifest.json").read_bytes()
    catalog.ingest(rows(10, 11, 12), growing=True)
    (tmp_path / "manifest.json").write_bytes(before)
    catalog.ingest(rows(10, 11, 12), growing=True)
    assert list(catalog.read(X, "quote")) == rows(10, 11, 12)
