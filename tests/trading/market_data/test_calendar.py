from datetime import UTC, date, datetime

import pytest

from tradeworthy.kernel.errors import UsageError
from tradeworthy.trading.market_data.calendar import AlwaysOpen, ForexWeek, Session, calendar_of


def nanos(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000_000


def test_crypto_is_always_open():
    calendar = calendar_of("24/7")
    assert isinstance(calendar, AlwaysOpen)
    assert calendar.session_at(nanos("2024-12-25T03:00")) == Session(nanos("2024-12-25"), nanos("2024-12-26"))
    assert calendar.next_session(nanos("2024-12-25T03:00")).open == nanos("2024-12-26")


@pytest.mark.parametrize(
    ("when", "is_open"),
    [("2024-01-05T21:59:59", True), ("2024-01-05T22:00", False), ("2024-01-06T12:00", False),
     ("2024-01-07T21:59:59", False), ("2024-01-07T22:00", True), ("2024-07-05T21:00", False),
     ("2024-07-07T21:00", True), ("2024-01-01T12:00", True)],
)
def test_currencies_trade_from_sunday_to_friday_five_in_new_york(when, is_open):
    assert (calendar_of("24x5").session_at(nanos(when)) is not None) is is_open


def test_week_of_the_clock_change_is_an_hour_shorter():
    calendar = ForexWeek()
    week = calendar.next_session(nanos("2024-03-09T00:00"))
    assert week == Session(nanos("2024-03-10T21:00"), nanos("2024-03-15T21:00"))
    before = calendar.session_at(nanos("2024-03-08T00:00"))
    assert before == Session(nanos("2024-03-03T22:00"), nanos("2024-03-08T22:00"))
    assert calendar.next_session(week.open).open == nanos("2024-03-17T21:00")


def test_exchange_closes_early_after_thanksgiving():
    pytest.importorskip("exchange_calendars", reason="the data extra is not installed")
    calendar = calendar_of("XNYS")
    early = calendar.session_at(nanos("2024-11-29T15:00"))
    assert early == Session(nanos("2024-11-29T14:30"), nanos("2024-11-29T18:00"), early_close=True)
    assert calendar.session_at(nanos("2024-11-29T18:00")) is None, "13:00 in New York"
    assert calendar.session_at(nanos("2024-11-28T15:00")) is None, "a holiday"
    assert calendar.next_session(nanos("2024-11-28T15:00")) == early
    assert calendar.next_session(nanos("2024-11-29T15:00")).open == nanos("2024-12-02T14:30")
    summer = Session(nanos("2024-07-02T13:30"), nanos("2024-07-02T20:00"))
    assert calendar.session_at(summer.open) == summer
    assert calendar.session_on(date(2024, 12, 25)) is None
    assert calendar.session_on(date(2024, 11, 29)) == early


def test_unknown_calendar_is_refused():
    pytest.importorskip("exchange_calendars", reason="the data extra is not installed")
    with pytest.raises(UsageError, match="exchange's code, was 'XXXX'"):
        calendar_of("XXXX")
