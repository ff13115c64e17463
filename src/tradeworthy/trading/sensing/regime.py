"""The market's regime: a raw label from band, drift and trend, held against noise."""

from collections import deque
from enum import Enum

import msgspec

SECOND_NS = 1_000_000_000
SAMPLES_MAX = 64


class Regime(Enum):
    UNKNOWN = "unknown"
    NEUTRAL = "neutral_low_vol"
    UP = "up"
    DOWN = "down"
    SHOCK = "high_vol_shock"


class RegimePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Fractions of price; defaults are for one-minute bars.

    trend_width       distance from the EMA that makes a trend
    shock_band        ATR over close from which the market is in shock
    drift_min, _max   bounds of the drift that is a shock, `drift_band` times the band between them
    samples           equal samples before a new label counts
    """

    trend_width: float = 0.0010
    shock_band: float = 0.0080
    drift_min: float = 0.0020
    drift_max: float = 0.0100
    drift_band: float = 1.25
    samples: int = 3


def raw_regime(
    mid: float | None, ema: float | None, band: float | None, drift: float | None, policy: RegimePolicy,
) -> Regime:
    """Return the label of this instant; UNKNOWN when any input is unknown. `mid` and `ema` in ticks."""
    if mid is None or ema is None or band is None or drift is None:
        return Regime.UNKNOWN
    shock_drift = max(policy.drift_min, min(policy.drift_max, policy.drift_band * band))
    if band >= policy.shock_band or abs(drift) >= shock_drift:
        return Regime.SHOCK
    if mid - ema > ema * policy.trend_width:
        return Regime.UP
    if ema - mid > ema * policy.trend_width:
        return Regime.DOWN
    return Regime.NEUTRAL


class RegimeHold:
    """Change the label after n equal samples; shock is entered at once and left after n (MM-04)."""

    __slots__ = ("_candidate", "_count", "_samples", "regime")

    def __init__(self, samples: int) -> None:
        self.regime = Regime.UNKNOWN
        self._samples = samples
        self._candidate = Regime.UNKNOWN
        self._count = 0

    def sample(self, raw: Regime) -> Regime:
        """Take one sample and return the held label."""
        if raw is self._candidate:
            self._count += 1
        else:
            self._candidate, self._count = raw, 1
        if raw is Regime.SHOCK or self._count >= self._samples:
            self.regime = raw
        return self.regime

    def alarm(self, raw: Regime) -> Regime:
        """Between samples only a shock counts."""
        return self.sample(raw) if raw is Regime.SHOCK else self.regime


class DriftWindow:
    """Signed move of the mid against the newest sample of a stated age; unknown without one."""

    __slots__ = ("_age_max", "_age_min", "_samples")

    def __init__(self, age_min_ns: int = 30 * SECOND_NS, age_max_ns: int = 45 * SECOND_NS) -> None:
        self._age_min, self._age_max = age_min_ns, age_max_ns
        self._samples: deque[tuple[int, float]] = deque(maxlen=SAMPLES_MAX)

    def sample(self, now: int, mid: float) -> None:
        """Keep a mid; samples past the oldest useful age leave."""
        while self._samples and now - self._samples[0][0] > self._age_max:
            self._samples.popleft()
        self._samples.append((now, mid))

    def drift(self, now: int, mid: float) -> float | None:
        """Return (mid - reference) / reference, or None."""
        for ts, reference in reversed(self._samples):
            age = now - ts
            if age >= self._age_min:
                return (mid - reference) / reference if age <= self._age_max else None
        return None
