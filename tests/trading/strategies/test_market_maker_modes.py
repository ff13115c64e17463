"""Gate with venue shadows, warm start, flips, micro-cap profile, an hour of observing (MM-03, MM-05, MM-06, MM-11)."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategy_views import BTC, SECOND, FakeTop, FakeView, bar

from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.trading.execution import PlanPolicy, WorkingOrders, plan
from tradeworthy.trading.model import (
    Abstain,
    Approved,
    ExecReport,
    GuardLevel,
    OrderState,
    ReportType,
    Side,
    Timer,
    Trade,
)
from tradeworthy.trading.simulation.shadow import VenueShadow
from tradeworthy.trading.strategies.catalogue import CATALOGUE
from tradeworthy.trading.strategies.market_maker import MarketMaker
from tradeworthy.trading.strategies.market_maker_formulas.edge_gate import EdgeGate, Gate
from tradeworthy.trading.strategies.market_maker_formulas.policy import (
    EdgeGatePolicy,
    ExitPolicy,
    MarketMakerPolicy,
    RegimeQuoting,
    micro_cap,
)

MINUTE = 60 * SECOND
MID = 1_000_000
START = 60 * MINUTE


def top(mid=MID):
    return FakeTop(mid - 10, mid + 10, 5, 5)


def minutes(count=50, close=MID):
    return [bar(close, high=close + 1000, low=close - 1000, interval=MINUTE) for _ in range(count)]


def maker(**policy):
    one = MarketMaker("one", BTC, MarketMakerPolicy(**policy))
    one.use_shadow(VenueShadow(BTC))
    return one


def sampled(strategy, start=START):
    for i in range(7):
        strategy.observe(FakeView(Timer("sample"), start - (7 - i) * 10 * SECOND, top=top()))
    return strategy


def evaluate(strategy, now, **changes):
    view = FakeView(Timer("evaluate"), now, top=changes.pop("top", top()), **changes)
    strategy.observe(view)
    return strategy.decide(view)


def warm(strategy):
    strategy.warm_up(minutes())
    return sampled(strategy)


def test_recorded_bars_warm_it_without_fifty_minutes_of_waiting():
    cold, live = sampled(maker()), maker()
    assert evaluate(cold, START) == Abstain("warming", withdraw=True)
    for i, one in enumerate(minutes()):
        live.observe(FakeView(one, i * MINUTE))
    assert evaluate(warm(maker()), START) == evaluate(sampled(live), START)


def test_bars_of_another_interval_do_not_warm_it():
    strategy = maker()
    strategy.warm_up([bar(MID, interval=5 * MINUTE) for _ in range(60)])
    assert evaluate(sampled(strategy), START) == Abstain("warming", withdraw=True)


def test_a_losing_tape_closes_and_winning_shadow_orders_at_the_venue_reopen_it_in_a_calm_market():
    strategy = warm(maker(spot_share_min=-9.0))
    now = START
    for i in range(50):
        strategy.gate.add(now + i, -0.0002, shadow=False)
    assert evaluate(strategy, now + 60) == Abstain("edge", withdraw=True)
    assert strategy.gate.waiting == "0 of 20 measured fills (closed)"
    for i in range(120):
        now += 40 * SECOND
        for back in (35, 25, 15):
            strategy.observe(FakeView(Timer("sample"), now - back * SECOND, top=top()))
        decision = evaluate(strategy, now)
        if strategy.gate.state is not Gate.CLOSED:
            break
        strategy.observe(FakeView(Trade(BTC.instrument_id, MID - 20_000, 10_000), now + i + 1, top=top()))
    assert strategy.gate.state is Gate.PROBE
    assert [quote.level for quote in decision.quotes] == [0, 0]


nets = st.lists(st.floats(-0.01, 0.01), max_size=120)


@settings(max_examples=60, deadline=None)
@given(nets, st.integers(1, 10**6))
def test_no_evidence_locks_the_gate_for_ever(history, step_ms):
    gate, now = EdgeGate(EdgeGatePolicy()), 0
    for net in history:
        now += step_ms * 1_000_000
        gate.add(now, net, shadow=gate.state is Gate.CLOSED)
        gate.judge(now)
    now += 90_000 * SECOND  # a day later the window is empty
    for _ in range(120):
        now += 10 * SECOND
        gate.add(now, 0.001, shadow=gate.state is Gate.CLOSED)
        gate.judge(now)
    assert gate.state is Gate.OPEN


def test_too_few_fills_change_nothing_and_say_so():
    gate = EdgeGate(EdgeGatePolicy())
    for i in range(49):
        gate.add(i, -0.01, shadow=False)
    assert gate.judge(60) is Gate.OPEN
    assert gate.waiting == "49 of 50 measured fills (open)"
    gate.add(50, -0.01, shadow=False)
    assert gate.waiting == ""


def test_a_side_that_is_removed_loses_its_orders_in_the_same_outcome():
    one_sided = RegimeQuoting(0.0025, 0.0045, 2, 4, 90, 0.50, 0.0008, 0.0012, sides="buy_only")
    both, buys = warm(maker()), warm(maker(neutral=one_sided, one_sided_on_perp=True))
    orders = WorkingOrders()
    first = evaluate(both, START)

    def planned(targets, now):
        return plan("one", targets, owner="strategy", decision_id=f"d{now}", positions={}, orders=orders, now=now,
                    policy=PlanPolicy())  # fmt: skip

    intents, _ = planned(first, START)
    for number, intent in enumerate(intents):
        orders.create(Approved(intent, "p", intent.lots), f"tw-{number}", START)
        orders.move(orders.get(f"tw-{number}"), OrderState.SUBMITTED, START)
        orders.apply(ExecReport(ReportType.ACKNOWLEDGED, f"tw-{number}", BTC.instrument_id), START)
    _, cancels = planned(evaluate(buys, START), START + 1)
    sells = [order.client_order_id for order in orders.live("one") if order.side is Side.SELL]
    assert [one.client_order_id for one in cancels] == sells
    assert len(sells) == 4


def test_the_micro_cap_profile_is_what_the_page_says():
    profile = micro_cap()
    policy = profile.maker
    assert (profile.leverage, profile.cancels_minute, profile.turnover_max) == (1, 20, 1.5)
    assert (policy.fixed_spread, policy.exit_slippage, policy.order_cap) == (0.0035, 0.0007, 100.0)
    assert policy.exits == ExitPolicy(stop=0.002, take_profit=0.004, touch_after_ns=300 * SECOND)
    assert micro_cap(99.0).maker.instance_cap == 99.0


@pytest.mark.parametrize("field", ["order_cap", "instance_cap"])
def test_a_micro_cap_notional_of_101_is_refused_with_exit_2(field):
    caps = {"order_cap": 100.0, "instance_cap": 100.0}
    with pytest.raises(ConfigurationRefused, match="at most, was 101") as refused:
        CATALOGUE["market_maker"].parse({"profile": "micro_cap", **caps, field: 101.0})
    assert refused.value.exit_code == 2
    assert CATALOGUE["market_maker"].parse({"profile": "micro_cap", **caps}).order_cap == 100.0


def test_an_hour_of_observing_has_full_rows_and_sends_nothing():
    strategy = warm(maker(mode="observe"))
    rows = decisions = 0
    for second in range(3_600):
        now = START + second * SECOND
        if second % 10 == 0:
            strategy.observe(FakeView(Timer("sample"), now, top=top()))
        decisions += evaluate(strategy, now) != Abstain("observe", withdraw=True)
        row = msgspec.to_builtins(strategy.assessment)
        rows += all(value is not None for value in row.values())
    assert (rows, decisions) == (3_600, 0)


def raised(strategy):
    return {one.code: (one.level, one.value, one.limit) for one in strategy.guard.raised}


def test_a_missing_input_pauses_and_names_itself_until_it_is_back():
    for missing in ({"top": FakeTop(None, None, usable=False)}, {"equity": None}, {"budget": None}):
        strategy = warm(maker())
        evaluate(strategy, START, **missing)
        assert raised(strategy)["strategy.warming"][0] is GuardLevel.PAUSED
        evaluate(strategy, START + SECOND)
        assert raised(strategy) == {}


def test_a_closed_gate_is_a_reason_with_its_evidence_and_limit():
    strategy = warm(maker())
    for i in range(50):
        strategy.gate.add(START + i, 0.00009, shadow=False)
    evaluate(strategy, START + 60)
    level, value, limit = raised(strategy)["strategy.edge"]
    assert (level, limit) == (GuardLevel.PAUSED, 0.0001)
    assert value == pytest.approx(0.00009)
    at_the_limit = warm(maker())
    for i in range(50):
        at_the_limit.gate.add(START + i, 0.0001001, shadow=False)
    evaluate(at_the_limit, START + 60)
    assert raised(at_the_limit) == {}
