"""The market maker's formulas: the golden vector and their properties (MM-01, MM-02, MM-06, MM-07, MM-09, MM-10)."""

from collections import deque
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategy_views import BTC, SECOND, instrument

from tradeworthy.trading.model import GuardLevel, QuoteTarget, Side, Trade
from tradeworthy.trading.sensing.regime import Regime
from tradeworthy.trading.strategies.market_maker_formulas.assessment import Known, assess
from tradeworthy.trading.strategies.market_maker_formulas.edge import funding_cost
from tradeworthy.trading.strategies.market_maker_formulas.edge_gate import EdgeGate, Gate
from tradeworthy.trading.strategies.market_maker_formulas.evidence import (
    FillStatistics,
    Markouts,
    Measured,
    OwnFill,
    ratio_lower_bound,
    upper_bound,
)
from tradeworthy.trading.strategies.market_maker_formulas.exits import EXIT_LEVEL, Exits
from tradeworthy.trading.strategies.market_maker_formulas.guard_inputs import MakerGuard
from tradeworthy.trading.strategies.market_maker_formulas.policy import (
    EdgeGatePolicy,
    ExitPolicy,
    MarketMakerPolicy,
)
from tradeworthy.trading.strategies.market_maker_formulas.shadow import TradeThroughShadow
from tradeworthy.trading.strategies.market_maker_formulas.sizing import least_notional, lots_for, size_orders
from tradeworthy.trading.strategies.market_maker_formulas.spread import level_count

POLICY = MarketMakerPolicy()
GOLDEN = Known(
    mid=10_000.0, market_spread=0.0002, regime=Regime.NEUTRAL, band=0.0020, drift=0.0, drift_ewma=0.0, turnover=0.0,
    share=0.45, target=0.50, maker_fee=0.0002, adverse=0.00015, funding=0.0, fill_factor=0.4, min_edge=0.0001,
)
REGIMES = st.sampled_from([Regime.NEUTRAL, Regime.UP, Regime.DOWN, Regime.SHOCK])
KNOWN = st.builds(
    Known, mid=st.floats(10_000.0, 10_000_000.0), market_spread=st.floats(0.0, 0.01), regime=REGIMES,
    band=st.floats(0.0, 0.02), drift=st.floats(-0.02, 0.02), drift_ewma=st.floats(0.0, 0.02),
    turnover=st.floats(0.0, 8.0), share=st.floats(-1.0, 1.0), target=st.sampled_from([0.0, 0.35, 0.5, 0.6]),
    maker_fee=st.floats(-0.0002, 0.002), adverse=st.floats(0.00015, 0.002), funding=st.floats(-0.001, 0.001),
    fill_factor=st.floats(0.05, 0.5), min_edge=st.sampled_from([0.0001, 0.0003]),
)
MANY = settings(max_examples=200, deadline=None)


def test_the_golden_vector_is_exact():
    row = assess(GOLDEN, POLICY)
    assert row.costs == pytest.approx(0.00085, abs=1e-15)
    assert row.floor == row.spread == pytest.approx(0.003375, abs=1e-15)
    assert row.edge == pytest.approx(0.0005, abs=1e-15)
    assert row.skew == pytest.approx(0.0009375, abs=1e-15)
    assert row.bids == (9_992, 9_985, 9_979, 9_972)
    assert row.asks == (10_027, 10_033, 10_040, 10_047)


@MANY
@given(KNOWN)
def test_spread_never_falls_below_its_floor_nor_skew_leaves_its_cap(known):
    row = assess(known, POLICY)
    assert row.spread >= row.floor
    assert row.spread >= row.candidate
    assert abs(row.skew) <= POLICY.skew_max


@MANY
@given(KNOWN)
def test_no_quote_crosses_the_market_it_is_made_for(known):
    row = assess(known, POLICY)
    half = known.market_spread / 2.0
    assert all(bid < known.mid * (1.0 + half) for bid in row.bids)
    assert all(ask > known.mid * (1.0 - half) for ask in row.asks)


@MANY
@given(KNOWN)
def test_both_distances_together_are_at_least_twice_the_offset(known):
    row = assess(known, POLICY)
    for level, (bid, ask) in enumerate(zip(row.bids, row.asks, strict=True)):
        offset = row.spread / 2.0 * (1.0 + POLICY.level_step * level)
        assert (ask - bid) / known.mid >= 2.0 * offset - 1e-9
        assert bid < ask


