"""Which reports are due: the day's after 16:30 in New York, the week's from Monday on (GT-14, GT-15)."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.operations.gates.daily_report import daily_report
from tradeworthy.operations.gates.store import Known
from tradeworthy.operations.gates.weekly_review import monday_before, weekly_review

ZONE = ZoneInfo("America/New_York")
DAY_ENDS = time(16, 30)
LOOK_S = 900
"""How often somebody looks whether a report is due."""


class DueReport(NamedTuple):
    """One report: its file's name, and its text, which is the same whenever it is made from the same journal."""

    name: str
    text: str


def day_end(now: int) -> int:
    """Return the newest 16:30 in New York that is not after `now`, nanoseconds UTC."""
    here = datetime.fromtimestamp(now // NANOS_PER_SECOND, UTC).astimezone(ZONE)
    end = datetime.combine(here.date(), DAY_ENDS, ZONE)
    if end > here:
        end = datetime.combine(here.date() - timedelta(days=1), DAY_ENDS, ZONE)
    return round(end.timestamp()) * NANOS_PER_SECOND


def due_reports(known: Known, there: Collection[str], now: int) -> tuple[DueReport, ...]:
    """Return the newest report of a day and of a week that are not there yet."""
    day, week = day_end(now), monday_before(now)
    named: dict[str, Callable[[], str]] = {
        f"daily-{_date(day, ZONE)}.md": lambda: daily_report(known, day),
        f"weekly-{_date(week, UTC)}.md": lambda: weekly_review(known, week),
    }
    return tuple(DueReport(name, make()) for name, make in named.items() if name not in there)


def _date(at: int, zone: tzinfo) -> str:
    return f"{datetime.fromtimestamp(at // NANOS_PER_SECOND, zone):%Y-%m-%d}"
