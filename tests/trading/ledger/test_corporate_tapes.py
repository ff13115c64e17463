"""Splits and dividends of real tapes, booked as events: value is kept, returns are whole (MD-11, LG-08)."""

import hashlib
import os
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from tradeworthy.adapters.tapes.open import TapeSpec, open_tape
from tradeworthy.trading.ledger import FlowKind, Ledger
from tradeworthy.trading.market_data.adjust import Adjuster, parse_factors
from tradeworthy.trading.market_data.instruments import shipped
from tradeworthy.trading.model import Fill, Liquidity, Side

DATA = Path(os.environ.get("TRADEWORTHY_DATA", Path(__file__).parents[4] / "shared/data"))
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"no market data at {DATA}; set TRADEWORTHY_DATA")
CASES = [("aapl", "AAPL.XNAS", 112), ("ibm", "IBM.XNYS", 2)]


def closes(name, instrument):
    path = DATA / f"equity_daily/{name}.zip"
    for ts, _, bar in open_tape(TapeSpec("lean_equity_daily", path, instrument), lambda line, why: None):
        yield datetime.fromtimestamp(ts // 1_000_000_000, UTC).date(), bar.close


def held(name, instrument_id):
    """Buy 100 shares on the tape's first day and book every split and dividend after it."""
    share = shipped()[instrument_id]
    adjuster = Adjuster(instrument_id, parse_factors((DATA / f"equity_daily/factor_files/{name}.csv").read_text()))
    splits = {one.last_day: one for one in adjuster.splits()}
    dividends = {one.last_day: one for one in adjuster.dividends()}
    book = Ledger({instrument_id: share}, "USD")
    book.flow("a", "USD", Decimal(100_000), FlowKind.DEPOSIT)
    steps = []
    for day, close in closes(name, share):
        if not steps:
            book.book(Fill("t", "o", "a", instrument_id, Side.BUY, 100, close, Liquidity.TAKER, Decimal(0), "USD", 0),
                      None)  # fmt: skip
        before = book.equity("a", {instrument_id: 2 * close}, {})
        for last_day in sorted(one for one in splits if one < day):
            split = splits.pop(last_day)
            lots = book.lots("a", instrument_id)
            average = book.position("a", instrument_id).average
            book.split(instrument_id, split.new, split.old)
            assert book.lots("a", instrument_id) * split.old == lots * split.new
            scaled = book.position("a", instrument_id).average * split.new / split.old
            assert abs(scaled - average) < Decimal("1e-20")
            doubled = 2 * Decimal(close) * split.old / split.new
            assert abs(book.equity("a", {instrument_id: doubled}, {}) - before) < Decimal("1e-12")
        for last_day in sorted(one for one in dividends if one < day):
            book.dividend("a", instrument_id, dividends.pop(last_day).per_unit)
        steps.append((day, close, book.lots("a", instrument_id), book.cash("a", "USD")))
    return share, adjuster, book, steps


@pytest.mark.parametrize(("name", "instrument_id", "factor"), CASES)
def test_splits_scale_the_position_and_keep_its_value(name, instrument_id, factor):
    _, _, book, _ = held(name, instrument_id)
    assert book.lots("a", instrument_id) == 100 * factor
    assert book.realized("a", "USD") == 0


@pytest.mark.parametrize(("name", "instrument_id", "factor"), CASES)
def test_booked_returns_equal_the_adjusted_ones(name, instrument_id, factor):
    share, adjuster, _, steps = held(name, instrument_id)
    worst = 0.0
    for (day, close, lots, cash), (later, next_close, _, next_cash) in pairwise(steps):
        worth, paid = share.price(close) * lots, next_cash - cash
        splits_now = adjuster.factor(later, dividends=False) / adjuster.factor(day, dividends=False)
        booked = float((share.price(next_close) * lots * splits_now + paid) / worth)
        adjusted = float(adjuster.adjusted(share.price(next_close), later) / adjuster.adjusted(share.price(close), day))
        worst = max(worst, abs(booked - adjusted))
    assert len(steps) > 5_000
    assert worst < 0.0005


def test_the_dividends_of_the_factor_file_are_what_the_company_paid():
    adjuster = Adjuster("IBM.XNYS", parse_factors((DATA / "equity_daily/factor_files/ibm.csv").read_text()))
    paid = {one.last_day.year: one.per_unit for one in adjuster.dividends()}
    assert [round(paid[year], 2) for year in (1998, 2007, 2016, 2020)] == [
        Decimal("0.22"), Decimal("0.40"), Decimal("1.40"), Decimal("1.63")]


@pytest.mark.parametrize(("name", "instrument_id", "factor"), CASES)
def test_the_raw_tape_is_never_changed(name, instrument_id, factor):
    path = DATA / f"equity_daily/{name}.zip"
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    held(name, instrument_id)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
