"""The market maker on events: warm-up, regimes, modes, caps, gate and exits (MM-04 to MM-11)."""

from decimal import Decimal

import msgspec
import pytest
from strategy_views import BTC, HOUR, SECOND, SPOT, FakeOrder, FakeTop, FakeView, bar, instrument, step

from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.trading.model import (
    Abstain,
    FillBooked,
    Funding,
    GuardLevel,
    Liquidity,
    Side,
    Targets,
    Timer,
    Trade,
)
from tradeworthy.trading.sensing.regime import Regime
from tradeworthy.trading.strategies.market_maker import MarketMaker
from tradeworthy.trading.strategies.market_maker_formulas.edge_gate import Gate
from tradeworthy.trading.strategies.market_maker_formulas.policy import ExitPolicy, MarketMakerPolicy

MINUTE = 60 * SECOND
MID = 1_000_000
START = 60 * MINUTE


def top(mid=MID):
    return FakeTop(mid - 10, mid + 10)


def maker(of=BTC, **policy):
    return MarketMaker("one", of, MarketMakerPolicy(**policy))


def timer(strategy, name, now, **changes):
    changes.setdefault("top", top())
    return step(strategy, FakeView(Timer(name), now, **changes))


def warm(strategy, close=MID):
    """Fold fifty minutes and six samples: a known, neutral regime at `START`."""
    for i in range(50):
        strategy.observe(FakeView(bar(close, high=close + 1000, low=close - 1000, interval=MINUTE), i * MINUTE))
    for i in range(7):
        strategy.observe(FakeView(Timer("sample"), START - (7 - i) * 10 * SECOND, top=top(close)))
    return strategy


def evaluate(strategy, now=START, **changes):
    return timer(strategy, "evaluate", now, **changes)


def test_it_quotes_four_levels_on_both_sides_with_the_regimes_refresh():
    decision = evaluate(warm(maker()))
    assert [(q.side, q.level) for q in decision.quotes] == [(s, i) for s in (Side.BUY, Side.SELL) for i in range(4)]
    assert decision.refresh.interval_ns == 90 * SECOND
    assert all(q.price < MID - 10 for q in decision.quotes if q.side is Side.BUY)


def test_the_same_tape_gives_the_same_quotes():
    assert evaluate(warm(maker())) == evaluate(warm(maker()))


def test_the_regime_is_warming_until_three_known_samples():
    strategy = maker()
    assert evaluate(strategy) == Abstain("warming", withdraw=True)
    for i in range(50):
        strategy.observe(FakeView(bar(MID, interval=MINUTE), i * MINUTE))
    for i in range(5):  # drift is known from the fourth sample on
        timer(strategy, "sample", START + i * 10 * SECOND)
    assert evaluate(strategy, START + 45 * SECOND) == Abstain("warming", withdraw=True)
    timer(strategy, "sample", START + 50 * SECOND)
    assert isinstance(evaluate(strategy, START + 51 * SECOND), Targets)


def test_a_shock_between_samples_changes_the_quotes_at_once():
    strategy = warm(maker())
    decision = evaluate(strategy, top=top(MID + 3_000))
    assert strategy.regime is Regime.SHOCK
    assert len(decision.quotes) == 4
    assert decision.refresh.interval_ns == 120 * SECOND


@pytest.mark.parametrize(("code", "changes"), [
    ("market_unusable", {"top": FakeTop(usable=False)}),
    ("market_unusable", {"top": FakeTop(bid=None)}),
    ("input_quarantined", {"equity": None}),
    ("input_quarantined", {"budget": None}),
    ("budget_zero", {"budget": 0.0}),
    ("budget_zero", {"equity": 0.0}),
    ("guard", {"guard": GuardLevel.PAUSED}),
    ("guard", {"guard": GuardLevel.STOPPED}),
    ("mm.min_notional_above_cap", {"budget": 1.0}),
])
def test_no_quotes_say_why_and_withdraw(code, changes):
    assert evaluate(warm(maker()), **changes) == Abstain(code, withdraw=True)


def test_too_wild_a_market_and_too_narrow_a_market_are_not_quoted():
    wild = maker()
    for i in range(50):
        wild.observe(FakeView(bar(MID, high=MID + 9000, low=MID - 9000, interval=MINUTE), i * MINUTE))
    for i in range(7):
        wild.observe(FakeView(Timer("sample"), START - (7 - i) * 10 * SECOND, top=top()))
    assert evaluate(wild) == Abstain("regime", withdraw=True)
    assert evaluate(warm(maker(market_spread_min=0.001))) == Abstain("below_threshold", withdraw=True)


@pytest.mark.parametrize("mode", ["observe", "disabled"])
def test_other_modes_send_nothing(mode):
    strategy = warm(maker(mode=mode))
    assert evaluate(strategy) == Abstain(mode, withdraw=True)
    assert (strategy.assessment is not None) is (mode == "observe")


def test_an_account_of_a_million_is_capped_and_says_so():
    quotes = evaluate(warm(maker()), equity=1_000_000.0, budget=600_000.0).quotes
    assert {q.reason for q in quotes} == {"sized.capped"}
    assert all(240.0 < float(BTC.notional(q.price, q.lots)) <= 250.0 for q in quotes)


def test_a_spot_maker_sells_no_more_than_it_has():
    decision = step(warm(maker(SPOT)), FakeView(Timer("evaluate"), START, instrument=SPOT, top=top(), position=0))
    assert {q.side for q in decision.quotes} == {Side.BUY}


