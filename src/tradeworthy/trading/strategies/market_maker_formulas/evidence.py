"""What fills really earned: capture, fee and the mid 30 s later; and what that says about the formulas' inputs."""

from collections import deque
from math import sqrt

import msgspec

from tradeworthy.trading.strategies.market_maker_formulas.policy import MarketMakerPolicy
from tradeworthy.trading.strategies.market_maker_formulas.spread import clip

PENDING_MAX = 4096
FILL_FACTOR_WINDOW = 1000


class OwnFill(msgspec.Struct, frozen=True):
    """One fill of ours or of a shadow order; prices in ticks, `fee` and `spread` fractions of price."""

    ts: int
    side: int
    price: float
    mid: float
    fee: float
    spread: float


class Measured(msgspec.Struct, frozen=True):
    """A fill after its horizon, in fractions of price."""

    ts: int
    capture: float
    adverse: float
    net: float
    spread: float


class Markouts:
    """Fills that wait for their horizon; the rest is dropped from the old end at the bound."""

    __slots__ = ("_horizon", "_pending")

    def __init__(self, horizon_ns: int) -> None:
        self._horizon = horizon_ns
        self._pending: deque[OwnFill] = deque(maxlen=PENDING_MAX)

    def add(self, fill: OwnFill) -> None:
        """Keep a fill until its horizon."""
        self._pending.append(fill)

    def due(self, now: int, mid: float) -> list[Measured]:
        """Return the fills whose horizon has passed, judged against `mid` in ticks."""
        measured = []
        while self._pending and now - self._pending[0].ts >= self._horizon:
            fill = self._pending.popleft()
            capture = fill.side * (fill.mid - fill.price) / fill.mid
            adverse = -fill.side * (mid - fill.mid) / fill.mid
            measured.append(Measured(now, capture, adverse, capture - fill.fee - adverse, fill.spread))
        return measured


class FillStatistics:
    """Adverse selection and fill factor from measured fills; recomputed at a fill, read at each tick."""

    __slots__ = ("_adverse", "_policy", "_ratios", "adverse", "count", "fill_factor")

    def __init__(self, policy: MarketMakerPolicy) -> None:
        self._policy = policy
        self._adverse: deque[float] = deque(maxlen=policy.adverse_fills)
        self._ratios: deque[tuple[float, float]] = deque(maxlen=FILL_FACTOR_WINDOW)
        self.count = 0
        self.adverse = policy.adverse_min
        self.fill_factor = clip(policy.fill_factor, policy.fill_factor_min, policy.fill_factor_max)

    def add(self, measured: Measured) -> None:
        """Take one measured fill."""
        policy = self._policy
        self.count += 1
        self._adverse.append(measured.adverse)
        self._ratios.append((measured.capture, measured.spread))
        if len(self._adverse) >= policy.adverse_fills_min:
            self.adverse = max(policy.adverse_min, upper_bound(self._adverse, policy.confidence_z))
        if len(self._ratios) >= policy.fill_factor_fills_min:
            low = ratio_lower_bound(self._ratios, policy.confidence_z)
            self.fill_factor = clip(low, policy.fill_factor_min, policy.fill_factor_max)

    @property
    def min_edge(self) -> float:
        """The edge asked for; more until enough fills were measured."""
        policy = self._policy
        return policy.min_edge if self.count >= policy.unproven_fills else policy.min_edge_unproven


def upper_bound(values: deque[float], z: float) -> float:
    """Return mean + z standard errors; needs two values."""
    n = len(values)
    mean = sum(values) / n
    variance = sum((value - mean) ** 2 for value in values) / (n - 1)
    return mean + z * sqrt(variance / n)


def ratio_lower_bound(pairs: deque[tuple[float, float]], z: float) -> float:
    """Return Σcapture / Σspread less z standard errors of a ratio of sums (linearised)."""
    n = len(pairs)
    spreads = sum(spread for _, spread in pairs)
    if spreads <= 0.0:
        return 0.0
    ratio = sum(capture for capture, _ in pairs) / spreads
    residual = sum((capture - ratio * spread) ** 2 for capture, spread in pairs)
    return ratio - z * sqrt(residual * n / (n - 1)) / spreads
