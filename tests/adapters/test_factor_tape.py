"""A factor file as a tape of splits and dividends, played to the simulated venue beside its prices (MD-11)."""

import os
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tradeworthy.adapters.tapes.open import TapeSpec, open_tape
from tradeworthy.trading.market_data.instruments import shipped
from tradeworthy.trading.model import Dividend, OrderType, Quote, Side, Split, SubmitOrder, TimeInForce
from tradeworthy.trading.simulation import NO_LATENCY, SimulatedVenue

DATA = Path(os.environ.get("TRADEWORTHY_DATA", Path(__file__).parents[3] / "shared/data"))
FACTORS = "20140507,0.9,0.25,100\n20140606,0.9,0.25,648\n20140806,0.95,1,95\n20501231,1,1,0\n"
AAPL = shipped()["AAPL.XNAS"]


def rows(path, bad=None):
    return list(open_tape(TapeSpec("lean_equity_factors", path, AAPL), lambda raw, why: bad.append((raw, why))))


def test_each_action_comes_at_the_midnight_after_its_last_day(tmp_path):
    path = tmp_path / "aapl.csv"
    path.write_text(FACTORS)
    found = rows(path)
    assert [(type(fact), fact.last_day) for _, _, fact in found] == [
        (Split, date(2014, 6, 6)), (Dividend, date(2014, 6, 6)), (Dividend, date(2014, 8, 6))]
    assert found[0][0] == 1_402_113_600 * 10**9  # 7 June 2014, 00:00 in New York
    assert all(event == init for event, init, _ in found)


@pytest.mark.parametrize("text", ["20140507,0.9\n", "20140507,x,1,1\n", "20140507,1,1,1\n20140507,1,1,1\n", ""])
def test_a_file_that_cannot_be_read_goes_out_whole_with_its_bytes(tmp_path, text):
    path, bad = tmp_path / "aapl.csv", []
    path.write_text(text)
    assert rows(path, bad) == []
    assert [raw for raw, _ in bad] == [text.encode()]


def test_a_split_on_the_tape_scales_the_venues_position(tmp_path):
    path = tmp_path / "aapl.csv"
    path.write_text(FACTORS)
    (ts, _, split), *_ = rows(path)
    venue = SimulatedVenue([AAPL], latency=NO_LATENCY)
    venue.on_market(Quote("AAPL.XNAS", 64_800, 64_801), ts - 10)
    venue.send(SubmitOrder("a", "i", "mm", "AAPL.XNAS", Side.BUY, 5, OrderType.MARKET, TimeInForce.GTC), ts - 9)
    venue.advance(ts - 1)
    venue.on_market(split, ts)
    assert venue.positions()["AAPL.XNAS"] == 20


@pytest.mark.skipif(not DATA.is_dir(), reason=f"no market data at {DATA}; set TRADEWORTHY_DATA")
def test_apples_own_file_has_its_four_splits_and_its_last_dividends():
    found = [fact for _, _, fact in rows(DATA / "equity_daily/factor_files/aapl.csv")]
    assert [(one.new, one.old) for one in found if isinstance(one, Split)] == [(2, 1), (2, 1), (7, 1), (4, 1)]
    last = [one for one in found if isinstance(one, Dividend)][-1]
    assert abs(last.per_unit - Decimal("0.205")) < Decimal("0.005")
