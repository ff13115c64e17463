"""EMA trend: crosses, stops, age, and no look-ahead (ST-02, ST-05)."""

import random
from itertools import pairwise

import pytest
from strategy_views import BTC, HOUR, SECOND, FakeTop, FakeView, run, step, view_at

from tradeworthy.trading.model import Abstain, GuardLevel, PositionTarget, Quote, Targets
from tradeworthy.trading.strategies.directional import BracketPolicy, lots_at_risk, protective_stop
from tradeworthy.trading.strategies.ema_trend import EmaTrend, EmaTrendPolicy

FLIP = EmaTrendPolicy(fast=3, slow=8, exit="flip", lots=4)
BRACKET = EmaTrendPolicy(fast=3, slow=8, atr=5)


def walk(n, seed=1, start=100_000, width=300):
    generator, price, closes = random.Random(seed), start, []
    for _ in range(n):
        price += generator.randint(-width, width)
        closes.append(price)
    return closes


def trend(policy=BRACKET, of=BTC):
    return EmaTrend("one", of, policy)


def lots_of(decisions):
    return [d.positions[0].lots if isinstance(d, Targets) else None for d in decisions]


CROSSING = [100_000 - 100 * i for i in range(15)] + [98_600 + 300 * i for i in range(10)]
CROSS_AT = next(i for i, d in enumerate(run(trend(), CROSSING)) if isinstance(d, Targets))


def before_cross(policy=BRACKET):
    strategy = trend(policy)
    run(strategy, CROSSING[:CROSS_AT])
    return strategy


def cross_view(**changes):
    return view_at(CROSSING[CROSS_AT], CROSS_AT * HOUR, **changes)


def test_flip_mode_is_always_on_the_side_of_the_faster_mean():
    closes = walk(400)
    decisions = run(trend(FLIP), closes)
    fast = slow = float(closes[0])
    held, expected = 0, []
    for i, close in enumerate(closes):
        if i:
            fast += 0.5 * (close - fast)
            slow += 2 / 9 * (close - slow)
        side = (fast > slow) - (fast < slow) if i >= 7 else 0
        expected.append(4 * side if side and side != held else None)
        held = side or held
    assert lots_of(decisions) == expected
    assert sum(lots is not None for lots in expected) > 20


@pytest.mark.parametrize("policy", [FLIP, BRACKET])
def test_input_shifted_by_one_bar_shifts_every_signal_by_one_bar(policy):
    closes = walk(300)
    plain = lots_of(run(trend(policy), closes))
    shifted = lots_of(run(trend(policy), [closes[0], *closes]))
    settled = 60  # the doubled seed has left the means
    assert [bool(x) for x in shifted[settled + 1:]] == [bool(x) for x in plain[settled:]]
    assert any(plain[settled:])


@pytest.mark.parametrize("policy", [FLIP, BRACKET])
def test_future_bars_leave_earlier_decisions_as_they_were(policy):
    closes = walk(200)
    assert run(trend(policy), closes + walk(50, seed=9, start=10_000))[:200] == run(trend(policy), closes)


def test_an_opening_carries_a_stop_of_two_atr_and_risks_one_percent_of_the_budget():
    target = step(before_cross(), cross_view()).positions[0]
    bid, ask = CROSSING[CROSS_AT] - 1, CROSSING[CROSS_AT] + 1
    assert 0.005 <= (bid - target.stop) / bid <= 0.08
    per_lot = (ask - target.stop) * BTC.value_nanos / 1e9
    unit = ask * BTC.value_nanos / 1e9
    assert target.lots == int(min(100.0 / per_lot, 10_000.0 / unit))
    assert target.lots * per_lot <= 100.0


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(("distance", "expected"), [(10.0, 0.005), (20_000.0, 0.08), (3_000.0, 0.03)])
def test_the_stop_stays_within_its_bounds(side, distance, expected):
    stop = protective_stop(side, 100_000, 100_000, distance, BracketPolicy())
    assert abs(100_000 - stop) / 100_000 == pytest.approx(expected, abs=2e-5)
    assert 0.005 <= abs(100_000 - stop) / 100_000 <= 0.08
    assert (100_000 - stop) * side > 0


def opened():
    strategy = before_cross()
    target = step(strategy, cross_view()).positions[0]
    return strategy, target, CROSS_AT * HOUR


@pytest.mark.parametrize(("past", "leaves"), [(0, True), (1, False)])
def test_a_quote_at_the_stop_leaves_the_position(past, leaves):
    strategy, target, now = opened()
    price = target.stop + past
    view = FakeView(Quote(BTC.instrument_id, price, price + 2), now + SECOND, position=target.lots)
    decision = step(strategy, view)
    flat = Targets(positions=(PositionTarget(BTC.instrument_id, 0, "stop"),))
    assert decision == (flat if leaves else Abstain("unchanged"))


