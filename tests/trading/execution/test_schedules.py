"""Volume and urgency schedules, the cost that asks for slices, and the refit (EA-04, EA-05, EA-06)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from order_builders import SECOND, approved

from tradeworthy.trading.execution.impact import ImpactModel, ImpactPolicy, slices_within_cost, square_root_cost
from tradeworthy.trading.execution.parents import Parent
from tradeworthy.trading.execution.shortfall import (
    ImplementationShortfall,
    MarketMoves,
    ShortfallPolicy,
    shortfall_plan,
)
from tradeworthy.trading.execution.slicing import ScheduleState, Slice, SlicePolicy, Slicing, in_lots
from tradeworthy.trading.execution.vwap import (
    BUCKET_NS,
    ScheduleRefused,
    Vwap,
    VwapPolicy,
    rescale,
    volume_curve,
    vwap_plan,
)
from tradeworthy.trading.model.order import Intent

CURVE = (4, 2, 1, 1, 1, 1, 2, 3, 5)
POLICY = VwapPolicy()
DAY = 78 * BUCKET_NS


def curve(buckets=None, sessions=20, volume=1_000):
    shape = [volume * part for part in CURVE]
    return volume_curve([shape if buckets is None else buckets] * sessions, POLICY)


def parent(lots, deadline):
    return Parent(approved(lots=lots), deadline=deadline, collar=None)


@given(st.integers(1, 10**6), st.lists(st.floats(0, 100), min_size=1, max_size=80).filter(lambda x: sum(x) > 0.01))
def test_parts_are_within_a_lot_of_their_share_and_sum_exactly(lots, shares):
    parts = in_lots(lots, shares)
    assert sum(parts) == lots
    assert min(parts) >= 0
    whole = sum(shares)
    assert all(abs(part - lots * share / whole) <= 1 + 1e-6 for part, share in zip(parts, shares, strict=True))


def test_the_schedule_of_a_known_curve_equals_it_within_a_lot():
    plan = vwap_plan(997, curve(), POLICY, session=(0, 9 * BUCKET_NS), begin=0, end=9 * BUCKET_NS)
    assert [one.at for one in plan] == [number * BUCKET_NS for number in range(9)]
    assert sum(one.lots for one in plan) == 997
    assert all(abs(one.lots - 997 * part / 20) <= 1 for one, part in zip(plan, CURVE, strict=True))


def test_a_window_of_the_day_takes_the_curve_within_it():
    half = BUCKET_NS // 2
    plan = vwap_plan(100, curve(), POLICY, session=(0, 9 * BUCKET_NS), begin=half, end=3 * BUCKET_NS)
    assert [(one.at, one.lots) for one in plan] == [(half, 40), (BUCKET_NS, 40), (2 * BUCKET_NS, 20)]


def test_an_early_close_keeps_the_days_shape_in_fewer_buckets():
    assert rescale((1 / 4,) * 4, 2) == pytest.approx((1 / 2, 1 / 2))
    assert sum(rescale([part / 20 for part in CURVE], 5)) == pytest.approx(1)
    plan = vwap_plan(200, curve(), POLICY, session=(0, 3 * BUCKET_NS), begin=0, end=3 * BUCKET_NS)
    assert [one.lots for one in plan] == [70, 30, 100]


def test_a_short_session_in_the_history_is_stretched():
    sessions = [[100] * 6] * 19 + [[200] * 3]
    found = volume_curve(sessions, POLICY)
    assert found.shares == pytest.approx((1 / 6,) * 6)
    assert found.volume_day == 600


@pytest.mark.parametrize("sessions", [[], [[1] * 9] * 19, [[1] * 9] * 19 + [[0] * 9]])
def test_no_history_is_refused(sessions):
    refused = volume_curve(sessions, POLICY)
    assert isinstance(refused, ScheduleRefused)
    assert refused.code == "execution.vwap_no_history"


@pytest.mark.parametrize(("lots", "accepted"), [(4_000, True), (4_001, False)])
def test_a_fifth_of_the_daily_volume_may_be_used_and_no_more(lots, accepted):
    plan = vwap_plan(lots, curve(), POLICY, session=(0, 9 * BUCKET_NS), begin=0, end=9 * BUCKET_NS)
    assert isinstance(plan, tuple) is accepted
    assert accepted or (plan.code, plan.observed, plan.limit) == ("execution.vwap_above_adv", "4001", "4000")


def test_a_slice_takes_a_tenth_of_what_traded_since_the_last_and_carries_the_rest_on():
    plan = [Slice(number * BUCKET_NS, 10) for number in range(4)]
    work = Vwap(parent(40, 4 * BUCKET_NS), plan, POLICY)
    sent = []
    for number, traded in enumerate((0, 99, 100, 1_000)):
        work.on_trade(traded)
        children = [one for one in work.on_timer(number * BUCKET_NS, 100, 101) if isinstance(one, Intent)]
        sent.append(children[0].lots if children else 0)
        if children:
            work.on_fill(children[0].lots)
    assert sent == [0, 9, 10, 20]
    assert work.parent.remaining == 1


def test_urgency_schedule_of_the_known_case_in_lots():
    policy = ShortfallPolicy(slices=5, risk_aversion=9.0)
    plan = shortfall_plan(100_000, 0, 5 * SECOND, MarketMoves(1.0, 1.0), policy)
    held = [100_000 - sum(one.lots for one in plan[:number]) for number in range(6)]
    assert [round(value / 1_000, 3) for value in held] == [100, 54.565, 29.369, 15.068, 6.355, 0]


def test_no_risk_aversion_is_the_even_schedule_and_it_works_to_its_end():
    policy = ShortfallPolicy(slices=4, risk_aversion=0.0)
    work = ImplementationShortfall(parent(8, 4 * SECOND), 0, MarketMoves(1.0, 1.0), policy)
    for number in range(4):
        (child, _) = work.on_timer(number * SECOND, 100, 101)
        assert child.lots == 2
        work.on_fill(2)
    assert work.state is ScheduleState.DONE


def test_a_schedule_that_does_not_sum_or_end_in_time_is_refused():
    with pytest.raises(ValueError, match="sum to 10 lots, was 9"):
        Slicing(parent(10, 5), [Slice(0, 9)], SlicePolicy(), "x")
    with pytest.raises(ValueError, match="after the last slice 5"):
        Slicing(parent(10, 5), [Slice(5, 10)], SlicePolicy(), "x")
    with pytest.raises(ValueError, match="deadline must be after"):
        ImplementationShortfall(parent(10, 5), 5, MarketMoves(1.0, 1.0), ShortfallPolicy())


DEAR = {"volume_day": 10_000.0, "volatility_day": 0.02, "spread": 0.0}


@pytest.mark.parametrize(("quantity", "slices"), [(625, 1), (626, 2), (1_250, 2), (1_251, 3), (31_250, 50)])
def test_an_order_above_half_a_percent_is_sliced_until_each_slice_is_not(quantity, slices):
    assert slices_within_cost(quantity, **DEAR) == slices
    assert square_root_cost(quantity / slices, **DEAR) <= 0.005 + 1e-12


def test_an_order_is_refused_beyond_the_slices_and_where_the_spread_alone_is_too_dear():
    assert slices_within_cost(31_251, **DEAR) is None
    assert slices_within_cost(700, **{**DEAR, "spread": 0.0101}) is None
    assert slices_within_cost(3, volume_day=1.0, volatility_day=0.2, spread=0.0) is None


def test_two_hundred_own_parents_refit_the_estimate_and_one_less_does_not():
    model = ImpactModel(ImpactPolicy())
    for number in range(1, 201):
        assert model.coefficient == 1.0
        share = 0.0001 * number
        model.measured(share, 0.02, 1.3 * 0.02 * share**0.5)
    assert model.coefficient == pytest.approx(1.3)
    assert model.slices(500, **DEAR) == 2
