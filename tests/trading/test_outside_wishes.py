"""Wishes from outside at the desk: applied once, also after a restart; the rest a dead letter (MO-05)."""

import msgspec
import pytest
from small_desk import ID, SECOND, START, Feed, Scripted, build, of, submits

from tradeworthy.trading.execution.intake import (
    Cause,
    DeadLetter,
    Intake,
    IntakePolicy,
    IntentTaken,
    OutsideWish,
    StateAct,
    StateWish,
)
from tradeworthy.trading.model import GuardChanged, GuardLevel, Intent, Side


def desk():
    feed = Feed(build(Scripted(), intake=Intake(IntakePolicy({"operator": frozenset({"*"})}))))
    feed.quote()
    return feed


def ask(feed, wish, sender="operator"):
    body = wish if isinstance(wish, str) else msgspec.json.encode(wish).decode()
    return feed.give(OutsideWish(sender, body), source="operator")


def pause(name="w1", act=StateAct.PAUSE, scope="desk", ttl=100):
    return StateWish(name, "operator", act, "hand", "drill", "d1", START + ttl * SECOND, scope)


def order(instance="script", instrument=ID):
    return Intent("o1", "operator", instance, "hand", "d1", instrument, Side.BUY, 10, START + 50 * SECOND)


def test_a_pause_is_applied_once_and_resumed_by_its_sender():
    feed = desk()
    outcome = ask(feed, pause())
    assert [one.intent_id for one in of(outcome, IntentTaken)] == ["w1"]
    assert feed.desk.guard.level is GuardLevel.PAUSED
    assert ask(feed, pause()).facts == ()
    (changed,) = of(ask(feed, pause("w2", StateAct.RESUME)), GuardChanged)
    assert (changed.set, feed.desk.guard.level) == (False, GuardLevel.RUNNING)


def test_an_order_passes_review_and_leaves():
    (sent,) = submits(ask(desk(), order()))
    assert (sent.instance, sent.lots) == ("script", 10)


@pytest.mark.parametrize(
    ("wish", "sender", "cause"),
    [("{}", "operator", Cause.SCHEMA), (pause(ttl=1), "operator", Cause.EXPIRED), (pause(), "stranger", Cause.OWNER),
     (pause(scope="nowhere"), "operator", Cause.SCOPE), (order("other"), "operator", Cause.SCOPE),
     (order(instrument="X.Y"), "operator", Cause.SCOPE), (pause(ttl=100_000), "operator", Cause.POLICY)],
)  # fmt: skip
def test_what_cannot_be_applied_is_a_dead_letter_without_effect(wish, sender, cause):
    feed = desk()
    outcome = ask(feed, wish, sender)
    (letter,) = outcome.facts
    assert (type(letter), letter.cause, outcome.commands) == (DeadLetter, cause, ())
    assert feed.desk.guard.level is GuardLevel.RUNNING


def test_a_wish_stays_applied_over_a_restart_in_between():
    first, second = desk(), desk()
    ask(first, pause())
    second.give(first.desk.memory.told("run", 9, first.ts), source="run", ts=first.ts + SECOND)
    assert ask(second, pause()).facts == ()
    assert second.desk.guard.level is GuardLevel.RUNNING


def test_a_desk_without_an_intake_takes_none():
    feed = Feed(build(Scripted()))
    feed.quote()
    (letter,) = ask(feed, pause()).facts
    assert letter.cause is Cause.POLICY