@pytest.mark.parametrize(("age", "leaves"), [(24 * HOUR - 1, False), (24 * HOUR, True)])
def test_a_position_is_left_after_a_day(age, leaves):
    strategy, target, now = opened()
    price = CROSSING[CROSS_AT] + 500
    decision = step(strategy, FakeView(Quote(BTC.instrument_id, price, price + 2), now + age, position=target.lots))
    assert (isinstance(decision, Targets) and decision.positions[0].reason == "time") is leaves


def test_an_exit_is_asked_for_while_the_guard_pauses():
    strategy, target, now = opened()
    fact = Quote(BTC.instrument_id, target.stop, target.stop + 2)
    decision = step(strategy, FakeView(fact, now + SECOND, position=target.lots, guard=GuardLevel.PAUSED))
    assert decision.positions[0].lots == 0


def test_the_opposite_cross_leaves_even_when_no_new_side_may_open():
    strategy, target, now = opened()
    decisions = []
    for i, close in enumerate(CROSSING[CROSS_AT] - 20 * j for j in range(20)):
        view = view_at(close, now + (i + 1) * HOUR, high=close + 1, low=close - 1, position=target.lots, budget=0.0)
        decisions.append(step(strategy, view))
    crosses = [d for d in decisions if isinstance(d, Targets)]
    assert crosses[0].positions[0] == PositionTarget(BTC.instrument_id, 0, "cross")


def test_a_position_found_after_a_restart_gets_a_stop_of_its_own():
    strategy = trend()
    run(strategy, walk(20, width=20))
    hold = FakeView(Quote(BTC.instrument_id, 100_000, 100_002), 20 * HOUR, position=5, average=100_000.0)
    assert step(strategy, hold) == Abstain("unchanged")
    fall = FakeView(Quote(BTC.instrument_id, 92_000, 92_002), 20 * HOUR + 1, position=5, average=100_000.0)
    assert step(strategy, fall).positions[0].lots == 0


def test_more_than_five_filled_bars_in_a_row_make_it_warm_up_again():
    closes = walk(30)
    for filled, expected in ((5, "unchanged"), (6, "warming")):
        strategy = trend(FLIP)
        run(strategy, closes)
        for _ in range(filled):
            step(strategy, view_at(closes[-1], filled=True))
        assert strategy.decide(view_at(closes[-1])) == Abstain(expected)


def test_bars_of_another_interval_are_not_folded():
    strategy = trend(FLIP)
    for close in walk(30):
        assert step(strategy, view_at(close, interval=60 * SECOND)) == Abstain("warming")


@pytest.mark.parametrize(("code", "changes"), [
    ("guard", {"guard": GuardLevel.PAUSED}),
    ("market_unusable", {"usable": False}),
    ("input_quarantined", {"budget": None}),
    ("budget_zero", {"budget": 0.0}),
    ("below_threshold", {"budget": 0.01}),
    ("regime", {"high": CROSSING[CROSS_AT] + 90_000}),
])
def test_a_cross_that_may_not_be_traded_says_why(code, changes):
    view = cross_view(**{k: v for k, v in changes.items() if k != "usable"})
    view.top.usable = changes.get("usable", True)
    assert step(before_cross(), view) == Abstain(code)


def test_warming_then_below_threshold_where_nothing_crosses():
    codes = [d.code for d in run(trend(), CROSSING[:CROSS_AT])]
    assert codes[0] == "warming"
    assert codes[-1] == "below_threshold"
    assert not any(a == "below_threshold" and b == "warming" for a, b in pairwise(codes))


def test_flip_mode_waits_for_the_guard_and_then_takes_its_side():
    closes = walk(30)
    strategy = trend(FLIP)
    held = run(strategy, closes, guard=GuardLevel.PAUSED)
    assert held[-1] == Abstain("guard")
    assert isinstance(strategy.decide(view_at(closes[-1])), Targets)


def test_a_fast_period_that_is_not_below_the_slow_one_is_refused():
    with pytest.raises(ValueError, match="was 20 and 20"):
        trend(EmaTrendPolicy(fast=20, slow=20))


def test_a_market_without_quotes_opens_at_its_last_price():
    view = cross_view()
    view.top = FakeTop(None, None, last=CROSSING[CROSS_AT])
    assert step(before_cross(), view).positions[0].lots > 0
    view.top = FakeTop(None, None)
    assert step(before_cross(), view) == Abstain("market_unusable")


def test_a_far_stop_is_sized_by_risk_and_a_near_one_by_the_budget():
    policy = BracketPolicy()
    assert lots_at_risk(BTC, 100_000, 95_000, 10_000.0, policy) == 2_000  # 1 quote a lot: 0.05 lost each
    assert lots_at_risk(BTC, 100_000, 99_500, 10_000.0, policy) == 10_000  # risk alone would allow 20,000
    assert lots_at_risk(BTC, 100_000, 95_000, 0.5, policy) == 0
