"""Statistics of daily returns and fills; pure functions, standard library only.

Returns are simple returns a period, oldest first. A Sharpe ratio here is a period's until it is annualised.
"""

import math
from collections import deque
from collections.abc import Iterable, Sequence
from statistics import NormalDist

import msgspec

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.severity import Severity

NORMAL = NormalDist()
EULER_GAMMA = 0.5772156649015329
DAYS_TO_GATE = 60
"""Below so many daily returns a Sharpe ratio is shown but never gates (BT-06)."""
DEFLATED_MIN = 0.95
DEFLATED_WARN = 0.90


class TooFewObservations(InvalidInput):
    """A statistic is not defined on so little data."""


class Moments(msgspec.Struct, frozen=True):
    """Count, mean, sample deviation (n - 1), and population skew and kurtosis (normal: 0 and 3)."""

    n: int
    mean: float
    deviation: float
    skew: float
    kurtosis: float

    @property
    def sharpe(self) -> float:
        """The Sharpe ratio of one period."""
        return self.mean / self.deviation

    @property
    def sharpe_variance(self) -> float:
        """The variance of the Sharpe estimate times (n - 1); Mertens (2002), Lo (2002) where returns are normal."""
        return 1 - self.skew * self.sharpe + (self.kurtosis - 1) / 4 * self.sharpe**2


def moments(returns: Sequence[float]) -> Moments:
    """Return the first four moments; raises `TooFewObservations` below three or without variation."""
    n = len(returns)
    if n < 3:
        raise TooFewObservations(f"moments need at least 3 returns, found {n}")
    mean = math.fsum(returns) / n
    second = math.fsum((r - mean) ** 2 for r in returns) / n
    if second <= (1e-15 * max(1.0, abs(mean))) ** 2:
        raise TooFewObservations(f"moments need returns that vary, found {n} equal ones")
    root = math.sqrt(second)
    skew = math.fsum(((r - mean) / root) ** 3 for r in returns) / n
    kurtosis = math.fsum(((r - mean) / root) ** 4 for r in returns) / n
    return Moments(n, mean, math.sqrt(second * n / (n - 1)), skew, kurtosis)


class Sharpe(msgspec.Struct, frozen=True):
    """An annualised Sharpe ratio, its standard error, and whether it may gate."""

    value: float
    standard_error: float
    periods_per_year: int
    observations: int
    gates: bool
    note: str | None


def sharpe(returns: Sequence[float], *, periods_per_year: int) -> Sharpe:
    """Return the annualised Sharpe ratio (252 or 365 periods by calendar) over a zero rate.

    Source: Lo (2002), Mertens (2002) for the standard error.
    """
    found = moments(returns)
    root = math.sqrt(periods_per_year)
    gates = found.n >= DAYS_TO_GATE
    note = None if gates else f"{found.n} days, fewer than {DAYS_TO_GATE}: shown, never gates"
    error = math.sqrt(max(0.0, found.sharpe_variance) / (found.n - 1))
    return Sharpe(found.sharpe * root, error * root, periods_per_year, found.n, gates, note)


def sortino(returns: Sequence[float], *, periods_per_year: int, target: float = 0.0) -> float:
    """Return the annualised mean over `target` per downside deviation (over all periods; Sortino and Price 1994)."""
    if not returns:
        raise TooFewObservations("Sortino needs returns, found none")
    downside = math.fsum(min(0.0, r - target) ** 2 for r in returns) / len(returns)
    if downside == 0:
        raise TooFewObservations("Sortino needs a return below the target, found none")
    return (math.fsum(returns) / len(returns) - target) / math.sqrt(downside) * math.sqrt(periods_per_year)


def quantile(values: Sequence[float], probability: float) -> float:
    """Return the quantile by linear interpolation between order statistics (Hyndman and Fan type 7)."""
    if not values:
        raise TooFewObservations("a quantile needs values, found none")
    ordered = sorted(values)
    at = probability * (len(ordered) - 1)
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def tail_ratio(returns: Sequence[float]) -> float:
    """Return the 95th percentile over the absolute 5th; above one the good days are the larger ones."""
    low = quantile(returns, 0.05)
    if low == 0:
        raise TooFewObservations("the tail ratio needs a 5th percentile other than zero")
    return abs(quantile(returns, 0.95)) / abs(low)


def probabilistic_sharpe(found: Moments, *, benchmark: float = 0.0) -> float:
    """Return the probability that the true Sharpe of a period exceeds `benchmark`.

    Source: Bailey and López de Prado (2012).
    """
    variance = found.sharpe_variance
    if variance <= 0:
        raise TooFewObservations(f"the Sharpe estimate needs a variance above zero, was {variance}")
    return NORMAL.cdf((found.sharpe - benchmark) * math.sqrt(found.n - 1) / math.sqrt(variance))


def expected_maximum_sharpe(*, trials: int, variance: float) -> float:
    """Return the best Sharpe that `trials` skill-free trials are expected to reach; one trial expects zero.

    variance   of the trials' Sharpe ratios a period
    """
    if trials < 1 or variance < 0:
        raise ValueError(f"expected trials >= 1 and variance >= 0, found {trials} and {variance}")
    if trials == 1:
        return 0.0
    first = NORMAL.inv_cdf(1 - 1 / trials)
    second = NORMAL.inv_cdf(1 - 1 / (trials * math.e))
    return math.sqrt(variance) * ((1 - EULER_GAMMA) * first + EULER_GAMMA * second)


def minimum_track_record(found: Moments, *, benchmark: float = 0.0, confidence: float = DEFLATED_MIN) -> float | None:
    """Return the periods needed to claim a Sharpe above `benchmark`; None when the estimate is not above it."""
    excess = found.sharpe - benchmark
    if excess <= 0:
        return None
    return 1 + found.sharpe_variance * (NORMAL.inv_cdf(confidence) / excess) ** 2


