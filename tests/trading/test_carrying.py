"""Margin and funding of a held position act on the guard (RK-38, RK-39)."""

from decimal import Decimal

import msgspec
import pytest
from small_desk import ID, SECOND, START, Feed, Scripted, build, of, perpetual, submits, target

from tradeworthy.trading.model import Funding, GuardChanged, GuardLevel
from tradeworthy.trading.model.instrument import MarginRates
from tradeworthy.trading.risk.carry import FundingHigh

HOUR = 3_600 * SECOND
MARGINED = msgspec.structs.replace(perpetual(), margin=MarginRates(Decimal("0.05"), Decimal("0.004")))


def holding(lots, **odd):
    feed = Feed(build(Scripted([target(lots)]), **odd))
    (order,) = submits(feed.quote())
    feed.acknowledge(order)
    feed.fill(order)
    return feed


def reasons(outcome):
    return [(one.reason, one.scope, one.set) for one in of(outcome, GuardChanged)]


def fund(feed, rate, hours):
    feed.quote()
    return feed.give(Funding(ID, Decimal(rate)), ts=START + hours * HOUR)


def test_a_payable_rate_after_a_full_period_reduces_the_instrument_until_it_is_low():
    feed = holding(10)
    assert reasons(fund(feed, "0.006", 5)) == []
    assert ("risk.funding", f"instrument:{ID}", True) in reasons(fund(feed, "0.006", 9))
    assert feed.desk.seats[0].guard is GuardLevel.REDUCING
    assert ("risk.funding", f"instrument:{ID}", False) in reasons(fund(feed, "0.0005", 17))


def test_received_funding_judges_nothing_and_two_high_periods_are_told():
    short = holding(-10)
    assert reasons(fund(short, "0.006", 9)) == reasons(fund(short, "0.006", 17)) == []
    long = holding(10)
    told = [of(fund(long, "0.003", hours), FundingHigh) for hours in (9, 17)]
    assert [len(one) for one in told] == [0, 1]


@pytest.mark.parametrize(("equity", "code"), [("0.19", "risk.margin"), ("0.09", "risk.margin_stop"), ("0.20", None)])
def test_margin_below_its_floor_acts_on_the_venue(equity, code):
    feed = holding(100, instrument=MARGINED)
    book = feed.desk.context.books[ID]
    worth = Decimal(book.position * book.lot2) / 2
    feed.desk.context.equity_nanos = int(worth * Decimal(equity))
    feed.desk._carrying.on_second()
    found = {one.reason for one in feed.desk._facts if type(one) is GuardChanged and one.scope == "venue:SIM"}
    assert (code in found) if code else not found


def test_an_instrument_without_margin_is_not_judged():
    feed = holding(100)
    feed.desk.context.equity_nanos = 1
    feed.desk._carrying.on_second()
    assert feed.desk._facts == []
