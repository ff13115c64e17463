"""One case a control: what passes at the limit, what is refused just past it, and the policy that makes it bind."""

from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

from risk_desk import ID, NOW, SECOND, USD, desk, instrument, order, wide

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.trading.model import GuardLevel, InstrumentKind, OrderType, Side
from tradeworthy.trading.risk.groups import CapitalGroup
from tradeworthy.trading.risk.policy import RestrictedEntry, RestrictedList
from tradeworthy.trading.risk.windows import NoTradeWindow

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


def before(nanos, lots, **odd):
    """An opening of `lots` that long ago."""

    def given(ctx, side):
        ctx.now = NOW - nanos
        ctx.reserve(order(side, lots, **odd))
        ctx.now = NOW

    return given


def median_at(mid2):
    """The median stands at `mid2`, the reference at 2 000 half ticks."""

    def given(ctx, side):
        for k in range(3):
            ctx.mark(ID, mid2[side] if isinstance(mid2, dict) else mid2, True, NOW + 10 * SECOND * (k + 1))
        ctx.mark(ID, 2_000, True, NOW + 40 * SECOND)
        ctx.now = NOW + 40 * SECOND
        ctx.set_equity(1_000_000 * USD)

    return given


def other_fill(name, lots, instance="other"):
    def given(ctx, side):
        ctx.book_fill(instance, name, side, lots, 1_000, NOW)

    return given


def desk_case(code, policy, given_at, given_past, *, instruments=None, at=None, past=None):
    """Both the context and the order may differ."""

    def build(given, odd):
        def make(side, controls=None):
            reviewer = desk(policy, controls=controls, instruments=instruments)
            given(reviewer.context, side)
            return reviewer, order(side, **{k: v(side) if callable(v) else v for k, v in odd.items()})

        return make

    return Case(code, build(given_at, at or {}), build(given_past, past or at or {}))


def nothing(ctx, side):
    pass


def two_policies(code, at, past):
    """The order stays, the policy differs."""
    return Case(
        code,
        lambda side, controls=None: (desk(at, controls=controls), order(side)),
        lambda side, controls=None: (desk(past, controls=controls), order(side)),
    )


