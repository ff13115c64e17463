"""Positions are closed in slices: on a kill with flatten, while the guard is reducing, until somebody stops it."""

from decimal import Decimal

import pytest
from small_desk import ID, SECOND, Feed, Scripted, build, of, quotes, submits, target

from tradeworthy.trading.control.kill import KillRequest
from tradeworthy.trading.execution.parents import ParentProgress
from tradeworthy.trading.model import (
    Abstained,
    ApprovedIntent,
    CancelOrder,
    GuardChanged,
    GuardLevel,
    GuardReason,
    OrderType,
    Quote,
    ReportType,
    Side,
    TimeInForce,
)
from tradeworthy.trading.model.run import RunStopping
from tradeworthy.trading.unwinding import UnwindPolicy

MINUTE = 60 * SECOND
REDUCE = GuardReason("risk", "drawdown", GuardLevel.REDUCING)


def holding(lots=1_000, **odd):
    """Return a feed whose desk holds `lots` from 10 000 USD a BTC: a thousand are 1 BTC."""
    feed = Feed(build(Scripted([target(lots)]), max_position=Decimal(1), gross_leverage=Decimal(5), **odd))
    for order in submits(feed.quote()):
        feed.acknowledge(order)
        feed.fill(order)
    assert feed.desk.seats[0].position == lots
    return feed


def flatten(feed):
    return feed.give(KillRequest("out", "ann", flatten=True), source="operator")


def later(feed, seconds=60):
    """Quote `seconds` after the last event."""
    return feed.give(Quote(ID, 99_990, 100_010, 1_000, 1_000), ts=feed.ts + seconds * SECOND)


def reduce(feed, *, active=True):
    """Have risk's own reason set or cleared, as its monitors do."""
    reason = REDUCE if active else GuardReason("risk", "drawdown", GuardLevel.REDUCING, active=False)
    feed.desk._guard_reasons((reason,))
    return later(feed, 1)


def test_a_flatten_of_a_thousand_leaves_in_ten_slices_that_sum_to_the_position():
    feed = holding(1_003)
    outcome = flatten(feed)
    sent = [*submits(outcome)]
    while feed.desk.seats[0].position:
        feed.acknowledge(sent[-1])
        feed.fill(sent[-1])
        sent += submits(later(feed))
    assert [one.lots for one in sent] == [101, 101, 101, *[100] * 7]
    assert {(one.side, one.type, one.reduce_only) for one in sent} == {(Side.SELL, OrderType.LIMIT, True)}
    assert [one.price for one in sent[:9]] == [100_010] * 9
    assert (sent[-1].tif, sent[-1].price) == (TimeInForce.IOC, 99_491)  # the last may cross by 50 bps


@pytest.mark.parametrize(("lots", "slices"), [(99, 1), (100, 10)])
def test_a_position_from_a_thousand_quote_is_sliced_and_a_smaller_one_is_not(lots, slices):
    (order,) = submits(flatten(holding(lots)))
    assert order.lots == lots // slices


def test_every_child_passes_risk_and_names_its_parent():
    outcome = flatten(holding())
    parent, child = of(outcome, ApprovedIntent)
    assert parent.intent.lots == 1_000
    assert (child.intent.parent, child.intent.slice_no, child.intent.lots) == (parent.intent.intent_id, 0, 100)


def test_what_a_slice_left_is_carried_by_the_next_at_most_twice_its_size():
    feed = holding()
    (first,) = submits(flatten(feed))
    feed.acknowledge(first)
    outcome = later(feed)
    assert [one.client_order_id for one in of(outcome, CancelOrder)] == [first.client_order_id]
    feed.report(ReportType.CANCELLED, first)
    (second,) = submits(later(feed, 1))
    assert second.lots == 200


def test_a_finished_unwind_says_so_once():
    feed = holding(100)
    sent, told = submits(flatten(feed)), []
    while feed.desk.seats[0].position:
        feed.acknowledge(sent[-1])
        told += of(feed.fill(sent[-1]), ParentProgress)
        sent += submits(later(feed))
    assert [(one.state, one.filled, one.remaining) for one in told] == [("done", 100, 0)]


