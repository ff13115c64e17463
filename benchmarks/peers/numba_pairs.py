"""The plain way to run a population with numba: one pair a scalar loop, pairs shared out by `prange`.

Same rules as `research/population`: EMAs seeded with the first close, the sign of a closed bar traded at the next
close, a fee on each traded unit, the last position marked. Branches and scalars, as one writes it first.
"""

import numpy as np
from numba import njit, prange


@njit(parallel=True, error_model="numpy")
def scalar_pairs(close, fast, slow, fee, pnl, trades, drawdown):  # type: ignore[no-untyped-def]
    """Fill `pnl`, `trades` and `drawdown`, one entry a pair."""
    for pair in prange(fast.shape[0]):
        alpha_fast, alpha_slow = 2.0 / (fast[pair] + 1.0), 2.0 / (slow[pair] + 1.0)
        quick = calm = before = close[0]
        want = held = orders = 0
        value = top = deepest = 0.0
        for bar in range(1, close.shape[0]):
            price = close[bar]
            value += held * (price - before)
            before = price
            if want != held:
                value -= fee * price * abs(want - held)
                held = want
                orders += 1
            top = max(top, value)
            deepest = max(deepest, top - value)
            quick += alpha_fast * (price - quick)
            calm += alpha_slow * (price - calm)
            if bar + 1 >= slow[pair]:
                if quick > calm:
                    want = 1
                elif quick < calm:
                    want = -1
        pnl[pair], trades[pair], drawdown[pair] = value, orders, deepest


def run_pairs(close: np.ndarray, fast: np.ndarray, slow: np.ndarray, fee: float) -> tuple[np.ndarray, ...]:
    """Return profit, orders and deepest drawdown of each pair."""
    out = np.zeros(len(fast)), np.zeros(len(fast), dtype=np.int64), np.zeros(len(fast))
    scalar_pairs(close, fast, slow, fee, *out)
    return out
