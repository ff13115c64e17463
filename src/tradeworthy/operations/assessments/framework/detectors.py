"""Drift of a series against its baseline: detectors in their own units, each a pure function (FW-09, FW-15)."""

from collections.abc import Callable, Sequence
from math import exp, isfinite, sqrt
from statistics import fmean, pvariance

from tradeworthy.operations.assessments.framework.online import adwin, detected, kswin, page_hinkley_online
from tradeworthy.operations.assessments.framework.primitives import psi

SAMPLES_MIN = 2


def page_hinkley(series: Sequence[float], *, delta: float) -> float:
    """Return the greatest Page–Hinkley statistic of a rise or a fall, in the series' units.

    delta  change of the mean that is tolerated.  Source: Page (1954), Hinkley (1971), running mean.
    """
    return page_hinkley_peaks(series, delta=delta, split=0)[1]


def page_hinkley_peaks(series: Sequence[float], *, delta: float, split: int) -> tuple[float, float]:
    """Return the greatest statistic of the first `split` values, and that of all of them, in one pass."""
    _require(series, 1)
    mean = worst = before = 0.0
    up = down = low = high = 0.0
    for count, one in enumerate(series, 1):
        mean += (one - mean) / count
        away = one - mean
        up += away - delta
        down += away + delta
        if up < low:
            low = up
        if down > high:
            high = down
        if up - low > worst:
            worst = up - low
        if high - down > worst:
            worst = high - down
        if count == split:
            before = worst
    return before, worst


def cusum(series: Sequence[float], *, target: float, slack: float) -> float:
    """Return the greatest two-sided cumulative sum of deviations from `target` beyond `slack` (Page 1954)."""
    _require(series, 1)
    rise = fall = worst = 0.0
    for one in series:
        rise, fall = max(0.0, rise + one - target - slack), max(0.0, fall + target - one - slack)
        worst = max(worst, rise, fall)
    return worst


def variance_ratio(baseline: Sequence[float], current: Sequence[float]) -> float | None:
    """Return the current variance over the baseline's; None where the baseline does not vary, which says nothing."""
    _require(baseline, SAMPLES_MIN)
    _require(current, SAMPLES_MIN)
    base = pvariance(baseline)
    return pvariance(current) / base if base > 0 else None


def mean_shift(baseline: Sequence[float], current: Sequence[float]) -> float | None:
    """Return the shift of the mean in standard deviations of the baseline; None where the baseline does not vary."""
    _require(baseline, SAMPLES_MIN)
    _require(current, 1)
    deviation = sqrt(pvariance(baseline))
    return (fmean(current) - fmean(baseline)) / deviation if deviation > 0 else None


def kolmogorov_smirnov(baseline: Sequence[float], current: Sequence[float]) -> tuple[float, float]:
    """Return the two-sample statistic and its asymptotic p-value (Smirnov 1948, Kolmogorov's series)."""
    _require(baseline, SAMPLES_MIN)
    _require(current, SAMPLES_MIN)
    first, second = sorted(baseline), sorted(current)
    statistic, i, j = 0.0, 0, 0
    while i < len(first) and j < len(second):
        value = min(first[i], second[j])
        while i < len(first) and first[i] <= value:
            i += 1
        while j < len(second) and second[j] <= value:
            j += 1
        statistic = max(statistic, abs(i / len(first) - j / len(second)))
    root = sqrt(len(first) * len(second) / (len(first) + len(second)))
    scaled = root * statistic
    if scaled < 0.2:
        return statistic, 1.0  # the series converges too slowly there, and says 1 to nine places
    p = 2 * sum((-1) ** (k - 1) * exp(-2 * k * k * scaled * scaled) for k in range(1, 101))
    return statistic, min(1.0, max(0.0, p))


def _require(series: Sequence[float], least: int) -> None:
    if len(series) < least:
        raise ValueError(f"expected at least {least} samples, found {len(series)}")
    if not all(map(isfinite, series)):
        raise ValueError("expected finite samples, found NaN or infinity")


Detector = Callable[[Sequence[float], Sequence[float]], float | None]
DETECTORS: dict[str, Detector] = {
    "variance_ratio": variance_ratio, "mean_shift": lambda base, now: _absolute(mean_shift(base, now)), "psi": psi,
    "kolmogorov_smirnov": lambda base, now: kolmogorov_smirnov(base, now)[0],
    "page_hinkley": lambda base, now: _standardised(base, now, lambda series: page_hinkley(series, delta=0.05)),
    "cusum": lambda base, now: _standardised(base, now, lambda series: cusum(series, target=0.0, slack=0.5)),
    "adwin": detected(adwin), "kswin": detected(kswin), "page_hinkley_online": detected(page_hinkley_online),
}  # fmt: skip
"""Detectors of two series by name, larger is worse; Page–Hinkley and CUSUM in deviations of the baseline.

Those of `online.py` tell how often they saw a change, and raise `MissingExtra` without their library.
"""


def _absolute(value: float | None) -> float | None:
    return None if value is None else abs(value)


def _standardised(
    baseline: Sequence[float], current: Sequence[float], measure: Callable[[Sequence[float]], float]
) -> float | None:
    deviation, mean = sqrt(pvariance(baseline)), fmean(baseline)
    return measure([(one - mean) / deviation for one in current]) if deviation > 0 else None
