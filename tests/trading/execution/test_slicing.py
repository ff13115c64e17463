"""Parents and children, schedules and what they cost (EA-01, EA-02, EA-03, EA-05, EA-06)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from order_builders import SECOND, approved, intent

from tradeworthy.trading.execution.impact import (
    refit_coefficient,
    shortfall_holdings,
    square_root_cost,
    too_costly,
    urgency,
)
from tradeworthy.trading.execution.parents import Parent, ParentProgress, equal_slices
from tradeworthy.trading.execution.twap import ScheduleState, Twap, TwapPolicy, unwind, unwind_slices
from tradeworthy.trading.model.market import Side
from tradeworthy.trading.model.order import CancelOrder, Intent

MINUTE = 60 * SECOND


def twap(lots=100, *, collar=None, **changes):
    return Twap(Parent(approved(lots=lots, **changes), deadline=10 * MINUTE, collar=collar), TwapPolicy(), 0)


def slice_at(schedule, now, bid=1000, ask=1001):
    found = [item for item in schedule.on_timer(now, bid, ask) if isinstance(item, Intent)]
    return found[0] if found else None


@given(st.integers(1, 10**9), st.integers(1, 500))
def test_slices_sum_to_the_parent_and_differ_by_one_lot_at_most(lots, slices):
    parts = equal_slices(lots, slices)
    assert sum(parts) == lots
    assert list(parts) == sorted(parts, reverse=True)
    assert 0 <= parts[0] - parts[-1] <= 1


def test_ten_slices_in_ten_minutes_are_ten_orders_that_sum_exactly():
    schedule, sent = twap(lots=103), []
    for minute in range(10):
        child = slice_at(schedule, minute * MINUTE)
        sent.append(child)
        schedule.on_fill(child.lots)
    assert [child.lots for child in sent] == [11] * 3 + [10] * 7
    assert {child.parent for child in sent} == {"d1:0"}
    assert [child.slice_no for child in sent] == list(range(10))
    assert schedule.state is ScheduleState.DONE


def test_slices_rest_at_the_touch_and_the_last_may_cross_within_fifty_bps():
    buying, selling = twap(), twap(side=Side.SELL)
    prices = [(slice_at(buying, m * MINUTE).price, slice_at(selling, m * MINUTE).price) for m in range(10)]
    assert prices == [(1000, 1001)] * 9 + [(1006, 995)]


def test_unfilled_lots_carry_on_up_to_twice_a_slice():
    schedule = twap()
    assert [slice_at(schedule, minute * MINUTE).lots for minute in range(4)] == [10, 20, 20, 20]


def test_working_slice_is_cancelled_before_the_next_one_goes():
    schedule = twap()
    slice_at(schedule, 0)
    schedule.on_sent("c1")
    assert [type(item) for item in schedule.on_timer(MINUTE, 1000, 1001)] == [CancelOrder]
    schedule.on_child_end("c1")
    assert slice_at(schedule, MINUTE + 1).slice_no == 1


def test_of_slices_that_time_passed_over_the_last_goes_and_none_ends_before_it_leaves():
    schedule = twap()
    schedule.on_fill(slice_at(schedule, 0).lots)
    late = slice_at(schedule, 5 * MINUTE + 1)
    assert (late.slice_no, late.lots, late.expires_at) == (5, 20, 6 * MINUTE)
    schedule.on_fill(late.lots)
    assert slice_at(schedule, 5 * MINUTE + 2) is None
    rest = [slice_at(schedule, minute * MINUTE) for minute in range(6, 10)]
    assert [one.slice_no for one in rest] == [6, 7, 8, 9]
    last = twap()
    assert (slice_at(last, 10 * MINUTE - 1).slice_no, last.plan[-1].at) == (9, 9 * MINUTE)


def test_collar_holds_every_price():
    schedule = twap(collar=1003)
    assert [slice_at(schedule, minute * MINUTE).price for minute in range(10)][-1] == 1003


def test_abort_at_the_fourth_slice_sends_no_more_and_tells_what_remains():
    schedule = twap()
    for minute in range(4):
        schedule.on_fill(slice_at(schedule, minute * MINUTE).lots)
    schedule.on_sent("c4")
    cancel, progress = schedule.abort("desk.sigterm")
    assert (cancel.client_order_id, progress.remaining, progress.state) == ("c4", 60, "aborted")
    assert all(schedule.on_timer(minute * MINUTE, 1000, 1001) == () for minute in range(4, 11))


def test_deadline_gives_the_rest_up():
    schedule = twap()
    (progress,) = schedule.on_timer(10 * MINUTE, 1000, 1001)
    assert isinstance(progress, ParentProgress)
    assert (progress.reason, progress.remaining) == ("execution.twap_deadline", 100)


def test_without_a_touch_nothing_is_sent_and_the_lots_carry_on():
    schedule = twap()
    assert slice_at(schedule, 0, None, None) is None
    assert slice_at(schedule, MINUTE).lots == 20


@pytest.mark.parametrize(("quote", "slices"), [(999, 1), (1000, 10)])
def test_unwind_is_sliced_from_a_thousand_quote(quote, slices):
    assert unwind_slices(quote * 10**9, TwapPolicy()) == slices


def test_unwind_and_parent_refuse_what_is_not_theirs():
    with pytest.raises(ValueError, match="must be reduce-only"):
        unwind(Parent(approved(), deadline=1, collar=None), 10**9, TwapPolicy(), 0)
    with pytest.raises(TypeError, match="was Intent"):
        Parent(intent(), deadline=1, collar=None)


def test_shortfall_schedule_of_the_known_case():
    holdings = shortfall_holdings(100, 1, 3, 5)
    assert [round(value, 3) for value in holdings] == [100, 54.565, 29.369, 15.068, 6.355, 0]


def test_no_risk_aversion_gives_equal_slices_and_great_urgency_stays_finite():
    assert shortfall_holdings(100, 1, urgency(0, 0.02, 1e-6), 4) == [100, 75, 50, 25, 0]
    assert shortfall_holdings(100, 1, 1e4, 2) == [100, 0, 0]


def test_square_root_law_of_the_known_case():
    cost = square_root_cost(1, volume_day=100, volatility_day=0.02, spread=0.0004)
    assert cost == pytest.approx(0.0020 + 0.0002, abs=1e-15)
    assert (too_costly(0.005), too_costly(0.0051)) == (False, True)
    with pytest.raises(ValueError, match="must be above zero"):
        square_root_cost(1, volume_day=0, volatility_day=0.02, spread=0)


def test_coefficient_is_refitted_from_two_hundred_parents_within_its_range():
    shares = [0.0001 * (i + 1) for i in range(200)]
    costs = [1.2 * 0.02 * share**0.5 for share in shares]
    assert refit_coefficient(shares, [0.02] * 200, costs) == pytest.approx(1.2)
    assert refit_coefficient(shares, [0.02] * 200, [9 * cost for cost in costs]) == 1.5
    assert refit_coefficient(shares[1:], [0.02] * 199, costs[1:]) is None
