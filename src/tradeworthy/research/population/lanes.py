"""The compiled kernel: a block of strategies is a row of SIMD lanes, one pass over the bars, no branches inside."""

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

LANES = 32
"""Strategies a block: four to eight vector registers a variable, all state of a block in the first-level cache."""


def run_lanes(
    close: NDArray[np.float64], fast: NDArray[np.int64], slow: NDArray[np.int64], fee: float,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Pad the pairs to whole blocks, run them, and return P&L, orders and drawdown in the order of the pairs.

    Pairs are sorted by slow period, so the lanes of a block leave their warm-up together.
    """
    count = len(fast)
    blocks = -(-count // LANES)
    order = np.argsort(slow, kind="stable")
    padded = np.resize(order, blocks * LANES) if count else order
    out = np.zeros((3, blocks, LANES))
    if count and len(close):
        _run(
            close, (2.0 / (fast[padded] + 1.0)).reshape(blocks, LANES),
            (2.0 / (slow[padded] + 1.0)).reshape(blocks, LANES), slow[padded].reshape(blocks, LANES), fee, out,
        )
    result = np.empty((3, count))
    result[:, order] = out.reshape(3, -1)[:, :count]
    return result[0], np.rint(result[1]).astype(np.int64), result[2]


@njit(cache=True, parallel=True, error_model="numpy")
def _run(close, alpha_fast, alpha_slow, slow, fee, out):  # type: ignore[no-untyped-def]  # pragma: no cover
    """One flat state array, rows at constant offsets: the compiler then knows that no two rows overlap.

    Rows: alphas, EMAs, wanted and held side, P&L, its peak, drawdown, traded units.
    """
    bars = close.shape[0]
    for block in prange(alpha_fast.shape[0]):
        state = np.zeros(10 * LANES)
        first = np.zeros(LANES)
        for lane in range(LANES):
            state[lane] = alpha_fast[block, lane]
            state[lane + LANES] = alpha_slow[block, lane]
            state[lane + 2 * LANES] = close[0]
            state[lane + 3 * LANES] = close[0]
            first[lane] = slow[block, lane]
        warm = min(bars, int(first.max()))
        before = close[0]
        for bar in range(1, bars):
            price = close[bar]
            move, cost = price - before, fee * price
            before = price
            for lane in range(LANES):
                want = state[lane + 4 * LANES]
                held = state[lane + 5 * LANES]
                change = abs(want - held)
                value = state[lane + 6 * LANES] + held * move - cost * change
                state[lane + 5 * LANES] = want
                state[lane + 6 * LANES] = value
                top = state[lane + 7 * LANES]
                top = value if value > top else top
                state[lane + 7 * LANES] = top
                fall = top - value
                depth = state[lane + 8 * LANES]
                state[lane + 8 * LANES] = fall if fall > depth else depth
                state[lane + 9 * LANES] += change
                quick = state[lane + 2 * LANES]
                quick += state[lane] * (price - quick)
                state[lane + 2 * LANES] = quick
                calm = state[lane + 3 * LANES]
                calm += state[lane + LANES] * (price - calm)
                state[lane + 3 * LANES] = calm
                want = -1.0 if quick < calm else want
                state[lane + 4 * LANES] = 1.0 if quick > calm else want
            if bar + 1 < warm:
                for lane in range(LANES):
                    if bar + 1 < first[lane]:
                        state[lane + 4 * LANES] = 0.0
        for lane in range(LANES):
            out[0, block, lane] = state[lane + 6 * LANES]
            units = state[lane + 9 * LANES]  # 1 for the entry, 2 for each flip
            out[1, block, lane] = (units + 1.0) / 2.0 if units > 0.0 else 0.0
            out[2, block, lane] = state[lane + 8 * LANES]