class Deflated(msgspec.Struct, frozen=True):
    """The probability that a Sharpe is skill once all trials are counted; `track_record_min` in periods."""

    probability: float
    benchmark: float
    trials: int
    track_record_min: float | None
    severity: Severity
    note: str | None


def deflated_sharpe(returns: Sequence[float], trial_sharpes: Sequence[float]) -> Deflated:
    """Return the deflated Sharpe ratio of the selected trial against all recorded trials' Sharpes a period.

    Raises `TooFewObservations` without trials. Fewer than `DAYS_TO_GATE` returns are UNKNOWN, whatever the value.
    Source: Bailey and López de Prado (2014).
    """
    if not trial_sharpes:
        raise TooFewObservations("the deflated Sharpe needs the recorded trials, found none")
    found = moments(returns)
    trials = len(trial_sharpes)
    mean = math.fsum(trial_sharpes) / trials
    variance = math.fsum((s - mean) ** 2 for s in trial_sharpes) / (trials - 1) if trials > 1 else 0.0
    benchmark = expected_maximum_sharpe(trials=trials, variance=variance)
    probability = probabilistic_sharpe(found, benchmark=benchmark)
    note = None
    if found.n < DAYS_TO_GATE:
        severity, note = Severity.UNKNOWN, f"{found.n} days, fewer than {DAYS_TO_GATE}: shown, never gates"
    elif probability >= DEFLATED_MIN:
        severity = Severity.OK
    else:
        severity = Severity.WARN if probability >= DEFLATED_WARN else Severity.FAIL
    return Deflated(
        probability, benchmark, trials, minimum_track_record(found, benchmark=benchmark), severity, note
    )


class Drawdown(msgspec.Struct, frozen=True):
    """The deepest fall as a fraction of its peak, its indices, and the longest stretch below a peak in periods."""

    depth: float
    peak: int
    trough: int
    length: int


def drawdown(equity: Sequence[float]) -> Drawdown:
    """Return depth and length of the drawdowns of an equity curve above zero; unrecovered ones count to the end."""
    if not equity:
        raise TooFewObservations("a drawdown needs an equity curve, found none")
    depth, deepest, longest = 0.0, (0, 0), 0
    peak = 0
    for i, value in enumerate(equity):
        if value >= equity[peak]:
            peak = i
            continue
        longest = max(longest, i - peak)
        fall = 1 - value / equity[peak]
        if fall > depth:
            depth, deepest = fall, (peak, i)
    return Drawdown(depth, deepest[0], deepest[1], longest)


def turnover(traded_notional: float, equity: Sequence[float]) -> float:
    """Return the traded notional per mean equity."""
    if not equity:
        raise TooFewObservations("turnover needs equity, found none")
    return traded_notional * len(equity) / math.fsum(equity)


def exposure_share(positions: Sequence[tuple[int, int]], *, end: int) -> float:
    """Return the share of time with a position; `positions` are (ts, lots) changes, the first starts the time."""
    if not positions or end <= positions[0][0]:
        raise TooFewObservations("an exposure share needs a span of time, found none")
    ends = [ts for ts, _ in positions[1:]] + [end]
    held = sum(stop - ts for (ts, lots), stop in zip(positions, ends, strict=True) if lots)
    return held / (end - positions[0][0])


def profit_factor(results: Iterable[float]) -> float:
    """Return the sum of gains per sum of losses; raises `TooFewObservations` without a loss."""
    gains: list[float] = []
    losses: list[float] = []
    for result in results:
        (gains if result > 0 else losses).append(abs(result))
    if not math.fsum(losses):
        raise TooFewObservations("a profit factor needs a loss, found none")
    return math.fsum(gains) / math.fsum(losses)


class HitRate(msgspec.Struct, frozen=True):
    """The share of winners with its Wilson interval."""

    value: float
    lower: float
    upper: float
    n: int


def hit_rate(wins: int, n: int, *, confidence: float = 0.95) -> HitRate:
    """Return `wins` of `n` with the score interval of Wilson (1927)."""
    if n < 1 or not 0 <= wins <= n:
        raise TooFewObservations(f"a hit rate needs 0 <= wins <= n and n >= 1, found {wins} of {n}")
    z = NORMAL.inv_cdf(0.5 + confidence / 2)
    p = wins / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return HitRate(p, max(0.0, centre - half), min(1.0, centre + half), n)


class HoldingQueue:
    """Match closing lots with the oldest open ones; adds return what they closed."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: deque[tuple[int, int]] = deque()

    def add(self, ts: int, lots: int) -> list[tuple[int, int]]:
        """Take a fill of signed `lots` and return (nanoseconds held, lots) of every part that it closed."""
        held: list[tuple[int, int]] = []
        while lots and self._open and (self._open[0][1] > 0) != (lots > 0):
            opened, there = self._open[0]
            closed = min(abs(lots), abs(there))
            held.append((ts - opened, closed))
            step = closed if lots > 0 else -closed
            lots -= step
            there += step
            if there:
                self._open[0] = (opened, there)
            else:
                self._open.popleft()
        if lots:
            self._open.append((ts, lots))
        return held

    def split(self, new: int, old: int) -> None:
        """Scale what is open; parts that leave no whole lots are rounded toward zero and the rest is dropped."""
        scaled = ((ts, int(lots * new / old)) for ts, lots in self._open)
        self._open = deque((ts, lots) for ts, lots in scaled if lots)


def holding_times(fills: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return (nanoseconds held, lots) of every closed part; `fills` are (ts, signed lots), first in, first out."""
    queue = HoldingQueue()
    return [part for ts, lots in fills for part in queue.add(ts, lots)]
