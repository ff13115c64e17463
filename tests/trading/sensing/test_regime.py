"""Raw labels at their limits and the hold against noise (MM-04)."""

import pytest

from tradeworthy.trading.sensing.regime import SECOND_NS, DriftWindow, Regime, RegimeHold, RegimePolicy, raw_regime

POLICY = RegimePolicy()


def raw(mid=10_000.0, ema=10_000.0, band=0.0020, drift=0.0):
    return raw_regime(mid, ema, band, drift, POLICY)


@pytest.mark.parametrize("missing", ["mid", "ema", "band", "drift"])
def test_any_unknown_input_leaves_the_regime_unknown(missing):
    assert raw(**{missing: None}) is Regime.UNKNOWN


@pytest.mark.parametrize(("change", "expected"), [
    ({}, Regime.NEUTRAL),
    ({"band": 0.0080}, Regime.SHOCK),
    ({"band": 0.0079}, Regime.NEUTRAL),
    ({"band": 0.0002, "drift": 0.0003}, Regime.NEUTRAL),
    ({"band": 0.0002, "drift": -0.0020}, Regime.SHOCK),
    ({"band": 0.0040, "drift": 0.0049}, Regime.NEUTRAL),
    ({"band": 0.0040, "drift": 0.0051}, Regime.SHOCK),
    ({"mid": 10_010.0}, Regime.NEUTRAL),
    ({"mid": 10_010.1}, Regime.UP),
    ({"mid": 9_989.9}, Regime.DOWN),
])
def test_the_label_follows_band_drift_and_trend(change, expected):
    assert raw(**change) is expected


def held(labels):
    hold = RegimeHold(3)
    return [hold.sample(label) for label in labels]


def test_two_flipped_samples_change_nothing_and_three_do():
    n, u = Regime.NEUTRAL, Regime.UP
    assert held([n, n, n, u, u, n]) == [Regime.UNKNOWN, Regime.UNKNOWN, n, n, n, n]
    assert held([n, n, n, u, u, u])[-1] is u


def test_shock_is_entered_at_the_first_sample_and_left_after_three():
    n, s = Regime.NEUTRAL, Regime.SHOCK
    assert held([n, n, n, s, n, n, n])[2:] == [n, s, s, s, n]


def test_between_samples_only_a_shock_counts():
    hold = RegimeHold(1)
    hold.sample(Regime.NEUTRAL)
    assert hold.alarm(Regime.UP) is Regime.NEUTRAL
    assert hold.alarm(Regime.SHOCK) is Regime.SHOCK


def test_drift_is_measured_against_the_newest_sample_of_thirty_to_forty_five_seconds():
    window = DriftWindow()
    window.sample(0, 100.0)
    window.sample(10 * SECOND_NS, 200.0)
    assert window.drift(29 * SECOND_NS, 110.0) is None
    assert window.drift(30 * SECOND_NS, 110.0) == pytest.approx(0.10)
    assert window.drift(40 * SECOND_NS, 190.0) == pytest.approx(-0.05)
    assert window.drift(55 * SECOND_NS, 200.0) == 0.0
    assert window.drift(56 * SECOND_NS, 200.0) is None
