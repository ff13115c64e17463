"""KS-09: a stop ends when its value is back inside its limit, and is told again when it leaves it again."""

from decimal import Decimal
from types import SimpleNamespace

import pytest
from small_desk import ID, Scripted, build

from tradeworthy.trading.control.guard import HeldReason
from tradeworthy.trading.loss_stops import LossStops
from tradeworthy.trading.model import GuardLevel
from tradeworthy.trading.risk.carry import Margin
from tradeworthy.trading.risk.monitors import DeskLosses, InstanceLosses
from tradeworthy.trading.risk.policy import RiskPolicy

NANO = 10**9
OPEN = 1_000_000 * NANO


class Equity:
    """What the monitors read of the context; the test sets the equity in units of the base currency."""

    def __init__(self):
        self.equity_open_nanos = self.peak_30d = self.equity_nanos = OPEN
        self.gross2 = 0

    def at(self, units):
        self.equity_nanos = None if units is None else units * NANO


def held(code, scope="desk", owner="risk"):
    return HeldReason(owner, code, GuardLevel.STOPPED, scope, 0)


def lost():
    context = Equity()
    losses = DeskLosses(RiskPolicy(), context)
    stops = LossStops(losses, SimpleNamespace(), None)
    context.at(600_000)
    codes = [one.code for one in losses.on_equity()]
    assert {"daily_loss_stop", "drawdown_stop"} <= set(codes)
    return context, losses, stops


@pytest.mark.parametrize("code", ["daily_loss_stop", "drawdown_stop"])
def test_a_loss_outside_its_limit_says_by_how_much_and_one_that_is_back_says_nothing(code):
    context, _, stops = lost()
    assert "600000 of 1000000" in stops.outside(held(code))
    context.at(None)
    assert stops.outside(held(code)) == "equity is not known"
    context.at(999_999)
    assert stops.outside(held(code)) is None


def test_after_the_rearm_the_stop_is_told_again_at_its_limit():
    context, losses, stops = lost()
    context.at(999_999)
    stops.rearmed(held("daily_loss_stop"))
    assert [one for one in losses.on_equity() if one.active] == []
    context.at(600_000)
    assert {"daily_loss_stop", "drawdown_stop"} <= {one.code for one in losses.on_equity()}


def test_an_instances_day_is_asked_and_watched_again():
    policy = RiskPolicy()
    losses = InstanceLosses(policy)
    losses.start_day("ema", OPEN)
    assert {one.code for one in losses.on_pnl("ema", -200_000 * NANO)} >= {"daily_loss_stop", "drawdown_stop"}
    assert losses.outside("ema", "daily_loss_stop", -200_000 * NANO) is not None
    assert losses.outside("ema", "daily_loss_stop", 0) is None
    assert losses.outside("ema", "another", -200_000 * NANO) is None
    losses.rearm("ema")
    assert {one.code for one in losses.on_pnl("ema", -200_000 * NANO)} == {"daily_loss_stop", "drawdown_stop"}


def test_a_margin_stop_is_back_when_the_margin_is_above_its_floor():
    margin = Margin(RiskPolicy())
    stops = LossStops(SimpleNamespace(), SimpleNamespace(), SimpleNamespace(margin=margin))
    margin.on_margin("SIM", Decimal(0), Decimal(100))
    assert stops.outside(held("margin_stop", "venue:SIM")) is not None
    margin.on_margin("SIM", Decimal(100), Decimal(100))
    assert stops.outside(held("margin_stop", "venue:SIM")) is None


def test_a_stop_without_a_value_is_not_asked():
    desk = build(Scripted())
    assert desk.seats[0].instrument_id == ID
    stops = LossStops(SimpleNamespace(), SimpleNamespace(), None)
    assert stops.outside(held("kill", owner="operator")) is None
    assert stops.outside(held("margin_stop", "venue:SIM")) is None
