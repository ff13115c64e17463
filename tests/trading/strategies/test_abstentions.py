"""One fixture a code (ST-05)."""

import pytest
from strategy_views import BTC, HOUR, SPOT, FakeTop, FakeView, run, step, view_at

from tradeworthy.trading.model import Abstain, GuardLevel, Quote
from tradeworthy.trading.strategies import abstentions
from tradeworthy.trading.strategies.ema_trend import EmaTrend, EmaTrendPolicy
from tradeworthy.trading.strategies.touch_quoter import TouchQuoter, TouchQuoterPolicy

FALLING = [100_000 - 40 * n for n in range(80)]
RISING = [*FALLING, *(FALLING[-1] + 400 * n for n in range(1, 40))]
CODES = {one.code for one in vars(abstentions).values() if isinstance(one, Abstain)}


def crossed(**changes):
    """Return what the trend says at the bar that crosses, with the view changed."""
    strategy = EmaTrend("one", BTC, EmaTrendPolicy())
    for number, close in enumerate(RISING):
        before = strategy._sign
        view = view_at(close, number * HOUR)
        strategy.observe(view)
        if before < 0 < strategy._sign:
            for name, value in changes.items():
                setattr(view, name, value)
            return strategy.decide(view)
    raise AssertionError("the fixture does not cross")


def warming():
    return step(EmaTrend("one", BTC, EmaTrendPolicy()), view_at(100_000))


def below_threshold():
    return run(EmaTrend("one", BTC, EmaTrendPolicy()), FALLING)[-1]


def crossed_in_shock():
    strategy = EmaTrend("one", BTC, EmaTrendPolicy(shock_band=1e-9))
    decisions = [step(strategy, view_at(close, n * HOUR)) for n, close in enumerate(RISING)]
    return next(one for one in decisions if isinstance(one, Abstain) and one.code == "regime")


def unchanged():
    quoter = TouchQuoter("one", SPOT, TouchQuoterPolicy())
    view = FakeView(Quote(SPOT.instrument_id, 9_999, 10_001))
    quoter.decide(view)
    return quoter.decide(view)


FIXTURES = {
    "warming": warming,
    "regime": crossed_in_shock,
    "below_threshold": below_threshold,
    "input_quarantined": lambda: crossed(budget=None),
    "budget_zero": lambda: crossed(budget=0.0),
    "guard": lambda: crossed(guard=GuardLevel.PAUSED),
    "market_unusable": lambda: crossed(top=FakeTop(usable=False)),
    "unchanged": unchanged,
}


@pytest.mark.parametrize("code", sorted(CODES))
def test_each_code_has_a_fixture_that_gives_it(code):
    assert FIXTURES[code]().code == code


def test_the_crossing_of_the_fixture_is_traded_where_nothing_forbids_it():
    assert crossed().positions[0].lots > 0
