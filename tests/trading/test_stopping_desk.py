"""The end of a run takes working orders off, but never the stop that protects an open position (SHD-01)."""

import pytest
from test_guard_states import cancelled, holding, names

from tradeworthy.trading.model.run import RunStopping


@pytest.mark.parametrize("reason", ["SIGTERM", "timeout"])
def test_a_run_that_stops_keeps_the_protective_stop_while_the_position_stays(reason):
    feed, stop, opening, reducing = holding()
    outcome = feed.give(RunStopping(reason), source="run")
    assert cancelled(outcome) == names(opening, reducing)
    assert stop.client_order_id in {order.client_order_id for order in feed.desk.execution.orders.all_live()}
