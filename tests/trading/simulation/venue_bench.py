"""Builders for the simulated venue's tests: small instruments, orders, and a venue without latency."""

from decimal import Decimal

from tradeworthy.trading.model import (
    ExecReport,
    FeeRates,
    Instrument,
    InstrumentKind,
    OrderType,
    Quote,
    ReportType,
    Side,
    SubmitOrder,
    TimeInForce,
)
from tradeworthy.trading.simulation import NO_LATENCY, SimulatedVenue

D = Decimal


def instrument(kind=InstrumentKind.LINEAR_PERP, **changes):
    fields = {
        "symbol": "X", "venue": "SIM", "kind": kind, "tick": D("0.5"), "lot": D("0.001"), "base": "XXX", "quote": "USD",
        "fees": FeeRates(maker=D("0.0001"), taker=D("0.0005")),
    }
    return Instrument(**(fields | changes))


X = "X.SIM"


def venue(*, inst=None, latency=NO_LATENCY, **options):
    return SimulatedVenue([inst or instrument()], latency=latency, **options)


def order(name="a", side=Side.BUY, lots=1, price=None, type=None, tif=TimeInForce.GTC, **more):
    type = type or (OrderType.MARKET if price is None else OrderType.LIMIT)
    return SubmitOrder(name, f"i-{name}", "test", X, side, lots, type, tif, price, **more)


def quote(bid=100, ask=102, bid_lots=None, ask_lots=None):
    return Quote(X, bid, ask, bid_lots, ask_lots)


def play(sim, *steps, start=0):
    """Send commands and market facts one microsecond apart, the first at `start` + 1 us; return all reports."""
    reports: list[ExecReport] = []
    for number, step in enumerate(steps, 1):
        ts = start + number * 1_000
        if step.kind.startswith("command."):
            sim.send(step, ts)
        else:
            sim.on_market(step, ts)
        reports += [report for _, report in sim.advance(ts + 500)]
    return reports


def fills(reports):
    return [(r.client_order_id, r.lots, r.price, r.liquidity.value) for r in reports if r.type is ReportType.FILL]


def codes(reports):
    return [(r.type, r.code) for r in reports if r.type is not ReportType.ACKNOWLEDGED]
