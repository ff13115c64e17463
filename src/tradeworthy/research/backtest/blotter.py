"""The blotter: every order, cancel, refusal and fill of a run as one CSV row, in journal order."""

import csv
from collections.abc import Mapping
from typing import TextIO

from tradeworthy.kernel.facts import Event
from tradeworthy.trading.model.instrument import Instrument
from tradeworthy.trading.model.order import CancelOrder, FillBooked, Refused, SubmitOrder

COLUMNS = (
    "ts_event", "row", "client_order_id", "trade_id", "instance", "instrument", "side", "quantity", "price", "type",
    "liquidity", "fee", "fee_currency", "realized", "position", "code",
)


class Blotter:
    """Write rows to `out` as events come; prices and quantities in the instrument's units, absent is empty."""

    __slots__ = ("_instruments", "_write", "rows")

    def __init__(self, out: TextIO, instruments: Mapping[str, Instrument]) -> None:
        self._write = csv.writer(out, lineterminator="\n").writerow
        self._instruments = instruments
        self.rows = 0
        self._write(COLUMNS)

    def on_event(self, event: Event) -> None:
        """Write the event's row if it is of an order or fill."""
        row: tuple[object, ...]
        match event.payload:
            case SubmitOrder() as o:
                i = self._instruments[o.instrument]
                price = "" if o.price is None else i.price(o.price)
                row = ("order", o.client_order_id, "", o.instance, o.instrument, o.side.name, i.quantity(o.lots), price,
                       o.type.value, "", "", "", "", "", "")
            case CancelOrder() as c:
                row = ("cancel", c.client_order_id, "", "", c.instrument, *("",) * 9, c.reason)
            case Refused(intent=n) as r:
                i = self._instruments[n.instrument]
                price = "" if n.price is None else i.price(n.price)
                row = ("refused", "", "", n.instance, n.instrument, n.side.name, i.quantity(n.lots), price,
                       n.type.value, "", "", "", "", "", r.code)
            case FillBooked() as f:
                i = self._instruments[f.instrument]
                row = ("fill", f.client_order_id, f.trade_id, f.instance, f.instrument, f.side.name,
                       i.quantity(f.lots), i.price(f.price), "", f.liquidity.value, "" if f.fee is None else f.fee,
                       f.fee_currency, f.realized, i.quantity(f.position), "")
            case _:
                return
        self._write((event.ts_event, *row))
        self.rows += 1
