"""Feed judgements over recorded markets: clocks, two vendors, adjusted prices, bars."""

import hashlib
import os
from datetime import UTC, datetime
from heapq import merge
from itertools import pairwise
from pathlib import Path

import pytest

from tradeworthy.adapters.tapes import TapeSpec, open_tape
from tradeworthy.kernel.severity import Severity
from tradeworthy.trading.market_data.adjust import Adjuster, parse_factors
from tradeworthy.trading.market_data.bars import BarBuilder
from tradeworthy.trading.market_data.feed_clock import FeedClock, FeedClockPolicy
from tradeworthy.trading.market_data.instruments import shipped
from tradeworthy.trading.market_data.top import MarketState
from tradeworthy.trading.market_data.two_sources import SourcesDisagree, TwoSources

DATA = Path(os.environ.get("TRADEWORTHY_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="market data folder is absent (TRADEWORTHY_DATA)")
MINUTE = 60_000_000_000
NOON = 16 * 3_600_000_000_000


def eurusd(vendor: str, day: str = "20140508"):
    path = DATA / f"fx_ticks/{vendor}/eurusd/{day}_quote.zip"
    return open_tape(TapeSpec("lean_fx_ticks", path, shipped()[f"EURUSD.{vendor.upper()}"]))


def named(vendor: str):
    return ((ts, vendor, quote) for ts, _, quote in eurusd(vendor))


@pytest.mark.parametrize(("correction_ns", "severity"), [(0, Severity.FAIL), (1_280_000_000, Severity.OK)])
def test_recorder_behind_the_venue_fails_without_a_correction(correction_ns, severity):
    clock = FeedClock("binance", FeedClockPolicy(correction_ns=correction_ns))
    path = DATA / "crypto_l2/binance_usdm/btcusdt_20240808.gz"
    for i, (ts_event, ts_init, _) in enumerate(open_tape(TapeSpec("binance", path, shipped()["BTCUSDT.BINANCE_USDM"]))):
        clock.observe(ts_event, ts_init)
        if i == 20_000:
            break
    judged = clock.judge(ts_init)
    assert judged.severity is severity
    assert judged.offset_ns is not None
    assert -1_275_000_000 < judged.offset_ns - correction_ns < -1_200_000_000


def test_two_vendors_agree_until_one_is_shifted_by_twelve_basis_points():
    for shift_bps, spells in ((0, 0), (12, 1)):
        sources = TwoSources("EURUSD", "oanda", "fxcm")
        differences, told = [], []
        for ts, vendor, quote in merge(named("oanda"), named("fxcm"), key=lambda row: row[0]):
            mid2 = quote.bid + quote.ask
            if vendor == "fxcm":
                mid2 += mid2 * shift_bps // 10_000
            told += sources.on_mid(vendor, mid2, ts)
            if (difference := sources.difference_bps()) is not None and len(differences) < 50_000:
                differences.append(difference)
        assert bool([fact for fact in told if isinstance(fact, SourcesDisagree)]) is bool(spells)
        mean = sum(differences) / len(differences)
        assert abs(mean - shift_bps) < 1


def test_locked_quotes_are_marked_on_every_one_of_their_ticks():
    state, locked = MarketState("EURUSD.FXCM"), 0
    for ts, _, quote in eurusd("fxcm"):
        state.apply(quote, ts)
        assert state.usable is (quote.bid < quote.ask)
        locked += not state.usable
    assert locked == 37_336


def test_three_cut_minutes_of_real_ticks_are_three_filled_bars():
    builder, bars = BarBuilder("EURUSD.OANDA", MINUTE), []
    for ts, _, quote in eurusd("oanda"):
        minute = ts // MINUTE % 1_440
        if 750 <= minute < 780 and minute not in (760, 761, 762):
            bars += builder.add(quote.bid + quote.ask, None, ts)
    assert [close_ts // MINUTE % 1_440 - 1 for close_ts, bar in bars if bar.filled] == [760, 761, 762]
    assert builder.late == 0


def test_adjusted_returns_are_continuous_and_the_raw_bytes_unchanged():
    path = DATA / "equity_daily/aapl.zip"
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    adjuster = Adjuster("AAPL.XNAS", parse_factors((DATA / "equity_daily/factor_files/aapl.csv").read_text()))
    aapl = shipped()["AAPL.XNAS"]
    raw, adjusted = [], []
    for ts, _, bar in open_tape(TapeSpec("lean_equity_daily", path, aapl), lambda line, why: None):
        day = datetime.fromtimestamp(ts // 1_000_000_000, UTC).date()
        raw.append(aapl.price(bar.close))
        adjusted.append(adjuster.adjusted(raw[-1], day))
    worst_raw, worst_adjusted = (min(b / a - 1 for a, b in pairwise(x)) for x in (raw, adjusted))
    assert worst_raw < -0.8, "the 7:1 split of June 2014"
    assert worst_adjusted > -0.53, "the profit warning of September 2000 is real"
    assert [(split.new, split.old) for split in adjuster.splits()] == [(2, 1), (2, 1), (7, 1), (4, 1)]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
