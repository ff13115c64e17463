"""Mean times of answering and resolving, with their intervals (IN-03)."""

import math
import statistics
from collections.abc import Iterable
from typing import NamedTuple

from tradeworthy.kernel.clock import NANOS_PER_SECOND

MINUTE_NS = 60 * NANOS_PER_SECOND


class Mean(NamedTuple):
    """A mean in minutes with its 95 % interval; None where there is nothing, or one alone."""

    minutes: float | None
    low: float | None
    high: float | None
    n: int


class Means(NamedTuple):
    """MTTA and MTTR of a window, drills apart."""

    mtta: Mean
    mttr: Mean
    drills_mtta: Mean
    drills_mttr: Mean


def mean_of(values_ns: Iterable[int]) -> Mean:
    """Return the mean of spans in nanoseconds."""
    found = [one / MINUTE_NS for one in values_ns]
    if not found:
        return Mean(None, None, None, 0)
    mean = statistics.fmean(found)
    if len(found) == 1:
        return Mean(mean, None, None, 1)
    half = 1.96 * statistics.stdev(found) / math.sqrt(len(found))
    return Mean(mean, mean - half, mean + half, len(found))
