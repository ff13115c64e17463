"""T6: funding against hand-computed cash, on the venue's own account (SV-12)."""

from decimal import Decimal

import msgspec
import pytest

from tradeworthy.trading.model import (
    FeeRates,
    Funding,
    Instrument,
    InstrumentKind,
    MarginRates,
    Mark,
    OrderType,
    Quote,
    Side,
    SubmitOrder,
    TimeInForce,
)
from tradeworthy.trading.simulation.latency import NO_LATENCY
from tradeworthy.trading.simulation.venue import Matching, SimulatedVenue

PERP = Instrument(
    symbol="BTCUSDT", venue="BINANCE_USDM", kind=InstrumentKind.LINEAR_PERP, tick=Decimal(1), lot=Decimal(1),
    base="BTC", quote="USDT", fees=FeeRates(maker=Decimal(0), taker=Decimal(0)),
    margin=MarginRates(initial=Decimal("0.2"), maintenance=Decimal("0.1")),
)
CASES = [
    (Side.BUY, "0.0001", Decimal(-6)), (Side.BUY, "-0.0001", Decimal(6)),
    (Side.SELL, "0.0001", Decimal(6)), (Side.SELL, "-0.0001", Decimal(-6)),
]


@pytest.mark.parametrize("margin", [None, PERP.margin], ids=["no margin rates", "margin rates"])
@pytest.mark.parametrize(("side", "rate", "cash"), CASES)
def test_two_at_a_mark_of_30_000_pay_or_get_six(side: Side, rate: str, cash: Decimal, margin: MarginRates | None):
    name = PERP.instrument_id
    perpetual = msgspec.structs.replace(PERP, margin=margin)
    venue = SimulatedVenue((perpetual,), latency=NO_LATENCY, matching=Matching.L1, capital={"USDT": Decimal(100_000)})
    venue.on_market(Quote(name, 30_000, 30_000, 10, 10), 1)
    venue.send(SubmitOrder("a", "i", "s", name, side, 2, OrderType.MARKET, TimeInForce.GTC), 2)
    venue.advance(3)
    venue.on_market(Mark(name, 30_000), 4)
    before = venue.balances()["USDT"]
    venue.on_market(Funding(name, Decimal(rate)), 5)
    assert venue.balances()["USDT"] - before == cash
