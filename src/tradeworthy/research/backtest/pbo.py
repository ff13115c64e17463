"""Probability of backtest overfitting by combinatorially symmetric cross-validation (BT-08)."""

from itertools import combinations
from typing import TYPE_CHECKING, Any

import msgspec

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.severity import Severity

if TYPE_CHECKING:
    import numpy as np

BLOCKS = 16
TRIALS_MIN = 10
OVERFIT_WARN = 0.20
OVERFIT_FAIL = 0.50


class Overfit(msgspec.Struct, frozen=True):
    """The share of splits whose in-sample best is at or below the out-of-sample median; None when not judged."""

    probability: float | None
    splits: int
    trials: int
    severity: Severity
    note: str | None = None


def probability_of_overfitting(returns: "np.ndarray[Any, np.dtype[np.float64]]", *, blocks: int = BLOCKS) -> Overfit:
    """Return PBO of a family of trials by Sharpe ratio; needs numpy (extra `research`).

    returns   shape (periods, trials), finite, one column a recorded trial
    blocks    even number of equally long blocks; the oldest odd periods are left out

    Fewer than ten trials are UNKNOWN. Raises `InvalidInput` for too few periods or a value that is not finite.
    Source: Bailey, Borwein, López de Prado and Zhu (2015).
    """
    import numpy as np

    periods, trials = returns.shape
    if trials < TRIALS_MIN:
        return Overfit(None, 0, trials, Severity.UNKNOWN, f"{trials} trials, fewer than {TRIALS_MIN}")
    if blocks % 2 or periods < 2 * blocks:
        raise InvalidInput(f"PBO needs an even number of blocks of 2 periods or more, found {blocks} for {periods}")
    if not np.isfinite(returns).all():
        raise InvalidInput("PBO needs finite returns, found one that is not")
    size = periods // blocks
    cut = returns[periods - size * blocks :].reshape(blocks, size, trials)
    sums, squares = cut.sum(axis=1), (cut**2).sum(axis=1)
    halves = list(combinations(range(blocks), blocks // 2))
    inside = np.zeros((len(halves), blocks))
    np.put_along_axis(inside, np.array(halves), 1.0, axis=1)
    n = size * blocks // 2

    def sharpes(picked: "np.ndarray[Any, np.dtype[np.float64]]") -> "np.ndarray[Any, np.dtype[np.float64]]":
        mean = picked @ sums / n
        variance = np.maximum(picked @ squares / n - mean**2, 0)
        ratio: np.ndarray[Any, np.dtype[np.float64]] = np.zeros_like(mean)
        np.divide(mean, np.sqrt(variance), out=ratio, where=variance > 0)
        return ratio

    best = sharpes(inside).argmax(axis=1)
    outside = sharpes(1 - inside)
    rows = np.arange(len(best))
    mine = outside[rows, best][:, None]
    below, equal = (outside < mine).sum(axis=1), (outside == mine).sum(axis=1)
    rank = below + (equal + 1) / 2  # ties share their mean rank
    probability = float((rank / (trials + 1) <= 0.5).mean())
    severity = Severity.OK
    if probability >= OVERFIT_WARN:
        severity = Severity.FAIL if probability >= OVERFIT_FAIL else Severity.WARN
    return Overfit(probability, len(best), trials, severity)
