"""The order's life: arrows, trade ids, slots, unknown outcomes (OM-01, OM-02, OM-03, OM-06)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from order_builders import BTC, SECOND, approved, execution, filled, report, sent

from tradeworthy.kernel.errors import HaltTrading
from tradeworthy.trading.execution.orders import WorkingOrders
from tradeworthy.trading.execution.states import ARROWS
from tradeworthy.trading.model.market import Side
from tradeworthy.trading.model.order import TERMINAL, OrderAnomaly, OrderChanged, OrderState, ReportType

S, R = OrderState, ReportType


def state(desk, order_id):
    return desk.orders.get(order_id).state


def test_order_is_acknowledged_partly_filled_and_filled():
    desk = execution()
    order_id = sent(desk)
    states = [state(desk, order_id)]
    for step in (report(R.ACKNOWLEDGED, order_id), filled(order_id, "t1", 4), filled(order_id, "t2", 6)):
        desk.on_report(step, 1)
        states.append(state(desk, order_id))
    assert states == [S.SUBMITTED, S.WORKING, S.PARTIALLY_FILLED, S.FILLED]
    assert desk.open_lots("mm", BTC, Side.BUY) == 0


def test_repeated_trade_id_is_ignored_and_counted():
    desk = execution()
    order_id = sent(desk)
    _, first = desk.on_report(filled(order_id, "t1", 4), 1)
    facts, again = desk.on_report(filled(order_id, "t1", 4), 2)
    assert (first.lots, again, facts, desk.orders.duplicates) == (4, None, (), 1)
    assert desk.orders.get(order_id).cum_lots == 4


def test_fill_after_cancel_is_booked_and_the_state_stays():
    desk = execution()
    order_id = sent(desk)
    desk.on_report(report(R.ACKNOWLEDGED, order_id), 1)
    desk.on_report(report(R.CANCELLED, order_id), 2)
    facts, fill = desk.on_report(filled(order_id, "late", 3), 3)
    assert (facts, fill.lots, state(desk, order_id)) == ((), 3, S.CANCELLED)


def test_fill_beyond_the_order_is_an_anomaly_and_pauses():
    desk = execution()
    order_id = sent(desk)
    facts, fill = desk.on_report(filled(order_id, "t1", 11), 1)
    assert isinstance(facts[0], OrderAnomaly)
    assert fill is None
    assert [reason for reason, _ in desk.drain_reasons()] == ["execution.anomaly"]


def test_report_of_an_unknown_order_is_an_anomaly():
    facts, fill = execution().on_report(report(R.ACKNOWLEDGED, "nobody"), 1)
    assert (facts[0].state, facts[0].report, fill) == (None, R.ACKNOWLEDGED, None)


def test_bust_lowers_the_filled_quantity_once_and_a_repeat_of_the_fill_stays_a_duplicate():
    desk = execution()
    order_id = sent(desk)
    desk.on_report(filled(order_id, "t1", 10), 1)
    _, taken_back = desk.on_report(report(R.BUST, order_id, trade_id="t1"), 2)
    _, again = desk.on_report(report(R.BUST, order_id, trade_id="t1"), 3)
    _, refill = desk.on_report(filled(order_id, "t1", 10), 4)
    assert (taken_back.lots, again, refill, desk.orders.get(order_id).cum_lots) == (10, None, None, 0)


def test_unknown_order_counts_in_full_and_holds_its_slot():
    desk = execution()
    order_id = sent(desk)
    desk.on_report(filled(order_id, "t1", 4), 1)
    desk.on_report(report(R.UNKNOWN, order_id), 2)
    refused = desk.submit(approved("d2:0"), 3)[0]
    assert desk.open_lots("mm", BTC, Side.BUY) == 6
    assert (refused.code, refused.observed) == ("execution.slot_taken", order_id)


@pytest.mark.parametrize("end", [R.CANCELLED, R.EXPIRED, R.REJECTED, R.ABSENT])
def test_evidence_from_the_venue_ends_an_unknown_order(end):
    desk = execution()
    order_id = sent(desk)
    desk.on_report(report(R.UNKNOWN, order_id), 1)
    desk.on_report(report(end, order_id), 2)
    assert state(desk, order_id) in TERMINAL
    assert desk.open_lots("mm", BTC, Side.BUY) == 0


def test_finished_order_leaves_after_sixty_seconds():
    desk = execution()
    order_id = sent(desk)
    desk.on_report(filled(order_id, "t1", 10), 0)
    desk.on_timer(60 * SECOND - 1)
    held = desk.orders.get(order_id)
    desk.on_timer(60 * SECOND)
    assert held is not None
    assert desk.orders.get(order_id) is None


def test_second_order_in_a_slot_halts_instead_of_trading_twice():
    orders = WorkingOrders()
    orders.create(approved("d1:0"), "a", 0)
    with pytest.raises(HaltTrading, match="must be free, holds a"):
        orders.create(approved("d2:0"), "b", 0)


def test_eleventh_active_order_of_an_instance_is_refused():
    desk = execution()
    for level in range(10):
        sent(desk, f"d{level}:0", level=level)
    refused = desk.submit(approved("x:0", level=10), 0)[0]
    assert (refused.code, refused.observed, refused.limit) == ("execution.active_orders", "11", "10")


def test_lost_acknowledgements_for_a_minute_never_give_two_live_orders_on_a_level():
    desk = execution()
    live = []
    for second in range(60):
        desk.on_timer(second * SECOND)
        desk.submit(approved(f"d{second}:0"), second * SECOND)
        live.append(len(desk.orders.live("mm")))
    assert max(live) == 1


_REPORTS = st.tuples(
    st.sampled_from(list(R)), st.sampled_from(["t1", "t2", "t3"]), st.integers(1, 6), st.booleans(), st.booleans()
)


@given(st.lists(_REPORTS, max_size=40))
def test_random_reports_obey_the_arrows_and_the_quantities(steps):
    desk = execution()
    order_id = sent(desk)
    order = desk.orders.get(order_id)
    cum = 0
    for ts, (kind, trade_id, lots, cancels, shrinks) in enumerate(steps, start=1):
        seen = order.state
        facts = desk.cancel_all("test", ts) if cancels else desk.shrink(order_id, 7, ts) if shrinks else ()
        said, fill = desk.on_report(
            report(kind, order_id, trade_id=trade_id, lots=lots, price=100), ts
        )
        for item in (*facts, *said):
            if isinstance(item, OrderChanged):
                assert item.before is seen
                assert item.after in ARROWS[item.before]
                seen = item.after
        assert seen is order.state
        assert 0 <= order.cum_lots <= 10
        assert order.cum_lots >= cum or kind in (R.BUST, R.CORRECTION)
        if any(isinstance(item, OrderAnomaly) for item in said):
            assert fill is None
        assert desk.open_lots("mm", BTC, Side.BUY) == (order.leaves if order.live else 0)
        assert order.live is (order.state not in TERMINAL)
        cum = order.cum_lots