ETH = instrument(symbol="ETHUSDT", base="ETH")
SOL = instrument(symbol="SOLUSDT", base="SOL")
EUR = instrument(symbol="EURUSD", kind=InstrumentKind.FX, base="EUR", quote="USD")
JPY = instrument(symbol="USDJPY", kind=InstrumentKind.FX, base="USD", quote="USDT")
CLIENT = CapitalGroup(level="client", name="A", instances=("ema", "other"), orders_max=3)
SECOND_OF_DAY = NOW % NANOS_PER_DAY // SECOND
OPEN_WINDOW = NoTradeWindow(name="auction", start=SECOND_OF_DAY, end=SECOND_OF_DAY + 60)
OVER_WINDOW = NoTradeWindow(name="auction", start=SECOND_OF_DAY - 60, end=SECOND_OF_DAY)

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
    situation("risk.price_collar", median_at({1: 1_887, -1: 2_127}), median_at({1: 1_886, -1: 2_128})),
    desk_case(
        "risk.max_messages", wide(venue_messages={"SIM": 6}),
        lambda c, s: [c.count_message(n, ID, NOW) for n in ("other", "quoter")],
        lambda c, s: [c.count_message(n, ID, NOW) for n in ("other", "quoter", "other")],
    ),
    situation("risk.throttle", before(10 * SECOND, 3), before(10 * SECOND - 1, 3), wide(throttle_spacing=10 * SECOND)),
    situation(
        "risk.throttle", before(90 * SECOND, 3), before(90 * SECOND - 1, 3),
        wide(throttle_directional=1, throttle_cooldown=90 * SECOND),
    ),
    situation(
        "risk.throttle", before(SECOND, 3), before(SECOND, 4), wide(throttle_notional=Decimal(1_000)), lots=7
    ),
    situation(
        "risk.throttle", before(SECOND, 3), before(SECOND, 4), wide(throttle_multiplier=Decimal("0.0001")), lots=7
    ),
    situation(
        "risk.throttle", before(60 * SECOND, 3, instance="other"), before(60 * SECOND - 1, 3, instance="other"),
        wide(throttle_directional=1, throttle_scope=("instrument",)),
    ),
    policy_order("risk.approval", wide(), {"expires_at": NOW + 1}, {"expires_at": NOW}),
    desk_case(
        "risk.capital_gate",
        wide(capital_groups=(CapitalGroup(level="trader", name="T", instances=("ema", "other"),
                                          capital_limit=Decimal(9_000)),)),
        other_fill(ID, 40), other_fill(ID, 41), at={"lots": 50},
    ),
    desk_case(
        "risk.provenance", wide(min_provenance="attested"),
        lambda c, s: c.set_provenance(ID, "attested"), lambda c, s: c.set_provenance(ID, "simulated"),
    ),
    situation(
        "risk.provenance", lambda c, s: c.set_provenance(ID, "simulated"),
        lambda c, s: c.set_provenance(ID, "measured", quarantined=True),
    ),
    desk_case(
        "risk.max_position",
        wide(max_position=Decimal("0.1"), issuers={ID: "one", ETH.instrument_id: "one"}),
        other_fill(ETH.instrument_id, 900), other_fill(ETH.instrument_id, 901),
        instruments=(instrument(), ETH), at={"lots": 100},
    ),
    desk_case(
        "risk.sector", wide(sectors={ID: "coins", ETH.instrument_id: "coins"}, gross_leverage=Decimal(5)),
        other_fill(ETH.instrument_id, 2_400), other_fill(ETH.instrument_id, 2_401),
        instruments=(instrument(), ETH), at={"lots": 100},
    ),
    desk_case(
        "risk.sector", wide(), nothing, nothing, instruments=(instrument(kind=InstrumentKind.EQUITY),),
        at={"lots": 500}, past={"lots": 501},
    ),
    policy_order(
        "risk.net_exposure", wide(asset_net=Decimal("0.05")), {"lots": 500, "instance": "quoter"},
        {"lots": 501, "instance": "quoter"},
    ),
    desk_case(
        "risk.net_exposure", wide(asset_net_value=Decimal(25_000)),
        other_fill(ID, 150), other_fill(ID, 151), at={"lots": 100, "instance": "quoter"},
    ),
    desk_case(
        "risk.currency_factor", wide(currency_net=Decimal("0.5")),
        other_fill(EUR.instrument_id, 4_900), other_fill(EUR.instrument_id, 4_901),
        instruments=(EUR, JPY), at={"instrument": EUR.instrument_id, "lots": 100},
    ),
    desk_case(
        "risk.max_positions", wide(positions_instance=2), other_fill(ETH.instrument_id, 1, "ema"),
        lambda c, s: [c.book_fill("ema", one.instrument_id, s, 1, 1_000, NOW) for one in (ETH, SOL)],
        instruments=(instrument(), ETH, SOL),
    ),
    desk_case(
        "risk.max_positions", wide(positions_desk=2), other_fill(ETH.instrument_id, 1),
        lambda c, s: [c.book_fill("other", one.instrument_id, s, 1, 1_000, NOW) for one in (ETH, SOL)],
        instruments=(instrument(), ETH, SOL),
    ),
    policy_order("risk.per_trade", wide(per_trade=Decimal("0.01")), {"lots": 5_000}, {"lots": 5_001}),
    desk_case(
        "risk.open_risk", wide(per_trade=Decimal("0.005"), open_risk=Decimal("0.01")),
        before(SECOND, 2_500, instance="other"), before(SECOND, 2_501, instance="other"), at={"lots": 2_500},
    ),
    desk_case(
        "risk.client_limit", wide(capital_groups=(CLIENT,)), working(2, "other"), working(3, "other"),
    ),
    two_policies("risk.event_window", wide(events=(NOW + 120 * SECOND + 1,)), wide(events=(NOW + 120 * SECOND,))),
    two_policies("risk.event_window", wide(events=(NOW - 120 * SECOND - 1,)), wide(events=(NOW - 120 * SECOND,))),
    two_policies("risk.no_trade", wide(no_trade=(OVER_WINDOW,)), wide(no_trade=(OPEN_WINDOW,))),
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
