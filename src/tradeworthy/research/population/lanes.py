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
    bars = close.shape[0]
    for block in prange(alpha_fast.shape[0]):
        lanes = LANES
        a_fast, a_slow = alpha_fast[block].copy(), alpha_slow[block].copy()
        first = slow[block].astype(np.float64)
        e_fast, e_slow = np.full(lanes, close[0]), np.full(lanes, close[0])
        want, held = np.zeros(lanes), np.zeros(lanes)
        pnl, peak, depth, orders = np.zeros(lanes), np.zeros(lanes), np.zeros(lanes), np.zeros(lanes)
        warm = min(bars, int(first.max()))
        before = close[0]
        for bar in range(1, bars):
            price = close[bar]
            move, cost = price - before, fee * price
            before = price
            if bar < warm:
                for lane in range(lanes):
                    change = abs(want[lane] - held[lane])
                    value = pnl[lane] + held[lane] * move - cost * change
                    orders[lane] += 1.0 if change > 0.0 else 0.0
                    held[lane] = want[lane]
                    pnl[lane] = value
                    peak[lane] = max(peak[lane], value)
                    depth[lane] = max(depth[lane], peak[lane] - value)
                    e_fast[lane] += a_fast[lane] * (price - e_fast[lane])
                    e_slow[lane] += a_slow[lane] * (price - e_slow[lane])
                    gap = e_fast[lane] - e_slow[lane]
                    sign = 1.0 if gap > 0.0 else (-1.0 if gap < 0.0 else want[lane])
                    want[lane] = sign if bar + 1 >= first[lane] else 0.0
            else:
                for lane in range(lanes):
                    change = abs(want[lane] - held[lane])
                    value = pnl[lane] + held[lane] * move - cost * change
                    orders[lane] += 1.0 if change > 0.0 else 0.0
                    held[lane] = want[lane]
                    pnl[lane] = value
                    peak[lane] = max(peak[lane], value)
                    depth[lane] = max(depth[lane], peak[lane] - value)
                    e_fast[lane] += a_fast[lane] * (price - e_fast[lane])
                    e_slow[lane] += a_slow[lane] * (price - e_slow[lane])
                    gap = e_fast[lane] - e_slow[lane]
                    want[lane] = 1.0 if gap > 0.0 else (-1.0 if gap < 0.0 else want[lane])
        out[0, block, :] = pnl
        out[1, block, :] = orders
        out[2, block, :] = depth
