"""Lost answers for a minute: there are never two live orders on a level (OM-02, OM-06, OM-07)."""

from decimal import Decimal

import pytest
from order_builders import BTC, execution

from tradeworthy.trading.execution import PlanPolicy, plan
from tradeworthy.trading.model import (
    Approved,
    FeeRates,
    Instrument,
    InstrumentKind,
    OrderState,
    Quote,
    QuoteTarget,
    Side,
    Targets,
)
from tradeworthy.trading.simulation import NO_LATENCY, SimulatedVenue
from tradeworthy.trading.simulation.faults import Fault, FaultWindow, FaultyVenue

S = 1_000_000_000
SYMBOL = BTC.partition(".")[0]


def instrument():
    return Instrument(SYMBOL, "SIM", InstrumentKind.LINEAR_PERP, Decimal("0.1"), Decimal("0.001"), "BTC", "USDT",
                      FeeRates(Decimal(0), Decimal(0)))  # fmt: skip


@pytest.mark.parametrize("fault", [Fault.LOST_ACK, Fault.HALF_OPEN, Fault.DISCONNECT, Fault.LATE_ACK])
def test_a_level_holds_one_live_order_whatever_is_lost(fault):
    inner = SimulatedVenue([instrument()], latency=NO_LATENCY)
    venue, desk = FaultyVenue(inner, FaultWindow(fault, 0, 60 * S, delay_ns=45 * S)), execution()
    inner.on_market(Quote(BTC, 1_000, 1_010), 0)
    sent = 0
    for second in range(180):
        now = second * S
        facts = []
        for due, report in venue.advance(now):
            facts += desk.on_report(report, due)[0]
        facts += desk.on_timer(now)
        price = 990 - second % 7  # the quote moves each second
        bid, ask = (QuoteTarget(BTC, side, 0, at, 5, "q") for side, at in ((Side.BUY, price), (Side.SELL, 1_020)))
        wish = Targets(quotes=(bid, ask))
        intents, cancels = plan("mm", wish, owner="strategy", decision_id=f"d{second}", positions={},
                                orders=desk.orders, now=now, policy=PlanPolicy())  # fmt: skip
        for one in cancels:
            facts += desk.cancel(one, now)
        for intent in intents:
            facts += desk.submit(Approved(intent, "p", intent.lots), now)
            sent += 1
        for one in facts:
            if one.kind.startswith("command."):
                venue.send(one, now)
        for side in (Side.BUY, Side.SELL):
            live = [order for order in desk.orders.live("mm") if order.side is side and order.level == 0]
            assert len(live) <= 1
            open_at_venue = [one for one in inner.open_orders() if one.side is side]
            assert len(open_at_venue) <= 1
    assert sent > 2
    states = {order.state for order in desk.orders.all_live()}
    assert states <= {OrderState.WORKING, OrderState.SUBMITTED, OrderState.PENDING_CANCEL}
