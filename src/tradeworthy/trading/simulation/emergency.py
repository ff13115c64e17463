"""The account's own emergency door at a simulated venue: see what is open or under way, and take it off at once."""

from collections.abc import Callable

from tradeworthy.trading.model import ReportType
from tradeworthy.trading.simulation.reports import refusal
from tradeworthy.trading.simulation.rules import Broken
from tradeworthy.trading.simulation.venue import SimulatedVenue
from tradeworthy.trading.simulation.venue_order import VenueOrder

Concerns = Callable[[str, str], bool]
"""Tells whether an order of `(instance, instrument)` is meant."""


def take_off(venue: SimulatedVenue, concerns: Concerns, code: str, ts: int) -> list[str]:
    """End what rests and refuse what has not arrived; returns the client order ids, resting ones first.

    A protective stop that rests stays, because the position it protects stays (GRD-03); it ends when that is flat.
    The reports go the venue's usual way, so that a desk that lives hears of it.
    """
    taken: list[str] = []
    for order in venue.open_orders():
        if concerns(order.instance, order.instrument) and not protects(order):
            venue.end(order, ReportType.CANCELLED, code, ts)
            taken.append(order.client_order_id)
    coming = [one for one in venue.wire.submits() if concerns(one.instance, one.instrument)]
    venue.wire.drop(coming)
    for one in coming:
        broken = Broken(code, "the account took its orders off before this one arrived")
        venue.wire.report(refusal(ReportType.REJECTED, one, broken), ts)
        taken.append(one.client_order_id)
    return taken


def protects(order: VenueOrder) -> bool:
    """Tell whether an order is a protective stop: it waits for a price and can only reduce."""
    return order.reduce_only and order.trigger is not None
