import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.kernel.severity import Severity
from tradeworthy.research.backtest import statistics as stats

RETURNS = [0.01, -0.02, 0.03, 0.0]
# by hand: mean 0.005, sum of squares about it 0.0013, population variance 0.000325, sample variance 0.0013/3


def test_moments_of_four_returns_by_hand():
    found = stats.moments(RETURNS)
    root = math.sqrt(0.000325)
    assert found.mean == pytest.approx(0.005, abs=1e-15)
    assert found.deviation == pytest.approx(math.sqrt(0.0013 / 3), abs=1e-12)
    third = (0.005**3 - 0.025**3 + 0.025**3 - 0.005**3) / 4
    fourth = (2 * 0.005**4 + 2 * 0.025**4) / 4
    assert found.skew == pytest.approx(third / root**3, abs=1e-9)
    assert found.kurtosis == pytest.approx(fourth / root**4, abs=1e-9)


def test_sharpe_and_its_error_by_hand_and_never_gates_below_sixty_days():
    found = stats.sharpe(RETURNS, periods_per_year=252)
    daily = 0.005 / math.sqrt(0.0013 / 3)
    kurtosis = (0.005**4 + 0.025**4) / 2 / 0.000325**2
    error = math.sqrt((1 + (kurtosis - 1) / 4 * daily**2) / 3)
    assert found.value == pytest.approx(daily * math.sqrt(252), abs=1e-9)
    assert found.standard_error == pytest.approx(error * math.sqrt(252), abs=1e-9)
    assert not found.gates
    assert found.note == "4 days, fewer than 60: shown, never gates"


@pytest.mark.parametrize(("days", "gates"), [(59, False), (60, True)])
def test_sharpe_gates_from_sixty_days(days, gates):
    rng = random.Random(1)
    assert stats.sharpe([rng.gauss(0, 0.01) for _ in range(days)], periods_per_year=365).gates is gates


def test_sortino_and_tail_ratio_by_hand():
    assert stats.sortino(RETURNS, periods_per_year=365) == pytest.approx(0.005 / 0.01 * math.sqrt(365), abs=1e-9)
    # sorted -0.02, 0, 0.01, 0.03: 5 % at 0.15 -> -0.017, 95 % at 2.85 -> 0.027
    assert stats.tail_ratio(RETURNS) == pytest.approx(0.027 / 0.017, abs=1e-9)


def test_probabilistic_sharpe_of_normal_moments_by_hand():
    found = stats.Moments(n=101, mean=0.1, deviation=1.0, skew=0.0, kurtosis=3.0)
    z = 0.1 * 10 / math.sqrt(1 + 0.5 * 0.01)
    assert stats.probabilistic_sharpe(found) == pytest.approx(0.5 * (1 + math.erf(z / math.sqrt(2))), abs=1e-9)
    length = stats.minimum_track_record(found)
    assert length == pytest.approx(1 + 1.005 * (1.6448536269514722 / 0.1) ** 2, abs=1e-6)
    assert stats.minimum_track_record(found, benchmark=0.1) is None


@given(mean=st.floats(0.02, 0.5), skew=st.floats(-1, 1), kurtosis=st.floats(3, 9))
def test_the_minimum_track_record_is_where_the_probability_reaches_its_confidence(mean, skew, kurtosis):
    found = stats.Moments(100, mean, 1.0, skew, kurtosis)
    length = stats.minimum_track_record(found)
    z = found.sharpe * math.sqrt(length - 1) / math.sqrt(found.sharpe_variance)
    assert stats.NORMAL.cdf(z) == pytest.approx(0.95, abs=1e-9)


