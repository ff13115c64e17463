"""Matching against the whole book (SV-03, SV-04)."""

import pytest
from venue_bench import X, fills, order, play, venue

from tradeworthy.trading.model import AmendOrder, DepthDiff, DepthSnapshot, Side, Trade
from tradeworthy.trading.simulation import Matching, QueueModel, VenueRules
from tradeworthy.trading.simulation.book import VenueBook

BOOK = DepthSnapshot(X, 1, ((100, 5), (99, 10)), ((102, 5), (103, 10)))


def book(**options):
    return venue(matching=Matching.L2, **options)


def diff(bids=(), asks=()):
    return DepthDiff(X, 2, 2, 1, tuple(bids), tuple(asks))


def test_two_market_orders_share_the_size_of_one_level_until_it_is_replenished():
    reports = play(book(), BOOK, order("a", lots=4), order("b", lots=4), diff(asks=[(102, 6)]), order("c", lots=4))
    assert fills(reports) == [
        ("a", 4, 102, "taker"), ("b", 1, 102, "taker"), ("b", 3, 103, "taker"), ("c", 4, 102, "taker"),
    ]


def test_market_remainder_beyond_known_depth_fills_one_tick_worse():
    reports = play(book(), BOOK, order(lots=20))
    assert fills(reports) == [("a", 5, 102, "taker"), ("a", 10, 103, "taker"), ("a", 5, 104, "taker")]
    assert reports[-1].code == "venue.beyond_depth"


def test_limit_sweeps_to_its_price_and_rests_there():
    sim = book()
    reports = play(sim, BOOK, order(lots=7, price=102), diff(asks=[(102, 1)]))
    assert fills(reports) == [("a", 5, 102, "taker"), ("a", 1, 102, "maker")]
    assert [o.leaves for o in sim.open_orders()] == [1]


@pytest.mark.parametrize(("traded", "filled"), [(5, 0), (6, 1), (9, 3)])
def test_bid_fills_only_after_trades_took_the_queue_before_it(traded, filled):
    reports = play(book(), BOOK, order(lots=3, price=100), Trade(X, 100, traded, Side.SELL))
    assert sum(lots for _, lots, _, _ in fills(reports)) == filled


def test_bid_under_an_untouched_ask_is_never_filled_by_depth_alone():
    sim = book()
    reports = play(sim, BOOK, order(price=100), *(diff(bids=[(100, k)], asks=[(103, k)]) for k in range(1, 30)))
    assert fills(reports) == []


@pytest.mark.parametrize(("shown", "traded", "filled"), [(2, 2, 0), (2, 3, 1), (0, 1, 1), (9, 5, 0)])
def test_displayed_size_caps_the_queue_ahead_and_growth_stands_behind(shown, traded, filled):
    reports = play(book(), BOOK, order(price=100), diff(bids=[(100, shown)]), Trade(X, 100, traded, Side.SELL))
    assert len(fills(reports)) == filled


@pytest.mark.parametrize(("model", "ahead"), [(QueueModel.RISK_AVERSE, 5), (QueueModel.PRO_RATA, 3)])
def test_pro_rata_lets_a_part_of_cancels_be_ahead_and_risk_averse_none(model, ahead):
    sim = book(rules=VenueRules(queue=model))
    play(sim, BOOK, order(price=100), diff(bids=[(100, 10)]), diff(bids=[(100, 6)]))
    assert sim.open_orders()[0].ahead == ahead


@pytest.mark.parametrize(
    ("price", "lots", "filled"), [(None, 2, 1), (None, 4, 0), (99, 3, 0)], ids=["shrink", "grow", "move"]
)
def test_shrinking_keeps_priority_growing_or_moving_loses_it(price, lots, filled):
    amend = AmendOrder("a", X, price, lots)
    reports = play(book(), BOOK, order(lots=3, price=100), diff(bids=[(100, 9)]), amend, Trade(X, 100, 6, Side.SELL))
    assert sum(lots for _, lots, _, _ in fills(reports)) == filled


def test_own_orders_at_one_price_share_a_trade_in_time_order():
    reports = play(
        book(), BOOK, order("a", lots=2, price=100), order("b", lots=2, price=100), Trade(X, 100, 8, Side.SELL)
    )
    assert fills(reports) == [("a", 2, 100, "maker"), ("b", 1, 100, "maker")]


def test_book_best_follows_removals_and_returns():
    levels = VenueBook()
    levels.restore(BOOK)
    levels.apply(diff(bids=[(100, 0)], asks=[(101, 1)]))
    assert (levels.best_bid(), levels.best_ask()) == (99, 101)
    levels.apply(diff(bids=[(100, 2), (99, 0)], asks=[(101, 0), (102, 0), (103, 0)]))
    assert (levels.best_bid(), levels.best_ask()) == (100, None)
