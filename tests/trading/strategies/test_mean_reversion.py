"""Mean reversion: extremes in a neutral market only (ST-04)."""

import pytest
from strategy_views import BTC, HOUR, run, step, view_at

from tradeworthy.trading.model import Abstain, GuardLevel, PositionTarget, Targets
from tradeworthy.trading.strategies.mean_reversion import MeanReversion, MeanReversionPolicy

CALM = [100_000 + 40 * (i % 2) for i in range(70)]
DIP = [99_700, 99_400]


def reversion(**changes):
    return MeanReversion("one", BTC, MeanReversionPolicy(**changes))


def dipped(**changes):
    strategy = reversion()
    run(strategy, CALM)
    return step(strategy, view_at(99_400, 70 * HOUR, **changes))


def entries(decisions):
    return [d.positions[0] for d in decisions if isinstance(d, Targets) and d.positions[0].lots]


@pytest.mark.parametrize("sign", [1, -1])
def test_an_extreme_in_a_neutral_market_is_faded_once(sign):
    closes = [100_000 + sign * (close - 100_000) for close in CALM + DIP]
    found = entries(run(reversion(), closes))
    assert len(found) == 1
    assert found[0].lots * sign > 0
    assert 0.005 <= abs(found[0].stop - closes[70]) / closes[70] <= 0.08


def test_without_shorts_an_overbought_market_is_left_alone():
    closes = [200_000 - close for close in CALM + DIP]
    assert entries(run(reversion(shorts=False), closes)) == []


@pytest.mark.parametrize("sign", [1, -1])
def test_a_trending_tape_gives_no_entry(sign):
    closes = [100_000 + sign * (100 * i + 1_500 * (i // 10)) for i in range(200)]  # jumps leave the band
    decisions = run(reversion(), closes)
    assert entries(decisions) == []
    assert Abstain("regime") in decisions


def test_the_position_is_left_when_the_index_returns_to_fifty():
    decisions = run(reversion(), [*CALM, 99_400, 99_500, 99_800, 100_300])
    last = next(d for d in reversed(decisions) if isinstance(d, Targets))
    assert last.positions == (PositionTarget(BTC.instrument_id, 0, "rsi_exit"),)


def test_the_position_is_left_at_the_stop():
    decisions = run(reversion(), [*CALM, 99_400, 95_000])
    assert decisions[-1].positions == (PositionTarget(BTC.instrument_id, 0, "stop"),)


def test_a_deeper_extreme_adds_nothing_to_the_position():
    strategy = reversion()
    decisions = run(strategy, [*CALM, 99_400, 99_390, 99_380])
    assert decisions[-2:] == [Abstain("unchanged"), Abstain("unchanged")]


@pytest.mark.parametrize(("code", "changes"), [
    ("guard", {"guard": GuardLevel.STOPPED}), ("budget_zero", {"budget": 0.0}), ("input_quarantined", {"budget": None}),
])
def test_an_extreme_that_may_not_be_traded_says_why(code, changes):
    assert dipped(**changes) == Abstain(code)


def test_it_warms_up_and_then_finds_nothing_below_its_threshold():
    codes = [d.code for d in run(reversion(), CALM)]
    assert codes[48] == "warming"
    assert set(codes[50:]) == {"below_threshold"}


def test_six_filled_bars_make_it_warm_up_again():
    strategy = reversion()
    run(strategy, CALM)
    for _ in range(6):
        step(strategy, view_at(100_000, filled=True))
    assert step(strategy, view_at(99_000)) == Abstain("warming")


def test_a_shifted_tape_shifts_the_entry_by_one_bar():
    def at(closes):
        return next(i for i, d in enumerate(run(reversion(), closes)) if isinstance(d, Targets))

    assert at([CALM[1], *CALM, *DIP]) == at(CALM + DIP) + 1


def test_future_bars_leave_earlier_decisions_as_they_were():
    closes = CALM + DIP
    assert run(reversion(), [*closes, 1_000, 500_000])[:len(closes)] == run(reversion(), closes)
