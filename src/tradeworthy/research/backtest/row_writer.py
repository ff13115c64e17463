"""From what the fold knows to the rows of a run folder: integers become prices, quantities and money here."""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.research.backtest.equity import HALF_NANOS
from tradeworthy.research.backtest.instrument_record import InstrumentRecord
from tradeworthy.research.backtest.rows import BarRow, FillRow, NavRow, RowSink
from tradeworthy.trading.model.market import Bar
from tradeworthy.trading.model.order import FillBooked

MINUTE_NS = 60 * NANOS_PER_SECOND
States = Mapping[str, msgspec.Raw]
"""Strategy state by instance, as JSON."""


class RowWriter:
    """Number fills and give rows to `sink`."""

    __slots__ = ("_fills", "_sink")

    def __init__(self, sink: RowSink) -> None:
        self._sink = sink
        self._fills = 0

    def candle(self, ts: int, record: InstrumentRecord, states: States) -> None:
        """Write the minute that ends at `ts`, made of mids."""
        candle, half_tick = record.candle, record.instrument.tick / 2
        self._sink.bar(BarRow(
            record.instrument.instrument_id, ts, MINUTE_NS, candle.open2 * half_tick, candle.high2 * half_tick,
            candle.low2 * half_tick, candle.close2 * half_tick, True, _json(states),
        ))

    def bar(self, ts: int, bar: Bar, record: InstrumentRecord, states: States) -> None:
        """Write a bar of the tape."""
        tick = record.instrument.tick
        self._sink.bar(BarRow(
            bar.instrument, ts, bar.interval_ns, bar.open * tick, bar.high * tick, bar.low * tick, bar.close * tick,
            False, _json(states),
        ))

    def fill(
        self, ts: int, fill: FillBooked, record: InstrumentRecord, *, fee: Decimal | None, level: int | None,
        regime: str | None,
    ) -> None:
        """Write one booked fill; `fee` in base currency."""
        self._fills += 1
        i = record.instrument
        self._sink.fill(FillRow(
            self._fills, ts, fill.instance, fill.instrument, fill.client_order_id, fill.trade_id,
            fill.side.name.lower(), i.quantity(fill.lots), i.price(fill.price), fill.liquidity.value, fee,
            fill.realized, i.quantity(fill.position), record.mid2 * i.tick / 2 if record.quoted else None, level,
            regime,
        ))

    def nav(
        self, ts: int, *, equity2: int, captured2: int, inventory2: int, fees: Decimal, funding: Decimal,
        drawdown: float,
    ) -> None:
        """Write the account at `ts`; figures that end in 2 are half nanos."""
        half = Decimal(HALF_NANOS)
        self._sink.nav(NavRow(ts, equity2 / half, captured2 / half, inventory2 / half, fees, funding, drawdown))


def _json(states: States) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(states, order="sorted"))
