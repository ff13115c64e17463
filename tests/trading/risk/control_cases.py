"""One case a control: what passes at the limit, what is refused just past it, and the policy that makes it bind."""

from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

from risk_desk import ID, NOW, SECOND, USD, desk, instrument, order, wide

from tradeworthy.trading.model import GuardLevel, OrderType, Side
from tradeworthy.trading.risk.policy import RestrictedEntry, RestrictedList

LIMIT = OrderType.LIMIT


class Case(NamedTuple):
    """`at(side)` and `past(side)` give (reviewer, intent); the second is refused with `code`."""

    code: str
    at: Callable
    past: Callable


def policy_order(code, policy, at, past, *, given=lambda reviewer: None, **setup):
    def build(**odd):
        def make(side, controls=None):
            reviewer = desk(policy, controls=controls, **setup)
            given(reviewer)
            return reviewer, order(side, **{k: v(side) if callable(v) else v for k, v in odd.items()})

        return make

    return Case(code, build(**at), build(**past))


def situation(code, at, past, policy=None, **odd):
    """The order stays, the context differs."""

    def build(given):
        def make(side, controls=None):
            reviewer = desk(policy, controls=controls)
            given(reviewer.context, side)
            return reviewer, order(side, **odd)

        return make

    return Case(code, build(at), build(past))


def messages(n, apart=0):
    def given(ctx, side):
        for k in range(n):
            ctx.count_message("ema", ID, NOW - k * apart)

    return given


def working(n, instance="ema", **odd):
    def given(ctx, side):
        for k in range(n):
            ctx.reserve(order(side, lots=2, instance=instance, **({"level": k} | odd)))

    return given


def earlier(nanos):
    def given(ctx, side):
        ctx.now = NOW - nanos
        ctx.reserve(order(side, lots=7))
        ctx.now = NOW

    return given


def out(side, ticks):
    return 1_000 + side * ticks


CASES = [
    policy_order("risk.malformed", wide(), {"lots": 1}, {"lots": 1.5}),
    situation(
        "risk.not_tradable", lambda c, s: c.set_cause(ID, "halted", False), lambda c, s: c.set_cause(ID, "halted", True)
    ),
    situation(
        "risk.reference_stale",
        lambda c, s: c.mark(ID, 2_000, True, NOW - 5 * SECOND + 1),
        lambda c, s: c.mark(ID, 2_000, True, NOW - 5 * SECOND),
    ),
    policy_order(
        "risk.price_collar",
        wide(),
        {"type": LIMIT, "price": lambda s: out(s, 30), "stop": lambda s: out(s, 10)},
        {"type": LIMIT, "price": lambda s: out(s, 31), "stop": lambda s: out(s, 10)},
    ),
    policy_order("risk.max_order_value", wide(max_order_value=Decimal(5_000)), {"lots": 50}, {"lots": 51}),
    policy_order(
        "risk.max_order_quantity", wide(), {"lots": 60}, {"lots": 61}, instruments=(instrument(max_order_lots=60),)
    ),
    policy_order("risk.min_order", wide(), {"lots": 5}, {"lots": 4}, instruments=(instrument(min_lots=5),)),
    situation("risk.max_messages", messages(9), messages(10)),
    situation(
        "risk.max_messages",
        messages(599, SECOND // 10),
        messages(600, SECOND // 10),
        wide(messages_per_second=600),
    ),
    situation("risk.max_working_orders", working(9), working(10), wide(working_orders_instance=10)),
    situation("risk.max_working_orders", working(9, "other"), working(10, "other"), wide(working_orders_desk=10)),
    situation("risk.max_working_orders", working(1, level=2), working(1, level=3), level=3),
    situation("risk.duplicate_order", earlier(SECOND), earlier(SECOND - 1), wide(duplicate_window=SECOND), lots=7),
    situation("risk.throttle", earlier(60 * SECOND), earlier(60 * SECOND - 1), wide(throttle_directional=1)),
    situation("risk.throttle", lambda c, s: c.cool_down("ema", ID, NOW), lambda c, s: c.cool_down("ema", ID, NOW + 1)),
    situation(
        "risk.guard",
        lambda c, s: c.set_guard("desk", GuardLevel.RUNNING),
        lambda c, s: c.set_guard("desk", GuardLevel.PAUSED),
    ),
    situation(
        "risk.guard",
        lambda c, s: c.set_guard("strategy:other", GuardLevel.STOPPED),
        lambda c, s: c.set_guard("instrument:" + ID, GuardLevel.REDUCING),
    ),
    policy_order("risk.capital_gate", wide(capital_limit=Decimal(9_000)), {"lots": 90}, {"lots": 91}),
    situation(
        "risk.capital_gate",
        lambda c, s: c.set_allocated("ema", 200 * USD, NOW + 1),
        lambda c, s: c.set_allocated("ema", 200 * USD - 1, NOW + 1),
        lots=10,
    ),
    situation(
        "risk.capital_gate",
        lambda c, s: c.set_allocated("ema", USD * 10**6, NOW + 1),
        lambda c, s: c.set_allocated("ema", USD * 10**6, NOW),
    ),
    policy_order("risk.max_position", wide(max_position=Decimal("0.1")), {"lots": 1_000}, {"lots": 1_001}),
    policy_order("risk.gross_leverage", wide(gross_leverage=Decimal("0.7")), {"lots": 7_000}, {"lots": 7_001}),
    policy_order("risk.net_exposure", wide(net_exposure=Decimal("0.6")), {"lots": 6_000}, {"lots": 6_001}),
    policy_order("risk.stop_required", wide(), {"stop": lambda s: out(-s, 5)}, {"stop": lambda s: out(-s, 4)}),
    policy_order("risk.stop_required", wide(), {"stop": lambda s: out(-s, 80)}, {"stop": lambda s: out(-s, 81)}),
    policy_order("risk.stop_required", wide(), {"stop": lambda s: out(-s, 5)}, {"stop": None}),
    policy_order("risk.stop_required", wide(), {"stop": lambda s: out(-s, 20)}, {"stop": lambda s: out(s, 20)}),
    Case(
        "compliance.restricted_symbol",
        lambda s, controls=None: (
            desk(wide(restricted=RestrictedList("v1", (RestrictedEntry("ETH"),))), controls=controls),
            order(s),
        ),
        lambda s, controls=None: (
            desk(wide(restricted=RestrictedList("v1", (RestrictedEntry("Satoshi Inc", ("btc",)),))), controls=controls),
            order(s),
        ),
    ),
]

NAMES = [f"{case.code}-{number}" for number, case in enumerate(CASES)]
SIDES = (Side.BUY, Side.SELL)
