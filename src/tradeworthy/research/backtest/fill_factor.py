"""What part of the quoted spread the desk's fills keep (CR-01)."""

import random
from collections.abc import Sequence

import msgspec

from tradeworthy.kernel.severity import Severity
from tradeworthy.research.backtest.bootstrap import Interval, ratio_interval
from tradeworthy.research.backtest.fills import FillRecord
from tradeworthy.research.backtest.markout import by_level
from tradeworthy.trading.model.order import Liquidity

FILLS_MIN = 100


class FillFactor(msgspec.Struct, frozen=True):
    """Sum of signed capture per sum of quoted full spread; a recommendation, never applied by itself."""

    level: str
    factor: float | None
    interval: Interval | None
    maker_share: float | None
    n: int
    severity: Severity
    reason: str | None


def fill_factors(fills: Sequence[FillRecord], *, rng: random.Random) -> tuple[FillFactor, ...]:
    """Return the factor of all fills, then of each level; fills without a quoted book are left out."""
    quoted = [f for f in fills if f.mid2 is not None and f.spread]
    levels = sorted({by_level(f) for f in quoted})
    return (
        _factor("all", quoted, rng),
        *(_factor(level, [f for f in quoted if by_level(f) == level], rng) for level in levels),
    )


def _factor(level: str, fills: Sequence[FillRecord], rng: random.Random) -> FillFactor:
    n = len(fills)
    if n == 0:
        return FillFactor(level, None, None, None, 0, Severity.UNKNOWN, "no fill has a quoted spread")
    captures = [f.side * ((f.mid2 or 0) - 2 * f.price) / 2 for f in fills]
    spreads = [float(f.spread or 0) for f in fills]
    maker = sum(f.liquidity is Liquidity.MAKER for f in fills) / n
    enough = n >= FILLS_MIN
    return FillFactor(
        level, sum(captures) / sum(spreads), ratio_interval(captures, spreads, rng=rng), maker, n,
        Severity.OK if enough else Severity.UNKNOWN, None if enough else f"{n} fills, fewer than {FILLS_MIN}",
    )
