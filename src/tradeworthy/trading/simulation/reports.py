"""The reports a venue gives that are no fills: an order's state, and a refusal with its code."""

from tradeworthy.trading.model import Command, ExecReport, ReportType
from tradeworthy.trading.simulation.rules import Broken
from tradeworthy.trading.simulation.venue_order import VenueOrder


def state_report(order: VenueOrder, type: ReportType, code: str | None, text: str | None = None) -> ExecReport:
    """Return what became of an order; `cum_lots` and `leaves_lots` as they stand."""
    return ExecReport(
        type, order.client_order_id, order.instrument, order.venue_order_id or None, side=order.side,
        cum_lots=order.cum, leaves_lots=order.leaves, code=code, text=text,
    )


def refusal(type: ReportType, command: Command, broken: Broken, order: VenueOrder | None = None) -> ExecReport:
    """Return why a command was not obeyed; an order it names stays as it is."""
    return ExecReport(
        type, command.client_order_id, command.instrument, (order.venue_order_id or None) if order else None,
        cum_lots=order.cum if order else 0, leaves_lots=order.leaves if order else 0, code=broken.code,
        text=broken.text,
    )
