"""The venue port: what every venue must do, whatever stands behind it."""

import tempfile
import threading
from decimal import Decimal
from pathlib import Path

import pytest

from tradeworthy.adapters.halt_flag import HaltFlag
from tradeworthy.adapters.venue_line import VenueClient, VenueServer
from tradeworthy.adapters.venue_line.protocol import listening
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.trading.model import (
    AmendOrder,
    CancelOrder,
    FeeRates,
    Instrument,
    InstrumentKind,
    OrderType,
    QueryOrder,
    Quote,
    ReportType,
    Side,
    SubmitOrder,
    TimeInForce,
)
from tradeworthy.trading.simulation import Latency, SimulatedVenue
from tradeworthy.trading.simulation.faults import FEED_FAULTS, Fault, FaultWindow, FaultyVenue
from tradeworthy.trading.venue_edge import VenueEdge

INSTRUMENT = Instrument(
    "X", "SIM", InstrumentKind.LINEAR_PERP, Decimal(1), Decimal(1), "XXX", "USD", FeeRates(Decimal(0), Decimal("0.001"))
)
X = INSTRUMENT.instrument_id
LATENCY = Latency(submit_ns=10, cancel_ns=10, amend_ns=10, report_ns=5)


def plain():
    return SimulatedVenue([INSTRUMENT], latency=LATENCY)


def served(kind="unix"):
    """A venue behind a socket, as a process of its own serves it."""
    folder = tempfile.TemporaryDirectory()
    clock = SystemClock()
    listener = listening(f"unix://{folder.name}/venue.sock" if kind == "unix" else "tcp://127.0.0.1:0")
    url = f"unix://{folder.name}/venue.sock" if kind == "unix" else f"tcp://127.0.0.1:{listener.getsockname()[1]}"
    server = VenueServer(plain(), listener, clock)
    threading.Thread(target=server.serve, daemon=True).start()
    client = VenueClient(url, clock)
    ENDING.append((client, server, folder))
    return client


def edged():
    """A venue behind a halt flag that is down."""
    folder = tempfile.TemporaryDirectory()
    flag = HaltFlag(Path(folder.name) / "halt.flag", SystemClock())
    ENDING.append((flag, None, folder))
    return VenueEdge(plain(), flag)


ENDING = []


@pytest.fixture(autouse=True)
def ending():
    yield
    for client, server, folder in ENDING:
        client.close()
        if server is not None:
            server.stop()
        folder.cleanup()
    ENDING.clear()


FACTORIES = {"plain": plain, "unix": served, "tcp": lambda: served("tcp"), "edge": edged} | {
    fault.value: lambda fault=fault: FaultyVenue(plain(), FaultWindow(fault, 0, 0))
    for fault in Fault
    if fault not in FEED_FAULTS
}


@pytest.fixture(params=FACTORIES)
def port(request):
    venue = FACTORIES[request.param]()
    venue.on_market(Quote(X, 100, 102), 0)
    return venue


def submit(name="a", price=None, lots=2):
    type = OrderType.MARKET if price is None else OrderType.LIMIT
    return SubmitOrder(name, "i", "test", X, Side.BUY, lots, type, TimeInForce.GTC, price)


def types(reports):
    return [(ts, report.type) for ts, report in reports]


def test_idle_venue_owes_nothing(port):
    assert port.next_due() is None
    assert port.advance(10**9) == []


def test_order_is_acknowledged_then_filled_at_its_delivery_times(port):
    port.send(submit(), 100)
    assert port.next_due() == 110
    assert port.advance(114) == []
    assert port.next_due() == 115
    reports = port.advance(115)
    assert types(reports) == [(115, ReportType.ACKNOWLEDGED), (115, ReportType.FILL)]
    fill = reports[1][1]
    assert (fill.trade_id, fill.lots, fill.price) == ("SIM-1", 2, 102)
    assert (fill.fee, fill.fee_currency) == (Decimal("0.204"), "USD")


def test_reports_are_given_once(port):
    port.send(submit(), 100)
    assert len(port.advance(1_000)) == 2
    assert port.advance(2_000) == []


def test_resting_order_fills_by_the_market_and_reports_after_it(port):
    port.send(submit(price=101), 100)
    port.on_market(Quote(X, 99, 101), 200)
    assert types(port.advance(300)) == [(115, ReportType.ACKNOWLEDGED), (205, ReportType.FILL)]


def test_arrival_at_the_time_of_a_market_event_sees_that_event(port):
    port.send(submit(), 100)
    port.on_market(Quote(X, 103, 105), 110)
    assert port.advance(200)[1][1].price == 105


def test_amend_cancel_and_query_are_answered(port):
    port.send(submit(price=90), 100)
    port.send(AmendOrder("a", X, None, 1), 200)
    port.send(QueryOrder("a", X), 300)
    port.send(CancelOrder("a", X, "test"), 400)
    port.send(QueryOrder("a", X), 500)
    port.send(QueryOrder("other", X), 600)
    assert [report.type for _, report in port.advance(1_000)] == [
        ReportType.ACKNOWLEDGED, ReportType.AMENDED, ReportType.ACKNOWLEDGED, ReportType.CANCELLED,
        ReportType.CANCELLED, ReportType.ABSENT,
    ]


def test_duplicate_client_id_is_rejected(port):
    port.send(submit(price=90), 100)
    port.send(submit(price=90), 101)
    assert port.advance(1_000)[1][1].code == "venue.duplicate_client_id"


def test_two_runs_give_the_same_reports():
    def run(factory):
        venue = factory()
        venue.on_market(Quote(X, 100, 102), 0)
        for number in range(30):
            venue.send(submit(f"o{number}", price=95 + number % 9), number * 7)
            venue.on_market(Quote(X, 95 + number % 5, 98 + number % 4, 1, 3), number * 7 + 3)
        return venue.advance(10_000)

    assert run(plain) == run(plain)
    for factory in FACTORIES.values():
        assert run(factory) == run(plain)
