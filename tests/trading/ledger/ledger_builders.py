"""Ordinary instruments and fills; a test states what is odd about its own."""

from decimal import Decimal
from typing import Any

from tradeworthy.trading.ledger.ledger import Ledger
from tradeworthy.trading.model.instrument import FeeRates, Instrument, InstrumentKind
from tradeworthy.trading.model.market import Side
from tradeworthy.trading.model.order import Fill, Liquidity

D = Decimal
FEES = FeeRates(D("0.0002"), D("0.0005"))


def instrument(symbol: str, kind: InstrumentKind, base: str, quote: str = "USDT", **changes: Any) -> Instrument:
    fields: dict[str, Any] = {"tick": D("0.01"), "lot": D("0.001"), "fees": FEES}
    return Instrument(symbol, "SIM", kind, base=base, quote=quote, **{**fields, **changes})


SPOT = instrument("BTCUSDT", InstrumentKind.SPOT, "BTC")
PERP = instrument("BTCPERP", InstrumentKind.LINEAR_PERP, "BTC")
INVERSE = instrument("BTCINV", InstrumentKind.INVERSE_PERP, "BTC", tick=D("0.5"), lot=D(1), multiplier=D(100))
SHARE = instrument("IBM", InstrumentKind.EQUITY, "IBM", lot=D(1))
ALL = {item.instrument_id: item for item in (SPOT, PERP, INVERSE, SHARE)}


def ledger() -> Ledger:
    return Ledger(ALL, "USDT")


def fill(on: Instrument, signed: int, price: int, trade_id: str = "t1", **changes: Any) -> Fill:
    fields: dict[str, Any] = {
        "trade_id": trade_id, "client_order_id": "o1", "instance": "a", "instrument": on.instrument_id,
        "side": Side.BUY if signed > 0 else Side.SELL, "lots": abs(signed), "price": price,
        "liquidity": Liquidity.TAKER, "fee": D(0), "fee_currency": on.settlement, "ts_event": 0,
    }  # fmt: skip
    return Fill(**{**fields, **changes})
