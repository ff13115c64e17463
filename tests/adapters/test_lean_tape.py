import os
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tradeworthy.adapters.tapes import TapeSpec, open_tape
from tradeworthy.kernel.errors import InvalidInput, UsageError
from tradeworthy.trading.market_data.instruments import shipped
from tradeworthy.trading.model import Bar, Quote

DATA = Path(os.environ.get("TRADEWORTHY_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))
EURUSD, SPY, BTCUSD = (shipped()[name] for name in ("EURUSD.OANDA", "SPY.ARCX", "BTCUSD.COINBASE"))
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="market data folder is absent (TRADEWORTHY_DATA)")


def zipped(path: Path, text: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("member.csv", text)
    return path


def nanos(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp()) * 1_000_000_000


@pytest.mark.parametrize(("vendor", "hour"), [("OANDA", 0), ("FXCM", 5), ("DEMO", 4)])
def test_fx_tick_is_stamped_from_midnight_in_the_vendors_zone(tmp_path, vendor, hour):
    path = zipped(tmp_path / "20140508_quote.zip", b"8715,1.39101,1.39114\r\n8716,1.39101,1.391\n")
    (first, second) = open_tape(TapeSpec("lean_fx_ticks", path, shipped()[f"EURUSD.{vendor}"]))
    stamp = nanos(2014, 5, 8, hour) + 8_715_000_000
    assert first == (stamp, stamp, Quote(f"EURUSD.{vendor}", 139_101, 139_114))
    quote = second[2]
    assert (quote.bid, quote.ask) == (139_101, 139_100), "a crossed quote is passed on, never fixed"


def test_sunday_of_the_clock_change_follows_the_wall_clock(tmp_path):
    path = zipped(tmp_path / "20140309_quote.zip", b"61200000,1.39101,1.39114\n")
    ((ts, _, _),) = open_tape(TapeSpec("lean_fx_ticks", path, shipped()["EURUSD.DEMO"]))
    assert ts == nanos(2014, 3, 9, 21), "17:00 in New York after the change"


def test_minute_quote_is_the_closing_top_at_the_minutes_end(tmp_path):
    bid, ask = b"7424.9,7425,7424,7424.5,1.88", b"7424.91,7426,7424.9,7424.91,33.35399601000002"
    path = zipped(tmp_path / "20180404_quote.zip", b"0,%s,%s\n" % (bid, ask))
    ((ts, _, quote),) = open_tape(TapeSpec("lean_crypto_minute", path, BTCUSD))
    assert ts == nanos(2018, 4, 4, 0, 1)
    assert quote == Quote("BTCUSD.COINBASE", 742_450, 742_491, 18_800_000, 333_539_960)


def test_equity_prices_come_times_ten_thousand(tmp_path):
    path = zipped(tmp_path / "20131009_trade.zip", b"34200000,1659800,1660000,1659800,1659900,800\n")
    ((ts, _, bar),) = open_tape(TapeSpec("lean_equity_minute", path, SPY))
    assert ts == nanos(2013, 10, 9, 13, 31)
    assert bar == Bar("SPY.ARCX", 60_000_000_000, 16_598, 16_600, 16_598, 16_599, 800)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"8716,1.39101", "not enough values"),
        (b"8716,1.39101,1.39114,1", "too many values"),
        (b"x,1.39101,1.39114", "invalid literal"),
        (b"8716,,1.39114", "must be a number"),
        (b"8716,nan,1.39114", "finite"),
        (b"8716,-1.39101,1.39114", "above zero"),
        (b"8716,1.391015,1.39114", "multiple of"),
        (b"86400000,1.39101,1.39114", "within a day"),
        (b"-1,1.39101,1.39114", "within a day"),
        (b"1,1.39101,1.39114", "go back"),
        (b"8716,1.39101\xff,1.39114", "ascii"),
        (b"", "not enough values"),
    ],
    ids=["short", "long", "stamp", "absent", "nan", "negative", "tick", "next day", "early", "back", "bytes", "empty"],
)
def test_malformed_fx_line_goes_out_with_its_bytes(tmp_path, line, reason):
    good = b"8715,1.39101,1.39114"
    path = zipped(tmp_path / "20140508_quote.zip", b"\n".join((good, line, good)) + b"\n")
    bad: list[tuple[bytes, str]] = []
    rows = list(open_tape(TapeSpec("lean_fx_ticks", path, EURUSD), lambda raw, why: bad.append((raw, why))))
    assert len(rows) == 2
    assert [raw for raw, _ in bad] == [line]
    assert reason in bad[0][1]


