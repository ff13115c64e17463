"""Facts of what a store holds: how far its rows reach, and how many sessions of the calendar are among them (AS-11)."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.framework.values import Observation
from tradeworthy.trading.market_data.calendar import Calendar, ExchangeSessions

DAY = timedelta(days=1)
AFTERNOON_HOUR = 15
"""UTC hour at which a trading week of currencies is open on each of its five days."""


def retention_facts(
    table: str, dimension: str, rows: int, days: Sequence[date], calendar: Calendar, tell: Teller
) -> list[Observation]:
    """Return the facts of `data_retention` of one table. `days` are UTC dates with rows, in order, each once."""
    if not days:
        named = {"dimension": dimension, "rows": rows, "days": 0, "sessions_expected": 0, "sessions_present": 0}
        return [tell(name, value, table) for name, value in named.items()]
    span = (days[-1] - days[0]).days + 1
    expected = {one for one in (days[0] + n * DAY for n in range(span)) if opens_on(calendar, one)}
    named = {
        "dimension": dimension, "rows": rows, "days": span, "sessions_expected": len(expected),
        "sessions_present": len(expected.intersection(days)),
    }  # fmt: skip
    return [tell(name, value, table) for name, value in named.items()]


def opens_on(calendar: Calendar, day: date) -> bool:
    """Tell whether there is trading on a day: the exchange's own session, or one that is open in the afternoon, UTC."""
    if isinstance(calendar, ExchangeSessions):
        return calendar.session_on(day) is not None
    noon = datetime(day.year, day.month, day.day, AFTERNOON_HOUR, tzinfo=UTC)
    return calendar.session_at(int(noon.timestamp()) * NANOS_PER_SECOND) is not None
