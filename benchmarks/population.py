"""Strategy-bars a second of the EMA population: 1,000 pairs over 200,000 bars, warm, all threads.

Beside it, in turns, a plain parallel numba kernel (`peers/numba_pairs.py`: scalar, one pair a turn of `prange`) that
must find the same orders, profit and drawdown of every pair, or the run is refused.

Run: `PYTHONPATH=src python benchmarks/population.py [--json FILE] [--size small]`.
"""

import sys

import numpy as np
from measure import Report, arguments, seconds
from peers.numba_pairs import run_pairs

from tradeworthy.research.population import ema_cross_population

PAIRS, BARS = 1_000, 200_000
SMALL_PAIRS, SMALL_BARS = 40, 2_000
AIM = 1.0e9
FEE = 0.0005
PEER = "plain parallel numba"


def main() -> int:
    """Print both rates, their ratio and what was found."""
    options = arguments(__doc__ or "", rounds=5)
    small = options.size == "small"
    count, bars = (SMALL_PAIRS, SMALL_BARS) if small else (PAIRS, BARS)
    report = Report("population", options)
    random = np.random.default_rng(7)
    close = 100.0 * np.exp(np.cumsum(random.normal(0.0, 0.0005, bars)))
    fast = random.integers(3, 60, count)
    slow = fast + random.integers(2, 200, count)
    ema_cross_population(close[:1_000], fast, slow, FEE)  # compiles
    run_pairs(close[:1_000], fast, slow, FEE)
    runs, theirs = [], []
    for _ in range(1 if small else options.rounds):
        runs.append(seconds(lambda: ema_cross_population(close, fast, slow, FEE)))
        theirs.append(seconds(lambda: run_pairs(close, fast, slow, FEE)))
    result, (pnl, orders, drawdown) = ema_cross_population(close, fast, slow, FEE), run_pairs(close, fast, slow, FEE)
    if not (
        np.array_equal(result.trades, orders) and np.allclose(result.pnl, pnl, rtol=1e-9, atol=1e-6)
        and np.allclose(result.max_drawdown, drawdown, rtol=1e-9, atol=1e-6)
    ):  # fmt: skip
        raise SystemExit("expected the same orders, profit and drawdown of both kernels, found others")
    report.rate("population", count * bars, "strategy-bars", runs, aim=AIM)
    report.rate("population", count * bars, "strategy-bars", theirs, peer=PEER)
    report.ratio("population", PEER, runs, theirs)
    report.note(f"{count:,} pairs, {bars:,} bars, {int(orders.sum()):,} orders, the same of both")
    report.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
