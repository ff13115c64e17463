import random
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from run_builder import BOOK, ID, INSTRUMENT, T0, at, fill, quote

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.research.backtest.markdown import to_markdown
from tradeworthy.research.backtest.records import RunRecords
from tradeworthy.research.backtest.series import Series
from tradeworthy.research.backtest.summary import summarise, to_json
from tradeworthy.trading.ledger.bookings import FeeBooked, FundingBooked
from tradeworthy.trading.model.instrument import InstrumentKind
from tradeworthy.trading.model.market import Bar, Side


def run(*events):
    records = RunRecords(BOOK, Decimal(1000))
    for event in events:
        records.on_event(event)
    records.finish()
    return records


def test_pnl_splits_into_capture_inventory_fees_and_funding_to_the_last_unit():
    # a tick of a lot is worth 0.001 USDT
    records = run(
        at(0, quote(999, 1001)),
        at(1, fill(Side.BUY, 10, 999, fee="0.02")),  # captures 1 tick x 10 lots = 0.01
        at(2, quote(1004, 1006)),  # moves 5 ticks x 10 lots = 0.05
        at(3, FundingBooked("mm-1", ID, Decimal("0.0001"), Decimal("-0.001005"), "USDT")),
        at(4, fill(Side.SELL, 10, 1006, fee="0.02", realized="0.07")),  # captures 0.01
    )
    assert records.captured == Decimal("0.02")
    assert records.inventory_move == Decimal("0.05")
    assert records.fees == Decimal("0.04")
    assert records.funding == Decimal("-0.001005")
    assert records.pnl == records.instance_pnl("mm-1") == Decimal("0.028995")
    assert Decimal(records.equity.value2) / (2 * 10**9) == Decimal("1000.028995")
    positions = records.positions
    assert positions.exposed_ns == 3 * NANOS_PER_SECOND
    assert (positions.held_ns_max, positions.closes, positions.wins) == (3 * NANOS_PER_SECOND, 1, 1)


trades = st.lists(
    st.tuples(st.integers(900, 1100), st.integers(1, 9), st.sampled_from(Side), st.integers(1, 50), st.integers(-5, 5),
              st.sampled_from(["a", "b"])),
    min_size=1, max_size=40,
)


@settings(max_examples=60)
@given(trades)
def test_equity_equals_cash_and_positions_at_the_last_mid(steps):
    events, cash, position = [], Decimal(0), 0
    for i, (bid, spread, side, lots, off, instance) in enumerate(steps):
        events += [at(i, quote(bid, bid + spread)), at(i + 0.5, fill(side, lots, bid + off, fee="0.001",
                                                                     instance=instance))]
        cash -= side * INSTRUMENT.price(bid + off) * INSTRUMENT.quantity(lots) + Decimal("0.001")
        position += side * lots
    records = run(*events)
    mid = INSTRUMENT.tick * (2 * bid + spread) / 2
    assert records.pnl == cash + mid * INSTRUMENT.quantity(position)
    assert records.pnl == sum(records.instance_pnl(name) for name in records.instances)
    assert Decimal(records.equity.value2) / (2 * 10**9) == 1000 + records.pnl


def test_later_mids_are_those_in_force_at_the_exact_time():
    records = run(
        at(0, quote(999, 1001)), at(0, fill(Side.BUY, 1, 999)),
        at(1, quote(1001, 1003)), at(1.5, quote(1003, 1005)), at(5.1, quote(989, 991)), at(40, quote(999, 1001)),
    )
    assert records.fills[0].later2 == [2004, 2008, 1980, None]


def test_bars_without_quotes_leave_the_captured_spread_unknown():
    records = run(
        at(0, Bar(ID, 60, 1000, 1010, 990, 1005)), at(1, fill(Side.BUY, 10, 1000)),
        at(60, Bar(ID, 60, 1000, 1030, 990, 1020)),
    )
    assert (records.captured, records.inventory_move) == (0, Decimal("0.2"))
    summary = summarise(records, run_id="r", rng=random.Random(1))
    assert summary.activity.capture_bps.reason == "no fill has a quoted mid"
    assert "No quotes: captured spread is unknown and counted as inventory move." in summary.caveats
    assert "Zero cost: no fee was charged on any fill." in summary.caveats


def test_drawdown_counts_what_happens_between_the_curve_s_points():
    records = run(
        at(0, quote(999, 1001)), at(1, fill(Side.BUY, 1000, 1000)),
        at(2, quote(1099, 1101)), at(3, quote(899, 901)), at(4, quote(1199, 1201)),
    )
    assert records.equity.drawdown == pytest.approx(200 / 1100, abs=1e-12)
    assert records.equity.drawdown_length_ns == 2 * NANOS_PER_SECOND


def test_a_fee_nobody_knows_is_counted_and_never_zero():
    records = run(at(0, quote(999, 1001)), at(1, fill(Side.BUY, 1, 1000, fee=None)))
    assert records.fees_unknown == 1
    assert records.fills[0].fee is None


def test_a_late_fee_is_charged_once_it_is_known_and_a_bust_takes_the_fill_s_money_back():
    records = run(
        at(0, quote(999, 1001)), at(1, fill(Side.BUY, 10, 999, fee=None)),
        at(2, FeeBooked("BUY-10-999", "o-1", "mm-1", ID, Decimal("0.03"), "USDT", Decimal("0.02"))),
        at(3, fill(Side.BUY, -10, 999, fee="-0.03")),
    )
    assert (records.fees_unknown, records.restatements, records.positions.fills) == (0, 1, 1)
    assert records.pnl == records.instance_pnl("mm-1") == 0


def test_inverse_instruments_and_absent_capital_are_refused():
    inverse = msgspec.structs.replace(INSTRUMENT, kind=InstrumentKind.INVERSE_PERP)
    with pytest.raises(InvalidInput, match="inverse"):
        RunRecords({ID: inverse}, Decimal(1))
    with pytest.raises(InvalidInput, match="capital"):
        RunRecords(BOOK, Decimal(0))


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(-99, 99)), min_size=1, max_size=400), st.integers(2, 30))
def test_a_series_stays_bounded_and_keeps_extremes_ends_and_order(steps, points_max):
    series = Series(points_max)
    ts = T0
    for gap, value in steps:
        ts += gap
        series.add(ts, value)
    values = [value for _, value in steps]
    assert len(series) <= points_max
    assert (min(series.low), max(series.high), series.last[-1]) == (min(values), max(values), values[-1])
    assert list(series.ts) == sorted(set(series.ts))


def test_the_summary_is_canonical_and_the_same_from_the_same_events():
    events = [at(i, quote(1000 + i % 7, 1002 + i % 7)) for i in range(400)]
    events += [at(400 + i, fill(Side.BUY if i % 2 else Side.SELL, 3, 1000 + i % 3)) for i in range(40)]
    first, second = (to_json(summarise(run(*events), run_id="r", rng=random.Random(7))) for _ in range(2))
    assert first == second
    assert b"NaN" not in first
    document = msgspec.json.decode(first)
    assert list(document) == sorted(document)
    assert document["performance"]["sharpe"]["value"] is None
    assert document["performance"]["sharpe"]["reason"]
    assert "| **net** |" in to_markdown(summarise(run(*events), run_id="r", rng=random.Random(7)))
