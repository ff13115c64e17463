"""Volume-weighted slicing: the day's own volume curve, held under a share of what really trades (EA-04)."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.trading.execution.parents import Parent
from tradeworthy.trading.execution.slicing import Slice, SlicePolicy, Slicing, in_lots

BUCKET_NS = 300 * NANOS_PER_SECOND


class VwapPolicy(SlicePolicy, frozen=True, kw_only=True):
    """Bounds of a schedule; both caps are fractions and may be filled.

    sessions           past sessions that make a curve
    participation_max  share of the volume traded since the slice before;  adv_max  share of the mean daily volume
    """

    sessions: int = 20
    participation_max: float = 0.10
    adv_max: float = 0.20


class VolumeCurve(msgspec.Struct, frozen=True):
    """Mean share of a session's volume by bucket, and the mean volume of a day in lots."""

    shares: tuple[float, ...]
    volume_day: float


class ScheduleRefused(msgspec.Struct, frozen=True):
    """Why no schedule was drawn up: code, observed and limit as text."""

    code: str
    observed: str
    limit: str


def rescale(shares: Sequence[float], buckets: int) -> tuple[float, ...]:
    """Return a curve of shares over another number of buckets: an early close keeps the day's shape."""
    if len(shares) == buckets:
        return tuple(shares)
    upto = [0.0, *accumulate(shares)]
    ends = [_between(upto, number * len(shares) / buckets) for number in range(buckets + 1)]
    return tuple(after - before for before, after in pairwise(ends))


def volume_curve(sessions: Sequence[Sequence[int]], policy: VwapPolicy) -> VolumeCurve | ScheduleRefused:
    """Return the curve of the last sessions, oldest first, each as lots by 5-minute bucket.

    A short session is stretched to the longest. Too few sessions, or one without volume, give no curve.
    """
    if len(sessions) < policy.sessions:
        return ScheduleRefused("execution.vwap_no_history", str(len(sessions)), str(policy.sessions))
    used = sessions[-policy.sessions :]
    totals = [sum(session) for session in used]
    if min(totals) <= 0:
        return ScheduleRefused("execution.vwap_no_history", "a session without volume", "volume in each session")
    buckets = max(len(session) for session in used)
    curves = [
        rescale([lots / total for lots in session], buckets) for session, total in zip(used, totals, strict=True)
    ]
    means = tuple(sum(column) / len(used) for column in zip(*curves, strict=True))
    return VolumeCurve(means, sum(totals) / len(used))


def vwap_plan(
    lots: int, curve: VolumeCurve, policy: VwapPolicy, *, session: tuple[int, int], begin: int, end: int
) -> tuple[Slice, ...] | ScheduleRefused:
    """Return the slices of `lots` between `begin` and `end`, one a bucket, in proportion to the curve.

    session  open and close of the day, nanoseconds UTC; a short day has the whole curve in fewer buckets
    """
    opened, closed = session
    if not opened <= begin < end <= closed:
        raise ValueError(f"expected {opened} <= begin < end <= {closed}, was {begin}, {end}")
    limit = int(policy.adv_max * curve.volume_day)
    if lots > limit:
        return ScheduleRefused("execution.vwap_above_adv", str(lots), str(limit))
    shares = rescale(curve.shares, -(-(closed - opened) // BUCKET_NS))
    times: list[int] = []
    weights: list[float] = []
    for number, share in enumerate(shares):
        start, stop = opened + number * BUCKET_NS, min(closed, opened + (number + 1) * BUCKET_NS)
        covered = min(stop, end) - max(start, begin)
        if covered > 0:
            times.append(max(start, begin))
            weights.append(share * covered / (stop - start))
    if sum(weights) <= 0:
        return ScheduleRefused("execution.vwap_no_history", "no volume in the window", "volume in the window")
    return tuple(Slice(at, part) for at, part in zip(times, in_lots(lots, weights), strict=True))


class Vwap(Slicing):
    """A volume schedule at work; the desk shows it each trade of the market."""

    __slots__ = ("_participation", "_traded")

    def __init__(self, parent: Parent, plan: Sequence[Slice], policy: VwapPolicy) -> None:
        super().__init__(parent, plan, policy, "vwap")
        self._participation = policy.participation_max
        self._traded = 0

    def on_trade(self, lots: int) -> None:
        """Count what the market traded, our own fills among it."""
        self._traded += lots

    def allowed(self, lots: int) -> int:
        """Return at most the participation cap of what traded since the slice before; the rest carries on."""
        most = int(self._participation * self._traded)
        self._traded = 0
        return min(lots, most)


def _between(upto: Sequence[float], at: float) -> float:
    """Return the running sum at a place between two buckets."""
    whole = min(int(at), len(upto) - 2)
    return upto[whole] + (at - whole) * (upto[whole + 1] - upto[whole])
