"""How often something may still fail that failed so often in so many trials: the exact bound (DRL-08)."""

import math

STEPS = 200
"""Halvings of the interval: far past what a float can tell apart."""


def failure_bound(failures: int, trials: int, *, confidence: float) -> float:
    """Return the highest failure rate that the trials leave possible: the one-sided Clopper-Pearson bound.

    failures  in 0..trials;  confidence  in (0, 1), e.g. 0.95

    Raises `ValueError` for counts or a confidence that cannot be.
    Source: Clopper and Pearson (1934).
    """
    if not 0 <= failures <= trials or trials < 1:
        raise ValueError(f"expected 0 <= failures <= trials and trials >= 1, found {failures} of {trials}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be in (0, 1), was {confidence}")
    if failures == trials:
        return 1.0
    low, high = failures / trials, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        if _at_most(failures, trials, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def _at_most(failures: int, trials: int, rate: float) -> float:
    """Return the chance of at most so many failures, each trial failing with this rate."""
    if rate <= 0:
        return 1.0
    if rate >= 1:
        return 0.0
    return math.fsum(
        math.exp(
            math.lgamma(trials + 1) - math.lgamma(k + 1) - math.lgamma(trials - k + 1)
            + k * math.log(rate) + (trials - k) * math.log1p(-rate)
        )
        for k in range(failures + 1)
    )  # fmt: skip
