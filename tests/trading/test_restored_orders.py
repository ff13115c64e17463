"""Orders that a desk left at a venue which outlived it: looked up, booked by the venue's own word, never invented."""

from decimal import Decimal

import msgspec
import pytest
from small_desk import ID, SECOND, Feed, Scripted, build, of, quotes, submits

from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.trading.model import (
    CancelOrder,
    FillBooked,
    Liquidity,
    OrderAnomaly,
    OrderChanged,
    OrderState,
    QueryOrder,
    ReportType,
    Side,
)

R, S = ReportType, OrderState
LOTS = 10


def left(*, filled=0, acknowledged=True, sides=(Side.BUY,)):
    """Return a desk that stops with working orders, those orders, and what it remembers."""
    desk = build(Scripted([quotes(*sides, lots=LOTS)]))
    feed = Feed(desk)
    orders = submits(feed.quote())
    for order in orders if acknowledged else ():
        feed.acknowledge(order)
    if filled:
        part(feed, orders[0], "t-old", filled, filled)
    return feed, orders, desk.memory.told("before", feed.number, feed.ts)


def part(feed, order, trade, lots, cum):
    return feed.report(
        R.FILL, order, trade_id=trade, side=order.side, lots=lots, price=order.price, cum_lots=cum,
        leaves_lots=LOTS - cum, liquidity=Liquidity.MAKER, fee=Decimal(0), fee_currency="USD",
    )  # fmt: skip


def begun(memory, after):
    """Return a second desk that took the memory over, and what that led to."""
    feed = Feed(build(Scripted()))
    feed.ts = after.ts
    return feed, feed.give(memory, source="run")


def test_a_restored_order_is_unknown_looked_up_and_taken_off():
    before, (order,), memory = left()
    feed, outcome = begun(memory, before)
    assert [(one.before, one.after, one.code) for one in of(outcome, OrderChanged)] == [
        (S.SUBMITTED, S.UNKNOWN, "execution.restored")
    ]
    assert [type(one) for one in outcome.commands] == [QueryOrder, CancelOrder]
    assert {one.client_order_id for one in outcome.commands} == {order.client_order_id}
    assert feed.desk.execution.open_lots("script", ID, Side.BUY) == LOTS
    assert feed.desk.context.orders == 1
    assert feed.desk.context.reservations.open_lots(order.intent_id) == LOTS


def test_a_fill_of_the_meantime_is_booked_by_the_venues_report_and_frees_what_was_held():
    before, (order,), memory = left()
    feed, _ = begun(memory, before)
    (booked,) = of(part(feed, order, "t-new", LOTS, LOTS), FillBooked)
    assert (booked.trade_id, booked.lots, booked.position) == ("t-new", LOTS, LOTS)
    desk = feed.desk
    assert desk.ledger.lots("script", ID) == LOTS
    assert desk.execution.orders.all_live() == []
    assert (desk.context.orders, desk.context.books[ID].position, len(desk.context.reservations)) == (0, LOTS, 0)
    late = feed.report(R.CANCEL_REJECTED, order, code="venue.already_filled")
    assert of(late, OrderAnomaly) == []


def test_a_fill_that_was_booked_before_is_known_when_the_venue_tells_it_again():
    before, (order,), memory = left(filled=4)
    feed, _ = begun(memory, before)
    assert feed.desk.ledger.lots("script", ID) == 4
    assert of(part(feed, order, "t-old", 4, 4), FillBooked) == []
    assert feed.desk.context.reservations.open_lots(order.intent_id) == LOTS - 4
    (booked,) = of(part(feed, order, "t-new", 3, 7), FillBooked)
    assert (booked.lots, booked.position) == (3, 7)
    ended = feed.report(R.CANCELLED, order, code="venue.status", cum_lots=7)
    assert [one.after for one in of(ended, OrderChanged)] == [S.CANCELLED]
    assert (feed.desk.context.orders, feed.desk.ledger.lots("script", ID)) == (0, 7)


def test_an_order_that_never_reached_the_venue_ends_without_a_fill():
    before, (order,), memory = left(acknowledged=False)
    feed, _ = begun(memory, before)
    ended = feed.report(R.ABSENT, order, code="venue.unknown_order")
    assert [one.after for one in of(ended, OrderChanged)] == [S.ABSENT]
    assert (feed.desk.context.orders, feed.desk.ledger.lots("script", ID)) == (0, 0)


@pytest.mark.parametrize(("kind", "after"), [(R.CANCELLED, S.CANCELLED), (R.EXPIRED, S.EXPIRED)])
def test_an_end_that_was_on_its_way_before_is_told_twice_and_is_no_anomaly(kind, after):
    before, (order,), memory = left()
    feed, _ = begun(memory, before)
    assert [one.after for one in of(feed.report(kind, order, code="account.emergency"), OrderChanged)] == [after]
    assert feed.report(kind, order, code="venue.status").facts == ()
    other = R.EXPIRED if kind is R.CANCELLED else R.CANCELLED
    assert len(of(feed.report(other, order, code="venue.status"), OrderAnomaly)) == 1


def test_of_an_order_of_its_own_a_second_end_is_an_anomaly():
    feed, (order,), _ = left()
    assert of(feed.report(R.CANCELLED, order), OrderAnomaly) == []
    assert len(of(feed.report(R.CANCELLED, order), OrderAnomaly)) == 1


def test_an_order_that_nobody_remembers_stays_an_anomaly_and_books_nothing():
    before, (order,), memory = left()
    feed, _ = begun(msgspec.structs.replace(memory, orders=()), before)
    outcome = part(feed, order, "t-new", LOTS, LOTS)
    assert of(outcome, FillBooked) == []
    assert len(of(outcome, OrderAnomaly)) == 1
    assert feed.desk.ledger.lots("script", ID) == 0


def test_silence_is_asked_again_at_each_timeout():
    before, (order,), memory = left()
    feed, _ = begun(memory, before)
    feed.ts += 29 * SECOND - SECOND
    assert feed.quote().commands == ()
    feed.ts += 2 * SECOND
    assert [type(one) for one in feed.quote().commands] == [QueryOrder, CancelOrder]
    assert order.client_order_id in feed.desk.execution.orders._orders


def test_what_was_restored_is_told_again_to_the_next():
    before, _, memory = left(filled=4, sides=(Side.BUY, Side.SELL))
    assert len(memory.orders) == 2
    feed, _ = begun(memory, before)
    again = feed.desk.memory.told("before", memory.seq, memory.ts)
    assert again.orders == memory.orders
    assert again.positions == memory.positions


def test_a_memory_without_orders_reads_as_before():
    _, _, memory = left()
    plain = msgspec.json.decode(msgspec.json.encode(memory))
    del plain["orders"]
    assert msgspec.convert(plain, type(memory), strict=False).orders == ()


def test_an_order_of_an_instance_that_is_gone_is_no_start():
    before, _, memory = left()
    feed = Feed(build(Scripted(instance="another"), quoting=("another",)))
    feed.ts = before.ts
    with pytest.raises(ConfigurationRefused, match=r"left order tw-\w+ of script"):
        feed.give(memory, source="run")
