"""Whether the fills earn more than they cost: capture less fees less adverse selection (CR-02)."""

import random
from collections.abc import Sequence
from enum import Enum

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.kernel.errors import ExitCode
from tradeworthy.research.backtest.bootstrap import Interval, mean_interval
from tradeworthy.research.backtest.fills import HORIZONS_S, FillRecord
from tradeworthy.research.backtest.markout import BPS

FILLS_MIN = 11
ADVERSE_HORIZON_S = 30


class EdgeVerdict(Enum):
    POSITIVE = "positive"
    INCONCLUSIVE = "inconclusive"
    NEGATIVE = "negative"
    INSUFFICIENT = "insufficient"


EXIT_CODES = {
    EdgeVerdict.POSITIVE: ExitCode.PASS,
    EdgeVerdict.INCONCLUSIVE: ExitCode.WARN,
    EdgeVerdict.NEGATIVE: ExitCode.FAIL,
    EdgeVerdict.INSUFFICIENT: ExitCode.COULD_NOT_JUDGE,
}


class EdgePart(msgspec.Struct, frozen=True):
    """One part of the edge: in quote currency, per fill and per day, and as mean basis points of a fill."""

    quote: float
    bps: float
    per_fill: float
    per_day: float


class Edge(msgspec.Struct, frozen=True):
    """The edge report; parts are None when no fill could be judged. `interval` is that of the net mean in bps.

    excluded   fills without quotes, without a known fee, or with the horizon still open
    """

    verdict: EdgeVerdict
    gross: EdgePart | None
    fees: EdgePart | None
    adverse: EdgePart | None
    net: EdgePart | None
    interval: Interval | None
    n: int
    excluded: int
    days: int
    horizon_s: int = ADVERSE_HORIZON_S

    @property
    def exit_code(self) -> ExitCode:
        return EXIT_CODES[self.verdict]


def edge_of(fills: Sequence[FillRecord], *, rng: random.Random) -> Edge:
    """Judge `fills` (in order of time) by the 95 % interval of their mean net edge in basis points.

    Rates are taken of each fill's notional at its mid; days are the UTC days with a judged fill.
    """
    index = HORIZONS_S.index(ADVERSE_HORIZON_S)
    gross, fees, adverse, notionals, days = [], [], [], [], set()
    for fill in fills:
        captured, against = fill.capture, fill.adverse(index)
        if captured is None or against is None or fill.fee is None or not fill.mid2:
            continue
        at_mid = float(fill.notional * fill.mid2 / (2 * fill.price))
        gross.append(captured)
        fees.append(float(fill.fee) / at_mid)
        adverse.append(against)
        notionals.append(at_mid)
        days.add(fill.ts // NANOS_PER_DAY)
    n = len(gross)
    if n == 0:
        return Edge(EdgeVerdict.INSUFFICIENT, None, None, None, None, None, 0, len(fills), 0)
    net = [g - f - a for g, f, a in zip(gross, fees, adverse, strict=True)]
    interval = mean_interval([r * BPS for r in net], rng=rng)
    total = _part(net, notionals, len(days))
    return Edge(
        _verdict(n, total.bps, interval), _part(gross, notionals, len(days)), _part(fees, notionals, len(days)),
        _part(adverse, notionals, len(days)), total, interval, n, len(fills) - n, len(days),
    )


def _verdict(n: int, mean: float, interval: Interval | None) -> EdgeVerdict:
    if n < FILLS_MIN or interval is None:
        return EdgeVerdict.INSUFFICIENT
    if mean < 0:
        return EdgeVerdict.NEGATIVE
    return EdgeVerdict.POSITIVE if interval.lower > 0 else EdgeVerdict.INCONCLUSIVE


def _part(rates: Sequence[float], notionals: Sequence[float], days: int) -> EdgePart:
    quote = sum(r * v for r, v in zip(rates, notionals, strict=True))
    n = len(rates)
    return EdgePart(quote, sum(rates) / n * BPS, quote / n, quote / days)
