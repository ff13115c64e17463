"""RK-11: what the throttle answers, what a rejection gives back, whom a window is shared with."""

from decimal import Decimal

import pytest
from risk_desk import ID, NOW, SECOND, codes, desk, order, wide

from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.trading.model import Approved, Side
from tradeworthy.trading.risk import RiskPolicy
from tradeworthy.trading.risk.controls.throttle import Throttle

MINUTE = 60 * SECOND


def answered(reviewer, intent):
    """Return the throttle's answer to a proposed intent."""
    (throttle,) = [control for control in reviewer.controls if isinstance(control, Throttle)]
    reviewer.context.propose(intent)
    return throttle.answer(intent, reviewer.context)


def opened(reviewer, lots=1, **odd):
    intent = order(lots=lots, **odd)
    reviewer.context.reserve(intent)
    return intent


def test_open_says_what_is_left():
    reviewer = desk(wide(throttle_directional=3, throttle_notional=Decimal(1_000)))
    opened(reviewer, 4)
    answer = answered(reviewer, order(lots=6))
    assert (answer.state, answer.retry_at, answer.used, answer.limit) == ("open", NOW, 1, 3)
    assert answer.remaining_nanos == 600 * SECOND


def test_burst_of_two_refuses_the_second_with_its_retry_time():
    reviewer = desk(RiskPolicy(stop_distance_max=Decimal("0.08")))
    opened(reviewer)
    refused = reviewer.review(order(lots=2)).violations
    assert [one.code for one in refused] == ["risk.throttle"]
    assert (refused[0].observed, refused[0].limit) == (
        "rate_limited", f"retry_at={NOW + MINUTE} remaining=off utilisation=1/1"
    )  # fmt: skip
    reviewer.context.now = NOW + MINUTE
    reviewer.context.mark(ID, 2_000, True, NOW + MINUTE)
    reviewer.context.set_equity(10**15)
    assert codes(reviewer, order(lots=2, expires_at=NOW + 2 * MINUTE)) == []


def test_order_too_large_for_the_window_is_scaled_to_what_is_left():
    reviewer = desk(wide(throttle_notional=Decimal(1_000), scale=True))
    opened(reviewer, 4)
    leg = reviewer.review_all(order(lots=9))[0]
    assert (leg.approved.intent.lots, leg.fact.binding) == (6, "risk.throttle")
    assert answered(reviewer, order(lots=9)).state == "scaled"


def test_less_than_a_lot_left_is_a_notional_limit_with_the_time_that_frees_enough():
    reviewer = desk(wide(throttle_notional=Decimal(1_050), scale=True))
    opened(reviewer, 4)
    reviewer.context.now = NOW + SECOND
    opened(reviewer, 6)
    few, many = answered(reviewer, order(lots=3)), answered(reviewer, order(lots=9))
    assert (few.state, few.retry_at) == ("notional_limit", NOW + MINUTE)
    assert (many.state, many.retry_at) == ("notional_limit", NOW + SECOND + MINUTE)


def test_multiple_of_the_budget_and_amount_the_smaller_binds():
    reviewer = desk(wide(throttle_notional=Decimal(1_000), throttle_multiplier=Decimal("0.00005")))
    assert answered(reviewer, order()).remaining_nanos == 500 * SECOND


def test_cooldown_follows_the_opening_that_fills_the_window():
    reviewer = desk(wide(throttle_directional=2, throttle_cooldown=5 * MINUTE))
    opened(reviewer, 1)
    assert answered(reviewer, order(lots=3)).state == "open"
    opened(reviewer, 2)
    reviewer.context.now = NOW + 2 * MINUTE
    answer = answered(reviewer, order(lots=3))
    assert (answer.state, answer.retry_at) == ("cooldown", NOW + 5 * MINUTE)


def test_rejected_order_gives_back_count_notional_spacing_and_cooldown_and_an_unknown_one_nothing():
    policy = wide(throttle_directional=2, throttle_cooldown=5 * MINUTE, throttle_spacing=30 * SECOND,
                  throttle_notional=Decimal(1_000))  # fmt: skip
    reviewer = desk(policy)
    ctx = reviewer.context
    opened(reviewer, 1)
    ctx.now = NOW + 31 * SECOND
    unknown = opened(reviewer, 8)
    ctx.hold_unknown(unknown.intent_id)
    ctx.now = NOW + 32 * SECOND
    assert answered(reviewer, order(lots=5)).state == "cooldown"
    ctx.release(unknown.intent_id, rejected=True)
    answer = answered(reviewer, order(lots=5))
    assert (answer.state, answer.used, answer.remaining_nanos) == ("open", 1, 900 * SECOND)


def test_rejection_of_a_reducing_order_gives_nothing_back():
    reviewer = desk(wide(throttle_directional=1), held=5)
    first = opened(reviewer, 1)
    reducing = order(Side.SELL, 1, reduce_only=True)
    reviewer.context.reserve(reducing)
    reviewer.context.release(reducing.intent_id, rejected=True)
    assert answered(reviewer, order(lots=2)).state == "rate_limited"
    reviewer.context.release(first.intent_id, rejected=True)
    assert answered(reviewer, order(lots=2)).state == "open"


@pytest.mark.parametrize(
    ("scope", "blocked"),
    [
        (("strategy", "instrument"), {"ema buy", "ema sell"}),
        (("strategy", "instrument", "side"), {"ema buy"}),
        (("instrument",), {"ema buy", "ema sell", "other buy", "other sell"}),
        (("venue", "side"), {"ema buy", "other buy"}),
        ((), {"ema buy", "ema sell", "other buy", "other sell"}),
    ],
)
def test_window_is_shared_by_what_has_the_same_scope_fields(scope, blocked):
    reviewer = desk(wide(throttle_directional=1, throttle_scope=scope))
    opened(reviewer, 1)
    found = {
        f"{name} {side.name.lower()}"
        for name in ("ema", "other") for side in Side
        if answered(reviewer, order(side, 2, instance=name)).state == "rate_limited"
    }  # fmt: skip
    assert found == blocked


def test_external_cooldown_ends_at_its_time():
    reviewer = desk()
    reviewer.context.cool_down("ema", ID, NOW + SECOND)
    assert answered(reviewer, order()).retry_at == NOW + SECOND
    assert isinstance(reviewer.review(order(instance="other")), Approved)


def test_negative_spacing_and_a_limit_of_nothing_do_not_start():
    for field, value in (("throttle_spacing", -1), ("throttle_cooldown", -1), ("throttle_notional", Decimal(0))):
        with pytest.raises(ConfigurationRefused, match=field):
            RiskPolicy(**{field: value})
