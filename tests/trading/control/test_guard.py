"""The guard's lattice: owners, scopes, expiry, the latch, and one fact a change."""

import pytest

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.trading.control import Guard
from tradeworthy.trading.control.guard import fold
from tradeworthy.trading.control.owners import OWNERS
from tradeworthy.trading.model import GuardLevel, GuardReason, Intent, Side

RUNNING, PAUSED, REDUCING, STOPPED = GuardLevel
NOW = 10**18
LISTED = [
    "operator",
    "risk",
    "compliance",
    "reconciliation",
    "supervision",
    "watchdog",
    "journal",
    "md",
    "feed",
    "venue",
    "bus",
    "clock",
    "config",
    "allocation",
    "strategy",
    "execution",
    "gate",
    "alert_path",
    "escalation",
    "catalogue",
    "ml",
    "shutdown",
    "drill",
]


def reason(owner="risk", code="daily_loss", level=PAUSED, scope="desk", **odd):
    return GuardReason(owner, code, level, scope, **odd)


def test_state_is_the_worst_reason_and_falls_back_as_owners_clear():
    guard = Guard()
    guard.set(reason("bus", "outage"), NOW)
    guard.set(reason("risk", "drawdown", REDUCING), NOW)
    assert guard.level is REDUCING
    assert guard.clear("risk", "drawdown", "desk", NOW, by="risk").level is PAUSED
    assert guard.clear("bus", "outage", "desk", NOW, by="bus").level is RUNNING


def test_healthy_bus_never_clears_a_risk_pause():
    guard = Guard()
    guard.set(reason(), NOW)
    with pytest.raises(InvalidInput, match="owner"):
        guard.clear("risk", "daily_loss", "desk", NOW, by="bus")
    assert guard.level is PAUSED


def test_hundred_ticks_in_breach_give_one_event():
    guard = Guard()
    changes = [guard.apply(reason(), NOW + k) for k in range(100)]
    assert [c is not None for c in changes] == [True] + [False] * 99
    assert guard.apply(reason(active=False), NOW).set is False
    assert guard.apply(reason(active=False), NOW) is None


def test_raising_a_level_is_a_change_and_a_stop_is_never_lowered():
    guard = Guard()
    guard.set(reason(level=PAUSED), NOW)
    assert guard.set(reason(level=STOPPED), NOW + 1).level is STOPPED
    assert guard.set(reason(level=PAUSED), NOW + 2) is None
    assert guard.clear("risk", "daily_loss", "desk", NOW + 3, by="risk") is None
    assert guard.level is STOPPED


def test_unknown_owner_scope_or_level_is_refused():
    guard = Guard()
    for bad in (
        reason("nobody"),
        reason(scope="moon"),
        reason(scope="strategy:"),
        reason(level=RUNNING),
        reason("bus", level=STOPPED),
    ):
        with pytest.raises(InvalidInput):
            guard.set(bad, NOW)


@pytest.mark.parametrize("owner", LISTED)
def test_owner_table_lists_each_owner_with_condition_and_runbook(owner):
    assert OWNERS[owner].clears
    assert OWNERS[owner].runbook.startswith("runbooks/")


def test_expired_pause_clears_once_and_a_stop_never_expires():
    guard = Guard()
    guard.set(reason(expires_at=NOW + 5), NOW)
    guard.set(reason(code="kill", level=STOPPED, expires_at=NOW + 5, scope="strategy:ema"), NOW)
    assert guard.expire(NOW + 4) == ()
    assert [c.reason for c in guard.expire(NOW + 5)] == ["risk.daily_loss"]
    assert guard.expire(NOW + 6) == ()
    assert guard.level_of("strategy:ema") is STOPPED


def test_pause_without_a_time_does_not_expire():
    guard = Guard()
    guard.set(reason(), NOW)
    assert guard.expire(NOW * 3) == ()


def test_scope_holds_its_own_and_the_desk_holds_all():
    guard = Guard()
    guard.set(reason(level=REDUCING, scope="instrument:BTC.SIM"), NOW)
    assert guard.level_for("ema", "BTC.SIM", "SIM") is REDUCING
    assert guard.level_for("ema", "ETH.SIM", "SIM") is RUNNING
    guard.set(reason(level=STOPPED), NOW)
    assert guard.level_for("ema", "ETH.SIM", "SIM") is STOPPED
    guard.set(reason(scope="client:7"), NOW)
    assert guard.level_of("client:7") is PAUSED


@pytest.mark.parametrize(
    ("level", "opening", "owner", "allowed"),
    [
        (RUNNING, True, "strategy", True),
        (PAUSED, True, "strategy", False),
        (PAUSED, False, "strategy", True),
        (REDUCING, True, "strategy", False),
        (REDUCING, False, "strategy", True),
        (STOPPED, False, "strategy", False),
        (STOPPED, False, "operator", True),
        (STOPPED, True, "operator", False),
        (PAUSED, True, "operator", False),
    ],
)
def test_one_order_of_each_kind_per_state(level, opening, owner, allowed):
    intent = Intent("i", owner, "ema", "test", "d", "BTC.SIM", Side.BUY, 1, NOW)
    assert Guard().allows(intent, opening, level) is allowed


def test_folding_the_facts_gives_the_guard_back():
    guard, held = Guard(), ()
    for k, change in enumerate(
        (
            reason(expires_at=NOW + 9),
            reason("bus", "outage"),
            reason(level=STOPPED),
            reason("bus", "outage", active=False),
        )
    ):
        held = fold(held, guard.apply(change, NOW + k), NOW + k)
    assert {(r.owner, r.code, r.level) for r in held} == {(r.owner, r.code, r.level) for r in guard.reasons()}
    assert Guard(held).level is STOPPED
