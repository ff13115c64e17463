"""Bars as data (SV-11, SV-10)."""

import pytest
from venue_bench import X, fills, order, venue

from tradeworthy.trading.model import Bar, OrderType, ReportType, Side
from tradeworthy.trading.simulation import Matching, Slippage, VenueRules

FREE = VenueRules(slippage=Slippage(spread_ticks=0, bars_bps=0))


def run(bars, *orders, rules=FREE):
    """Close one bar a minute; the orders are sent at the close of the first."""
    sim = venue(matching=Matching.BARS, rules=rules)
    reports = []
    for number, bar in enumerate(bars, 1):
        sim.on_market(bar, number * 60)
        reports += [report for _, report in sim.advance(number * 60)]
        if number == 1:
            for command in orders:
                sim.send(command, 60)
    return reports


def bar(open, high, low, close, **more):
    return Bar(X, 60, open, high, low, close, **more)


FIRST = bar(100, 100, 100, 100)


def test_market_order_fills_at_the_next_open_and_never_on_its_own_bar():
    assert fills(run([FIRST], order())) == []
    assert fills(run([FIRST, bar(110, 120, 105, 115)], order())) == [("a", 1, 110, "taker")]


def test_order_sent_inside_a_bar_waits_for_the_one_after():
    sim = venue(matching=Matching.BARS, rules=FREE)
    sim.on_market(FIRST, 60)
    sim.send(order(), 61)
    sim.on_market(bar(110, 110, 110, 110), 120)
    assert fills([r for _, r in sim.advance(120)]) == []
    sim.on_market(bar(120, 120, 120, 120), 180)
    assert fills([r for _, r in sim.advance(180)]) == [("a", 1, 120, "taker")]


@pytest.mark.parametrize(("side", "price"), [(Side.BUY, 10_000 + 1 + 1), (Side.SELL, 10_000 - 1 - 1)])
def test_taker_pays_half_spread_and_slippage_told_apart_from_fees(side, price):
    reports = run([FIRST, bar(10_000, 10_000, 10_000, 10_000)], order(side=side), rules=VenueRules())
    assert fills(reports) == [("a", 1, price, "taker")]
    assert reports[-1].text == "half_spread_ticks=1 slippage_ticks=1 fill_bias=optimistic_estimated"


@pytest.mark.parametrize(("low", "filled"), [(95, 0), (94, 1)])
def test_limit_buy_fills_only_when_passed_by_a_tick(low, filled):
    assert len(fills(run([FIRST, bar(100, 101, low, 100)], order(price=95)))) == filled


@pytest.mark.parametrize(("high", "filled"), [(105, 0), (106, 1)])
def test_limit_sell_fills_only_when_passed_by_a_tick(high, filled):
    assert len(fills(run([FIRST, bar(100, high, 99, 100)], order(side=Side.SELL, price=105)))) == filled


def test_stop_and_target_in_one_bar_gives_the_stop():
    stop = order("stop", Side.SELL, type=OrderType.STOP, trigger=95, reduce_only=True)
    target = order("target", Side.SELL, price=105, reduce_only=True)
    sim = venue(matching=Matching.BARS, rules=FREE)
    sim.on_market(FIRST, 60)
    sim.send(order("entry"), 60)
    sim.on_market(bar(100, 100, 100, 100), 120)
    sim.send(target, 120)
    sim.send(stop, 120)
    sim.on_market(bar(100, 110, 90, 100), 180)
    reports = [r for _, r in sim.advance(180)]
    assert fills(reports)[1:] == [("stop", 1, 95, "taker")]
    assert reports[-1].type is ReportType.CANCELLED
    assert reports[-1].code == "venue.reduce_only"


def test_stop_gapped_over_fills_at_the_worse_open():
    stop = order(type=OrderType.STOP, trigger=105)
    assert fills(run([FIRST, bar(110, 112, 108, 110)], stop)) == [("a", 1, 110, "taker")]


@pytest.mark.parametrize("made", [bar(110, 110, 110, 110, filled=True), bar(110, 110, 110, 110, volume=0)])
def test_a_bar_without_trading_fills_nothing(made):
    assert fills(run([FIRST, made], order())) == []


def test_volume_caps_what_one_bar_fills():
    volume = bar(110, 110, 110, 110, volume=3)
    assert fills(run([FIRST, volume, volume], order(lots=5))) == [("a", 3, 110, "taker"), ("a", 2, 110, "taker")]