def test_expected_maximum_grows_with_trials_and_is_near_the_true_mean_of_the_maximum():
    rng = random.Random(5)
    mean_max = sum(max(rng.gauss(0, 1) for _ in range(100)) for _ in range(2000)) / 2000
    assert stats.expected_maximum_sharpe(trials=100, variance=1.0) == pytest.approx(mean_max, abs=0.05)
    assert stats.expected_maximum_sharpe(trials=1, variance=1.0) == 0.0
    assert stats.expected_maximum_sharpe(trials=10, variance=4.0) == pytest.approx(
        2 * stats.expected_maximum_sharpe(trials=10, variance=1.0), abs=1e-12
    )


def test_the_best_of_a_hundred_noise_strategies_passes_the_deflated_sharpe_in_at_most_five_percent_of_seeds():
    passed = 0
    for seed in range(40):
        rng = random.Random(seed)
        runs = [[rng.gauss(0, 0.01) for _ in range(120)] for _ in range(100)]
        sharpes = [stats.moments(run).sharpe for run in runs]
        best = runs[sharpes.index(max(sharpes))]
        assert stats.probabilistic_sharpe(stats.moments(best)) > 0.95  # without deflation noise would pass
        passed += stats.deflated_sharpe(best, sharpes).severity is Severity.OK
    assert passed <= 2


def test_a_strong_strategy_passes_the_deflated_sharpe_but_not_on_few_days():
    rng = random.Random(3)
    strong = [rng.gauss(0.005, 0.01) for _ in range(250)]
    noise = [rng.gauss(0, 0.06) for _ in range(50)]
    assert stats.deflated_sharpe(strong, noise).severity is Severity.OK
    assert stats.deflated_sharpe(strong[:59], noise).severity is Severity.UNKNOWN


def test_drawdown_depth_and_length_by_hand():
    found = stats.drawdown([100, 120, 90, 110, 121, 120, 119, 118])
    assert found == stats.Drawdown(depth=0.25, peak=1, trough=2, length=3)


@given(st.lists(st.floats(1, 1e6), min_size=1, max_size=60))
def test_drawdown_is_a_fraction_and_equals_the_brute_force_maximum(equity):
    brute = max(1 - equity[j] / equity[i] for i in range(len(equity)) for j in range(i, len(equity)))
    assert stats.drawdown(equity).depth == pytest.approx(max(0.0, brute), abs=1e-12)


def test_ratios_of_trades_by_hand():
    assert stats.profit_factor([3.0, -1.0, 2.0, -1.5]) == pytest.approx(2.0, abs=1e-12)
    assert stats.turnover(300.0, [100.0, 200.0]) == pytest.approx(2.0, abs=1e-12)
    assert stats.exposure_share([(0, 0), (10, 5), (30, 0)], end=40) == pytest.approx(0.5, abs=1e-12)
    found = stats.hit_rate(8, 10)
    assert (found.value, found.n) == (0.8, 10)
    assert found.lower == pytest.approx(0.4901624715, abs=1e-9)
    assert found.upper == pytest.approx(0.9433178485, abs=1e-9)


@given(n=st.integers(1, 500), data=st.data())
def test_wilson_interval_holds_the_rate_and_stays_in_the_unit_interval(n, data):
    found = stats.hit_rate(data.draw(st.integers(0, n)), n)
    assert 0 <= found.lower <= found.value + 1e-12
    assert found.value - 1e-12 <= found.upper <= 1


def test_holding_times_match_first_in_first_out_through_zero():
    assert stats.holding_times([(0, 2), (10, 1), (20, -4), (50, 1)]) == [(20, 2), (10, 1), (30, 1)]


@given(st.lists(st.integers(-5, 5).filter(bool), max_size=40))
def test_closed_and_open_lots_add_up_to_all_lots(lots):
    closed = sum(part for _, part in stats.holding_times(enumerate(lots)))
    assert 2 * closed + abs(sum(lots)) == sum(map(abs, lots))


@pytest.mark.parametrize("returns", [[], [0.01], [0.01, 0.01, 0.01]])
def test_too_little_data_is_said_and_not_a_number(returns):
    with pytest.raises(stats.TooFewObservations):
        stats.sharpe(returns, periods_per_year=252)
