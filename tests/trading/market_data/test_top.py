from decimal import Decimal

import pytest

from tradeworthy.trading.market_data.depth import BookGap
from tradeworthy.trading.market_data.false_tick import FalseTickPolicy, TickSuspect
from tradeworthy.trading.market_data.top import BARS_MAX, MarketState
from tradeworthy.trading.model import (
    Bar,
    DepthDiff,
    DepthSnapshot,
    Funding,
    Mark,
    Quote,
    Status,
    Top,
    Trade,
    TradingStatus,
)

MINUTE = 60_000_000_000
X = "X.Y"


def bar(close: int, *, filled: bool = False) -> Bar:
    return Bar(X, MINUTE, close, close, close, close, 1, filled)


def test_quote_sets_the_top_with_twice_the_mid():
    state: Top = MarketState(X)
    assert state.usable is False
    assert state.mid2 is None
    state.apply(Quote(X, 99, 102, 5, None), 7)  # type: ignore[attr-defined]
    assert (state.bid, state.ask, state.bid_lots, state.ask_lots, state.mid2) == (99, 102, 5, None, 201)
    assert (state.ts, state.usable) == (7, True)


@pytest.mark.parametrize(
    ("bid", "ask", "mid2"), [(102, 101, 203), (101, 101, 202), (0, 101, None), (101, 0, None)],
    ids=["crossed", "locked", "no bid", "no ask"],
)
def test_odd_top_is_kept_and_marked(bid, ask, mid2):
    state = MarketState(X)
    state.apply(Quote(X, 99, 101), 1)
    state.apply(Quote(X, bid, ask), 2)
    assert (state.bid or 0, state.ask or 0, state.mid2, state.usable) == (bid, ask, mid2, False)
    state.apply(Quote(X, 99, 101), 3)
    assert state.usable


def test_bars_alone_give_a_mid_at_the_close_and_no_sides():
    state = MarketState(X)
    state.apply(bar(50), MINUTE)
    assert (state.last, state.mid2, state.bid, state.ask, state.usable, state.ts) == (50, 100, None, None, True, MINUTE)
    state.apply(bar(50, filled=True), 2 * MINUTE)
    assert state.ts == MINUTE, "a filled bar is no news"
    assert len(state.bars()) == 2


def test_bars_are_bounded_and_kept_by_interval():
    state = MarketState(X)
    for i in range(BARS_MAX + 5):
        state.apply(bar(100 + i), i)
    state.apply(Bar(X, 1, 7, 7, 7, 7), 9)
    assert len(state.bars(MINUTE)) == BARS_MAX
    assert state.bars()[-1].close == 100 + BARS_MAX + 4
    assert [b.close for b in state.bars(1)] == [7]
    assert not state.bars(2)


def test_bar_of_a_quoted_instrument_leaves_the_quotes_mid():
    state = MarketState(X)
    state.apply(Quote(X, 99, 101), 1)
    state.apply(bar(500), 2)
    assert (state.mid2, state.last) == (200, 500)


def test_trade_mark_and_funding_set_their_own_values():
    state = MarketState(X)
    for fact in (Trade(X, 100, 2), Mark(X, 101), Funding(X, Decimal("0.0001"))):
        assert state.apply(fact, 1) == ()
    assert (state.last, state.mark, state.funding_rate, state.usable) == (100, 101, Decimal("0.0001"), False)


def test_halt_withholds_the_top_until_it_opens():
    state = MarketState(X)
    state.apply(Quote(X, 99, 101), 1)
    state.apply(Status(X, TradingStatus.HALTED), 2)
    state.apply(Quote(X, 99, 101), 3)
    assert not state.usable
    state.apply(Status(X, TradingStatus.OPEN), 4)
    assert state.usable


def test_broken_book_withholds_the_top_until_a_snapshot():
    state = MarketState(X)
    state.apply(DepthSnapshot(X, 10, ((99, 1),), ((101, 1),)), 1)
    assert (state.bid, state.ask, state.usable) == (99, 101, True)
    facts = state.apply(DepthDiff(X, 12, 13, None, ((98, 1),), ()), 2)
    assert [type(fact) for fact in facts] == [BookGap]
    assert not state.usable
    state.apply(Quote(X, 99, 101), 3)
    assert not state.usable
    state.apply(DepthSnapshot(X, 20, ((99, 1),), ((102, 1),)), 4)
    assert state.usable
    assert state.ask == 101, "the quote stream is ahead of the book"


def test_spike_is_ignored_and_told_while_a_true_jump_passes_at_the_third_tick():
    state = MarketState(X, false_tick=FalseTickPolicy())
    for i in range(30):
        state.apply(Quote(X, 10_000 + i % 3, 10_002 + i % 3), i)
    assert isinstance(state.apply(Quote(X, 11_000, 11_002), 31)[0], TickSuspect)
    assert state.bid is not None
    assert state.bid < 10_010
    assert state.apply(Quote(X, 10_001, 10_003), 32) == ()
    seen = [len(state.apply(Quote(X, 11_000 + i, 11_002 + i), 33 + i)) for i in range(4)]
    assert seen == [1, 1, 0, 0]
    assert state.bid == 11_003


def test_second_source_confirms_a_suspect():
    state = MarketState(X, false_tick=FalseTickPolicy())
    for i in range(25):
        state.apply(Quote(X, 10_000, 10_002), i)
    assert state.apply(Quote(X, 11_000, 11_002), 30)
    assert not state.confirm(20_002)
    assert state.confirm(22_010)
    assert state.apply(Quote(X, 11_001, 11_003), 31) == ()
    assert not MarketState(X).confirm(1)
