"""A population of EMA-cross strategies over one series of closes."""

from typing import TYPE_CHECKING, NamedTuple

from tradeworthy.kernel.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class PopulationResult(NamedTuple):
    """One row a strategy: profit and deepest drawdown in price units of one unit held, and the number of orders.

    pnl, max_drawdown   float64[m], after fees
    trades              int64[m]; the first entry and each flip count one
    """

    pnl: "NDArray[np.float64]"
    trades: "NDArray[np.int64]"
    max_drawdown: "NDArray[np.float64]"


def ema_cross_population(
    close: "NDArray[np.float64]", fast: "NDArray[np.int64]", slow: "NDArray[np.int64]", fee: float,
) -> PopulationResult:
    """Run each pair (fast[i], slow[i]) always-in over `close` and return what it earned.

    close   float64[n], oldest first, finite and above zero
    fast, slow   int[m], bars, 0 < fast < slow; EMAs are seeded with the first close and count from bar `slow`
    fee     fraction of notional per traded unit (a flip trades two)

    The sign of fast - slow at a closed bar is traded at the next close; the last position is marked, not closed.
    Raises `InvalidInput` for wrong shapes or values, `UsageError` without numba.
    """
    try:
        import numpy as np

        from tradeworthy.research.population.lanes import run_lanes
    except ImportError as error:
        raise UsageError(f"a population needs the `research` extra (numpy, numba), found none: {error.name}") from error
    close = np.ascontiguousarray(close, dtype=np.float64)
    fast, slow = np.asarray(fast, dtype=np.int64), np.asarray(slow, dtype=np.int64)
    if close.ndim != 1 or fast.ndim != 1 or fast.shape != slow.shape:
        raise InvalidInput(f"expected close[n], fast[m], slow[m], found {close.shape}, {fast.shape}, {slow.shape}")
    if not (np.isfinite(close).all() and (close > 0).all()):
        raise InvalidInput("closes must be finite and above zero, found one that is not")
    if not ((fast > 0).all() and (fast < slow).all()):
        raise InvalidInput("periods must be 0 < fast < slow, found a pair that is not")
    if not np.isfinite(fee):
        raise InvalidInput(f"fee must be finite, was {fee}")
    pnl, trades, drawdown = run_lanes(close, fast, slow, float(fee))
    return PopulationResult(pnl, trades, drawdown)
