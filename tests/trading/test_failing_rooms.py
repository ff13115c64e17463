"""What raises in risk, execution or the ledger stops the desk; in a strategy it is that strategy's own (APP-15)."""

import pytest
from small_desk import (
    SECOND,
    START,
    Feed,
    Scripted,
    SilentVenue,
    around,
    build,
    of,
    quotes,
    row,
    simulated,
    submits,
    target,
)

from tradeworthy.trading.execution.execution import Execution
from tradeworthy.trading.execution.orders import Order
from tradeworthy.trading.faulting import StrategyFailed
from tradeworthy.trading.ledger.ledger import Ledger
from tradeworthy.trading.model import Abstain, FillBooked, GuardLevel, Quote, Side
from tradeworthy.trading.replay import replay
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.monitors import DeskLosses

ROOMS = {
    "risk, an order's limits": (RiskContext, "reserve"), "risk, the desk's losses": (DeskLosses, "on_equity"),
    "execution, an order that leaves": (Execution, "submit"), "execution, a report": (Execution, "on_report"),
    "ledger, a fill": (Ledger, "book"),
}  # fmt: skip


def desk():
    return build(Scripted([quotes(Side.BUY), quotes(Side.BUY), target(100), target(200)]))


@pytest.mark.parametrize(("owner", "method"), ROOMS.values(), ids=ROOMS)
def test_an_exception_in_a_room_stops_the_desk_and_takes_its_orders_off(monkeypatch, owner, method):
    calls, whole = [], getattr(owner, method)

    def breaks(self, *given, **named):
        calls.append(1)
        if len(calls) >= 2:
            raise ZeroDivisionError(f"in {method}")
        return whole(self, *given, **named)

    one, venue = desk(), simulated()
    environment, journal = around(one, venue)
    monkeypatch.setattr(owner, method, breaks)
    rows = [row(number, START + number * SECOND, Quote("BTCUSD.SIM", 99_990 - number, 100_010 - number, 9, 9))
            for number in range(1, 8)]  # fmt: skip
    with pytest.raises(ZeroDivisionError, match=f"in {method}"):
        environment.run(rows)
    (failed,) = [event for event in journal.events if event.kind == "desk.failed"]
    assert failed.payload.text == f"ZeroDivisionError: in {method}"
    assert one.guard.level is GuardLevel.STOPPED
    assert {reason.owner for reason in one.guard.reasons()} == {"risk"}
    working = {order.client_order_id for order in one.execution.orders.all_live() if isinstance(order, Order)}
    taken_off = {event.payload.client_order_id for event in journal.events if event.kind == "command.cancel"}
    assert working <= taken_off


def test_a_desk_that_was_stopped_so_sends_nothing_after_it(monkeypatch):
    one, venue = desk(), SilentVenue()
    environment, journal = around(one, venue)

    def breaks(*given, **named):
        raise OSError("disk of the ledger")

    monkeypatch.setattr(DeskLosses, "on_equity", breaks)
    with pytest.raises(OSError, match="ledger"):
        environment.run([row(number, START + number * SECOND) for number in range(1, 4)])
    assert [event.kind for event in journal.events].count("desk.failed") == 1
    assert one.guard.level is GuardLevel.STOPPED


class Watching(Scripted):
    """Raise while it observes: a quote, or a fill of its own."""

    def __init__(self, answers, on):
        super().__init__(answers)
        self.observes, self._on = (Quote, FillBooked), on

    def observe(self, view):
        if isinstance(view.fact, self._on):
            raise ArithmeticError("a sense that divides by nothing")


def test_a_sense_that_raises_is_its_strategys_abstention():
    feed = Feed(build(Watching([target(100)], Quote)))
    outcomes = [feed.quote() for _ in range(3)]
    failed = [fact for outcome in outcomes for fact in of(outcome, StrategyFailed)]
    assert [(one.error, one.in_a_row) for one in failed] == [("ArithmeticError", 1), ("ArithmeticError", 2),
                                                             ("ArithmeticError", 3)]  # fmt: skip
    assert feed.desk.guard.level_of("strategy:script") is GuardLevel.PAUSED
    assert feed.desk.guard.level is GuardLevel.RUNNING
    assert not [one for outcome in outcomes for one in submits(outcome)]


def test_a_strategy_that_raises_at_its_own_fill_abstains_and_the_fill_is_booked():
    feed = Feed(build(Watching([target(100), Abstain("unchanged")], FillBooked)))
    (order,) = submits(feed.quote())
    feed.acknowledge(order)
    outcome = feed.fill(order)
    assert [one.text for one in of(outcome, StrategyFailed)] == ["a sense that divides by nothing"]
    assert [one.position for one in of(outcome, FillBooked)] == [order.lots]
    assert feed.desk.guard.level is GuardLevel.RUNNING


def test_a_run_in_which_a_strategy_raised_replays_equal():
    made = [Watching([target(100)], FillBooked) for _ in range(2)]
    environment, journal = around(build(made[0]), simulated())
    environment.run([row(number, START + number * SECOND) for number in range(1, 6)])
    assert "strategy.failed" in {event.kind for event in journal.events}
    assert replay(journal.events, build(made[1])).ok
