"""Each minute a row and the books of every instance, on each fill the books, at the roll the day."""

from decimal import Decimal

import pytest
from small_desk import (
    ID,
    SECOND,
    START,
    Feed,
    Scripted,
    around,
    build,
    flat_rows_of,
    of,
    quotes,
    simulated,
    submits,
    target,
)

from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.trading.allocation.static_split import Budget
from tradeworthy.trading.ledger.day import DayLine, DayRolled, EquitySampled
from tradeworthy.trading.ledger.snapshot import AccountingSnapshot, SnapshotPolicy, judge_snapshot
from tradeworthy.trading.minute import DeskMinute
from tradeworthy.trading.model import CancelOrder, Funding, GuardLevel, GuardReason, Mark, ReportType, Side, Timer
from tradeworthy.trading.replay import replay

DAY = 86_400 * SECOND
BOOKS = SnapshotPolicy()


def holding(lots=1_000, **odd):
    feed = Feed(build(Scripted([target(lots)]), books=BOOKS, max_position=Decimal(1), gross_leverage=Decimal(5), **odd))
    found = []
    for order in submits(feed.quote()):
        feed.acknowledge(order)
        found += of(feed.fill(order, fee="1.5"), AccountingSnapshot)
    return feed, found


def minute(feed, wait=60):
    outcome = feed.give(Timer("minute"), source="clock", ts=feed.ts + wait * SECOND)
    (row,), (books,) = of(outcome, DeskMinute), of(outcome, AccountingSnapshot)
    return row, books


def test_a_fill_leaves_the_books_after_it():
    _, (books,) = holding()
    assert (books.position, books.average, books.fees_today) == (Decimal(1), Decimal(10_000), Decimal("1.5"))
    assert books.equity == 300_000 - Decimal("1.5")
    assert judge_snapshot({name: getattr(books, name) for name in books.__struct_fields__}) == ()


def test_the_row_tells_what_the_instance_holds_owes_and_earned():
    feed, _ = holding()
    feed.give(Mark(ID, 100_000))
    feed.give(Funding(ID, Decimal("0.0001")))
    feed.quote(100_990, 101_010)
    feed.give(Mark(ID, 101_000))
    row, books = minute(feed, 20)
    assert (row.instance, row.state, row.guard_reasons) == ("script", "running", ())
    assert (row.position, row.average, row.mid) == (Decimal(1), Decimal(10_000), Decimal(10_100))
    assert (row.unrealized, row.fees, row.funding) == (Decimal(100), Decimal("1.5"), Decimal(-1))
    assert row.equity == books.equity == 300_000 + 100 - Decimal("1.5") - 1
    assert row.net == row.gross == pytest.approx(10_100 / float(row.equity))
    assert (row.fills, row.turnover) == (1, pytest.approx(10_000 / 300_000, rel=1e-3))
    assert (row.maker_fee, row.taker_fee, row.fee_source) == (Decimal(0), Decimal("0.001"), "venue")
    assert (row.funding_rate, row.stale, row.withheld) == (Decimal("0.0001"), None, None)
    assert (row.spread, row.regime, row.position_difference, row.reconnects) == (None,) * 4


def test_the_row_counts_working_orders_and_the_last_minutes_cancels():
    feed = Feed(build(Scripted([quotes(Side.BUY, Side.SELL, lots=7)]), books=BOOKS))
    for order in submits(feed.quote()):
        feed.acknowledge(order)
    assert minute(feed)[0].orders_active == 2
    feed.desk.seats[0].strategy.answers.append(quotes())
    cancels = of(feed.quote(), CancelOrder)
    for one in cancels:
        feed.report(ReportType.CANCELLED, one)
    assert len(cancels) == 2
    feed.ts -= 3 * SECOND
    assert minute(feed)[0].cancels_minute == 2
    assert minute(feed)[0].cancels_minute == 0


def test_the_row_names_the_reasons_in_force():
    feed, _ = holding(10)
    feed.desk._guard_reasons((
        GuardReason("risk", "daily_loss", GuardLevel.PAUSED),
        GuardReason("risk", "x", GuardLevel.PAUSED, "strategy:other"),
    ))  # fmt: skip
    row, _ = minute(feed)
    assert (row.state, row.guard_reasons) == ("paused", ("risk.daily_loss",))


def test_an_old_price_values_nothing_and_unknown_is_not_zero():
    feed, _ = holding()
    row, books = minute(feed)
    assert (row.mid, row.equity, books.unrealized, row.net) == (None, None, None, None)


def test_the_day_rolls_with_its_line_and_begins_anew():
    feed, _ = holding(rollover_hour=22)
    at = START - START % DAY + 22 * 3_600 * SECOND
    outcome = feed.give(Timer("day_roll"), source="clock", ts=at + (DAY if at <= feed.ts else 0))
    (ended,), (line,) = of(outcome, DayRolled), of(outcome, DayLine)
    assert (ended.fills, ended.fees, line.fills) == (1, Decimal("1.5"), 1)
    row, _ = minute(feed)
    assert (row.fills, row.fees, row.position) == (0, 0, Decimal(1))


def test_a_desk_without_books_tells_none():
    feed = Feed(build(Scripted()))
    feed.quote()
    assert feed.give(Timer("minute"), source="clock").facts == ()


def test_rows_are_replayed_to_the_same_bytes():
    def desk():
        return build(Scripted([target(50), quotes(Side.BUY)]), books=BOOKS)

    environment, journal = around(desk(), simulated(SECOND), timers=[("minute", 60 * SECOND)])
    environment.run(flat_rows_of(*(START + n * 20 * SECOND for n in range(30))))
    assert sum(type(one.payload) is DeskMinute for one in journal.events) == 9
    result = replay(journal.events, desk())
    assert result.ok
    assert result.digest == environment.digest.hexdigest()


def test_each_minute_tells_the_equity_of_the_whole_desk_and_each_split_its_budgets():
    feed, _ = holding()
    feed.quote()
    outcome = feed.give(Timer("minute"), source="clock", ts=feed.ts + 60 * SECOND)
    (sampled,) = [one for one in of(outcome, EquitySampled) if one.instance == "desk"]
    assert sampled.equity == feed.desk.context.equity_nanos
    budgets = of(outcome, Budget)
    assert {one.instance for one in budgets} == {"script", "reserve"}
    assert sum(one.nanos for one in budgets) == budgets[0].capital_nanos == sampled.equity
    assert feed.desk.context.account("script").allocated == budgets[0].nanos


def test_a_desk_without_books_tells_neither():
    feed = Feed(build(Scripted()))
    feed.quote()
    outcome = feed.give(Timer("minute"), source="clock", ts=feed.ts + 61 * SECOND)
    assert outcome.facts == ()


def test_an_instance_may_not_be_called_as_the_whole_desk():
    with pytest.raises(ConfigurationRefused, match="may not be called 'desk'"):
        build(Scripted(instance="desk"), books=BOOKS)