@MANY
@given(KNOWN, st.floats(0.0001, 0.01))
def test_edge_rises_with_the_spread(known, more):
    wide = assess(known, POLICY)
    wider = assess(known, msgspec.structs.replace(POLICY, fixed_spread=wide.spread + more))
    assert wider.edge > wide.edge


@MANY
@given(KNOWN, st.floats(0.01, 0.5))
def test_a_share_below_target_moves_both_quotes_up_and_above_it_down(known, distance):
    at = assess(msgspec.structs.replace(known, share=known.target), POLICY)
    low = assess(msgspec.structs.replace(known, share=known.target - distance), POLICY)
    high = assess(msgspec.structs.replace(known, share=known.target + distance), POLICY)
    for below, middle, above in zip(low.bids + low.asks, at.bids + at.asks, high.bids + high.asks, strict=True):
        assert below >= middle >= above
    assert low.skew > 0.0 > high.skew


def test_a_fixed_spread_replaces_the_candidate_but_never_the_floor():
    row = assess(GOLDEN, MarketMakerPolicy(fixed_spread=0.0001))
    assert row.spread == row.floor


def test_turnover_widens_the_spread_and_drops_levels():
    busy = assess(msgspec.structs.replace(GOLDEN, turnover=4.0), POLICY)
    assert busy.levels == 2
    assert busy.candidate == pytest.approx(0.0045)
    assert busy.costs == pytest.approx(0.00085 + 0.0010)
    assert [level_count(POLICY.neutral, r) for r in (0.0, 0.24, 0.25, 0.75, 1.0)] == [4, 4, 3, 2, 2]


def test_unusual_drift_widens_the_candidate_up_to_eighty_percent():
    for drift, factor in ((0.0, 1.0), (0.00025, 1.4), (-0.0005, 1.8), (0.0015, 1.8)):
        row = assess(msgspec.structs.replace(GOLDEN, drift=drift), POLICY)
        assert row.candidate == pytest.approx(0.0025 * factor)


def test_received_funding_costs_nothing_and_paid_funding_raises_the_floor():
    cost = funding_cost(0.5, 0.0001, 90.0, 28_800.0, POLICY)
    assert cost == pytest.approx(0.5 * 0.0001 * 90 / 28_800)
    assert funding_cost(-0.5, 0.0001, 10.0, 28_800.0, POLICY) == pytest.approx(-0.5 * 0.0001 * 30 / 28_800)
    credit = assess(msgspec.structs.replace(GOLDEN, funding=-0.001), POLICY)
    paid = assess(msgspec.structs.replace(GOLDEN, funding=0.001), POLICY)
    assert credit.floor == assess(GOLDEN, POLICY).floor
    assert paid.floor == pytest.approx(credit.floor + 0.001 / 0.4)


def test_an_order_of_a_large_account_is_capped_at_two_hundred_and_fifty():
    sized = size_orders(1_000_000 * 0.001, 4, 10.0, 600_000.0, POLICY)
    assert (sized.notional, sized.levels, sized.capped) == (250.0, 4, True)


@pytest.mark.parametrize(("wanted", "minimum", "budget", "expected"), [
    (20.0, 10.0, 10_000.0, (20.0, 4, False)),
    (100.0, 10.0, 200.0, (50.0, 4, True)),
    (100.0, 60.0, 200.0, (66.666, 3, True)),
    (100.0, 120.0, 200.0, (120.0, 1, True)),
    (250.0, 250.0, 10_000.0, (250.0, 4, False)),
])
def test_outer_levels_leave_before_a_size_falls_under_the_minimum(wanted, minimum, budget, expected):
    sized = size_orders(wanted, 4, minimum, budget, POLICY)
    assert (sized.notional, sized.levels, sized.capped) == (pytest.approx(expected[0], rel=1e-4), *expected[1:])


def test_a_minimum_above_the_cap_gives_no_order():
    assert size_orders(300.0, 4, 250.01, 10_000.0, POLICY) is None
    assert size_orders(300.0, 4, 100.0, 99.0, POLICY) is None


def test_lots_round_down_and_up_only_to_reach_the_minimum():
    priced = instrument(min_notional=Decimal("0.35"))  # one lot at 10,000 ticks is 0.1 quote
    assert lots_for(priced, 10_000, 0.59) == 5
    assert lots_for(priced, 10_000, 0.31) == 4
    assert least_notional(priced, 10_000) == pytest.approx(0.4)
    assert lots_for(instrument(max_order_lots=3), 10_000, 5.0) == 3


