"""Matching against best quotes (SV-02, SV-06, SV-09)."""

import pytest
from venue_bench import X, codes, fills, order, play, quote, venue

from tradeworthy.trading.model import OrderType, ReportType, Side, TimeInForce, Trade
from tradeworthy.trading.simulation.market import BEYOND_DEPTH

BUY, SELL = Side.BUY, Side.SELL


def test_every_own_order_that_one_update_crosses_fills_best_price_first_at_its_limit():
    reports = play(venue(), quote(100, 110), order("low", price=101), order("high", price=102), quote(95, 100))
    assert fills(reports) == [("high", 1, 102, "maker"), ("low", 1, 101, "maker")]


@pytest.mark.parametrize(("ask", "expected"), [(103, []), (102, [("a", 1, 102, "maker")])])
def test_resting_buy_fills_when_the_ask_reaches_it_and_not_one_tick_before(ask, expected):
    assert fills(play(venue(), quote(100, 110), order(price=102), quote(101, ask))) == expected


@pytest.mark.parametrize(("bid", "expected"), [(107, []), (108, [("a", 1, 108, "maker")])])
def test_resting_sell_fills_when_the_bid_reaches_it_and_not_one_tick_before(bid, expected):
    assert fills(play(venue(), quote(100, 110), order(side=SELL, price=108), quote(bid, 109))) == expected


def test_displayed_size_is_shared_by_own_orders_and_the_rest_keeps_resting():
    sim = venue()
    first, second = order("a", lots=3, price=105), order("b", lots=3, price=105)
    reports = play(sim, quote(100, 110), first, second, quote(99, 105, 1, 4))
    assert fills(reports) == [("a", 3, 105, "maker"), ("b", 1, 105, "maker")]
    assert [(o.client_order_id, o.leaves) for o in sim.open_orders()] == [("b", 2)]


def test_size_used_by_an_own_order_is_back_with_the_next_quote_only():
    shown = quote(100, 102, 4, 4)
    reports = play(venue(), shown, order("a", lots=4), order("b"), shown, order("c", lots=4))
    assert fills(reports) == [("a", 4, 102, "taker"), ("b", 1, 103, "taker"), ("c", 4, 102, "taker")]


@pytest.mark.parametrize(("side", "price"), [(BUY, 102), (SELL, 100)])
def test_market_order_takes_the_opposite_best_in_full_when_no_size_is_told(side, price):
    assert fills(play(venue(), quote(100, 102), order(side=side, lots=9))) == [("a", 9, price, "taker")]


@pytest.mark.parametrize(("side", "best", "worse"), [(BUY, 102, 103), (SELL, 100, 99)])
def test_market_remainder_beyond_the_displayed_size_fills_one_tick_worse_and_says_so(side, best, worse):
    reports = play(venue(), quote(100, 102, 4, 4), order(side=side, lots=9))
    assert fills(reports) == [("a", 4, best, "taker"), ("a", 5, worse, "taker")]
    assert [r.code for r in reports if r.type is ReportType.FILL] == [None, BEYOND_DEPTH]


def test_crossing_limit_pays_taker_on_the_crossing_part_and_maker_on_the_rest():
    reports = play(venue(), quote(100, 102, 1, 1), order(lots=3, price=102), quote(100, 102, 5, 5))
    assert fills(reports) == [("a", 1, 102, "taker"), ("a", 2, 102, "maker")]
    fees = [r.fee for r in reports if r.type is ReportType.FILL]
    notional_a_lot = 51 * 0.001
    assert [float(fee) for fee in fees] == pytest.approx([notional_a_lot * 0.0005, 2 * notional_a_lot * 0.0001])


def test_order_at_our_own_best_is_not_filled_without_trade_evidence():
    day = 86_400_000_000_000
    sim = venue()
    play(sim, quote(100, 102, 5, 5), order(price=100, post_only=True))
    for hour in range(1, 25):
        sim.on_market(quote(100, 102, 5, 5), hour * day // 24)
    assert fills([report for _, report in sim.advance(day)]) == []
    assert sim.positions() == {}


@pytest.mark.parametrize(
    ("price", "lots", "aggressor", "filled"),
    [(100, 5, SELL, 0), (100, 7, SELL, 2), (100, 7, BUY, 0), (99, 3, SELL, 3), (101, 50, SELL, 0)],
)
def test_trades_fill_behind_what_was_displayed_and_through_the_price_at_once(price, lots, aggressor, filled):
    reports = play(venue(), quote(100, 102, 5, 5), order(lots=4, price=100), Trade(X, price, lots, aggressor))
    assert sum(lots for _, lots, _, _ in fills(reports)) == filled


@pytest.mark.parametrize(("shown", "expected"), [(3, "fill"), (2, "venue.fok_not_filled")])
def test_fill_or_kill_is_all_or_nothing(shown, expected):
    reports = play(venue(), quote(100, 102, 9, shown), order(lots=3, price=102, tif=TimeInForce.FOK))
    last = reports[-1]
    assert (last.code or last.type.value) == expected
    assert sum(r.lots for r in reports) == (3 if expected == "fill" else 0)


def test_immediate_or_cancel_ends_its_remainder():
    reports = play(venue(), quote(100, 102, 9, 2), order(lots=3, price=102, tif=TimeInForce.IOC))
    assert codes(reports) == [(ReportType.FILL, None), (ReportType.CANCELLED, "venue.ioc_remainder")]


@pytest.mark.parametrize(("side", "price"), [(BUY, 102), (SELL, 100)])
def test_post_only_that_would_cross_is_rejected(side, price):
    reports = play(venue(), quote(100, 102), order(side=side, price=price, post_only=True))
    assert codes(reports) == [(ReportType.REJECTED, "venue.post_only_crosses")]


@pytest.mark.parametrize(
    ("type", "side", "trigger", "quiet", "hit", "price"),
    [
        (OrderType.STOP, BUY, 105, (103, 104), (104, 105), 105),
        (OrderType.STOP, SELL, 95, (96, 98), (95, 97), 95),
        (OrderType.TAKE_PROFIT, SELL, 105, (104, 106), (105, 107), 105),
        (OrderType.TAKE_PROFIT, BUY, 95, (94, 96), (93, 95), 95),
    ],
)
def test_triggers_fire_at_their_price_and_not_before(type, side, trigger, quiet, hit, price):
    sim = venue()
    assert fills(play(sim, quote(), order(side=side, type=type, trigger=trigger), quote(*quiet))) == []
    assert fills(play(sim, quote(*hit), start=10_000)) == [("a", 1, price, "taker")]


def test_stop_limit_rests_at_its_limit_after_the_trigger():
    sim = venue()
    stop = order(type=OrderType.STOP_LIMIT, price=104, trigger=105)
    assert fills(play(sim, quote(), stop, quote(105, 107))) == []
    assert fills(play(sim, quote(102, 104), start=10_000)) == [("a", 1, 104, "maker")]