def test_bar_whose_high_is_below_its_close_is_bad(tmp_path):
    path = zipped(tmp_path / "20131009_trade.zip", b"34200000,1659800,1659800,1659800,1659900,800\n")
    with pytest.raises(InvalidInput, match="low <= open"):
        list(open_tape(TapeSpec("lean_equity_minute", path, SPY)))


def test_wrong_names_and_archives_are_refused(tmp_path):
    with pytest.raises(InvalidInput, match="YYYYMMDD"):
        list(open_tape(TapeSpec("lean_fx_ticks", zipped(tmp_path / "quote.zip", b""), EURUSD)))
    with pytest.raises(InvalidInput, match="_quote or _trade"):
        list(open_tape(TapeSpec("lean_crypto_minute", zipped(tmp_path / "20140508_x.zip", b""), BTCUSD)))
    with pytest.raises(UsageError, match="format must be one of"):
        open_tape(TapeSpec("xml", tmp_path / "quote.zip", EURUSD))
    with pytest.raises(UsageError, match="must be a file"):
        open_tape(TapeSpec("csv_bars", tmp_path / "none.csv", EURUSD, 1))
    double = tmp_path / "20140508_quote.zip"
    with zipfile.ZipFile(double, "w") as archive:
        archive.writestr("a", b"")
        archive.writestr("b", b"")
    with pytest.raises(InvalidInput, match="one member, found 2"):
        list(open_tape(TapeSpec("lean_fx_ticks", double, EURUSD)))


@needs_data
def test_oanda_day_is_read_whole():
    path = DATA / "fx_ticks/oanda/eurusd/20140508_quote.zip"
    rows = list(open_tape(TapeSpec("lean_fx_ticks", path, EURUSD)))
    assert len(rows) == 87_833
    assert all(quote.bid < quote.ask for _, _, quote in rows)


@needs_data
def test_oanda_friday_ends_with_the_trading_week():
    path = DATA / "fx_ticks/oanda/eurusd/20140502_quote.zip"
    *_, (last, _, _) = open_tape(TapeSpec("lean_fx_ticks", path, EURUSD))
    assert 0 < nanos(2014, 5, 2, 21) - last < 10_000_000_000, "17:00 in New York"


@needs_data
@pytest.mark.parametrize(
    ("format_", "file", "instrument", "kind"),
    [
        ("lean_crypto_minute", "crypto_minute/coinbase/btcusd/20180404_quote.zip", "BTCUSD.COINBASE", Quote),
        ("lean_crypto_minute", "crypto_minute/coinbase/ethusd/20180405_trade.zip", "ETHUSD.COINBASE", Bar),
        ("lean_crypto_minute", "crypto_perp/binance/minute/btcusd/20221213_quote.zip", "BTCUSD.BINANCE_COINM", Quote),
        ("lean_crypto_minute", "crypto_perp/bybit/minute/btcusdt/20221213_trade.zip", "BTCUSDT.BYBIT", Bar),
        ("lean_equity_minute", "equity_minute/spy/20131009_quote.zip", "SPY.ARCX", Quote),
    ],
)
def test_every_minute_line_is_read_or_named(format_, file, instrument, kind):
    path, bad = DATA / file, []
    rows = list(open_tape(TapeSpec(format_, path, shipped()[instrument]), lambda raw, why: bad.append((raw, why))))
    with zipfile.ZipFile(path) as archive:
        lines = len(archive.read(archive.namelist()[0]).splitlines())
    assert bad == []
    assert len(rows) == lines
    assert {type(event) for _, _, event in rows} == {kind}


@needs_data
def test_daily_lines_between_two_ticks_are_named_not_rounded():
    bad: list[str] = []
    rows = list(open_tape(TapeSpec("lean_equity_daily", DATA / "equity_daily/aapl.zip", shipped()["AAPL.XNAS"]),
                          lambda raw, why: bad.append(why)))
    assert (len(rows), len(bad)) == (5_849 - 25, 25)
    assert all("multiple of 0.01" in why for why in bad)
