"""Break-glass at the whole desk: a masked refusal leaves as a told use, a stop and a veto never do (BRK-01, BRK-02)."""

from decimal import Decimal

from small_desk import ID, SECOND, Feed, Scripted, build, of, submits, target

from tradeworthy.trading.control.break_glass import (
    BreakGlassActivated,
    BreakGlassEnded,
    BreakGlassRefused,
    BreakGlassRequest,
    BreakGlassReview,
    BreakGlassUsed,
)
from tradeworthy.trading.control.kill import KillRequest
from tradeworthy.trading.model import GuardLevel, Refused, Timer

CODE = "risk.max_order_value"


def desk(*answers):
    return Feed(build(Scripted(answers), max_order_value=Decimal(50), scale=False))


def asked(**odd):
    usual = {"glass_id": "g1", "control": CODE, "instrument": ID, "max_uses": 1, "ttl_seconds": 900,
             "reason": "hedge", "people": ("ann", "bob"), "pack": "d1"}  # fmt: skip
    return BreakGlassRequest(**(usual | odd))


def test_a_masked_control_lets_one_order_leave_and_is_told_not_as_approval_of_the_control():
    feed = desk(target(10), target(10))
    refused = feed.quote()
    assert ({one.code for one in of(refused, Refused)}, submits(refused)) == ({CODE}, [])
    outcome = feed.give(asked(), source="operator")
    assert len(of(outcome, BreakGlassActivated)) == 1
    outcome = feed.quote()
    assert len(submits(outcome)) == 1
    (used,) = of(outcome, BreakGlassUsed)
    assert (used.code, used.uses) == (CODE, 1)
    feed.desk.seats[0].strategy.answers.append(target(20))
    (order,) = submits(outcome)
    feed.acknowledge(order)
    feed.fill(order)
    feed.desk.seats[0].strategy.answers.append(target(40))
    later = feed.quote()
    assert submits(later) == []


def test_it_ends_when_it_is_spent_and_is_reviewed_or_the_next_session_is_paused():
    feed = desk(target(10))
    feed.give(asked(), source="operator")
    feed.quote()
    ended = [one for _ in range(3) for one in of(feed.quote(), BreakGlassEnded)]
    assert [(one.cause, one.uses) for one in ended] == [("spent", 1)]
    feed.give(Timer("day_roll"), source="clock", ts=ended[0].review_by + SECOND)
    assert feed.desk.guard.level is GuardLevel.PAUSED
    feed.give(BreakGlassReview("g1", "carol", "as planned", "d2"), source="operator")
    assert feed.desk.guard.level is GuardLevel.RUNNING


def test_a_kill_stands_above_it():
    feed = desk(target(10))
    feed.give(asked(), source="operator")
    feed.give(KillRequest("drill", "ann"), source="operator")
    outcome = feed.quote()
    assert submits(outcome) == []
    assert of(outcome, BreakGlassUsed) == []


def test_the_guard_a_veto_and_what_is_no_control_here_are_refused():
    feed = desk()
    for code in ("risk.guard", "compliance.restricted_symbol", "risk.approval", "journal.conflict", "risk.nothing"):
        outcome = feed.give(asked(control=code), source="operator")
        assert len(of(outcome, BreakGlassRefused)) == 1
