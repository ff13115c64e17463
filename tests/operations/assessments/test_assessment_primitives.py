"""Primitives: at, under, over, absent and not a number, each with a known answer."""

import math
import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework import at_least, at_most, detectors
from tradeworthy.operations.assessments.framework import primitives as p
from tradeworthy.trading.market_data.calendar import calendar_of

OK, WARN, UNKNOWN, FAIL = Severity.OK, Severity.WARN, Severity.UNKNOWN, Severity.FAIL
NOW = 1_750_000_000 * NANOS_PER_SECOND


def nanos(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp()) * NANOS_PER_SECOND


@pytest.mark.parametrize(("trials", "bound"), [(59, 0.05), (299, 0.01), (2_995, 0.001)])
def test_no_failure_in_n_trials_tells_its_bound(trials: int, bound: float):
    assert p.zero_failures_bound(trials) <= bound < p.zero_failures_bound(trials - 1)


def test_a_rate_needs_its_trials():
    limit = at_most("share", warn=0.1, fail=0.5)
    assert p.ratio(19, 19, limit).severity is UNKNOWN
    assert "19" in p.ratio(19, 19, limit).message
    assert p.ratio(2, 20, limit).severity is WARN
    assert p.ratio(1, 20, limit).severity is OK
    assert "95 % confidence" in p.ratio(0, 59, limit).message
    assert p.ratio(21, 20, limit).severity is FAIL


@pytest.mark.parametrize(("nanos_ago", "severity"), [
    (10 * NANOS_PER_SECOND - 1, OK), (10 * NANOS_PER_SECOND, WARN), (20 * NANOS_PER_SECOND - 1, WARN),
    (20 * NANOS_PER_SECOND, FAIL), (0, OK), (-1, FAIL),
])  # fmt: skip
def test_an_age_is_judged_to_the_nanosecond_and_never_below_zero(nanos_ago: int, severity: Severity):
    limit = at_most("s", warn=10.0, fail=20.0)
    assert p.age(NOW - nanos_ago, NOW, limit).severity is severity


def test_a_stamp_ahead_of_now_is_named():
    far = p.age(nanos(2099, 1, 1), NOW, at_most("s", fail=1.0))
    assert (far.severity, far.what) == (FAIL, "future_timestamp")
    assert p.age(NOW + NANOS_PER_SECOND, NOW, at_most("s", fail=9.0), ahead_s=1.0).severity is OK


@pytest.mark.parametrize(("expected", "observed", "severity"), [
    ("ab", "ab", OK), ("ab", "a", WARN), ("ab", "", FAIL), ("ab", "abc", WARN), ("", "", UNKNOWN), ("", "a", UNKNOWN),
    ("a", "", FAIL), ("a", "b", FAIL),
])  # fmt: skip
def test_a_set_is_judged_against_what_is_expected(expected, observed, severity):
    assert p.missing_of(tuple(expected), tuple(observed)).severity is severity


def test_a_word_that_nobody_knows_is_unknown():
    table = {"up": OK, "down": FAIL}
    assert [p.one_of(word, table).severity for word in ("up", "down", "Up", "")] == [OK, FAIL, UNKNOWN, UNKNOWN]


def test_a_streak_counts_the_newest_failures():
    limit = at_most("runs", warn=1, fail=2)
    outcomes = [True, False, False]
    assert p.streak(outcomes, limit).severity is FAIL
    assert p.streak(outcomes[:2], limit).severity is WARN
    assert p.streak([*outcomes, True], limit).severity is OK
    assert p.streak([], limit).severity is UNKNOWN
    assert p.streak([False] * 9, limit).observed == 9


def test_what_is_older_than_the_window_no_longer_counts():
    limit = at_most("drops", warn=1, fail=5)
    drops = [NOW - n * NANOS_PER_SECOND for n in range(5)]
    assert p.window_count(drops, NOW, 3_600, limit).severity is FAIL
    assert p.window_count(drops, NOW + 3_600 * NANOS_PER_SECOND, 3_600, limit).severity is OK
    assert p.window_count([NOW + 1], NOW, 3_600, limit).observed == 0


@pytest.mark.parametrize(("q", "needed"), [(0.99, 100), (0.95, 20), (0.5, 20)])
def test_a_quantile_needs_its_samples(q: float, needed: int):
    limit = at_most("ms", fail=10.0)
    few = p.quantile([50.0] * (needed - 1), q, limit)
    assert few.severity is UNKNOWN
    assert f"n {needed - 1}" in few.message
    assert "max 50" in few.message
    assert p.quantile([50.0] * needed, q, limit).severity is FAIL
    assert p.quantile([], q, limit).severity is UNKNOWN


def test_a_quantile_is_the_nearest_rank():
    samples = [float(n) for n in range(1, 101)]
    assert p.quantile(samples, 0.99, at_most("ms", fail=99.0)).observed == 99.0


def test_coverage_is_full_at_most_and_unknown_where_nothing_is_expected():
    limit = at_least("share", warn=0.85, fail=0.60, high=1.0)
    table = [p.coverage(n, 1_000, limit).severity for n in (599, 600, 849, 850, 2_000)]
    assert table == [FAIL, WARN, WARN, OK, OK]
    assert p.coverage(1, 0, limit).severity is UNKNOWN


