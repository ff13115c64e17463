"""What a tape section may say, and what it is told when nothing is there."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("polars", reason="the data extra is not installed")
from tradeworthy.adapters.catalog import Catalog
from tradeworthy.app import config
from tradeworthy.app.config import TapeSection
from tradeworthy.app.market_data import tapes
from tradeworthy.kernel.errors import ConfigurationRefused, ExitCode, UsageError
from tradeworthy.trading.market_data.instruments import shipped
from tradeworthy.trading.model import Bar, Quote

NAME = "EURUSD.OANDA"
EURUSD = shipped()[NAME]
SECOND = 1_000_000_000


def quotes(count: int, every: int = SECOND) -> list[tuple[int, int, Quote]]:
    return [(n * every, n * every + 5, Quote(NAME, 100 + n, 110 + n)) for n in range(1, count + 1)]


def section(**changed: Any) -> TapeSection:
    return TapeSection(**({"name": "t", "format": "catalog", "instrument": NAME} | changed))


def rows(one: TapeSection) -> list[Any]:
    return list(tapes.rows(one, EURUSD, lambda raw, why: pytest.fail(why)))


def lean_day(folder: Path, day: str, lines: str) -> None:
    import zipfile

    with zipfile.ZipFile(folder / f"{day}_quote.zip", "w") as archive:
        archive.writestr(f"{day}.csv", lines)


def test_catalog_tape_gives_the_stored_rows_of_its_kind(tmp_path: Path):
    stored = quotes(3)
    Catalog(tmp_path).ingest([*stored, (4 * SECOND, 4 * SECOND, Bar(NAME, 60, 1, 2, 1, 2))])
    one = section(path=str(tmp_path), kind="quote")
    assert [(row.ts_event, row.ts_init, row.fact) for row in rows(one)] == stored
    assert [row.source_seq for row in rows(one)] == [1, 2, 3]
    (manifest,) = tapes.manifests(one)
    assert (manifest.label, manifest.provenance) == ("real", "catalog, quote")


@pytest.mark.parametrize(
    ("kind", "expected"), [("trade", "found quote of EURUSD.OANDA"), ("quotes", "kind must be one of quote, trade")]
)
def test_catalog_without_the_kind_names_what_it_holds(tmp_path: Path, kind: str, expected: str):
    Catalog(tmp_path).ingest(quotes(1))
    with pytest.raises(UsageError, match=expected):
        tapes.manifests(section(path=str(tmp_path), kind=kind))


def test_pattern_reads_its_files_in_name_order(tmp_path: Path):
    lean_day(tmp_path, "20140507", "0,1.30000,1.30010\n")
    lean_day(tmp_path, "20140506", "0,1.20000,1.20010\n")
    lean_day(tmp_path, "20140606", "0,1.40000,1.40010\n")
    found = rows(section(format="lean_fx_ticks", path=str(tmp_path / "201405*_quote.zip")))
    assert [row.fact.bid for row in found] == [120_000, 130_000]
    assert [row.source_seq for row in found] == [1, 2]


@pytest.mark.parametrize("format", ["lean_fx_ticks", "parquet", "catalog"])
def test_absent_tape_is_a_usage_error_that_names_tape_and_place(tmp_path: Path, format: str):
    with pytest.raises(UsageError, match=r"'t'.*absent") as found:
        tapes.manifests(section(format=format, path=str(tmp_path / "absent*"), kind="quote"))
    assert found.value.exit_code == ExitCode.COULD_NOT_JUDGE


def test_bars_are_built_from_mids_as_a_source_of_their_own(tmp_path: Path):
    Catalog(tmp_path).ingest(quotes(130))
    one = section(path=str(tmp_path), kind="quote", bar_seconds=60)
    found = rows(one)
    bars = [row for row in found if type(row.fact) is Bar]
    assert [(row.source, row.source_seq) for row in bars] == [("tape.t.bars", 1), ("tape.t.bars", 2)]
    first = bars[0]
    assert first.fact == Bar(NAME, 60 * SECOND, 106, 164, 106, 164)
    assert (first.ts_event, first.ts_init) == (60 * SECOND, 61 * SECOND + 5)
    assert [row.ts_init for row in found] == sorted(row.ts_init for row in found)
    assert [row.fact for row in found if type(row.fact) is Quote] == [fact for _, _, fact in quotes(130)]


def test_built_bars_are_named_as_derived_and_depend_on_their_length(tmp_path: Path):
    Catalog(tmp_path).ingest(quotes(3))
    minute = tapes.manifests(section(path=str(tmp_path), kind="quote", bar_seconds=60))
    five = tapes.manifests(section(path=str(tmp_path), kind="quote", bar_seconds=300))
    assert [(one.name, one.label) for one in minute] == [("t", "real"), ("t.bars", "derived")]
    assert minute[0] == five[0]
    assert minute[1].sha256 != five[1].sha256


def document(tape: dict[str, Any]) -> dict[str, Any]:
    desk = {"name": "d", "environment": "backtest"}
    return {"schema": "desk@1", "desk": desk, "tapes": [{"name": "t", "instrument": NAME, **tape}], "instances": []}


@pytest.mark.parametrize("label", ["real", "derived"])
def test_synthetic_tape_under_another_label_is_refused(label: str):
    with pytest.raises(UsageError, match="must be labelled synthetic"):
        config.parse(document({"format": "synthetic", "label": label}), origin="test")
    assert config.parse(document({"format": "synthetic", "label": "synthetic"}), origin="test")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [({"kind": "noise"}, "kind must be one of quotes, l2_flow"), ({"walk": {"pull": 2.0}}, "pull")],
)
def test_recipe_that_cannot_be_made_is_refused(changed: dict[str, Any], expected: str):
    with pytest.raises(ConfigurationRefused, match=expected):
        tapes.manifests(section(format="synthetic", label="synthetic", **changed))


@pytest.mark.parametrize(
    ("walk", "expected"),
    [({"stepz": 1}, "found stepz"), ({"instrument": "X"}, "found instrument"), ({"steps": "many"}, "steps")],
)
def test_walk_of_another_form_could_not_be_judged(walk: dict[str, Any], expected: str):
    with pytest.raises(UsageError, match=rf"tapes\.t\.walk: .*{expected}"):
        tapes.manifests(section(format="synthetic", label="synthetic", walk=walk))


def test_made_depth_begins_with_a_snapshot_and_is_the_same_twice():
    one = section(format="synthetic", label="synthetic", kind="l2_flow", walk={"steps": 50, "every_ns": SECOND})
    assert rows(one) == rows(one)
    assert rows(one)[0].fact.kind.endswith("snapshot")


@pytest.mark.parametrize(
    "changed", [{"rows_max": -1}, {"bar_seconds": 1}, {"bar_seconds": -60}, {"interval_seconds": -1}]
)
def test_lengths_of_a_tape_that_cannot_be_are_refused(changed: dict[str, int]):
    with pytest.raises(ConfigurationRefused, match="'t'"):
        config.parse(document({"format": "demo", **changed}), origin="test")
