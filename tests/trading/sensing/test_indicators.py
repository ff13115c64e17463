"""Running indicators equal the formulas worked out from scratch (MM-03)."""

from itertools import pairwise
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.trading.sensing.indicators import GAP_BARS_MAX, Atr, Bollinger, Ema, Ewma, GapWatch, Rsi

CLOSES = st.lists(st.integers(min_value=1, max_value=10**7), min_size=1, max_size=120)
PERIODS = st.integers(min_value=1, max_value=30)
BARS = st.lists(
    st.tuples(st.integers(1, 10**6), st.integers(0, 10**4), st.integers(0, 10**4)), min_size=1, max_size=100
).map(lambda rows: [(low + a + b, low, low + a) for low, a, b in rows])


def close_to(expected):
    return pytest.approx(expected, rel=1e-12, abs=1e-12)


@given(CLOSES, PERIODS)
def test_ema_equals_the_weighted_sum_of_all_closes(closes, period):
    ema = Ema(period)
    for close in closes:
        ema.update(close)
    alpha, n = 2 / (period + 1), len(closes) - 1
    expected = closes[0] * (1 - alpha) ** n + sum(alpha * (1 - alpha) ** (n - i) * closes[i] for i in range(1, n + 1))
    assert ema.value == close_to(expected)
    assert ema.ready is (len(closes) >= period)


@given(CLOSES, st.floats(0.01, 1.0))
def test_ewma_starts_at_the_first_value_and_follows_its_weight(values, alpha):
    ewma = Ewma(alpha)
    expected = values[0]
    for i, value in enumerate(values):
        expected = value if i == 0 else alpha * value + (1 - alpha) * expected
        assert ewma.update(value) == pytest.approx(expected, rel=1e-9)


@given(BARS, PERIODS)
def test_atr_is_the_mean_of_n_ranges_and_then_wilders(bars, period):
    atr = Atr(period)
    ranges = []
    for i, (high, low, close) in enumerate(bars):
        atr.update(high, low, close)
        before = bars[i - 1][2] if i else low
        ranges.append(max(high, before) - min(low, before) if i else high - low)
    assert atr.ready is (len(bars) >= period)
    if atr.ready:
        expected = sum(ranges[:period]) / period
        for value in ranges[period:]:
            expected = (expected * (period - 1) + value) / period
        assert atr.value == close_to(expected)


@given(CLOSES, PERIODS)
def test_rsi_equals_wilders_means_of_gains_and_losses(closes, period):
    rsi = Rsi(period)
    for close in closes:
        rsi.update(close)
    changes = [b - a for a, b in pairwise(closes)]
    assert rsi.ready is (len(changes) >= period)
    if not rsi.ready:
        return
    gain = sum(max(c, 0) for c in changes[:period]) / period
    loss = sum(max(-c, 0) for c in changes[:period]) / period
    for change in changes[period:]:
        gain = (gain * (period - 1) + max(change, 0)) / period
        loss = (loss * (period - 1) + max(-change, 0)) / period
    expected = 50.0 if gain == loss == 0 else 100 * gain / (gain + loss)
    assert rsi.value == pytest.approx(expected, rel=1e-12, abs=1e-9)


@given(CLOSES, PERIODS)
def test_bollinger_equals_mean_and_deviation_of_the_window(closes, period):
    bands = Bollinger(period, 2.0)
    for close in closes:
        bands.update(close)
    window = closes[-period:]
    mean = sum(window) / len(window)
    deviation = sqrt(sum((len(window) * c - sum(window)) ** 2 for c in window) / len(window)) / len(window)
    assert bands.mean == close_to(mean)
    assert bands.deviation == close_to(deviation)
    assert (bands.lower, bands.upper) == (bands.mean - 2 * bands.deviation, bands.mean + 2 * bands.deviation)
    assert bands.ready is (len(closes) >= period)


def test_bollinger_forgets_a_spike_exactly_when_it_leaves_the_window():
    bands = Bollinger(3, 2.0)
    for close in (10**12, 100, 101, 102):
        bands.update(close)
    assert bands.mean == 101.0
    assert bands.deviation == pytest.approx(sqrt(2 / 3), rel=1e-15)


@pytest.mark.parametrize("indicator", [Ema(3), Atr(3), Rsi(3), Bollinger(3, 2.0)])
def test_an_interrupted_indicator_waits_for_its_n_values_again(indicator):
    def feed(close):
        indicator.update(close + 1, close - 1, close) if isinstance(indicator, Atr) else indicator.update(close)

    for close in (10, 11, 12, 13):
        feed(close)
    assert indicator.ready
    indicator.interrupt()
    feed(14)
    feed(15)
    assert not indicator.ready
    feed(16)
    assert indicator.ready


def test_the_gap_is_told_once_at_one_more_than_five_filled_bars():
    watch = GapWatch()
    assert [watch.filled() for _ in range(GAP_BARS_MAX + 2)] == [False] * 5 + [True, False]
    watch.real()
    assert not any(watch.filled() for _ in range(GAP_BARS_MAX))


@pytest.mark.parametrize(("kind", "value"), [(Ema, 0), (Atr, -1), (Rsi, 0), (Ewma, 0.0), (Ewma, 1.1)])
def test_a_period_or_weight_out_of_range_is_refused(kind, value):
    with pytest.raises(ValueError, match=f"was {value}"):
        kind(value)
