import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.trading.market_data.depth import BUFFER_MAX, LEVELS_MAX, BookGap, BookRestored, DepthBook
from tradeworthy.trading.model import DepthDiff, DepthSnapshot

X = "X.Y"
SECOND = 1_000_000_000


def diff(first, last, prev=None, bids=(), asks=()) -> DepthDiff:
    return DepthDiff(X, first, last, prev, tuple(bids), tuple(asks))


def live(last_id: int = 10) -> DepthBook:
    book = DepthBook(X)
    book.restore(DepthSnapshot(X, last_id, ((99, 1), (98, 2)), ((101, 3), (103, 4))), 0)
    return book


def test_best_levels_come_best_first():
    book = live()
    book.apply(diff(11, 11, None, [(100, 7), (98, 0)], [(102, 9)]), 1)
    assert (book.best_bid, book.best_bid_lots, book.best_ask, book.best_ask_lots) == (100, 7, 101, 3)
    assert book.bids(1) == ((100, 7),)
    assert book.bids() == ((100, 7), (99, 1))
    assert book.asks(2) == ((101, 3), (102, 9))


@pytest.mark.parametrize(("first", "last", "fits"), [(9, 11, True), (11, 11, True), (11, 12, True), (12, 12, False)])
def test_spot_first_diff_spans_the_next_id(first, last, fits):
    book = live()
    assert bool(book.apply(diff(first, last), 1)) is not fits
    assert book.live is fits


@pytest.mark.parametrize(("first", "last", "fits"), [(9, 10, True), (10, 12, True), (11, 12, False)])
def test_futures_first_diff_spans_the_last_id(first, last, fits):
    book = live()
    assert bool(book.apply(diff(first, last, 5), 1)) is not fits


def test_diff_older_than_the_snapshot_is_dropped():
    book = live()
    assert book.apply(diff(9, 10, None, [(50, 1)]), 1) == ()
    assert book.apply(diff(7, 9, 6, [(50, 1)]), 1) == ()
    assert book.live
    assert (50, 1) not in book.bids()


def test_gap_breaks_and_a_snapshot_with_buffered_diffs_restores():
    book = live()
    book.apply(diff(10, 20, 5), 1)
    (gap,) = book.apply(diff(31, 40, 30, [(97, 1)]), 2)
    assert gap == BookGap(X, "sequence", 20, 31)
    assert book.apply(diff(41, 50, 40, [(96, 1)]), 3) == ()
    assert book.restore(DepthSnapshot(X, 25, (), ()), 4) == (), "older than the oldest buffered diff"
    assert book.broken
    (restored,) = book.restore(DepthSnapshot(X, 35, ((95, 1),), ((105, 1),)), 5)
    assert restored == BookRestored(X, 50, 2)
    assert (book.gaps, book.resyncs, book.bids()) == (1, 1, ((97, 1), (96, 1), (95, 1)))


def test_negative_size_breaks():
    (gap,) = live().apply(diff(11, 11, None, [(99, -1)]), 1)
    assert gap.reason == "negative_size"


@pytest.mark.parametrize(("after", "broken"), [(SECOND - 1, False), (SECOND, True)])
def test_book_crossed_for_a_second_breaks(after, broken):
    book = live()
    assert book.apply(diff(11, 11, None, [(101, 1)]), 100) == ()
    assert book.live
    facts = book.apply(diff(12, 12), 100 + after)
    assert [fact.reason for fact in facts] == (["crossed"] if broken else [])


def test_crossing_that_ends_in_time_is_forgotten():
    book = live()
    book.apply(diff(11, 11, None, [(101, 1)]), 0)
    book.apply(diff(12, 12, None, [(101, 0)]), SECOND // 2)
    book.apply(diff(13, 13, None, [(101, 1)]), SECOND)
    assert book.apply(diff(14, 14), SECOND + 1) == ()


def test_buffer_and_levels_are_bounded():
    book = DepthBook(X)
    facts = [fact for i in range(BUFFER_MAX + 1) for fact in book.apply(diff(i + 1, i + 1), i)]
    assert [fact.reason for fact in facts] == ["buffer_full"]
    assert book.buffered == 1
    book = live()
    book.apply(diff(11, 11, None, [(1_000_000 + i, 1) for i in range(1_500)], []), 1)
    assert len(book.bids()) == LEVELS_MAX
    assert book.bids()[-1][0] == 1_000_500


def test_old_snapshot_leaves_a_live_book_alone():
    book = live()
    assert book.restore(DepthSnapshot(X, 10, (), ()), 1) == ()
    assert book.best_bid == 99


levels = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 3)), max_size=8)


@given(st.lists(st.tuples(levels, levels), max_size=30))
def test_book_equals_a_plain_dictionary(steps):
    book = DepthBook(X)
    book.restore(DepthSnapshot(X, 0, (), ()), 0)
    bids: dict[int, int] = {}
    asks: dict[int, int] = {}
    for i, (b, a) in enumerate(steps, 1):
        book.apply(diff(i, i, None, b, [(p + 100, q) for p, q in a]), i)
        for side, changes in ((bids, b), (asks, [(p + 100, q) for p, q in a])):
            for price, lots in changes:
                side[price] = lots
                if not lots:
                    del side[price]
    assert book.bids() == tuple(sorted(bids.items(), reverse=True))
    assert book.asks() == tuple(sorted(asks.items()))
