"""BRK-01 to BRK-03: what break-glass may mask, for how long, and that it is answered for."""

import pytest

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.trading.control.break_glass import (
    NEVER_MASKED,
    BreakGlass,
    BreakGlassActivated,
    BreakGlassCarried,
    BreakGlassEnded,
    BreakGlassRefused,
    BreakGlassRequest,
    BreakGlassReview,
    BreakGlassReviewed,
    BreakGlassRevoke,
    BreakGlassUsed,
)
from tradeworthy.trading.control.policy import PeoplePolicy
from tradeworthy.trading.model import GuardLevel, Intent, Side, Violation

NOW = 20_000 * NANOS_PER_DAY + 3600 * NANOS_PER_SECOND
END = 20_001 * NANOS_PER_DAY
CONTROLS = {"risk.max_order_value", "risk.max_position", "compliance.restricted_symbol", *NEVER_MASKED}
CODE = "risk.max_order_value"


def glass(told):
    return BreakGlass(PeoplePolicy(), controls=CONTROLS, instruments={"BTC.SIM"}, tell=told.append)


def asked(**odd):
    usual = {"glass_id": "g1", "control": CODE, "instrument": "BTC.SIM", "max_uses": 2, "ttl_seconds": 900,
             "reason": "hedge", "people": ("ann", "bob"), "pack": "d1"}  # fmt: skip
    return BreakGlassRequest(**(usual | odd))


def active(**odd):
    told = []
    one = glass(told)
    one.activate(asked(**odd), NOW)
    assert type(told.pop()) is BreakGlassActivated
    return one, told


def order(number):
    return Intent(f"i{number}", "strategy", "ema", "test", "d", "BTC.SIM", Side.BUY, 1, NOW)


def use(one, number, code=CODE, now=NOW):
    one.use(order(number), (Violation(code, "11", "10"),), now)


def test_it_masks_its_control_for_its_instrument_until_its_expiry_by_the_journal():
    one, _ = active()
    later = NOW + 900 * NANOS_PER_SECOND
    assert one.covers(CODE, "BTC.SIM", later - 1)
    assert not one.covers(CODE, "BTC.SIM", later)
    assert not one.covers(CODE, "ETH.SIM", NOW)
    assert not one.covers("risk.max_position", "BTC.SIM", NOW)
    assert not one.covers(f"{CODE}.unknown", "BTC.SIM", NOW)


def test_an_order_counts_once_and_the_last_use_ends_it():
    one, told = active()
    for number in (1, 1, 2):
        use(one, number)
    assert [(fact.intent_id, fact.uses) for fact in told] == [("i1", 1), ("i2", 2)]
    assert not one.covers(CODE, "BTC.SIM", NOW)
    one.tick(NOW + 1)
    assert (told[-1].cause, told[-1].uses) == ("spent", 2)


@pytest.mark.parametrize(
    ("odd", "word"),
    [
        *(({"control": code}, "never masked") for code in sorted(NEVER_MASKED)),
        ({"control": "compliance.restricted_symbol"}, "never masked"), ({"control": "journal.accept"}, "never masked"),
        ({"control": "risk.nothing"}, "must be one of"), ({"instrument": "ETH.SIM"}, "instrument"),
        ({"people": ("ann",)}, "people must sign"), ({"people": ("ann", " Ann")}, "people must sign"),
        ({"pack": ""}, "people must sign"), ({"max_uses": 0}, "uses"), ({"max_uses": 101}, "uses"),
        ({"ttl_seconds": 0}, "ttl"), ({"ttl_seconds": 86_401}, "ttl"), ({"reason": " "}, "reason"),
    ],
)  # fmt: skip
def test_what_may_not_be_masked_is_refused(odd, word):
    told = []
    glass(told).activate(asked(**odd), NOW)
    (refused,) = told
    assert isinstance(refused, BreakGlassRefused)
    assert word in "; ".join(refused.faults)


def test_it_ends_with_the_session_at_the_latest():
    one, told = active(ttl_seconds=86_400)
    one.tick(END - 1)
    assert told == []
    one.tick(END)
    assert (told[0].cause, told[0].review_by) == ("expired", END + NANOS_PER_DAY)


def test_revoking_ends_it_at_once_and_a_second_time_is_refused():
    one, told = active()
    one.revoke(BreakGlassRevoke("g1", "carol"), NOW + 5)
    assert told[0] == BreakGlassEnded("g1", "revoked by carol", 0, NOW + 5, END, ("ann", "bob"))
    assert not one.covers(CODE, "BTC.SIM", NOW + 6)
    one.revoke(BreakGlassRevoke("g1", "carol"), NOW + 7)
    assert isinstance(told[1], BreakGlassRefused)


def test_without_a_review_the_next_session_is_paused_until_there_is_one():
    one, told = active()
    assert one.tick(NOW + 900 * NANOS_PER_SECOND) == ()
    assert one.tick(END - 1) == ()
    (paused,) = one.tick(END)
    assert (paused.name, paused.level, paused.active) == ("gate.break_glass_review", GuardLevel.PAUSED, True)
    assert one.tick(END + 1) == ()
    (cleared,) = one.review(BreakGlassReview("g1", "carol", "one hedge, as planned", "d2"))
    assert (cleared.name, cleared.active) == ("gate.break_glass_review", False)
    assert isinstance(told[-1], BreakGlassReviewed)


@pytest.mark.parametrize("odd", [{"person": "Ann"}, {"text": " "}, {"pack": ""}, {"glass_id": "g2"}])
def test_a_review_by_who_activated_it_or_of_nothing_is_refused(odd):
    one, told = active()
    one.revoke(BreakGlassRevoke("g1", "carol"), NOW)
    usual = {"glass_id": "g1", "person": "carol", "text": "read", "pack": "d2"}
    assert one.review(BreakGlassReview(**(usual | odd))) == ()
    assert isinstance(told[-1], BreakGlassRefused)
    assert [owed.glass_id for owed in one.owed] == ["g1"]


def test_a_restart_goes_on_with_uses_and_owed_reviews():
    one, _ = active()
    use(one, 1)
    again_told = []
    again = glass(again_told)
    ended = BreakGlassEnded("g0", "expired", 1, NOW - NANOS_PER_DAY, NOW - 1, ("ann", "bob"))
    again.carry(BreakGlassCarried(((one.active[0].told, 1),), (ended,)))
    assert [reason.name for reason in again.tick(NOW)] == ["gate.break_glass_review"]
    use(again, 2)
    assert [type(fact) for fact in again_told] == [BreakGlassUsed]
    assert not again.covers(CODE, "BTC.SIM", NOW)


def test_the_same_pack_activates_no_second_time():
    one, told = active()
    one.activate(asked(), NOW)
    assert "activated already" in told[-1].faults[0]
