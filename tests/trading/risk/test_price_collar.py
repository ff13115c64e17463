"""RK-04: the median reference, and the limit with which a market order leaves."""

from decimal import Decimal
from statistics import median_low

import pytest
from hypothesis import given
from hypothesis import strategies as st
from risk_desk import ID, NOW, SECOND, codes, desk, instrument, order

from tradeworthy.trading.model import OrderType, Side
from tradeworthy.trading.risk.median import MedianReference
from tradeworthy.trading.risk.review import Reviewer


def sent(reviewer: Reviewer, intent):
    """Return the worst price of the approval and of its journaled fact."""
    leg = reviewer.review_all(intent)[0]
    assert leg.approved.worst_price == leg.fact.worst_price
    return leg.approved.worst_price


@pytest.mark.parametrize(("side", "edge"), [(Side.BUY, 1_030), (Side.SELL, 970)])
def test_market_order_leaves_as_a_limit_at_the_collar(side, edge):
    reviewer = desk()
    assert sent(reviewer, order(side)) == edge
    assert reviewer.review(order(side, 2)).worst_price == edge


def test_edge_is_rounded_to_the_tick_inside_the_collar():
    reviewer = desk()
    reviewer.context.mark(ID, 2_001, True, NOW)
    assert sent(reviewer, order(Side.BUY)) == 1_030
    assert sent(reviewer, order(Side.SELL)) == 971


@pytest.mark.parametrize(("held", "side", "edge"), [(5, Side.SELL, 940), (-5, Side.BUY, 1_060)])
def test_reducing_market_order_has_twice_the_way(held, side, edge):
    assert sent(desk(held=held), order(side, 1)) == edge


def test_way_out_needs_no_fresh_reference_and_is_flagged():
    reviewer = desk(held=5)
    reviewer.context.now = NOW + 5 * SECOND
    leg = reviewer.review_all(order(Side.SELL, 1))[0]
    assert leg.approved.worst_price is None
    assert leg.fact.flags == ("risk.reference_stale",)
    reviewer.context.mark(ID, 2_000, True, NOW + 5 * SECOND)
    assert reviewer.review_all(order(Side.SELL, 1))[0].fact.flags == ()


def test_limit_order_keeps_its_own_price():
    assert sent(desk(), order(type=OrderType.LIMIT, price=1_000)) is None


def test_venues_narrower_band_is_kept():
    assert sent(desk(instruments=(instrument(price_band=Decimal("0.01")),)), order()) == 1_010


def drifted(mid2):
    """Half a minute at `mid2`, then one mark at 2 000."""
    reviewer = desk()
    for k in range(1, 6):
        reviewer.context.mark(ID, mid2, True, NOW + k * 6 * SECOND)
    reviewer.context.mark(ID, 2_000, True, NOW + 31 * SECOND)
    reviewer.context.now = NOW + 31 * SECOND
    reviewer.context.set_equity(10**15)
    return reviewer


def test_market_order_is_cut_at_twice_the_collar_of_the_median():
    assert sent(drifted(1_900), order()) == 1_007
    assert sent(drifted(1_900), order(Side.SELL)) == 970


def test_limit_near_the_reference_and_far_from_the_median_is_refused():
    intent = order(type=OrderType.LIMIT, price=1_008, stop=990)
    assert codes(drifted(1_900), intent) == ["risk.price_collar"]
    assert codes(drifted(1_950), intent) == []


def test_opening_on_a_reference_beyond_the_medians_collar_is_refused_and_reducing_passes():
    reviewer = drifted(1_886)
    assert codes(reviewer, order()) == ["risk.price_collar"]
    assert codes(reviewer, order(Side.SELL)) == []
    reviewer.context.book_fill("ema", ID, Side.SELL, 5, 1_000, NOW)
    assert codes(reviewer, order(Side.BUY, 5)) == []


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 50)), min_size=1, max_size=60))
def test_median_is_that_of_the_samples_inside_the_window(steps):
    kept, now, reference = [], 0, MedianReference(100, 10)
    for step, mid2 in steps:
        now += step
        if now < reference.next_at:
            continue
        reference.add(now, mid2)
        kept = [(ts, value) for ts, value in kept if now - ts < 100] + [(now, mid2)]
        values = sorted(value for _, value in kept)
        high = values[len(values) // 2]
        assert reference.median2 == (high if len(values) % 2 else (median_low(values) + high) // 2)
        assert len(values) <= 10


def test_sample_is_taken_each_five_seconds_and_only_of_a_usable_reference():
    ctx = desk().context
    book = ctx.books[ID]
    ctx.mark(ID, 4_000, True, NOW + 5 * SECOND - 1)
    assert book.median.median2 == 2_000
    ctx.mark(ID, 4_000, False, NOW + 5 * SECOND)
    assert book.median.median2 == 2_000
    ctx.mark(ID, 4_000, True, NOW + 6 * SECOND)
    assert book.median.median2 == 3_000
