"""RK-13, RK-38, RK-39: loops, margin and funding set each reason once, at the edge and not before."""

from decimal import Decimal

import pytest
from risk_desk import NOW, SECOND, wide

from tradeworthy.trading.model import GuardLevel
from tradeworthy.trading.risk.carry import PERIOD, FundingCost, FundingHigh, Margin
from tradeworthy.trading.risk.runaway import OrderAnomalyFound, Runaway

MINUTE = 60 * SECOND


def orders(monitor, n, *, rejected=0, step=SECOND // 10):
    """Send `n` orders, the first `rejected` of them rejected; return every reason."""
    found = []
    for k in range(n):
        found += monitor.on_order("ema", NOW + k * step)
        if k < rejected:
            found += monitor.on_reject("ema", NOW + k * step)
    return found


@pytest.mark.parametrize(("n", "rejected", "paused"), [(100, 50, True), (100, 49, False), (99, 99, False)])
def test_hundred_orders_with_half_of_them_rejected_pause(n, rejected, paused):
    found = orders(Runaway(wide()), n, rejected=rejected)
    assert bool(found) is paused
    assert {(r.code, r.level, r.scope) for r in found} <= {("runaway", GuardLevel.PAUSED, "strategy:ema")}


def test_orders_of_an_older_minute_do_not_count():
    assert orders(Runaway(wide()), 200, rejected=200, step=SECOND) == []


@pytest.mark.parametrize(("n", "paused"), [(30, False), (31, True)])
def test_three_times_the_usual_orders_are_passed_and_one_more_pauses(n, paused):
    monitor = Runaway(wide())
    monitor.set_usual("ema", 10)
    assert bool(orders(monitor, n)) is paused


def minute(monitor, n, k):
    for _ in range(n):
        monitor.on_order("ema", NOW + k * MINUTE)
    return monitor.on_minute(NOW + (k + 1) * MINUTE)


def test_unusual_minute_warns_and_a_very_unusual_one_stops():
    monitor = Runaway(wide(runaway_orders=10**6))
    assert [minute(monitor, n, k) for k, n in enumerate((10, 12, 8))] == [()] * 3
    (warned,) = minute(monitor, 15, 3)
    assert isinstance(warned, OrderAnomalyFound)
    assert (warned.orders, warned.minutes) == (15, 3)
    (stopped,) = minute(monitor, 100, 4)
    assert (stopped.code, stopped.level) == ("order_anomaly", GuardLevel.STOPPED)


def test_score_is_unknown_with_fewer_than_three_minutes_and_even_orders_have_a_deviation_of_one():
    monitor = Runaway(wide(runaway_orders=10**6))
    assert [minute(monitor, n, k) for k, n in enumerate((10, 10))] == [()] * 2
    assert minute(monitor, 1_000, 2) == ()
    calm = Runaway(wide())
    assert [minute(calm, 10, k) for k in range(10)] == [()] * 10
    for _ in range(12):
        calm.on_order("ema", NOW + 11 * MINUTE)
    assert calm.score("ema") == 2.0


def margin(monitor, balance, gross="100"):
    reasons = monitor.on_margin("SIM", None if balance is None else Decimal(balance), Decimal(gross))
    return [(r.code, r.level, r.active) for r in reasons]


def test_margin_reduces_pages_and_stops_below_its_floors_and_each_reason_is_told_once():
    monitor = Margin(wide())
    reducing, stopped = GuardLevel.REDUCING, GuardLevel.STOPPED
    assert margin(monitor, "20") == []
    assert margin(monitor, "19") == [("margin", reducing, True)]
    assert margin(monitor, "15") == []
    assert margin(monitor, "14.99") == [("margin_page", reducing, True)]
    assert margin(monitor, "9") == [("margin_stop", stopped, True)]
    assert margin(monitor, "9") == []
    assert margin(monitor, "20") == [
        ("margin", reducing, False), ("margin_page", reducing, False), ("margin_stop", stopped, False)
    ]  # fmt: skip


def test_unknown_balance_pauses_while_something_is_held():
    monitor = Margin(wide())
    assert margin(monitor, None, "0") == []
    assert margin(monitor, None) == [("margin_unknown", GuardLevel.PAUSED, True)]
    assert margin(monitor, "50") == [("margin_unknown", GuardLevel.PAUSED, False)]


def funding(monitor, rate, ts):
    return monitor.on_funding("X", Decimal(rate), ts)


@pytest.mark.parametrize(("lots", "rate"), [(5, "0.006"), (-5, "-0.006")])
def test_side_that_pays_reduces_after_a_full_period_and_returns_when_the_rate_is_low(lots, rate):
    monitor = FundingCost(wide())
    monitor.on_position("X", lots, NOW)
    assert funding(monitor, rate, NOW + PERIOD - 1) == ()
    warned, reducing = funding(monitor, rate, NOW + PERIOD)
    assert isinstance(warned, FundingHigh)
    assert (reducing.code, reducing.level, reducing.scope) == ("funding", GuardLevel.REDUCING, "instrument:X")
    low = Decimal(rate) / 6
    assert funding(monitor, low, NOW + 2 * PERIOD) == ()
    (cleared,) = funding(monitor, low / 2, NOW + 3 * PERIOD)
    assert (cleared.code, cleared.active) == ("funding", False)


def test_received_funding_and_a_flat_desk_are_nothing():
    monitor = FundingCost(wide())
    monitor.on_position("X", -5, NOW)
    assert funding(monitor, "0.006", NOW + 2 * PERIOD) == ()
    monitor.on_position("X", 0, NOW)
    assert funding(monitor, "0.006", NOW + 4 * PERIOD) == ()


def test_turned_position_is_held_anew():
    monitor = FundingCost(wide())
    monitor.on_position("X", -5, NOW)
    monitor.on_position("X", 5, NOW + PERIOD)
    assert funding(monitor, "0.006", NOW + 2 * PERIOD - 1) == ()
    monitor.on_position("X", 9, NOW + PERIOD + 5)
    assert any(getattr(one, "code", "") == "funding" for one in funding(monitor, "0.006", NOW + 2 * PERIOD))


def test_just_below_the_warning_never_warns():
    monitor = FundingCost(wide())
    monitor.on_position("X", 5, NOW)
    assert [funding(monitor, "0.0029", NOW + k * PERIOD) for k in range(1, 5)] == [()] * 4
    assert funding(monitor, "0.003", NOW + 5 * PERIOD) == ()
    assert len(funding(monitor, "0.003", NOW + 6 * PERIOD)) == 1
