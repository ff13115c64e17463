"""Each instance answers for its own losses: pause, stop, drawdown and the tiers of its budget."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_desk import ID, SECOND, START, Feed, Scripted, build, of, submits, target

from tradeworthy.trading.allocation import ReleaseTier, TierChanged
from tradeworthy.trading.model import GuardChanged, GuardLevel, Timer

LOTS = 5_000
"""5 BTC; the instance's budget is 300 000 (directional, of a million), so 600 USD a BTC are 1 % of it."""
WIDE = {
    "max_position": Decimal(1), "net_exposure": Decimal(1), "asset_net": Decimal(1), "asset_net_value": None,
    "gross_leverage": Decimal(5),
}  # fmt: skip


def holder(side=1):
    """Return a feed whose desk holds 5 BTC from 10 000 USD, in its first minute; no fee was paid."""
    feed = Feed(build(Scripted([target(side * LOTS)]), **WIDE))
    orders = submits(feed.quote(99_999, 100_001))
    assert sum(one.lots for one in orders) == LOTS
    for order in orders:
        feed.acknowledge(order)
        feed.fill(order)
    assert abs(feed.desk.seats[0].position) == LOTS
    return feed


def moved(feed, usd):
    """Quote so that the day's profit and loss of a long position is `usd`."""
    mid = 100_000 + usd * 10 // 5
    return feed.quote(mid - 1, mid + 1)


def reasons(outcome):
    return [(one.reason, one.scope, one.reason_level) for one in of(outcome, GuardChanged) if one.set]


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (5_995, []),
        (6_000, [("risk.daily_loss", GuardLevel.PAUSED)]),
        (9_000, [("risk.daily_loss", GuardLevel.PAUSED), ("risk.daily_loss_stop", GuardLevel.STOPPED)]),
    ],
)
@pytest.mark.parametrize("side", [1, -1])
def test_a_loss_of_the_budget_pauses_at_two_percent_and_stops_at_three(loss, expected, side):
    outcome = moved(holder(side), -loss * side)
    assert reasons(outcome) == [(code, "strategy:script", level) for code, level in expected]


def test_a_loss_in_a_hundred_small_steps_is_the_same_loss():
    feed = holder()
    told = [one for step in range(1, 101) for one in reasons(moved(feed, -90 * step))]
    assert [code for code, *_ in told] == ["risk.daily_loss", "risk.daily_loss_stop"]


def test_giving_back_five_percent_from_the_days_peak_stops_the_instance():
    feed = holder()
    moved(feed, 30_000)  # worth 330 000: the peak
    assert reasons(moved(feed, 13_505)) == []
    assert [code for code, *_ in reasons(moved(feed, 13_500))] == ["risk.drawdown_stop"]


def test_a_new_day_ends_the_pause_and_begins_with_the_budget_in_force():
    feed = holder()
    moved(feed, -6_000)
    outcome = feed.give(Timer("day_roll"), source="clock")
    ended = [(one.reason, one.scope) for one in of(outcome, GuardChanged) if not one.set]
    assert ("risk.daily_loss", "strategy:script") in ended
    assert reasons(moved(feed, -11_900)) == []


def test_one_instances_loss_leaves_the_other_one_running():
    feed = Feed(build(Scripted([target(LOTS)]), Scripted(instance="other"), **WIDE))
    for order in submits(feed.quote(99_999, 100_001)):
        feed.acknowledge(order)
        feed.fill(order)
    moved(feed, -5_000)
    assert feed.desk.seats[0].guard is GuardLevel.STOPPED
    assert feed.desk.seats[1].guard is GuardLevel.RUNNING


@pytest.mark.parametrize(
    ("loss", "tier", "budget"), [(14_995, 0, 300_000), (15_000, 1, 240_000), (30_000, 2, 150_000), (45_000, 3, 0)]
)
def test_a_drawdown_of_the_worth_shrinks_the_budget_at_once(loss, tier, budget):
    feed = holder()
    changed = of(moved(feed, -loss), TierChanged)
    assert [one.after for one in changed] == ([tier] if tier else [])
    allocated = feed.desk.context.account("script").allocated
    capital = feed.desk.context.equity_nanos if tier else 1_000_000 * 10**9
    assert allocated == pytest.approx(budget * capital / 1_000_000, rel=1e-9)


def test_the_last_tier_is_left_by_a_persons_act_only():
    feed = holder()
    moved(feed, -45_000)
    moved(feed, 0)
    feed.give(Timer("sample"), source="clock", ts=feed.ts + 3 * 86_400 * SECOND)
    assert feed.desk.context.account("script").allocated == 0
    outcome = feed.give(ReleaseTier("script", "ann"), source="operator")
    assert [(one.before, one.after, one.cause) for one in of(outcome, TierChanged)] == [(3, 0, "released by ann")]
    assert feed.desk.context.account("script").allocated > 0


def test_a_milder_tier_is_left_after_a_day_of_recovery():
    feed = holder()
    moved(feed, -15_000)
    moved(feed, -5_000)
    changes = []
    for hour in range(1, 26):
        outcome = feed.give(Timer("sample"), source="clock", ts=START + hour * 3_600 * SECOND)
        changes += [(hour, one.after) for one in of(outcome, TierChanged)]
    assert changes == [(25, 0)]


@settings(max_examples=60, deadline=None)
@given(path=st.lists(st.integers(-9_000, 9_000), min_size=1, max_size=40), side=st.sampled_from((1, -1)))
def test_the_band_never_hides_what_judging_every_mark_would_find(path, side):
    """Play one path with bands, and again with every mark judged."""
    lazy, eager = holder(side), holder(side)
    usd = 0
    for move in path:
        usd = max(-40_000, min(200_000, usd + move))
        eager.desk._bands[ID] = (1 << 200, -(1 << 200))
        assert moved(lazy, usd).facts == moved(eager, usd).facts
