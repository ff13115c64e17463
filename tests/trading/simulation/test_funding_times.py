"""Funding at the venue's own times, and an event for the time that no rate came for (SV-12)."""

import pytest
from venue_bench import X, instrument

from tradeworthy.trading.model import Funding
from tradeworthy.trading.model.funding import next_funding
from tradeworthy.trading.simulation.funding_watch import FundingWatch

S = 1_000_000_000
HOUR = 3_600 * S
PERP = instrument(funding_hours=(0, 8, 16))


@pytest.mark.parametrize(
    ("ts", "expected"), [(0, 8), (8 * HOUR - 1, 8), (8 * HOUR, 16), (16 * HOUR, 24), (23 * HOUR, 24)]
)
def test_funding_comes_at_midnight_eight_and_sixteen(ts, expected):
    assert next_funding(PERP, ts) == expected * HOUR
    assert next_funding(instrument(), ts) is None


def test_a_time_without_a_rate_is_unknown_and_said_once_at_its_own_time():
    watch = FundingWatch([PERP, instrument(symbol="SPOT")], 0)
    assert watch.next_due() == 8 * HOUR + 60 * S
    assert watch.advance(8 * HOUR + 60 * S - 1) == []
    assert watch.advance(8 * HOUR + 60 * S) == [(8 * HOUR, Funding(X, None))]
    assert watch.advance(9 * HOUR) == []


@pytest.mark.parametrize("away_s", [-60, 0, 59])
def test_a_rate_within_a_minute_answers_its_time(away_s):
    watch = FundingWatch([PERP], 0)
    watch.on_funding(Funding(X, None), 8 * HOUR + away_s * S)
    assert watch.advance(9 * HOUR) == []
    assert watch.next_due() == 16 * HOUR + 60 * S


def test_a_rate_far_from_its_time_answers_nothing():
    watch = FundingWatch([PERP], 0)
    watch.on_funding(Funding(X, None), 8 * HOUR - 61 * S)
    assert [ts for ts, _ in watch.advance(17 * HOUR)] == [8 * HOUR, 16 * HOUR]


def test_nothing_is_due_without_a_schedule():
    assert FundingWatch([instrument()], 0).next_due() is None
