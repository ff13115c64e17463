"""Loss ladders, drawdown, repeated executions and self failure set each reason once."""

import pytest
from risk_desk import ID, NOW, SECOND, USD, desk, wide

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.trading.model import GuardLevel, Side
from tradeworthy.trading.risk.monitors import DeskLosses, InstanceLosses, RepeatedExecution, SelfFailure


def losses():
    ctx = desk().context
    ctx.day_roll(NOW)
    return ctx, DeskLosses(wide(), ctx)


def told(ctx, monitor, equity):
    ctx.set_equity(equity)
    return [(r.code, r.level, r.active) for r in monitor.on_equity()]


def test_daily_loss_pauses_pages_and_stops_at_its_limits_and_not_before():
    ctx, monitor = losses()
    open_ = 1_000_000 * USD
    assert told(ctx, monitor, open_ * 98 // 100 + 1) == []
    assert told(ctx, monitor, open_ * 98 // 100) == [("daily_loss", GuardLevel.PAUSED, True)]
    assert told(ctx, monitor, open_ * 97 // 100) == [("daily_loss_page", GuardLevel.PAUSED, True)]
    assert told(ctx, monitor, open_ * 95 // 100 + 1) == []
    assert told(ctx, monitor, open_ * 95 // 100) == [("daily_loss_stop", GuardLevel.STOPPED, True)]
    assert told(ctx, monitor, open_ * 95 // 100) == []


def test_six_percent_in_a_hundred_small_steps_stops():
    ctx, monitor = losses()
    found = [code for k in range(1, 101) for code, _, _ in told(ctx, monitor, (1_000_000 - 600 * k) * USD)]
    assert found == ["daily_loss", "daily_loss_page", "daily_loss_stop"]


def test_deposit_does_not_refill_the_days_budget():
    ctx, monitor = losses()
    told(ctx, monitor, 981_000 * USD)
    ctx.transfer(500_000 * USD)
    assert told(ctx, monitor, 1_480_000 * USD) == []
    assert told(ctx, monitor, 1_470_000 * USD) == [("daily_loss", GuardLevel.PAUSED, True)]


def test_new_day_ends_the_pause_and_never_the_stop():
    ctx, monitor = losses()
    told(ctx, monitor, 940_000 * USD)
    ctx.day_roll(NOW + NANOS_PER_DAY)
    assert [(r.code, r.active) for r in monitor.on_day()] == [("daily_loss", False), ("daily_loss_page", False)]
    assert told(ctx, monitor, 940_000 * USD * 98 // 100) == [("daily_loss", GuardLevel.PAUSED, True)]


def slide(days):
    """Slide 10 % down in daily steps, until the last open at the peak is `days` ago."""
    ctx, monitor = losses()
    told(ctx, monitor, 1_000_000 * USD)
    found = []
    for day in range(1, days + 2):
        ctx.day_roll(NOW + day * NANOS_PER_DAY)
        monitor.on_day()
        found += told(ctx, monitor, max(900_000, 1_000_000 - 19_000 * day) * USD)
    return [f for f in found if f[0].startswith("drawdown") and f[2]], ctx


def test_peak_of_25_days_ago_counts_and_of_31_days_ago_does_not():
    found, ctx = slide(25)
    assert found == [("drawdown", GuardLevel.REDUCING, True)]
    assert ctx.peak_30d == 1_000_000 * USD
    assert slide(31)[1].peak_30d < 1_000_000 * USD


def test_drawdown_reduces_until_gross_is_halved_and_stops_at_a_quarter():
    ctx, monitor = losses()
    ctx.book_fill("ema", ID, Side.BUY, 100, 1_000, NOW)
    assert ("drawdown", GuardLevel.REDUCING, True) in told(ctx, monitor, 900_000 * USD)
    ctx.book_fill("ema", ID, Side.SELL, 49, 1_000, NOW)
    assert ("drawdown", GuardLevel.REDUCING, False) not in told(ctx, monitor, 900_000 * USD)
    ctx.book_fill("ema", ID, Side.SELL, 1, 1_000, NOW)
    assert told(ctx, monitor, 900_000 * USD) == [("drawdown", GuardLevel.REDUCING, False)]
    assert told(ctx, monitor, 750_000 * USD) == [("drawdown_stop", GuardLevel.STOPPED, True)]


def test_unknown_equity_judges_nothing():
    ctx, monitor = losses()
    assert told(ctx, monitor, None) == []


@pytest.mark.parametrize(
    ("pnl", "found"), [(-1_999, []), (-2_000, ["daily_loss"]), (-3_000, ["daily_loss", "daily_loss_stop"])]
)
def test_instance_loss_is_judged_against_its_budget(pnl, found):
    monitor = InstanceLosses(wide())
    monitor.start_day("ema", 100_000 * USD)
    reasons = monitor.on_pnl("ema", pnl * USD)
    assert [r.code for r in reasons] == found
    assert {r.scope for r in reasons} <= {"strategy:ema"}
    assert monitor.on_pnl("ema", pnl * USD) == ()


def test_instance_five_percent_below_its_intraday_peak_is_stopped():
    monitor = InstanceLosses(wide())
    monitor.start_day("ema", 100_000 * USD)
    monitor.on_pnl("ema", 20_000 * USD)
    assert monitor.on_pnl("ema", 14_000 * USD + 1) == ()
    assert [r.code for r in monitor.on_pnl("ema", 14_000 * USD)] == ["drawdown_stop"]


def test_twentieth_execution_of_one_side_disables_the_strategy():
    monitor = RepeatedExecution(wide())
    found = [monitor.on_fill("ema", ID, Side.BUY, NOW + k * SECOND) for k in range(20)]
    assert found[:19] == [None] * 19
    assert (found[19].level, found[19].scope) == (GuardLevel.REDUCING, "strategy:ema")


def test_opposite_fill_or_a_long_time_starts_the_count_anew():
    monitor = RepeatedExecution(wide())
    for k in range(19):
        monitor.on_fill("ema", ID, Side.BUY, NOW + k)
    monitor.on_fill("ema", ID, Side.SELL, NOW + 20)
    assert monitor.on_fill("ema", ID, Side.BUY, NOW + 21) is None
    slow = RepeatedExecution(wide())
    assert [slow.on_fill("ema", ID, Side.BUY, NOW + k * 32 * SECOND) for k in range(30)] == [None] * 30


def test_missed_heartbeat_and_exception_stop_the_desk():
    monitor = SelfFailure(wide(heartbeat_age=10 * SECOND))
    monitor.beat("compliance", NOW)
    assert monitor.check(NOW + 10 * SECOND - 1) is None
    assert monitor.check(NOW + 10 * SECOND).level is GuardLevel.STOPPED
    assert monitor.failed("risk", "ZeroDivisionError").scope == "desk"
