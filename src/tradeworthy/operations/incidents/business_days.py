"""Which days count as business days: Monday to Friday, less the holidays of an exchange (IN-06, IN-08)."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import UsageError
from tradeworthy.trading.market_data.calendar import ExchangeSessions, calendar_of

FRIDAY = 4
OpenOn = Callable[[date], bool]
"""Tells whether a day is a business day."""


def is_weekday(day: date) -> bool:
    """Tell whether a day is from Monday to Friday."""
    return day.weekday() <= FRIDAY


@cache
def open_days_of(calendar: str) -> OpenOn:
    """Return the business days of an exchange's code, e.g. `XNYS`; empty: every weekday.

    A day beyond what the calendar knows is a business day if it is a weekday: a deadline then comes too early rather
    than too late. Raises `UsageError` for a code that is no exchange's.
    """
    if not calendar:
        return is_weekday
    sessions = calendar_of(calendar)
    if not isinstance(sessions, ExchangeSessions):
        raise UsageError(f"business days need an exchange's calendar such as XNYS, was {calendar!r}")

    def is_open(day: date) -> bool:
        if not is_weekday(day):
            return False
        try:
            return sessions.session_on(day) is not None
        except ValueError:
            return True

    return is_open


def after_business_days(since: int, days: int, open_on: OpenOn = is_weekday) -> int:
    """Return the moment so many business days later, nanoseconds UTC; days that are not open are not counted."""
    moment = datetime.fromtimestamp(since // NANOS_PER_SECOND, UTC)
    while days:
        moment += timedelta(days=1)
        days -= open_on(moment.date())
    return round(moment.timestamp()) * NANOS_PER_SECOND
