import io

import pytest
from run_builder import BOOK, at, fill, quote

from tradeworthy.kernel.errors import InvalidInput, UsageError
from tradeworthy.kernel.severity import Severity
from tradeworthy.research.backtest.blotter import COLUMNS, Blotter
from tradeworthy.research.backtest.pbo import probability_of_overfitting
from tradeworthy.research.backtest.split import split_by_time, walk_forward
from tradeworthy.research.backtest.trials import OutOfSampleOpened, Trial, TrialRegister
from tradeworthy.trading.model.market import Side

np = pytest.importorskip("numpy", reason="the overfitting test needs the extra `research`")


def noise(seed, trials=20):
    return np.random.default_rng(seed).normal(0, 0.01, (480, trials))


def test_overfitting_of_noise_is_a_coin_toss_and_of_a_planted_strategy_rare():
    planted = []
    for seed in range(30):
        returns = noise(seed)
        returns[:, 0] += 0.002  # a daily Sharpe of 0.2
        planted.append(probability_of_overfitting(returns).probability)
    random_ones = [probability_of_overfitting(noise(seed)).probability for seed in range(30)]
    assert sum(random_ones) / 30 == pytest.approx(0.5, abs=0.1)
    assert sum(planted) / 30 < 0.1


def test_sixteen_blocks_make_12870_splits_and_nine_trials_are_unknown():
    assert probability_of_overfitting(noise(1, 10)).splits == 12_870
    found = probability_of_overfitting(noise(1, 9))
    assert (found.probability, found.severity) == (None, Severity.UNKNOWN)


def test_equal_trials_are_at_the_median_and_fail():
    returns = np.repeat(noise(1, 1), 12, axis=1)
    assert probability_of_overfitting(returns).severity is Severity.FAIL


def test_a_value_that_is_not_finite_is_refused():
    returns = noise(1)
    returns[3, 3] = np.nan
    with pytest.raises(InvalidInput, match="finite"):
        probability_of_overfitting(returns)


def test_the_split_keeps_purge_and_embargo_out_of_both_parts():
    split = split_by_time(0, 1000, purge_ns=10, embargo_ns=10)
    assert (split.in_sample.start, split.in_sample.end) == (0, 790)
    assert (split.out_of_sample.start, split.out_of_sample.end) == (810, 1000)
    assert 790 not in split.in_sample
    with pytest.raises(UsageError, match="before the end"):
        split_by_time(5, 5)


def test_walk_forward_trains_only_on_the_past_and_tests_follow_one_another():
    folds = walk_forward(0, 1000, folds=4, purge_ns=5)
    assert [(f.in_sample.end, f.out_of_sample.start, f.out_of_sample.end) for f in folds] == [
        (195, 210, 400), (395, 410, 600), (595, 610, 800), (795, 810, 1000),
    ]


def test_each_opening_counts_as_a_trial_and_a_repeated_run_does_not():
    register = TrialRegister()
    for i, payload in enumerate(
        [
            Trial("mm", "r1", "c1", 100, 0.1), Trial("mm", "r2", "c2", 100, 0.3), Trial("mm", "r1", "c1", 100, 0.1),
            Trial("ema", "r3", "c3", 100, None), OutOfSampleOpened("mm", "r2", 0, 1),
            OutOfSampleOpened("mm", "r2", 0, 1),
        ]
    ):
        register.on_event(at(i, payload))
    assert (register.count("mm"), register.openings("mm"), register.count("ema")) == (4, 2, 1)
    assert register.sharpes("mm") == pytest.approx([0.1, 0.3, 0.2, 0.2])
    assert register.sharpes("ema") == []


def test_the_blotter_writes_fills_in_the_instrument_s_units():
    out = io.StringIO()
    blotter = Blotter(out, BOOK)
    blotter.on_event(at(0, quote(999, 1001)))
    blotter.on_event(at(1, fill(Side.BUY, 5, 999, fee="0.01", position=5)))
    head, row, end = out.getvalue().split("\n")
    assert (head, end, blotter.rows) == (",".join(COLUMNS), "", 1)
    assert row.split(",")[1:] == [
        "fill", "o-1", "BUY-5-999", "mm-1", "BTCUSDT.SIM", "BUY", "0.05", "99.9", "", "maker", "0.01", "USDT", "0",
        "0.05", "",
    ]
