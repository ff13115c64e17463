"""MD-10: when an instrument trades. Days are the venue's own; summer time follows its zone."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.kernel.errors import UsageError

ALWAYS = "24/7"
FOREX = "24x5"
NEW_YORK = ZoneInfo("America/New_York")
FX_ROLL = time(17)
"""The trading week of currencies runs from Sunday to Friday 17:00 New York."""
_SUNDAY, _FRIDAY = 6, 4


class Session(msgspec.Struct, frozen=True):
    """One stretch of trading, `[open, close)`, nanoseconds UTC; an early close is shorter than usual."""

    open: int
    close: int
    early_close: bool = False


class Calendar(Protocol):
    """Sessions of one calendar."""

    def session_at(self, ts: int) -> Session | None: ...
    def next_session(self, ts: int) -> Session: ...


class AlwaysOpen:
    """One session a UTC day, without a break."""

    def session_at(self, ts: int) -> Session | None:
        start = ts - ts % NANOS_PER_DAY
        return Session(start, start + NANOS_PER_DAY)

    def next_session(self, ts: int) -> Session:
        start = ts - ts % NANOS_PER_DAY + NANOS_PER_DAY
        return Session(start, start + NANOS_PER_DAY)


class ForexWeek:
    """Currencies, 24 hours on five days; bank holidays are not closed, they are thin."""

    def session_at(self, ts: int) -> Session | None:
        week = self._week(_local(ts, NEW_YORK).date())
        for session in (week, self._week(_local(ts, NEW_YORK).date() - timedelta(days=7))):
            if session.open <= ts < session.close:
                return session
        return None

    def next_session(self, ts: int) -> Session:
        day = _local(ts, NEW_YORK).date()
        weeks = (self._week(day + timedelta(days=7 * n)) for n in range(3))
        return next(week for week in weeks if week.open > ts)

    @staticmethod
    def _week(day: date) -> Session:
        """The week that opens on the last Sunday at or before `day`."""
        sunday = day - timedelta(days=(day.weekday() - _SUNDAY) % 7)
        friday = sunday + timedelta(days=5)
        opened, closed = (_nanos(datetime.combine(at, FX_ROLL, NEW_YORK)) for at in (sunday, friday))
        return Session(opened, closed)


class ExchangeSessions:
    """An exchange's sessions out of an `exchange-calendars` calendar."""

    def __init__(self, calendar: Any) -> None:
        self._calendar = calendar
        self._early = frozenset(calendar.early_closes)

    def session_at(self, ts: int) -> Session | None:
        session = self._session(self._calendar.minute_to_session(_minute(ts), direction="previous"))
        return session if session.open <= ts < session.close else None

    def next_session(self, ts: int) -> Session:
        label = self._calendar.minute_to_session(_minute(ts), direction="next")
        session = self._session(label)
        return session if session.open > ts else self._session(self._calendar.next_session(label))

    def session_on(self, day: date) -> Session | None:
        """Return the session of the exchange's own `day`, None on a holiday."""
        label = day.isoformat()
        return self._session(label) if self._calendar.is_session(label) else None

    def _session(self, label: Any) -> Session:
        opened, closed = self._calendar.session_open(label), self._calendar.session_close(label)
        return Session(opened.value, closed.value, opened.normalize().tz_localize(None) in self._early)


def calendar_of(name: str) -> Calendar:
    """Return the calendar an instrument names: `24/7`, `24x5`, or an exchange's code such as `XNYS`.

    An exchange needs the `data` extra; raises `UsageError` when it is missing or the code is unknown.
    """
    if name == ALWAYS:
        return AlwaysOpen()
    if name == FOREX:
        return ForexWeek()
    try:
        import exchange_calendars
    except ImportError:
        raise UsageError(f"calendar {name} needs the extra: pip install 'tradeworthy[data]'") from None
    try:
        return ExchangeSessions(exchange_calendars.get_calendar(name, start="1998-01-01"))
    except exchange_calendars.errors.InvalidCalendarName:
        raise UsageError(f"calendar must be {ALWAYS}, {FOREX} or an exchange's code, was {name!r}") from None


def _minute(ts: int) -> datetime:
    return datetime.fromtimestamp(ts // 60_000_000_000 * 60, UTC)


def _local(ts: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(ts // 1_000_000_000, zone)


def _nanos(when: datetime) -> int:
    return int(when.timestamp()) * 1_000_000_000
