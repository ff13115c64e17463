"""The last gate before a venue: halted orders are answered here, cancels pass, and a replay is equal (KS-02a)."""

import pytest
from small_desk import ID, SECOND, START, Scripted, SilentVenue, around, build, quotes, row, simulated, target

from tradeworthy.trading.control.halt import Halt, concerns, covering
from tradeworthy.trading.model import (
    AmendOrder,
    CancelOrder,
    ExecReport,
    OrderState,
    OrderType,
    QueryOrder,
    ReportType,
    Side,
    SubmitOrder,
    TimeInForce,
)
from tradeworthy.trading.replay import replay
from tradeworthy.trading.venue_edge import HALTED, VenueEdge

HALT = Halt("operator", "kill", "desk", 5, 5, "drill")


class Flag:
    """A flag in memory."""

    def __init__(self, *halts):
        self.held, self.releases = halts, 0

    def released(self):
        return self.releases

    def halted(self):
        return bool(self.held)

    def halts(self):
        return self.held


class Keeping(SilentVenue):
    """A silent venue that can be restored and charges nothing."""

    def restore(self, positions):
        self.restored = list(positions)

    def drain_charges(self):
        return []


def submit(name="a", reduce_only=False):
    return SubmitOrder(
        name, name, "script", ID, Side.BUY, 10, OrderType.LIMIT, TimeInForce.GTC, 99_000, reduce_only=reduce_only
    )


def edge(*halts, **odd):
    venue, flag = Keeping(), Flag(*halts)
    return VenueEdge(venue, flag, **odd), venue, flag


def test_what_nobody_halted_passes():
    one, venue, _ = edge()
    one.send(submit(), 100)
    assert (venue.sent, one.next_due(), one.advance(1_000)) == ([submit()], None, [])


def test_a_halted_order_never_reaches_the_venue_and_is_rejected_once():
    one, venue, _ = edge(HALT)
    one.send(submit(), 100)
    assert (venue.sent, one.next_due()) == ([], 101)
    assert one.advance(100) == []
    ((due, report),) = one.advance(101)
    assert (due, report.type, report.client_order_id, report.code) == (101, ReportType.REJECTED, "a", HALTED)
    assert "operator.kill (desk) since 5" in report.text
    assert (one.next_due(), one.advance(1_000)) == (None, [])


@pytest.mark.parametrize("command", [CancelOrder("a", ID, "x"), AmendOrder("a", ID, None, 1), QueryOrder("a", ID)])
def test_cancels_amends_and_queries_pass_a_halt(command):
    one, venue, _ = edge(HALT)
    one.send(command, 100)
    assert venue.sent == [command]


@pytest.mark.parametrize(
    ("scope", "passes"),
    [
        ("desk", False), ("strategy:script", False), (f"instrument:{ID}", False), ("venue:SIM", False),
        ("strategy:other", True), ("instrument:ETHUSD.SIM", True), ("venue:ELSE", True),
        ("client:anybody", False), ("strateyg:other", False), ("strategy:", False), ("", False),
    ],
)  # fmt: skip
def test_a_scope_holds_back_what_it_names_and_an_unknown_one_everything(scope, passes):
    one, venue, _ = edge(Halt("operator", "kill", scope, 5, 5))
    one.send(submit(), 100)
    assert bool(venue.sent) is passes
    assert concerns(scope, instance="script", instrument=ID, venue="SIM") is not passes


def test_a_reducing_order_passes_only_where_a_person_signed_it_knowing_the_halts():
    asked = []

    def signed(order, halts):
        asked.append(halts)
        return order.client_order_id == "signed"

    one, venue, _ = edge(HALT, signed=signed)
    for order in (submit("signed", True), submit("unsigned", True), submit("signed")):
        one.send(order, 100)
    assert venue.sent == [submit("signed", True)]
    assert asked == [(HALT,), (HALT,)], "an opening order is not even asked about"


def test_the_venue_gets_a_new_session_before_the_first_send_after_a_halt():
    cleared = []
    one, venue, flag = edge(on_clear=lambda: cleared.append(len(venue.sent)))
    one.send(submit("a"), 1)
    flag.held = (HALT,)
    one.send(submit("b"), 2)
    flag.held, flag.releases = (), 1
    one.send(submit("c"), 3)
    one.send(submit("d"), 4)
    flag.releases = 2  # halted and released while the desk slept
    one.send(submit("e"), 5)
    assert cleared == [1, 3]
    assert [order.client_order_id for order in venue.sent] == ["a", "c", "d", "e"]


def test_reports_of_both_sides_come_by_their_time():
    venue, flag = simulated(10), Flag()
    one = VenueEdge(venue, flag)
    one.on_market(row(1, 1).fact, 1)
    one.send(submit("first"), 100)
    flag.held = (HALT,)
    one.send(submit("second"), 105)
    assert one.next_due() == 106
    assert [(due, report.client_order_id) for due, report in one.advance(10_000)] == [(106, "second"), (120, "first")]


def test_covering_names_each_halt_of_an_order():
    halts = (HALT, Halt("watchdog", "x", "strategy:other", 1, 1), Halt("watchdog", "y", f"instrument:{ID}", 1, 1))
    assert covering(halts, instance="script", instrument=ID, venue="SIM") == (halts[0], halts[2])


def test_a_run_that_was_halted_at_the_edge_replays_the_same():
    def desk():
        return build(Scripted([quotes(Side.BUY), quotes(Side.SELL), target(5), quotes(Side.BUY, bid=99_980)]))

    flag = Flag()
    one = desk()
    environment, journal = around(one, VenueEdge(simulated(), flag))
    environment.offer(row(0, START).fact, source="test", key="first", ts=START)
    flag.held = (HALT,)
    environment.run([row(number, START + number * SECOND) for number in range(1, 12)])
    environment.settle(SECOND)
    reports = [event.payload for event in journal.events if type(event.payload) is ExecReport]
    assert HALTED in {report.code for report in reports}
    assert {order.state for order in one.execution.orders.all_live()} <= {OrderState.WORKING}
    again = replay(journal.events, desk())
    assert (again.ok, again.digest) == (True, environment.digest.hexdigest())
