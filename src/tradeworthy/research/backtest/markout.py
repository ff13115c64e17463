"""Adverse selection after fills by horizon and by group (CR-03)."""

import random
from collections.abc import Callable, Sequence

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.research.backtest.bootstrap import Interval, mean_interval
from tradeworthy.research.backtest.fills import HORIZONS_S, FillRecord

BPS = 10_000
NANOS_PER_HOUR = 3600 * NANOS_PER_SECOND


class Markout(msgspec.Struct, frozen=True):
    """Means in basis points at one horizon of one group; None where no horizon has closed.

    adverse_bps   positive = against us;  markout_bps = capture - adverse
    n, open       fills counted, and fills excluded because the tape ended or had no quotes
    """

    horizon_s: int
    group: str
    adverse_bps: float | None
    markout_bps: float | None
    interval: Interval | None
    n: int
    open: int


def adverse_selection(
    fills: Sequence[FillRecord], *, rng: random.Random, group: Callable[[FillRecord], str] = lambda _: "all"
) -> tuple[Markout, ...]:
    """Return a `Markout` for each group and horizon; the 95 % interval is that of the adverse selection."""
    groups: dict[str, list[FillRecord]] = {}
    for fill in fills:
        groups.setdefault(group(fill), []).append(fill)
    return tuple(
        _markout(name, groups[name], index, horizon, rng)
        for name in sorted(groups)
        for index, horizon in enumerate(HORIZONS_S)
    )


def by_side(fill: FillRecord) -> str:
    """Name the fill's side."""
    return fill.side.name.lower()


def by_level(fill: FillRecord) -> str:
    """Name the quote level of the fill's order."""
    return "unknown" if fill.level is None else str(fill.level)


def by_hour(fill: FillRecord) -> str:
    """Name the fill's hour, UTC, two digits."""
    return f"{fill.ts // NANOS_PER_HOUR % 24:02d}"


def by_regime(fill: FillRecord) -> str:
    """Name the regime that the fill's instance held."""
    return "unlabelled" if fill.regime is None else fill.regime


def _markout(name: str, fills: Sequence[FillRecord], index: int, horizon_s: int, rng: random.Random) -> Markout:
    adverse, gained = [], []
    for fill in fills:
        against, captured = fill.adverse(index), fill.capture
        if against is not None and captured is not None:
            adverse.append(against * BPS)
            gained.append((captured - against) * BPS)
    n = len(adverse)
    if n == 0:
        return Markout(horizon_s, name, None, None, None, 0, len(fills))
    interval = mean_interval(adverse, rng=rng)
    return Markout(horizon_s, name, sum(adverse) / n, sum(gained) / n, interval, n, len(fills) - n)
