"""SV-10: spread, slippage and fees stand apart and sum to the execution cost."""

import random
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from run_builder import BOOK, ID, at, fill, quote

from tradeworthy.research.backtest.costs import told_costs
from tradeworthy.research.backtest.markdown import to_markdown
from tradeworthy.research.backtest.records import RunRecords
from tradeworthy.research.backtest.summary import summarise
from tradeworthy.trading.ledger.bookings import FeeBooked
from tradeworthy.trading.model.market import Bar, Side
from tradeworthy.trading.model.order import ExecReport, Liquidity, ReportType


def taker(side, lots, price, **more):
    return msgspec.structs.replace(fill(side, lots, price, **more), liquidity=Liquidity.TAKER)


def costs(*events):
    records = RunRecords(BOOK, Decimal(1000))
    for event in events:
        records.on_event(event)
    return summarise(records, run_id="r", rng=random.Random(1))


def test_a_taker_pays_half_the_spread_then_slippage_then_fees_by_hand():
    # a tick of a lot is worth 0.001; the mid is 1002, the touch 1004: half spread 2 ticks, one tick beyond it
    summary = costs(at(0, quote(1000, 1004)), at(1, taker(Side.BUY, 10, 1005, fee="0.07")))
    part = summary.costs.taker
    assert (part.spread, part.slippage, part.fees, part.total) == (
        Decimal("0.02"), Decimal("0.01"), Decimal("0.07"), Decimal("0.10")
    )
    assert summary.costs.all == part
    assert summary.costs.maker.total == 0
    assert "| **all** | 0.02 | 0.01 | 0.07 | 0.10 | 1 |" in to_markdown(summary)


def test_a_resting_fill_earns_its_spread_and_pays_no_slippage():
    summary = costs(at(0, quote(1000, 1004)), at(1, fill(Side.SELL, 10, 1004, fee="-0.01")))
    part = summary.costs.maker
    assert (part.spread, part.slippage, part.fees) == (Decimal("-0.02"), 0, Decimal("-0.01"))


@settings(max_examples=60)
@given(st.lists(st.tuples(
    st.integers(900, 1100), st.integers(1, 9), st.sampled_from(Side), st.integers(1, 50), st.integers(-5, 9),
    st.booleans(),
), min_size=1, max_size=30))
def test_the_parts_sum_to_what_was_paid_against_the_mid_and_in_fees(steps):
    events, paid = [], Decimal(0)
    for i, (bid, spread, side, lots, off, rests) in enumerate(steps):
        price = bid + off
        make = fill if rests else taker
        events += [at(i, quote(bid, bid + spread)), at(i + 0.5, make(side, lots, price, fee="0.003"))]
        paid += side * (price - Decimal(2 * bid + spread) / 2) * lots * Decimal("0.001") + Decimal("0.003")
    summary = costs(*events)
    part = summary.costs.all
    assert part.total == part.spread + part.slippage + part.fees == paid
    assert part.spread + part.slippage == -summary.profit.captured
    assert part.fees == summary.profit.fees


def test_on_bars_the_venue_s_own_words_say_what_spread_and_slippage_were():
    report = ExecReport(
        ReportType.FILL, "o-1", ID, trade_id="BUY-10-1003", side=Side.BUY, lots=10, price=1003,
        text="half_spread_ticks=1 slippage_ticks=2 fill_bias=optimistic_estimated",
    )
    summary = costs(
        at(0, Bar(ID, 60, 1000, 1010, 990, 1000)), at(1, report), at(1.5, taker(Side.BUY, 10, 1003, fee="0.05"))
    )
    part = summary.costs.all
    assert (part.spread, part.slippage, part.fees) == (Decimal("0.01"), Decimal("0.02"), Decimal("0.05"))
    assert summary.costs.unpriced == 0


def test_a_fill_that_nobody_priced_is_counted_and_not_free():
    summary = costs(at(0, Bar(ID, 60, 1000, 1010, 990, 1000)), at(1, taker(Side.BUY, 10, 1003)))
    assert summary.costs.unpriced == 1


def test_a_late_fee_reaches_the_cost_of_its_own_side():
    summary = costs(
        at(0, quote(1000, 1004)), at(1, taker(Side.BUY, 10, 1004, fee=None)),
        at(2, FeeBooked("BUY-10-1004", "o-1", "mm-1", ID, Decimal("0.03"), "USDT", Decimal("0.02"))),
    )
    assert (summary.costs.taker.fees, summary.costs.maker.fees) == (Decimal("0.03"), 0)


@pytest.mark.parametrize(
    ("text", "told"),
    [(None, None), ("queue=pro_rata", None), ("slippage_ticks=3", (0, 3)), ("half_spread_ticks=2", (2, 0)),
     ("half_spread_ticks=1 slippage_ticks=4 x", (1, 4))],
)
def test_what_a_report_states_is_read(text, told):
    assert told_costs(text) == told
