"""Builders for a soak's journal: one instrument, one instance, an event a minute."""

from decimal import Decimal

from tradeworthy.kernel.facts import event_of
from tradeworthy.research.backtest.records import RunRecords
from tradeworthy.research.soak.watch import SoakWatch
from tradeworthy.trading.model import (
    CancelOrder,
    FeeRates,
    FillBooked,
    GuardChanged,
    GuardLevel,
    Instrument,
    InstrumentKind,
    Liquidity,
    OrderChanged,
    OrderState,
    Quote,
    Side,
    SubmitOrder,
)
from tradeworthy.trading.model.order import OrderType, TimeInForce

SECOND = 10**9
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
START = 1_704_067_200 * SECOND
PERP = Instrument(
    symbol="BTCUSDT", venue="SIM", kind=InstrumentKind.LINEAR_PERP, tick=Decimal("0.1"), lot=Decimal("0.01"),
    base="BTC", quote="USDT", fees=FeeRates(Decimal(0), Decimal(0)),
)  # fmt: skip
ID = PERP.instrument_id


def watch_of(*dated, held=GuardLevel.RUNNING, capital="1000000"):
    """Fold `(seconds, fact)` or `(seconds, fact, age in seconds)` into a watch."""
    watch = SoakWatch(RunRecords({ID: PERP}, Decimal(capital)), held=held)
    for number, (seconds, fact, *age) in enumerate(dated):
        ts = START + int(seconds * SECOND)
        old = ts - int(age[0] * SECOND) if age else ts
        watch.on_event(event_of(fact, source="test", key=number, ts_event=old, ts_init=ts))
    watch.records.finish()
    return watch


def quote(bid=99_990, ask=100_010):
    return Quote(ID, bid, ask)


def quotes(minutes, *, skip=(), every=60):
    """Return a quote a minute from the start to the end of the last minute."""
    return [(second, quote()) for second in range(0, minutes * 60 + 1, every) if second // 60 not in skip]


def order(state, before=OrderState.SUBMITTED, name="o-1"):
    return OrderChanged(name, "one", ID, before, state, 0)


def submit(name="o-1"):
    return SubmitOrder(name, f"intent-{name}", "one", ID, Side.BUY, 1, OrderType.LIMIT, TimeInForce.GTC, 100_000)


def cancel(name="o-1"):
    return CancelOrder(name, ID, "test")


def fill(side=Side.BUY, lots=10, position=10, name="o-1", price=100_000):
    return FillBooked(
        trade_id=f"t-{name}", client_order_id=name, instance="one", instrument=ID, side=side, lots=lots, price=price,
        liquidity=Liquidity.MAKER, realized=Decimal(0), fee=Decimal(0), fee_currency="USDT", position=position,
        average=None, mid=None,
    )  # fmt: skip


def guard(level):
    return GuardChanged("operator.pause", "desk", level is not GuardLevel.RUNNING, GuardLevel.PAUSED, level)