def gate_of(nets, start=0, shadow=False, gate=None):
    gate = gate or EdgeGate(EdgeGatePolicy())
    for i, net in enumerate(nets):
        gate.add(start + i, net, shadow=shadow)
    gate.judge(start + len(nets))
    return gate


def test_fifty_losing_fills_close_the_gate_and_forty_nine_do_not():
    assert gate_of([-0.0002] * 49).state is Gate.OPEN
    assert gate_of([-0.0002] * 50).state is Gate.CLOSED
    assert gate_of([0.00011] * 50).state is Gate.OPEN


def test_winning_shadow_probes_and_winning_probe_opens_again():
    gate = gate_of([-0.0002] * 50)
    later = 121 * SECOND
    gate_of([0.0005] * 19, later, True, gate)
    assert gate.state is Gate.CLOSED
    gate_of([0.0005], later + 30, True, gate)
    assert gate.state is Gate.PROBE
    gate_of([0.0005] * 10, later + 100 * SECOND, False, gate)
    assert gate.state is Gate.PROBE  # changed 120 s ago at the earliest
    gate.judge(3 * later)
    assert gate.state is Gate.OPEN
    assert gate.fills == 0


def test_a_losing_probe_closes_again_and_can_be_reopened():
    gate = gate_of([-0.0002] * 50)
    gate_of([0.0005] * 20, 121 * SECOND, True, gate)
    gate_of([-0.0001] * 10, 300 * SECOND, False, gate)
    assert gate.state is Gate.CLOSED
    gate_of([0.0005] * 20, 600 * SECOND, True, gate)
    assert gate.state is Gate.PROBE


def test_own_fills_do_not_count_while_closed_and_old_ones_leave_the_window():
    gate = gate_of([-0.0002] * 50)
    gate_of([0.01] * 30, 200 * SECOND, False, gate)
    assert (gate.state, gate.fills) == (Gate.CLOSED, 0)
    young = gate_of([-0.0002] * 40)
    gate_of([-0.0002] * 10, 86_400 * SECOND + 100, False, young)
    assert young.state is Gate.OPEN


def test_a_fill_is_judged_thirty_seconds_later_against_the_mid():
    markouts = Markouts(30 * SECOND)
    markouts.add(OwnFill(0, 1, 9_990.0, 10_000.0, 0.0002, 0.004))
    assert markouts.due(30 * SECOND - 1, 9_995.0) == []
    (measured,) = markouts.due(30 * SECOND, 9_995.0)
    assert (measured.capture, measured.adverse) == (pytest.approx(0.0010), pytest.approx(0.0005))
    assert measured.net == pytest.approx(0.0010 - 0.0002 - 0.0005)
    markouts.add(OwnFill(0, -1, 10_010.0, 10_000.0, 0.0, 0.004))
    (sold,) = markouts.due(30 * SECOND, 9_995.0)
    assert (sold.capture, sold.adverse) == (pytest.approx(0.0010), pytest.approx(-0.0005))


def test_measured_fills_replace_the_assumed_inputs_only_when_there_are_enough():
    statistics = FillStatistics(MarketMakerPolicy(min_edge_unproven=0.0003, unproven_fills=100))
    fill = Measured(0, 0.0006, 0.0004, 0.0, 0.003)
    for count in range(1, 101):
        statistics.add(fill)
        assert statistics.adverse == (pytest.approx(0.0004) if count >= 30 else 0.00015)
        assert statistics.fill_factor == (pytest.approx(0.2) if count >= 100 else 0.4)
        assert statistics.min_edge == (0.0001 if count >= 100 else 0.0003)


def test_bounds_lie_on_the_cautious_side_of_the_estimate():
    assert upper_bound(deque([0.0, 2.0]), 2.0) == pytest.approx(1.0 + 2.0 * 1.0)
    assert ratio_lower_bound(deque([(1.0, 2.0), (1.0, 2.0)]), 2.0) == pytest.approx(0.5)
    assert ratio_lower_bound(deque([(0.0, 2.0), (2.0, 2.0)]), 1.0) < 0.5
    assert ratio_lower_bound(deque([(1.0, 0.0), (1.0, 0.0)]), 1.0) == 0.0


def shadow_with(side, price):
    shadow = TradeThroughShadow()
    quote = QuoteTarget(BTC.instrument_id, side, 0, price, 5, "quote")
    shadow.quote((quote,), 0)
    return shadow, quote


