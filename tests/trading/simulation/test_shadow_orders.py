"""Shadow orders at a simulated venue: queue, sizes and post-only are the venue's own (MM-06)."""

import pytest
from venue_bench import X, instrument

from tradeworthy.trading.model import Bar, QuoteTarget, Side, Trade
from tradeworthy.trading.simulation.shadow import VenueShadow
from tradeworthy.trading.simulation.venue import Matching

BUY, SELL = Side.BUY, Side.SELL


def target(side=BUY, price=100, lots=3, level=0):
    return QuoteTarget(X, side, level, price, lots, "quote")


def resting(*quotes, bid=100, ask=104, size=5):
    shadow = VenueShadow(instrument())
    shadow.on_touch(bid, ask, size, size, 0)
    shadow.quote(quotes, 1)
    return shadow


@pytest.mark.parametrize(("side", "price", "touch"), [(BUY, 102, (100, 102)), (SELL, 102, (102, 104))])
def test_a_quote_fills_when_the_opposite_touch_reaches_it(side, price, touch):
    shadow = resting(target(side, price))
    assert shadow.on_touch(100, 104, 5, 5, 2) == []
    assert shadow.on_touch(*touch, 5, 5, 3) == [target(side, price)]
    assert shadow.on_touch(*touch, 5, 5, 4) == []


def test_trades_at_the_price_fill_only_behind_the_queue():
    shadow = resting(target(BUY, 100, 3), size=5)
    assert shadow.on_print(Trade(X, 100, 5, SELL), 2) == []
    assert shadow.on_print(Trade(X, 100, 2, SELL), 3) == [target(BUY, 100, 2)]
    assert shadow.on_print(Trade(X, 100, 9, SELL), 4) == [target(BUY, 100, 1)]


def test_an_unchanged_quote_keeps_its_place_and_a_moved_one_loses_it():
    shadow = resting(target(BUY, 100, 3), size=5)
    shadow.on_print(Trade(X, 100, 4, SELL), 2)
    shadow.quote((target(BUY, 100, 3),), 3)
    assert shadow.on_print(Trade(X, 100, 2, SELL), 4) == [target(BUY, 100, 1)]
    shadow.quote((target(BUY, 99, 3),), 5)
    assert shadow.on_print(Trade(X, 100, 50, SELL), 6) == []


def test_withdrawn_quotes_and_crossing_ones_never_fill():
    shadow = resting(target(BUY, 102))
    shadow.quote((), 2)
    assert shadow.on_touch(99, 101, 5, 5, 3) == []
    crossing = resting(target(BUY, 104))
    assert crossing.on_touch(100, 103, 5, 5, 3) == []
    crossing.quote((target(BUY, 102),), 4)
    assert crossing.on_touch(100, 102, 5, 5, 5) == [target(BUY, 102)]


def test_bars_fill_what_they_passed_where_bars_are_the_source():
    shadow = VenueShadow(instrument(), matching=Matching.BARS)
    shadow.quote((target(BUY, 100),), 1)
    assert shadow.on_print(Bar(X, 10, 105, 106, 100, 104), 20) == []
    assert shadow.on_print(Bar(X, 10, 105, 106, 99, 104), 30) == [target(BUY, 100)]
    quotes_only = resting(target(BUY, 102))
    assert quotes_only.on_print(Bar(X, 10, 105, 106, 50, 104), 30) == []
