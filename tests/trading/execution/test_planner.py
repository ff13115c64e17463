"""Only the difference is traded, only what moved is replaced (MM-08, OM-06)."""

import pytest
from order_builders import BTC, SECOND, execution, filled, report, sent

from tradeworthy.trading.execution.planner import PlanPolicy, plan, withdraw
from tradeworthy.trading.model.market import Side
from tradeworthy.trading.model.order import OrderType, PositionTarget, QuoteTarget, Refresh, ReportType, Targets


def plan_of(desk, targets, *, held=0, now=0):
    return plan(
        "mm", targets, owner="strategy", decision_id="d9", positions={BTC: held}, orders=desk.orders, now=now,
        policy=PlanPolicy(),
    )  # fmt: skip


def to(lots):
    return Targets((PositionTarget(BTC, lots, "signal", stop=90),))


def quotes(price=100, lots=10):
    return Targets(quotes=(QuoteTarget(BTC, Side.BUY, 0, price, lots, "quote"),), refresh=Refresh())


def resting(desk, ts=0, **changes):
    order_id = sent(desk, "d1:0", ts, **changes)
    desk.on_report(report(ReportType.ACKNOWLEDGED, order_id), ts)
    return order_id


@pytest.mark.parametrize(
    ("held", "target", "side", "lots", "reduces"),
    [(0, 5, Side.BUY, 5, False), (5, 2, Side.SELL, 3, True), (5, 0, Side.SELL, 5, True), (5, -2, Side.SELL, 7, False)],
)
def test_difference_to_the_position_becomes_one_market_order(held, target, side, lots, reduces):
    (wish,), cancels = plan_of(execution(), to(target), held=held)
    assert (wish.side, wish.lots, wish.reduce_only, wish.type) == (side, lots, reduces, OrderType.MARKET)
    assert wish.stop == (None if reduces else 90)
    assert cancels == []


def test_working_order_counts_towards_the_target():
    desk = execution()
    sent(desk, type=OrderType.MARKET, price=None, level=-1, lots=5)
    assert plan_of(desk, to(5)) == ([], [])


def test_directional_order_under_way_gets_no_second_one_and_a_resting_wrong_one_is_cancelled():
    desk = execution()
    order_id = sent(desk, level=-1, lots=5)
    assert plan_of(desk, to(8)) == ([], [])
    desk.on_report(report(ReportType.ACKNOWLEDGED, order_id), 1)
    intents, cancels = plan_of(desk, to(8))
    assert (intents, [command.client_order_id for command in cancels]) == ([], [order_id])


def test_reached_target_plans_nothing():
    assert plan_of(execution(), to(5), held=5) == ([], [])


def test_unchanged_book_for_ninety_seconds_cancels_nothing():
    desk = execution()
    resting(desk)
    assert all(plan_of(desk, quotes(), now=second * SECOND) == ([], []) for second in range(91))


@pytest.mark.parametrize(
    ("price", "lots", "age", "replaced"),
    [(101, 10, 200, False), (102, 10, 89, False), (102, 10, 90, True), (100, 9, 90, True)],
)
def test_quote_is_replaced_when_it_moved_and_is_old_enough(price, lots, age, replaced):
    desk = execution()
    resting(desk)
    _, cancels = plan_of(desk, quotes(price, lots), now=age * SECOND)
    assert bool(cancels) is replaced


def test_quote_that_is_not_wanted_any_more_is_withdrawn_at_once():
    desk = execution()
    resting(desk)
    _, cancels = plan_of(desk, Targets(quotes=()), now=1)
    assert [command.reason for command in cancels] == ["strategy.withdrawn"]
    assert len(withdraw("mm", desk.orders, "strategy.abstained")) == 1


def test_level_is_filled_again_five_seconds_after_its_last_order():
    desk = execution()
    desk.on_report(filled(resting(desk), "t", 10), 1)
    assert plan_of(desk, quotes(), now=5 * SECOND - 1) == ([], [])
    (wish,), _ = plan_of(desk, quotes(), now=5 * SECOND)
    assert (wish.price, wish.level, wish.post_only, wish.type) == (100, 0, True, OrderType.LIMIT)


def test_targets_without_quotes_leave_working_quotes_alone():
    desk = execution()
    resting(desk)
    assert plan_of(desk, Targets(), now=10**12) == ([], [])
