"""Log maturity: the record is complete for long enough, by observed uptime and never by the clock (GT-01 to GT-03)."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.report import Check, Report, Source
from tradeworthy.kernel.severity import Severity

OK, UNKNOWN, FAIL = Severity.OK, Severity.UNKNOWN, Severity.FAIL
ZERO_LOSS = ("orders", "intents", "decisions", "audit")
"""Kinds of which none may be lost."""


class MaturityPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What is enough. A beat counts as uptime until the next one, where that came within `beat_gap_max_s`.

    market_data_lost_fail  a budget: reached = not mature
    """

    uptime_min_s: int = 24 * 3_600
    window_s: int = 48 * 3_600
    beat_gap_max_s: int = 30
    market_data_lost_fail: int = 5


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of the record. Times are nanoseconds UTC.

    beats        of an outside witness, None = nobody watched
    lost         events lost, by kind, since `lost_at`;  lost_at  when the last one was lost
    gap_reasons  whether every gap of market data has a reason
    days         UTC days that have a partition, as day numbers
    """

    beats: tuple[int, ...] | None
    checkpoint_verified: bool | None
    unknown_causes: int | None
    lost: dict[str, int]
    lost_at: int | None = None
    gap_reasons: bool = True
    days: tuple[int, ...] = ()


@fact("gate.rebaselined")
class Rebaselined(Fact, frozen=True):
    """Two people begin a count anew at `at`: what was `counted` stays lost, and uptime is observed anew (GE-22).

    envelope  the people's signatures over the rest, as DSSE JSON (`signed_rebaseline.py`)
    """

    source: str
    counted: int
    at: int
    reason: str
    people: tuple[str, ...]
    envelope: str = ""

    def __post_init__(self) -> None:
        if len({one.strip().casefold() for one in self.people} - {""}) < 2:
            raise ValueError(f"a count is begun anew by two different people, was {self.people}")
        if not self.reason.strip() or self.counted < 0:
            raise ValueError(f"expected a reason and a count of at least 0, found {self.reason!r} and {self.counted}")


def rebased(record: Record, told: Iterable[Rebaselined]) -> Record:
    """Return the record after counts were begun anew: nothing of it gets better, and the count of uptime restarts."""
    lost, lost_at = dict(record.lost), record.lost_at
    for one in told:
        lost[one.source] = max(lost.get(one.source, 0), one.counted)
        lost_at = max(lost_at or 0, one.at)
    return msgspec.structs.replace(record, lost=lost, lost_at=lost_at)


def uptime_s(beats: Sequence[int], *, start: int, end: int, gap_max_s: int) -> float:
    """Return the observed uptime between two moments: intervals of beats, each shorter than or equal to the gap.

    Silence before the first and after the last beat counts as down.
    """
    inside = sorted(one for one in set(beats) if start <= one <= end)
    gap = gap_max_s * NANOS_PER_SECOND
    up = sum(late - early for early, late in pairwise(inside) if late - early <= gap)
    return up / NANOS_PER_SECOND


def judge_maturity(record: Record, now: int, policy: MaturityPolicy | None = None) -> tuple[Check, ...]:
    """Return one check a rule; a loss restarts the count at the loss, and only newly observed uptime cures it."""
    p = policy or MaturityPolicy()
    return (
        _uptime(record, now, p),
        _flag("maturity.checkpoint", record.checkpoint_verified, "the chain verified to a signed checkpoint"),
        _none("maturity.unknown_causes", record.unknown_causes, "no event without its cause"),
        *(_none(f"maturity.lost_{kind}", record.lost.get(kind), f"no lost {kind}") for kind in ZERO_LOSS),
        _market_data(record, p), _partitions(record, now, p),
    )  # fmt: skip


def maturity_report(
    record: Record, now: int, *, sources: Iterable[Source] = (), policy: MaturityPolicy | None = None
) -> Report:
    """Return the report that is recorded as evidence of `log_maturity`."""
    return Report(
        name="log-maturity", title="Log maturity", sources=tuple(sources), checks=judge_maturity(record, now, policy)
    )  # fmt: skip


def lost_of(counts: Mapping[str, int]) -> dict[str, int]:
    """Return counts of lost events with a zero for each kind that nothing was lost of."""
    return {**dict.fromkeys((*ZERO_LOSS, "market_data"), 0), **counts}


def _uptime(record: Record, now: int, policy: MaturityPolicy) -> Check:
    code, needed = "maturity.uptime", policy.uptime_min_s / 3_600
    limit = f"at least {needed:g} h in {policy.window_s / 3_600:g} h"
    if record.beats is None:
        return Check(code, UNKNOWN, "nobody watched", limit, "let an outside witness watch the desk")
    start = max(now - policy.window_s * NANOS_PER_SECOND, record.lost_at or 0)
    up = uptime_s(record.beats, start=start, end=now, gap_max_s=policy.beat_gap_max_s)
    told = f"{up / 3_600:.4g} h of {needed:g} h"
    since = " since the last loss" if record.lost_at is not None and record.lost_at == start else ""
    return Check(code, OK if up >= policy.uptime_min_s else FAIL, told, limit, f"observed uptime{since}")


def _market_data(record: Record, policy: MaturityPolicy) -> Check:
    code, lost = "maturity.lost_market_data", record.lost.get("market_data")
    limit = f"fewer than {policy.market_data_lost_fail}, each gap with a reason"
    if lost is None:
        return Check(code, UNKNOWN, "nobody counted", limit)
    right = lost < policy.market_data_lost_fail and record.gap_reasons
    told = f"{lost} lost" if record.gap_reasons else f"{lost} lost, a gap without reason"
    return Check(code, OK if right else FAIL, told, limit)


def _partitions(record: Record, now: int, policy: MaturityPolicy) -> Check:
    """Each UTC day that the needed uptime reaches back to has its partition."""
    last, first = now // NANOS_PER_DAY, (now - policy.uptime_min_s * NANOS_PER_SECOND) // NANOS_PER_DAY
    missing = [day for day in range(first, last + 1) if day not in record.days]
    told = f"{len(missing)} of {last - first + 1} days without one"
    return Check("maturity.partitions", FAIL if missing else OK, told, "a partition for each UTC day")


def _flag(code: str, value: bool | None, limit: str) -> Check:
    if value is None:
        return Check(code, UNKNOWN, "nobody looked", limit)
    return Check(code, OK if value else FAIL, str(value), limit)


def _none(code: str, value: int | None, limit: str) -> Check:
    if value is None:
        return Check(code, UNKNOWN, "nobody counted", limit)
    return Check(code, OK if value == 0 else FAIL, str(value), limit)
