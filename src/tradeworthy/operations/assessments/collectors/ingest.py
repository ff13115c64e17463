"""What a run's feeds brought, by dimension of the data, as facts of ingest health and its objectives (AS-01, AS-43)."""

from collections.abc import Collection, Mapping, Sequence

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.operations.assessments.collectors.streams import FeedSeen
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.framework.values import Observation
from tradeworthy.operations.assessments.ingest_health import DAILY, INTRADAY
from tradeworthy.trading.market_data.calendar import Calendar


def ingest_facts(
    feeds: Sequence[FeedSeen], expected: Collection[str], calendars: Mapping[str, Calendar], now: int, tell: Teller, *,
    channels: Collection[str] | None = None,
) -> list[Observation]:  # fmt: skip
    """Return the facts of each dimension: rows, instruments, and how old the newest row of the slowest instrument is.

    expected  instruments of the document: one that no feed brought yet counts as intraday
    now       nanoseconds UTC;  channels  that a breach would reach; None leaves them out
    """
    by: dict[str, list[FeedSeen]] = {DAILY: [], INTRADAY: []}
    for one in feeds:
        by[DAILY if one.interval_ns >= NANOS_PER_DAY else INTRADAY].append(one)
    seen = {name: {one.instrument for one in some} for name, some in by.items()}
    wanted = {
        DAILY: {one for one in expected if one in seen[DAILY]},
        INTRADAY: {one for one in expected if one in seen[INTRADAY] or one not in seen[DAILY]},
    }
    found: list[Observation] = []
    for name, some in by.items():
        if not some and not wanted[name]:
            continue
        ages: dict[str, int] = {}
        for one in some:
            calendar = calendars.get(one.instrument)
            if calendar is None or calendar.session_at(now) is not None:
                age = max(0, now - one.last - one.interval_ns)
                ages[one.instrument] = min(age, ages.get(one.instrument, age))
        found += [
            tell("dimension", name, name), tell("planned", True, name), tell("open", bool(ages) or not some, name),
            tell("freshness", max(ages.values(), default=0) / NANOS_PER_SECOND if some else None, name,
                 why="no row came yet"),
            tell("rows", sum(one.events for one in some), name),
            tell("expected", tuple(sorted(wanted[name])), name), tell("observed", tuple(sorted(seen[name])), name),
        ]  # fmt: skip
        if channels is not None:
            found.append(tell("channels", tuple(channels), name))
    return found