@pytest.mark.parametrize(("side", "at", "through"), [(Side.BUY, 100, 99), (Side.SELL, 100, 101)])
def test_a_shadow_quote_fills_only_when_the_market_goes_through_it(side, at, through):
    shadow, quote = shadow_with(side, at)
    assert shadow.on_print(Trade(BTC.instrument_id, at, 1), 1) == []
    assert shadow.on_print(Trade(BTC.instrument_id, through, 1), 2) == [quote]
    assert shadow.on_print(Trade(BTC.instrument_id, through, 1), 3) == []


@pytest.mark.parametrize(("side", "bid", "ask", "hit"), [
    (Side.BUY, 99, 101, False), (Side.BUY, 99, 100, True), (Side.SELL, 99, 101, False), (Side.SELL, 100, 101, True),
])
def test_a_shadow_quote_fills_when_the_opposite_touch_reaches_it(side, bid, ask, hit):
    shadow, quote = shadow_with(side, 100)
    assert shadow.on_touch(bid, ask, None, None, 1) == ([quote] if hit else [])


def exits_after(age, position=6):
    exits = Exits(BTC.instrument_id, ExitPolicy())
    exits.observe(0, 0)
    for now, held in ((1, position // 3), (2, position * 2 // 3), (3, position)):
        exits.observe(now, held)
    return exits.targets(1 + age, position, 10_000.0, 9_999, 10_001)


def test_a_long_built_by_three_fills_has_one_stop_and_one_target():
    barrier, quote = exits_after(10)
    assert (barrier.lots, barrier.stop, barrier.take_profit, quote) == (6, 9_980, 10_040, None)
    short, _ = exits_after(10, -6)
    assert (short.lots, short.stop, short.take_profit) == (-6, 10_020, 9_960)


def test_an_old_position_leaves_at_the_touch_and_then_at_the_market():
    assert exits_after(300 * SECOND - 1)[1] is None
    quote = exits_after(300 * SECOND)[1]
    assert (quote.side, quote.price, quote.lots, quote.level) == (Side.SELL, 10_001, 6, EXIT_LEVEL)
    assert exits_after(330 * SECOND - 1)[0].lots == 6
    target, none = exits_after(330 * SECOND)
    assert (target.lots, target.reason, none) == (0, "exit_market", None)


def codes(guard, now=0, regime=Regime.NEUTRAL, band=0.002, spread=0.001, share=0.5):
    guard.update(now, regime, band, spread, share)
    return [reason.code for reason in guard.reasons]


def test_each_guard_reason_trips_at_its_value_and_not_before():
    def fresh():
        return MakerGuard(MarketMakerPolicy(market_spread_min=0.0005), spot=True)

    assert codes(fresh()) == []
    assert codes(fresh(), regime=Regime.UNKNOWN) == ["strategy.warming"]
    assert codes(fresh(), band=0.01599) == []
    assert codes(fresh(), band=0.0160) == ["strategy.high_vol"]
    assert codes(fresh(), spread=0.0005) == []
    assert codes(fresh(), spread=0.00049) == ["strategy.market_spread"]
    assert codes(fresh(), share=0.15) == codes(fresh(), share=0.90) == []
    assert codes(fresh(), share=0.149) == codes(fresh(), share=0.901) == ["strategy.inventory"]
    perp = MakerGuard(POLICY, spot=False)
    assert codes(perp, share=-0.90) == []
    perp.update(1, Regime.NEUTRAL, 0.002, 0.001, -0.91)
    (reason,) = perp.reasons
    assert (reason.level, reason.value, reason.limit) == (GuardLevel.REDUCING, -0.91, -0.90)


def test_high_volatility_is_released_after_a_minute_below_the_lower_limit():
    guard = MakerGuard(POLICY, spot=True)
    codes(guard, 0, band=0.0160)
    assert codes(guard, 10 * SECOND, band=0.0120) == ["strategy.high_vol"]
    assert codes(guard, 20 * SECOND, band=0.0119) == ["strategy.high_vol"]
    assert codes(guard, 50 * SECOND, band=0.0130) == ["strategy.high_vol"]  # starts the minute again
    assert codes(guard, 60 * SECOND, band=0.0119) == ["strategy.high_vol"]
    assert codes(guard, 120 * SECOND - 1, band=0.0119) == ["strategy.high_vol"]
    assert codes(guard, 120 * SECOND, band=0.0119) == []
