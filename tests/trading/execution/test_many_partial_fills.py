"""An order of sixty fills ends whole and leaves nothing; unrelated failures take no failed cancel off the count."""

from order_builders import BTC, SECOND, execution, filled, report, sent

from tradeworthy.trading.model.market import Side
from tradeworthy.trading.model.order import OrderState, ReportType
from tradeworthy.trading.model.state import GuardLevel

R = ReportType
FILLS = 60
STOPPED = ("execution.failures", GuardLevel.STOPPED)


def test_an_order_of_sixty_fills_is_filled_once_and_leaves_nothing_open():
    desk = execution()
    order_id = sent(desk, lots=FILLS)
    desk.on_report(report(R.ACKNOWLEDGED, order_id), 0)
    booked = 0
    for number in range(FILLS):
        _, fill = desk.on_report(filled(order_id, f"t{number}", 1), number)
        booked += 0 if fill is None else fill.lots
        _, again = desk.on_report(filled(order_id, f"t{number}", 1), number)
        assert again is None
        assert desk.open_lots("mm", BTC, Side.BUY) == FILLS - number - 1
    order = desk.orders.get(order_id)
    assert (booked, order.state, order.leaves) == (FILLS, OrderState.FILLED, 0)
    desk.on_timer(FILLS + 120 * SECOND)
    assert desk.orders.get(order_id) is None


def test_unrelated_failures_do_not_reset_a_streak_of_failed_cancels():
    desk = execution()
    resting = sent(desk, "d0:0", level=9)
    desk.on_report(report(R.ACKNOWLEDGED, resting), 0)
    for number in range(1, 9):
        other = sent(desk, f"d{number}:0", ts=number, level=number)
        desk.on_report(report(R.REJECTED, other, code="venue.post_only_crosses"), number)
        assert STOPPED not in desk.drain_reasons()
        desk.cancel_all("strategy.replaced", number)
        desk.on_report(report(R.CANCEL_REJECTED, resting), number)
    assert STOPPED in desk.drain_reasons()
