"""Wishes from outside: each applied once, also after a restart; the rest a dead letter (MO-05, OM-11)."""

import msgspec
import pytest
from order_builders import intent

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.trading.control.guard import Guard
from tradeworthy.trading.execution.intake import (
    Cause,
    DeadLetter,
    Intake,
    IntakePolicy,
    IntentTaken,
    StateAct,
    StateWish,
    Taken,
)
from tradeworthy.trading.model import GuardLevel, GuardReason

NOW = 1_000 * NANOS_PER_SECOND
SENDERS = {"strategy": frozenset({"mm"}), "allocation": frozenset({"*"}), "risk": frozenset({"desk"})}


def intake(**changes):
    return Intake(IntakePolicy(SENDERS, **changes))


def wish(name="w1", act=StateAct.PAUSE, owner="allocation", ttl_s=300, **changes):
    fields = {"code": "budget", "reason": "over budget", "decision_id": "d1", "scope": "desk"} | changes
    return StateWish(name, owner, act, expires_at=NOW + ttl_s * NANOS_PER_SECOND, **fields)


def target(name="d1:0", ttl_s=60, **changes):
    return intent(name, expires_at=NOW + ttl_s * NANOS_PER_SECOND, **changes)


def test_a_wish_is_applied_once():
    door = intake()
    first = door.take(target(), "strategy", NOW)
    assert (first.intent, first.fact.intent_id) == (target(), "d1:0")
    assert door.take(target(), "strategy", NOW) is None
    assert door.repeats == 1


def test_the_same_wish_has_one_effect_with_a_restart_between():
    before = intake().take(wish(), "allocation", NOW)
    journal = msgspec.json.encode(before.fact)
    door = intake()
    door.restore(msgspec.json.decode(journal, type=IntentTaken))
    assert door.take(wish(), "allocation", NOW + 1) is None
    late = door.take(wish(), "allocation", NOW + 300 * NANOS_PER_SECOND)
    assert late is None


def test_an_expired_wish_is_a_dead_letter_without_effect():
    door = intake()
    letter = door.take(target(ttl_s=60), "strategy", NOW + 60 * NANOS_PER_SECOND)
    assert (letter.cause, letter.intent_id) == (Cause.EXPIRED, "d1:0")
    assert isinstance(door.take(target(ttl_s=60), "strategy", NOW), Taken)


@pytest.mark.parametrize(
    ("sent", "sender", "cause"),
    [
        (target(instance="other"), "strategy", Cause.SCOPE),
        (wish(owner="risk", scope="strategy:mm"), "risk", Cause.SCOPE),
        (target(), "allocation", Cause.OWNER),
        (target(owner="stranger"), "stranger", Cause.POLICY),
        (target(ttl_s=61), "strategy", Cause.POLICY),
        (wish(ttl_s=301), "allocation", Cause.POLICY),
    ],
)
def test_what_is_not_allowed_is_a_dead_letter_with_its_cause(sent, sender, cause):
    letter = intake().take(sent, sender, NOW)
    assert isinstance(letter, DeadLetter)
    assert letter.cause is cause
    assert letter.body == msgspec.json.encode(sent).decode()


UNREADABLE = [b"{", b"[]", b'{"act":"pause"}', b'{"act":"dance","intent_id":"x"}', b"\xff\xfe", b"7"]


@pytest.mark.parametrize("body", UNREADABLE)
def test_what_cannot_be_read_is_a_dead_letter_with_its_bytes(body):
    letter = intake().receive(body, "risk", NOW)
    assert (letter.cause, letter.intent_id) == (Cause.SCHEMA, None)
    assert letter.body == body.decode(errors="backslashreplace")


def test_an_intent_without_owner_reason_or_expiry_is_unreadable():
    good = msgspec.to_builtins(target())
    for name, value in (("owner", ""), ("reason", ""), ("expires_at", 0)):
        body = msgspec.json.encode({**good, name: value})
        assert intake().receive(body, "strategy", NOW).cause is Cause.SCHEMA
    assert isinstance(intake().receive(msgspec.json.encode(good), "strategy", NOW), Taken)


def test_resume_clears_only_its_senders_own_reason():
    guard = Guard()
    guard.set(GuardReason("risk", "budget", GuardLevel.PAUSED), NOW)
    guard.set(GuardReason("allocation", "budget", GuardLevel.PAUSED), NOW)
    taken = intake().take(wish(act=StateAct.RESUME), "allocation", NOW)
    assert guard.apply(taken.guard, NOW) is not None
    assert [reason.owner for reason in guard.reasons()] == ["risk"]


def test_a_thousand_wishes_for_the_state_that_stands_are_one_event_with_its_expiry():
    guard, door = Guard(), intake()
    changes = []
    for tick in range(1_000):
        taken = door.take(wish(f"w{tick}"), "allocation", NOW)
        changes.append(guard.apply(taken.guard, NOW))
    told = [change for change in changes if change is not None]
    assert len(told) == 1
    assert (told[0].reason_level, told[0].expires_at) == (GuardLevel.PAUSED, wish().expires_at)


def test_a_stop_ticks_a_thousand_times_and_is_told_once():
    guard = Guard()
    reason = GuardReason("execution", "failures", GuardLevel.STOPPED)
    assert sum(guard.apply(reason, NOW + tick) is not None for tick in range(1_000)) == 1


def test_the_memory_of_ids_is_bounded_and_forgets_only_what_expired():
    door = intake(kept_max=2)
    door.take(wish("w1", ttl_s=10), "allocation", NOW)
    door.take(wish("w2", ttl_s=300), "allocation", NOW)
    assert door.take(wish("w3"), "allocation", NOW).cause is Cause.POLICY
    later = NOW + 10 * NANOS_PER_SECOND
    assert isinstance(door.take(wish("w3"), "allocation", later), Taken)
    assert door.take(wish("w2"), "allocation", later) is None
