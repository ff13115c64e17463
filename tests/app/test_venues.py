"""Which venue a document opens, and which reducing orders a halt lets pass (GRD-03, KS-05)."""

import threading
from types import SimpleNamespace

import msgspec
import pytest
from soak_runs import document

from tradeworthy.adapters.venue_line import VenueClient
from tradeworthy.app.venues import close_venue, halt_flag, open_venue, serve_venue, signed_by_a_person
from tradeworthy.kernel.clock import EventClock, SystemClock
from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.trading.control.guard import Guard
from tradeworthy.trading.control.halt import Halt
from tradeworthy.trading.model import GuardLevel, GuardReason, OrderType, Side, SubmitOrder, TimeInForce
from tradeworthy.trading.simulation.venue import SimulatedVenue
from tradeworthy.trading.venue_edge import VenueEdge

KILL = Halt("operator", "kill", "desk", 5, 5)
HANG = Halt("watchdog", "loop_hung", "desk", 6, 6)
ORDER = SubmitOrder("o", "i", "touch", "EURUSD.DEMO", Side.SELL, 1, OrderType.MARKET, TimeInForce.GTC, reduce_only=True)


def test_a_document_without_a_connection_has_its_venue_in_this_process(tmp_path):
    assert isinstance(open_venue(document(), clock=EventClock()), SimulatedVenue)
    flag = halt_flag(tmp_path, EventClock())
    edge = open_venue(document(), clock=EventClock(), flag=flag)
    assert isinstance(edge, VenueEdge)
    assert isinstance(edge.venue, SimulatedVenue)
    close_venue(edge)
    flag.close()


def test_a_document_with_a_connection_opens_the_line_and_closes_it(tmp_path):
    url = f"unix://{tmp_path}/venue.sock"
    wanted = document()
    wanted = msgspec.structs.replace(wanted, venue=msgspec.structs.replace(wanted.venue, connection=url))
    with pytest.raises(ConfigurationRefused, match="is it served"):
        open_venue(wanted, clock=SystemClock())
    server = serve_venue(document(), url, SystemClock())
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    venue = open_venue(wanted, clock=SystemClock())
    assert isinstance(venue, VenueClient)
    assert venue.connected
    close_venue(venue)
    assert not venue.connected
    server.stop()
    thread.join()


def desk(owner="operator", known=(KILL,), order="o"):
    guard = Guard()
    for halt in known:
        guard.set(GuardReason(halt.owner, halt.code, GuardLevel.STOPPED, halt.scope), 1)
    orders = {order: SimpleNamespace(intent=SimpleNamespace(owner=owner))}
    return SimpleNamespace(guard=guard, execution=SimpleNamespace(orders=orders))


@pytest.mark.parametrize(
    ("one", "halts", "passes"),
    [
        (desk(), (KILL,), True), (desk(known=(KILL, HANG)), (KILL, HANG), True),
        (desk(owner="strategy"), (KILL,), False), (desk(owner="risk"), (KILL,), False),
        (desk(), (KILL, HANG), False), (desk(known=()), (KILL,), False), (desk(order="another"), (KILL,), False),
    ],
)  # fmt: skip
def test_a_persons_reducing_order_passes_the_halts_that_the_desk_has_heard_of(one, halts, passes):
    assert signed_by_a_person(one)(ORDER, halts) is passes
