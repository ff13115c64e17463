"""`data import`, end to end for each format: what is stored, what a second import changes, what a bad line leaves."""

import base64
import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("polars", reason="the data extra is not installed")
from tradeworthy.adapters.catalog import Catalog
from tradeworthy.adapters.tapes.columns import frame_of
from tradeworthy.cli.main import call
from tradeworthy.trading.model import Bar, Quote

FX, PERP, SPY = "EURUSD.OANDA", "BTCUSDT.BINANCE_USDM", "SPY.ARCX"
MINUTE = 60_000_000_000
Case = tuple[Callable[[Path, bytes], Path], str, str, dict[str, int], list[str]]


def lean(folder: Path, name: str, lines: bytes) -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("day.csv", lines)
    return path


def fx_ticks(folder: Path, bad: bytes) -> Path:
    return lean(folder, "20140508_quote.zip", b"0,1.39100,1.39112\n" + bad + b"250,1.39101,1.39113\n")


def crypto_minute(folder: Path, bad: bytes) -> Path:
    return lean(
        folder, "20180404_trade.zip", b"0,7000.1,7001,6999,7000.5,1.5\n" + bad + b"60000,7000,7002,7000,7001,2\n"
    )


def equity_daily(folder: Path, bad: bytes) -> Path:
    lines = (
        b"20131004 00:00,1680000,1690000,1670000,1685000,100\n"
        + bad
        + b"20131007 00:00,1680000,1690000,1670000,1685000,9\n"
    )
    return lean(folder, "spy.zip", lines)


def bars_csv(folder: Path, bad: bytes) -> Path:
    path = folder / "bars.csv"
    path.write_bytes(
        b"time,open,high,low,close,volume\n2020-01-01 00:00,1.1,1.2,1.0,1.15,5\n"
        + bad
        + b"2020-01-01 00:01,1.15,1.2,1.1,1.2,\n"
    )
    return path


def binance_l2(folder: Path, bad: bytes) -> Path:
    def line(stream: str, **data: object) -> bytes:
        return (
            b"1723161600000000000 "
            + json.dumps({"stream": f"btcusdt@{stream}", "data": {"s": "BTCUSDT"} | data}).encode()
            + b"\n"
        )

    ms = 1723161600000
    path = folder / "btcusdt_20240809.gz"
    path.write_bytes(
        gzip.compress(
            line("depth@0ms", E=ms, T=ms, U=1, u=2, pu=0, b=[["61000.0", "1.5"]], a=[["61000.1", "2"]])
            + bad
            + line("bookTicker", E=ms, T=ms, b="61000.0", B="1.5", a="61000.1", A="2")
            + line("trade", E=ms, T=ms, t=7, p="61000.1", q="0.5", m=False)
        )
    )
    return path


def parquet(folder: Path, bad: bytes) -> Path:
    path = folder / "quotes.parquet"
    frame_of("quote", [(1, 2, Quote(FX, 100, 110)), (3, 4, Quote(FX, 101, 111, 5, 6))]).write_parquet(path)
    return path


CASES: dict[str, Case] = {
    "lean_fx_ticks": (fx_ticks, FX, "quote", {"quote": 2}, []),
    "lean_crypto_minute": (crypto_minute, "BTCUSD.COINBASE", "bar", {"bar": 2}, []),
    "lean_equity_daily": (equity_daily, SPY, "bar", {"bar": 2}, []),
    "csv_bars": (bars_csv, FX, "bar", {"bar": 2}, ["--interval-seconds", "60"]),
    "binance": (binance_l2, PERP, "depth_diff", {"depth_diff": 1, "quote": 1, "trade": 1}, []),
    "parquet": (parquet, FX, "quote", {"quote": 2}, []),
}
BAD = b"not,a line\n"


def import_(path: Path, format: str, instrument: str, catalog: Path, words: list[str]) -> int:
    return call(
        ["data", "import", str(path), "--format", format, "--instrument", instrument, "--catalog", str(catalog), *words]
    )


def contents(catalog: Path) -> dict[str, bytes]:
    return {str(path.relative_to(catalog)): path.read_bytes() for path in sorted(catalog.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("format", CASES)
def test_import_stores_every_row_and_a_second_one_changes_nothing(format: str, tmp_path: Path):
    write, instrument, kind, expected, words = CASES[format]
    path, catalog = write(tmp_path, b""), tmp_path / "catalog"
    assert import_(path, format, instrument, catalog, words) == 0
    counts: dict[str, int] = {}
    for part in Catalog(catalog).manifest().parts:
        counts[part.kind] = counts.get(part.kind, 0) + part.rows
    assert counts == expected
    assert all(fact.instrument == instrument for _, _, fact in Catalog(catalog).read(instrument, kind))
    before = contents(catalog)
    assert import_(path, format, instrument, catalog, words) == 0
    assert contents(catalog) == before


@pytest.mark.parametrize("format", [one for one in CASES if one != "parquet"])
def test_malformed_line_is_kept_with_its_bytes_and_warns(format: str, tmp_path: Path):
    write, instrument, _, expected, words = CASES[format]
    catalog = tmp_path / "catalog"
    assert import_(write(tmp_path, BAD), format, instrument, catalog, words) == 1
    assert sum(part.rows for part in Catalog(catalog).manifest().parts) == sum(expected.values())
    (record,) = [json.loads(line) for line in (catalog / "quarantine.jsonl").read_text().splitlines()]
    assert base64.b64decode(record["bytes"]) == BAD.rstrip()
    assert record["reason"]


def test_csv_bars_are_stamped_at_their_close(tmp_path: Path):
    catalog = tmp_path / "catalog"
    assert import_(bars_csv(tmp_path, b""), "csv_bars", FX, catalog, ["--interval-seconds", "60"]) == 0
    first, _ = Catalog(catalog).read(FX, "bar")
    assert first == (1_577_836_860_000_000_000,) * 2 + (Bar(FX, MINUTE, 110_000, 120_000, 100_000, 115_000, 5),)


def test_other_rows_for_a_stored_day_are_refused_and_leave_it_as_it_was(tmp_path: Path):
    catalog = tmp_path / "catalog"
    assert import_(fx_ticks(tmp_path, b""), "lean_fx_ticks", FX, catalog, []) == 0
    before = contents(catalog)
    changed = fx_ticks(tmp_path, b"100,1.39102,1.39114\n")
    assert import_(changed, "lean_fx_ticks", FX, catalog, []) == 2
    assert contents(catalog) == before


@pytest.mark.parametrize(
    ("path", "format", "instrument"),
    [("absent", "parquet", FX), ("a.csv", "csv_bars", FX), ("a.csv", "xls", FX), ("a.csv", "parquet", "XXX.YYY")],
)
def test_words_that_cannot_be_judged_exit_three(tmp_path: Path, path: str, format: str, instrument: str):
    (tmp_path / "a.csv").write_text("time,open,high,low,close\n")
    assert import_(tmp_path / path, format, instrument, tmp_path / "catalog", []) == 3
