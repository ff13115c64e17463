"""Confidence intervals for dependent observations: the circular moving-block bootstrap."""

import random
from collections.abc import Sequence
from itertools import accumulate

import msgspec

CONFIDENCE = 0.95
RESAMPLES = 1000


class Interval(msgspec.Struct, frozen=True):
    """A two-sided interval of the given confidence."""

    lower: float
    upper: float
    confidence: float = CONFIDENCE


def ratio_interval(
    numerators: Sequence[float], denominators: Sequence[float], *, rng: random.Random, block: int | None = None,
    resamples: int = RESAMPLES, confidence: float = CONFIDENCE,
) -> Interval | None:
    """Return the interval of sum(numerators) / sum(denominators), None where no resample has a denominator.

    numerators, denominators   equally long, in order of time
    block                      observations a block; n^(1/3) rounded up when None (Politis and White's order)

    Source: Künsch (1989), Politis and Romano (1992). Percentile interval.
    """
    n = len(numerators)
    if n != len(denominators):
        raise ValueError(f"expected {n} denominators, found {len(denominators)}")
    if n == 0:
        return None
    size = min(n, block or max(1, round(n ** (1 / 3) + 0.5)))
    tops = _running(numerators, size)
    bottoms = _running(denominators, size)
    blocks, rest = divmod(n, size)
    ratios = []
    for _ in range(resamples):
        top = bottom = 0.0
        for _ in range(blocks):
            start = int(rng.random() * n)
            top += tops[start + size] - tops[start]
            bottom += bottoms[start + size] - bottoms[start]
        if rest:
            start = int(rng.random() * n)
            top += tops[start + rest] - tops[start]
            bottom += bottoms[start + rest] - bottoms[start]
        if bottom > 0:
            ratios.append(top / bottom)
    if not ratios:
        return None
    ratios.sort()
    tail = (1 - confidence) / 2
    return Interval(_quantile(ratios, tail), _quantile(ratios, 1 - tail), confidence)


def mean_interval(
    values: Sequence[float], *, rng: random.Random, block: int | None = None, resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
) -> Interval | None:
    """Return the interval of the mean of `values` in order of time, None for none."""
    return ratio_interval(
        values, [1.0] * len(values), rng=rng, block=block, resamples=resamples, confidence=confidence
    )


def _running(values: Sequence[float], size: int) -> list[float]:
    """Return prefix sums of `values` continued by its first `size`, so a block may run over the end."""
    return list(accumulate([*values, *values[:size]], initial=0.0))


def _quantile(ordered: Sequence[float], probability: float) -> float:
    at = probability * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)