def test_a_long_perpetual_over_its_limit_only_sells_and_not_through_zero():
    decision = evaluate(warm(maker()), position=950, guard=GuardLevel.RUNNING)  # 950 lots of 10 quote each
    assert {q.side for q in decision.quotes} == {Side.SELL}
    reducing = evaluate(warm(maker()), position=2, guard=GuardLevel.REDUCING)
    assert sum(q.lots for q in reducing.quotes) <= 2
    assert {q.side for q in reducing.quotes} <= {Side.SELL}


def test_one_sided_rows_quote_that_side_and_a_perpetual_refuses_them():
    row = msgspec.structs.replace(MarketMakerPolicy().neutral, sides="sell_only")
    with pytest.raises(ConfigurationRefused, match="one_sided_on_perp"):
        maker(neutral=row)
    decision = evaluate(warm(maker(neutral=row, one_sided_on_perp=True)))
    assert {q.side for q in decision.quotes} == {Side.SELL}


def test_a_working_quote_the_mid_came_too_close_to_is_left_out_once():
    near = FakeOrder(Side.BUY, 0, MID - 50)
    far = FakeOrder(Side.SELL, 0, MID + 900)
    decision = evaluate(warm(maker()), orders=(near, far))
    slots = {(q.side, q.level) for q in decision.quotes}
    assert (Side.BUY, 0) not in slots
    assert (Side.SELL, 0) in slots


def fill(side, price, number=0, fee="0"):
    return FillBooked(
        f"t{number}", "tw-1", "one", BTC.instrument_id, side, 1, price, Liquidity.MAKER, Decimal(0), Decimal(fee),
        "USDT", 1, None, None,
    )


def lose(strategy):
    """Fifty sells, each followed by a mid thirty seconds later that is a little higher."""
    for i in range(50):
        strategy.observe(FakeView(fill(Side.SELL, MID + 200, i), START + i, top=top()))
    return evaluate(strategy, START + 31 * SECOND, top=top(MID + 600))


def test_losing_fills_close_the_gate_and_winning_shadows_reopen_it_in_a_calm_market():
    strategy = warm(maker(spot_share_min=-9.0))
    assert lose(strategy) == Abstain("edge", withdraw=True)
    now = START + 31 * SECOND
    for i in range(40):
        now += 40 * SECOND
        for back in (35, 25, 15):
            strategy.observe(FakeView(Timer("sample"), now - back * SECOND, top=top()))
        decision = evaluate(strategy, now)
        if strategy.gate.state is not Gate.CLOSED:
            break
        strategy.observe(FakeView(Trade(BTC.instrument_id, MID - 20_000, 1), now + i, top=top()))
    assert strategy.gate.state is Gate.PROBE
    assert [q.level for q in decision.quotes] == [0, 0]
    assert all(q.lots == 1 for q in decision.quotes)


def test_a_fill_of_another_instance_is_no_evidence():
    strategy = warm(maker())
    for i in range(60):
        other = msgspec.structs.replace(fill(Side.SELL, MID, i), instance="two")
        strategy.observe(FakeView(other, START, top=top()))
    evaluate(strategy, START + 31 * SECOND, top=top(MID + 600))
    assert strategy.gate.state is Gate.OPEN


def test_exits_stand_beside_the_quotes_when_they_are_on():
    decision = evaluate(warm(maker(exits=ExitPolicy())), position=5, average=float(MID))
    (barrier,) = decision.positions
    assert (barrier.lots, barrier.stop, barrier.take_profit) == (5, 998_000, 1_004_000)
    assert len(decision.quotes) == 8
    assert evaluate(warm(maker()), position=5, average=float(MID)).positions == ()


def test_exits_go_on_while_the_guard_withdraws_the_quotes():
    strategy = warm(maker(exits=ExitPolicy()))
    decision = evaluate(strategy, position=5, average=float(MID), guard=GuardLevel.PAUSED)
    assert decision.positions[0].stop == 998_000
    assert decision.quotes == ()


def test_paid_funding_enters_the_floor_and_an_unknown_rate_is_not_free():
    def floor_with(rate):
        strategy = warm(maker())
        if rate is not None:
            strategy.observe(FakeView(Funding(BTC.instrument_id, Decimal(rate)), START, top=top()))
        evaluate(strategy, position=500)
        return strategy.assessment.floor

    assert floor_with("-0.01") < floor_with(None) < floor_with("0.01")


class BarsOnlyTop(FakeTop):
    """What the desk knows of an instrument without quotes: twice the last close."""

    @property
    def mid2(self):
        return 2 * self.last


def test_hourly_bars_alone_drive_it_on_the_bar_clock():
    strategy = maker(
        clock="bars", bar_interval_ns=HOUR, drift_age_min_ns=HOUR, drift_age_max_ns=2 * HOUR,
    )
    decisions = [
        step(strategy, FakeView(
            bar(MID, high=MID + 800, low=MID - 800), i * HOUR, top=BarsOnlyTop(None, None, last=MID),
        ))
        for i in range(60)
    ]
    assert decisions[0].code == "warming"
    assert len(decisions[-1].quotes) == 8


def test_bars_of_another_interval_and_long_gaps_do_not_warm_it():
    strategy = warm(maker())
    for i in range(6):
        strategy.observe(FakeView(bar(MID, interval=MINUTE, filled=True), START + i))
    assert evaluate(strategy, START) == Abstain("warming", withdraw=True)


def test_dear_instruments_keep_the_minimum_size():
    dear = instrument(min_notional=Decimal(40))
    decision = step(warm(maker(dear)), FakeView(Timer("evaluate"), START, instrument=dear, top=top()))
    assert all(40 <= dear.notional(q.price, q.lots) < 60 for q in decision.quotes)