@pytest.mark.parametrize(
    ("ending", "reason"),
    [
        (lambda feed: feed.give(RunStopping("SIGTERM"), source="run"), "shutdown.SIGTERM"),
        (lambda feed: feed.give(KillRequest("enough", "bob", "strategy:script"), source="operator"),
         "guard.operator.kill"),
        (lambda feed: feed.give(KillRequest("enough", "bob"), source="operator"), "guard.operator.kill"),
    ],
)  # fmt: skip
def test_a_signal_or_another_stop_at_slice_four_ends_the_unwind(ending, reason):
    feed = holding()
    sent = submits(flatten(feed))
    for _ in range(3):
        feed.acknowledge(sent[-1])
        feed.fill(sent[-1])
        sent += submits(later(feed))
    assert len(sent) == 4
    feed.acknowledge(sent[-1])
    outcome = ending(feed)
    assert [one.client_order_id for one in of(outcome, CancelOrder)] == [sent[-1].client_order_id]
    (told,) = of(outcome, ParentProgress)
    assert (told.state, told.slices_sent, told.remaining, told.reason) == ("aborted", 4, 700, reason)
    feed.report(ReportType.CANCELLED, sent[-1])
    for _ in range(12):
        assert submits(later(feed)) == []


@pytest.mark.parametrize(("scope", "closes"), [
    ("desk", True), ("strategy:script", True), (f"instrument:{ID}", True), ("nonsense", True),
    ("strategy:other", False), ("client:anybody", False),
])  # fmt: skip
def test_a_flatten_closes_the_positions_of_its_scope_alone(scope, closes):
    outcome = holding().give(KillRequest("out", "ann", scope, flatten=True), source="operator")
    assert bool(submits(outcome)) is closes


def test_a_weaker_reason_leaves_the_slice_working():
    feed = holding()
    (first,) = submits(flatten(feed))
    feed.acknowledge(first)
    feed.desk._guard_reasons((GuardReason("risk", "daily_loss", GuardLevel.PAUSED),))
    outcome = later(feed, 1)
    assert of(outcome, CancelOrder) == []
    assert len(of(outcome, GuardChanged)) == 1


def test_a_deadline_gives_the_remainder_up():
    feed = holding()
    (first,) = submits(flatten(feed))
    feed.report(ReportType.REJECTED, first, code="venue.test")
    told = [one for _ in range(11) for one in of(later(feed), ParentProgress)]
    assert (told[-1].state, told[-1].reason) == ("aborted", "execution.twap_deadline")


def test_a_reducing_guard_works_the_position_down_and_its_strategy_rests():
    feed = holding()
    outcome = reduce(feed)
    (order,) = submits(outcome)
    assert (order.side, order.lots, order.reduce_only) == (Side.SELL, 100, True)
    feed.desk.seats[0].strategy.answers.append(quotes(Side.SELL))
    outcome = later(feed, 1)
    assert [one.code for one in of(outcome, Abstained)] in ([], ["guard"])
    assert feed.desk.seats[0].code == "guard"
    assert len(feed.desk.seats[0].strategy.answers) == 1


def test_the_end_of_the_reason_ends_the_reduction_and_the_strategy_is_asked_again():
    feed = holding()
    (order,) = submits(reduce(feed))
    feed.acknowledge(order)
    outcome = reduce(feed, active=False)
    (told,) = of(outcome, ParentProgress)
    assert told.reason == "execution.guard_released"
    feed.report(ReportType.CANCELLED, order)
    feed.desk.seats[0].strategy.answers.append(target(990))
    (order,) = submits(later(feed, 61))
    assert (order.side, order.lots) == (Side.SELL, 10)


def test_a_strategys_own_reducing_is_worked_by_the_strategy():
    feed = holding()
    feed.desk._guard_reasons((GuardReason("strategy", "inventory", GuardLevel.REDUCING, "strategy:script"),))
    assert submits(later(feed, 1)) == []


def test_a_policy_may_leave_positions_where_they_are():
    feed = holding(unwind=UnwindPolicy(reducing="off"))
    assert submits(reduce(feed)) == []


def test_a_refused_reduction_is_tried_again_after_a_minute_and_not_each_second():
    feed = holding(99)
    reduce(feed)
    (order,) = feed.desk.execution.orders.all_live()
    feed.report(ReportType.REJECTED, order, code="venue.test")
    sent = [len(submits(later(feed, 1))) for _ in range(70)]
    assert sum(sent) == 1
