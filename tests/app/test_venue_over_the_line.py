"""A whole run over the line to a venue in another process decides the same as with the venue in its own (DL-01)."""

import threading

import msgspec
import pytest
from soak_runs import document

from tradeworthy.app.runs.open_run import Company
from tradeworthy.app.runs.runner import RunSession, journal_of, replay_run
from tradeworthy.app.runtime.reconciling import reconcile
from tradeworthy.app.venues import serve_venue
from tradeworthy.kernel.clock import EventClock, SystemClock
from tradeworthy.kernel.journal import read
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.collectors.trades import TradesFold
from tradeworthy.trading.model import ExecReport, FillBooked, OrderAnomaly, ReportType, SubmitOrder
from tradeworthy.trading.restoring import DeskRestored


@pytest.fixture
def served(tmp_path):
    ends = []

    def serve(wanted):
        url = f"unix://{tmp_path}/venue.sock"
        server = serve_venue(wanted, url, SystemClock())
        thread = threading.Thread(target=server.serve, daemon=True)
        thread.start()
        ends.append((server, thread))
        return msgspec.structs.replace(wanted, venue=msgspec.structs.replace(wanted.venue, connection=url))

    yield serve
    for server, thread in ends:
        server.stop()
        thread.join()


def played(wanted, root):
    return RunSession(wanted, root=root, clock=EventClock()).play()


@pytest.mark.parametrize("environment", ["paper", "backtest"])
def test_the_outcome_digest_is_the_same_in_process_and_over_the_line(tmp_path, served, environment):
    wanted = document(environment=environment, steps=1_200)
    here = played(wanted, tmp_path / "here")
    there = played(served(wanted), tmp_path / "there")
    assert any(isinstance(event.payload, SubmitOrder) for event in read(journal_of(here.folder)))
    assert (there.digest, there.inputs, there.outcomes) == (here.digest, here.inputs, here.outcomes)
    assert replay_run(there.folder).ok


def of(folder, kind):
    return [event.payload for event in read(folder / "journal") if isinstance(event.payload, kind)]


def test_a_fill_of_the_time_when_the_desk_was_down_is_booked_by_the_venues_own_report(tmp_path, served):
    wanted = served(document(environment="paper", steps=3_000))
    first = RunSession(wanted, root=tmp_path, clock=EventClock()).open(Company())
    for _ in first.steps():
        (held,) = [first.controls.view.positions.get(seat.instrument_id, 0) for seat in first.desk.seats]
        if held != sum(one.lots for one in first.desk.ledger.positions()):
            break  # the venue filled, and its report is on the way
    else:
        pytest.fail("no report was on its way between two steps")
    known = {order.client_order_id for order in first.desk.execution.orders.all_live()}
    first.close()  # as a kill leaves it
    again = RunSession(wanted, root=tmp_path, clock=EventClock(), go_on_at=first.environment.now + 1)
    second = again.open(Company())
    with second:
        assert not reconcile(second.desk, second.controls.view).clean
        steps = second.steps()
        for _ in range(3):
            next(steps)
        second.environment.request_stop("looked")
        for _ in steps:
            pass
        second.wind_down("looked")
        assert reconcile(second.desk, second.controls.view).clean
        second.end()
    (memory,) = of(again.folder, DeskRestored)
    assert {one.client_order_id for one in memory.orders} == known
    booked = [one for one in of(again.folder, FillBooked) if one.client_order_id in known]
    told = {one.trade_id for one in of(again.folder, ExecReport) if one.type is ReportType.FILL}
    assert booked
    assert {one.trade_id for one in booked} <= told
    assert of(again.folder, OrderAnomaly) == []
    assert replay_run(again.folder).ok
    trades = TradesFold({})
    for event in read(again.folder / "journal"):
        trades.on_event(event)
    facts = {one.name: one.value for one in trades.fill_facts(Teller("t", trades.now, environment="paper"))}
    assert (facts["missing"], facts["phantom"]) == (0, 0)


def test_a_venue_in_the_process_took_its_orders_with_it(tmp_path):
    wanted = document(environment="paper", steps=3_000)
    first = RunSession(wanted, root=tmp_path, clock=EventClock()).open(Company())
    for _ in first.steps():
        if first.desk.execution.orders.all_live():
            break
    first.close()
    again = RunSession(wanted, root=tmp_path, clock=EventClock(), go_on_at=first.environment.now + 1)
    with again.open(Company()) as second:
        assert second.desk.execution.orders.all_live() == []
    (memory,) = of(again.folder, DeskRestored)
    assert memory.orders == ()
