"""Online detectors of change (FW-15): ADWIN, KSWIN and Page–Hinkley of `river`, with fixed settings and seed.

The extra `drift` brings them; without it a rule that asks for one is unknown and says so.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

SEED = 7
ADWIN_DELTA = 0.002
KSWIN_ALPHA = 0.0001
PAGE_HINKLEY_DELTA, PAGE_HINKLEY_THRESHOLD = 0.005, 50.0


class MissingExtra(Exception):
    """The detector's library is not installed."""


class Online(Protocol):
    """What takes one value after the other and says whether the series changed."""

    drift_detected: bool

    def update(self, x: float) -> Any: ...


def changes(made: Callable[[], Online], series: Sequence[float]) -> tuple[int, ...]:
    """Return where a detector saw a change, as positions of the series."""
    detector, found = made(), []
    for at, one in enumerate(series):
        detector.update(one)
        if detector.drift_detected:
            found.append(at)
    return tuple(found)


def adwin() -> Online:
    """Return ADWIN (Bifet and Gavaldà 2007), which keeps a window whose halves have one mean."""
    return _of("ADWIN", delta=ADWIN_DELTA)


def kswin() -> Online:
    """Return KSWIN (Raab, Heusinger and Schleif 2020), which compares a window's newest part with a drawn one."""
    return _of("KSWIN", alpha=KSWIN_ALPHA, seed=SEED)


def page_hinkley_online() -> Online:
    """Return Page–Hinkley (Page 1954, Hinkley 1971), which sums deviations from the running mean."""
    return _of("PageHinkley", delta=PAGE_HINKLEY_DELTA, threshold=PAGE_HINKLEY_THRESHOLD)


def detected(made: Callable[[], Online]) -> Callable[[Sequence[float], Sequence[float]], float]:
    """Return a detector of two series: how often it saw a change in the second, after it had learnt the first."""

    def measure(baseline: Sequence[float], current: Sequence[float]) -> float:
        return float(sum(at >= len(baseline) for at in changes(made, (*baseline, *current))))

    return measure


def _of(name: str, **settings: Any) -> Online:
    try:
        import river.drift
    except ImportError:
        raise MissingExtra(f"{name} needs the extra: pip install 'tradeworthy[drift]'") from None
    found: Online = getattr(river.drift, name)(**settings)
    return found
