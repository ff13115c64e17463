"""The second look at orders: what was kept is never called broken, and what was not is."""

from decimal import Decimal

import pytest

from tradeworthy.kernel.facts import event_of
from tradeworthy.operations.assessments.collectors.second_look import SecondLook
from tradeworthy.trading.control.break_glass import BreakGlassActivated, BreakGlassEnded
from tradeworthy.trading.model import (
    FeeRates,
    GuardChanged,
    GuardLevel,
    Instrument,
    InstrumentKind,
    Quote,
    Side,
    Status,
    TradingStatus,
)
from tradeworthy.trading.model.order import ApprovedIntent, Intent, SubmitOrder
from tradeworthy.trading.risk.policy import RiskPolicy

ID = "BTCUSD.SIM"
START = 1_700_000_000 * 10**9
PERPETUAL = Instrument(
    symbol="BTCUSD", venue="SIM", kind=InstrumentKind.LINEAR_PERP, tick=Decimal("0.1"), lot=Decimal("0.001"),
    base="BTC", quote="USD", fees=FeeRates(Decimal(0), Decimal("0.001")), max_order_lots=10_000,
)  # fmt: skip
SECOND = 10**9
QUOTE = Quote(ID, 99_990, 100_010, 1_000, 1_000)
CAPITAL = Decimal(1_000_000)


class Told:
    """Give facts to a second look, each a second after the last."""

    def __init__(self, **limits):
        limits = {"quoting": ("maker",), "throttle_directional": 100, **limits}
        self.look = SecondLook({ID: PERPETUAL}, RiskPolicy(**limits), CAPITAL, {ID: "simulated"})
        self.ts, self.number = START, 0

    def give(self, fact, wait_s=1.0):
        self.ts += round(wait_s * SECOND)
        self.number += 1
        return self.look.take(event_of(fact, source="test", key=self.number, ts_event=self.ts, ts_init=self.ts))

    def order(self, lots=100, *, wait_s=1.0, opening=None, **odd):
        """Approve and send one order worth 1,000 a lot ten, and return what it broke."""
        name = f"i{self.number}"
        usual = {
            "intent_id": name, "owner": "strategy", "instance": "one", "reason": "test", "decision_id": "d",
            "instrument": ID, "side": Side.BUY, "lots": lots, "expires_at": self.ts + 60 * SECOND, "stop": 98_000,
        }  # fmt: skip
        intent = Intent(**{**usual, **odd})
        fact = ApprovedIntent(intent, "h", lots, opening_lots=lots if opening is None else opening)
        self.give(fact, wait_s)
        sent = f"c{self.number}", name, intent.instance, ID, intent.side, lots, intent.type, intent.tif, intent.price
        return self.give(SubmitOrder(*sent), 0.0)


def priced(**limits):
    told = Told(**limits)
    told.give(QUOTE)
    return told


def test_an_order_within_its_limits_broke_none():
    assert priced().order() == ()


@pytest.mark.parametrize("limit", ["max_position", "net_exposure"])
def test_an_amount_is_broken_only_beyond_its_lenience(limit):
    assert priced(**{limit: Decimal("0.01")}).order(1_000) == ()
    assert priced(**{limit: Decimal("0.01")}).order(1_060) == (f"risk.{limit}",)


@pytest.mark.parametrize(("wait_s", "found"), [(4.9, ()), (5.0, ("risk.reference_stale",))])
def test_a_price_is_old_when_its_age_reaches_the_limit(wait_s, found):
    assert priced().order(wait_s=wait_s) == found


def test_what_reduces_and_what_a_break_glass_masks_is_not_judged():
    told = priced(max_position=Decimal("0.01"))
    assert told.order(5_000, opening=0) == ()
    told.give(BreakGlassActivated("g", "risk.max_position", ID, 1, told.ts + 60 * SECOND, ("a", "b"), "why", "p"))
    assert told.order(5_000) == ()
    told.give(BreakGlassEnded("g", "spent", 1, told.ts, told.ts, ("a", "b")))
    assert "risk.max_position" in told.order(5_000, wait_s=2)


def test_a_guard_a_halt_and_an_expiry_forbid_an_opening():
    told = priced()
    told.give(GuardChanged("operator.pause", "strategy:one", True, GuardLevel.PAUSED, GuardLevel.RUNNING))
    assert told.order() == ("risk.guard",)
    told.give(GuardChanged("operator.pause", "strategy:one", False, GuardLevel.PAUSED, GuardLevel.RUNNING))
    told.give(Status(ID, TradingStatus.HALTED))
    told.give(QUOTE)
    assert told.order() == ("risk.not_tradable",)
    told.give(Status(ID, TradingStatus.OPEN))
    told.give(QUOTE)
    assert told.order(expires_at=START) == ("risk.approval",)
