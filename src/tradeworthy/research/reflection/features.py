"""What a window of entries says of one strategy; what it cannot say is missing and never zero (RF-03)."""

import math
from collections.abc import Sequence

from tradeworthy.research.reflection.entries import Entry

FEATURES = (
    "log_n", "mean_r", "sd_r", "risk", "win", "loss", "volatility", "spread", "belief", "trend", "abs_trend",
    "drawdown",
)  # fmt: skip
"""Every name that a model may weigh. Volatility, spread and belief are in no journal of this release: always masked."""
Features = dict[str, float]


def features_of(entries: Sequence[Entry]) -> Features:
    """Return the features of one strategy's entries, in order of time; a feature that is missing is absent.

    mean_r, sd_r, win, loss  of closing fills, in multiples of a trade's risk budget;  risk  share refused by risk
    trend  mean of the second half less that of the first;  drawdown  of the cumulated results, from their peak
    """
    decisions = [one for one in entries if one.decision]
    results = [one.result for one in entries if one.result is not None]
    found: Features = {"log_n": math.log1p(len(decisions))}
    if decisions:
        found["risk"] = sum(one.flagged for one in decisions) / len(decisions)
    if not results:
        return found
    count = len(results)
    mean = math.fsum(results) / count
    found |= {
        "mean_r": mean, "win": sum(one > 0 for one in results) / count, "loss": sum(one < 0 for one in results) / count,
        "drawdown": _drawdown(results),
    }  # fmt: skip
    if count >= 2:
        found["sd_r"] = math.sqrt(math.fsum((one - mean) ** 2 for one in results) / (count - 1))
        half = count // 2
        found["trend"] = math.fsum(results[half:]) / (count - half) - math.fsum(results[:half]) / half
        found["abs_trend"] = abs(found["trend"])
    return found


def _drawdown(results: Sequence[float]) -> float:
    total = peak = worst = 0.0
    for one in results:
        total += one
        peak = max(peak, total)
        worst = max(worst, peak - total)
    return worst
