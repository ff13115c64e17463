"""Builders for small hand-made journals."""

from decimal import Decimal

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import Event, Fact, event_of
from tradeworthy.trading.model.instrument import FeeRates, Instrument, InstrumentKind
from tradeworthy.trading.model.market import Quote, Side
from tradeworthy.trading.model.order import FillBooked, Liquidity

T0 = 1_700_000_000 * NANOS_PER_SECOND
INSTRUMENT = Instrument(
    "BTCUSDT", "SIM", InstrumentKind.LINEAR_PERP, Decimal("0.1"), Decimal("0.01"), "BTC", "USDT",
    FeeRates(Decimal(0), Decimal(0)),
)
ID = INSTRUMENT.instrument_id
BOOK = {ID: INSTRUMENT}


def at(seconds: float, payload: Fact) -> Event:
    ts = T0 + int(seconds * NANOS_PER_SECOND)
    return event_of(payload, source="test", key=f"{ts}-{payload.kind}", ts_event=ts, ts_init=ts)


def quote(bid: int, ask: int) -> Quote:
    return Quote(ID, bid, ask)


def fill(
    side: Side, lots: int, price: int, *, position: int = 0, fee: str | None = "0", realized: str = "0",
    instance: str = "mm-1", order: str = "o-1",
) -> FillBooked:
    return FillBooked(
        trade_id=f"{side.name}-{lots}-{price}", client_order_id=order, instance=instance, instrument=ID, side=side,
        lots=lots, price=price, liquidity=Liquidity.MAKER, realized=Decimal(realized),
        fee=None if fee is None else Decimal(fee), fee_currency="USDT", position=position, average=None, mid=None,
    )
