"""Every order type, time in force and trigger source, both sides, one case each (SV-07); and patience (SV-09)."""

import pytest
from venue_bench import X, codes, fills, order, play, quote, venue

from tradeworthy.trading.model import (
    Index,
    Mark,
    OrderType,
    ReportType,
    Side,
    Status,
    TimeInForce,
    Trade,
    TradingStatus,
)
from tradeworthy.trading.model import TriggerPrice as By

BUY, SELL = Side.BUY, Side.SELL
DAY_NS = 86_400_000_000_000
STOP, STOP_LIMIT, TAKE = OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT
AT = quote(100, 102)


def trade(price):
    return Trade(X, price, 100)


CASES = {
    "market buy": (order(side=BUY), (), [("a", 1, 102, "taker")]),
    "market sell": (order(side=SELL), (), [("a", 1, 100, "taker")]),
    "limit buy": (order(side=BUY, price=101), (quote(99, 101),), [("a", 1, 101, "maker")]),
    "limit sell": (order(side=SELL, price=101), (quote(101, 103),), [("a", 1, 101, "maker")]),
    "stop buy": (order(side=BUY, type=STOP, trigger=105), (quote(104, 106), trade(105)), [("a", 1, 106, "taker")]),
    "stop sell": (order(side=SELL, type=STOP, trigger=97), (quote(96, 98), trade(97)), [("a", 1, 96, "taker")]),
    "stop-limit buy": (
        order(side=BUY, type=STOP_LIMIT, trigger=105, price=105), (quote(104, 106), trade(105), quote(103, 105)),
        [("a", 1, 105, "maker")],
    ),
    "stop-limit sell": (
        order(side=SELL, type=STOP_LIMIT, trigger=97, price=97), (quote(96, 98), trade(97), quote(97, 99)),
        [("a", 1, 97, "maker")],
    ),
    "take-profit buy": (order(side=BUY, type=TAKE, trigger=98), (quote(96, 98), trade(98)), [("a", 1, 98, "taker")]),
    "take-profit sell": (
        order(side=SELL, type=TAKE, trigger=104), (quote(104, 106), trade(104)), [("a", 1, 104, "taker")],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_each_type_fills_on_each_side(name):
    command, market, expected = CASES[name]
    sim = venue()
    before = play(sim, AT, command)
    assert fills(before) == (expected if not market else [])
    assert fills(play(sim, *market, start=10_000)) == ([] if not market else expected)


@pytest.mark.parametrize(
    ("side", "trigger", "quiet", "hit", "price"), [(BUY, 105, 104, 105, 102), (SELL, 97, 98, 97, 100)]
)
@pytest.mark.parametrize(("by", "told"), [(By.LAST, trade), (By.MARK, lambda p: Mark(X, p)),
                                          (By.INDEX, lambda p: Index(X, p))])  # fmt: skip
def test_each_trigger_source_fires_alone_and_at_its_value(by, told, side, trigger, quiet, hit, price):
    sim = venue()
    others = [make(hit) for source, make in ((By.MARK, lambda p: Mark(X, p)), (By.INDEX, lambda p: Index(X, p)))
              if source is not by]  # fmt: skip
    stop = order(side=side, type=STOP, trigger=trigger, trigger_by=by)
    assert fills(play(sim, AT, told(quiet), *others, stop, told(quiet))) == []
    assert fills(play(sim, told(hit), start=20_000)) == [("a", 1, price, "taker")]


def test_a_trigger_on_the_index_needs_an_index():
    stop = order(type=STOP, trigger=105, trigger_by=By.INDEX)
    assert codes(play(venue(), AT, stop)) == [(ReportType.REJECTED, "venue.trigger_not_supported")]


@pytest.mark.parametrize(("side", "price"), [(BUY, 90), (SELL, 110)])
def test_good_till_cancelled_outlives_the_day_and_a_day_order_does_not(side, price):
    sim = venue()
    play(sim, AT, order("gtc", side, price=price), order("day", side, price=price, tif=TimeInForce.DAY))
    assert [(r.client_order_id, r.type) for _, r in sim.advance(2 * DAY_NS)] == [("day", ReportType.EXPIRED)]
    assert [one.client_order_id for one in sim.open_orders()] == ["gtc"]


@pytest.mark.parametrize(("side", "price"), [(BUY, 102), (SELL, 100)])
def test_immediate_or_cancel_takes_what_is_there(side, price):
    reports = play(venue(), quote(100, 102, 2, 2), order(side=side, lots=3, price=price, tif=TimeInForce.IOC))
    assert fills(reports) == [("a", 2, price, "taker")]
    assert codes(reports)[-1] == (ReportType.CANCELLED, "venue.ioc_remainder")


@pytest.mark.parametrize(("side", "price"), [(BUY, 102), (SELL, 100)])
@pytest.mark.parametrize(("lots", "all_of_it"), [(2, True), (3, False)])
def test_fill_or_kill_is_all_or_nothing_on_both_sides(side, price, lots, all_of_it):
    reports = play(venue(), quote(100, 102, 2, 2), order(side=side, lots=lots, price=price, tif=TimeInForce.FOK))
    assert fills(reports) == ([("a", 2, price, "taker")] if all_of_it else [])
    assert all_of_it or codes(reports) == [(ReportType.CANCELLED, "venue.fok_not_filled")]


@pytest.mark.parametrize(("side", "price"), [(BUY, 101), (SELL, 101)])
def test_untouched_post_only_order_is_not_filled_in_a_day(side, price):
    sim = venue()
    play(sim, AT, order(side=side, price=price, post_only=True))
    for minute in range(1, 1_441):
        sim.on_market(AT, minute * 60_000_000_000)
    assert sim.advance(DAY_NS) == []
    assert [one.cum for one in sim.open_orders()] == [0]


def test_an_auction_takes_no_orders_and_fills_none():
    sim = venue()
    reports = play(sim, AT, order("r", price=95), Status(X, TradingStatus.AUCTION), order(), quote(80, 90))
    assert codes(reports) == [(ReportType.REJECTED, "venue.auction")]
    assert fills(play(sim, Status(X, TradingStatus.OPEN), quote(80, 90), start=10_000)) == [("r", 1, 95, "maker")]