def test_open_minutes_know_early_closes_weekends_and_the_currency_week():
    pytest.importorskip("exchange_calendars")
    stocks = calendar_of("XNYS")
    assert p.open_minutes(stocks, nanos(2024, 11, 29), nanos(2024, 11, 30)) == 210
    assert p.open_minutes(stocks, nanos(2024, 11, 30), nanos(2024, 12, 2)) == 0
    assert p.open_minutes(stocks, nanos(2024, 12, 2), nanos(2024, 12, 3)) == 390
    week = calendar_of("24x5")
    assert p.open_minutes(week, nanos(2024, 12, 1), nanos(2024, 12, 8)) == 5 * 24 * 60
    assert p.open_minutes(calendar_of("24/7"), nanos(2024, 12, 1), nanos(2024, 12, 8)) == 7 * 24 * 60


def test_a_difference_needs_two_values():
    limit = at_most("points", fail=1.0, low=-10)
    assert p.delta([1.0], limit).severity is UNKNOWN
    assert p.delta([1.0, 2.0], limit).severity is FAIL
    assert p.delta([1.0, 1.999], limit).severity is OK


def test_a_budget_burns_as_fast_as_its_errors():
    limit = at_most("times", fail=14.4)
    assert p.budget_burn(144, 10_000, 0.999, limit).severity is FAIL
    assert p.budget_burn(143, 10_000, 0.999, limit).severity is OK
    assert p.budget_burn(9, 10, 0.999, limit).severity is UNKNOWN
    with pytest.raises(ValueError, match="objective"):
        p.budget_burn(0, 100, 1.0, limit)


def test_stability_is_zero_for_the_same_shares_and_known_for_a_shift():
    base = [float(n) for n in range(100)]
    assert p.psi(base, base) == 0.0
    shifted = [float(n) for n in range(50, 100)] * 2
    # half of the buckets hold 20 of 100, half none, counted as half a sample
    wanted = 5 * (0.2 - 0.1) * math.log(0.2 / 0.1) + 5 * (0.005 - 0.1) * math.log(0.005 / 0.1)
    assert p.psi(base, shifted) == pytest.approx(wanted)
    with pytest.raises(ValueError, match="samples a side"):
        p.psi(base[:9], base)


samples = st.lists(st.floats(-1e3, 1e3), min_size=20, max_size=60)


@given(samples, samples)
def test_stability_is_never_below_zero(base, current):
    assert p.psi(base, current) >= -1e-12


def test_every_primitive_that_a_code_names_is_known():
    from tradeworthy.operations.assessments.framework.registry import registry

    used = {code.primitive for one in registry() for code in one.codes()}
    assert used <= {*p.PRIMITIVES, "custom", "composite"}


def test_a_step_is_seen_and_noise_is_not():
    rng = random.Random(7)
    noise = [rng.gauss(0, 1) for _ in range(300)]
    stepped = [*noise[:240], *(one + 3 for one in noise[240:])]
    assert detectors.page_hinkley(stepped, delta=0.05) > 5 * detectors.page_hinkley(noise, delta=0.5)
    assert detectors.cusum(stepped, target=0, slack=1.0) > 50 > detectors.cusum(noise, target=0, slack=1.0)
    assert detectors.mean_shift(noise[:240], stepped[240:]) == pytest.approx(3, abs=0.4)


def test_a_cusum_of_a_known_series_is_known():
    assert detectors.cusum([1, 1, 1], target=0, slack=0.5) == 1.5
    assert detectors.cusum([-1, -1, 1], target=0, slack=0.5) == 1.0
    assert detectors.page_hinkley([0, 0, 0], delta=0.1) == 0.0


def test_spread_is_compared_and_a_baseline_without_one_is_unknown():
    assert detectors.variance_ratio([0, 2], [0, 4]) == 4.0
    assert detectors.variance_ratio([1, 1], [0, 4]) is None
    assert detectors.mean_shift([1, 1], [5]) is None


def test_two_samples_are_compared_as_the_reference_does():
    stats = pytest.importorskip("scipy.stats")
    rng = random.Random(3)
    first = [rng.gauss(0, 1) for _ in range(200)]
    second = [rng.gauss(0.2, 1) for _ in range(150)]
    wanted = stats.ks_2samp(first, second, method="asymp")
    statistic, pvalue = detectors.kolmogorov_smirnov(first, second)
    assert statistic == pytest.approx(wanted.statistic, abs=1e-12)
    root = math.sqrt(200 * 150 / 350)
    assert pvalue == pytest.approx(stats.kstwobign.sf(root * statistic), abs=1e-9)
    assert detectors.kolmogorov_smirnov(first, first) == (0.0, 1.0)


@pytest.mark.parametrize("series", [[math.nan, 1.0], [math.inf, 1.0], []])
def test_a_series_that_is_not_finite_or_empty_is_refused(series):
    with pytest.raises(ValueError, match="expected"):
        detectors.cusum(series, target=0, slack=1)
