"""Strategy-bars a second of the EMA population: 1,000 pairs over 200,000 bars, warm, all threads."""

import statistics
import sys
import time

import numpy as np

from tradeworthy.research.population import ema_cross_population

PAIRS, BARS, ROUNDS = 1_000, 200_000, 3
TARGET = 1.0e9
FEE = 0.0005


def main() -> int:
    """Print the median rate of three warm rounds and say whether it reaches the target."""
    random = np.random.default_rng(7)
    close = 100.0 * np.exp(np.cumsum(random.normal(0.0, 0.0005, BARS)))
    fast = random.integers(3, 60, PAIRS)
    slow = fast + random.integers(2, 200, PAIRS)
    ema_cross_population(close[:1_000], fast, slow, FEE)  # compiles
    rates = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        result = ema_cross_population(close, fast, slow, FEE)
        rates.append(PAIRS * BARS / (time.perf_counter() - start))
    rate = statistics.median(rates)
    print(f"population  {rate / 1e9:.2f} G strategy-bars/s  (orders {int(result.trades.sum()):,})")
    print(f"target      {TARGET / 1e9:.2f} G  {'reached' if rate >= TARGET else 'missed'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
