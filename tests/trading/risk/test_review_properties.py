"""RK-62: no accepted sequence breaches a cap, and no reducing order is refused by exposure, loss or size."""

import random
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from risk_desk import NOW, SECOND, USD, desk, instrument, order, wide

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.trading.model import Approved, GuardLevel, InstrumentKind, OrderType, Side
from tradeworthy.trading.risk.groups import CapitalGroup
from tradeworthy.trading.risk.windows import NoTradeWindow

A, B = instrument(), instrument(symbol="ETHUSDT", base="ETH", min_lots=2)
E = instrument(symbol="EURUSD", kind=InstrumentKind.FX, base="EUR", quote="USD")
LISTED = (A, B, E)
NAMES = ("ema", "other", "quoter")
CAPS = {
    "max_order_value": Decimal(30_000),
    "max_position": Decimal("0.10"),
    "gross_leverage": Decimal("0.25"),
    "net_exposure": Decimal("0.15"),
    "working_orders_instance": 4,
    "working_orders_desk": 9,
    "positions_desk": 6,
    "per_trade": Decimal("0.0015"),
    "open_risk": Decimal("0.004"),
    "currency_net": Decimal("0.08"),
    "asset_net": Decimal("0.07"),
    "scale": True,
    "slices_max": 50,
}
PLAIN = wide(**CAPS)
"""Nothing but what the screen restates."""
MEMBERS = ("ema", "other")
SECOND_OF_DAY = NOW % NANOS_PER_DAY // SECOND
FULL = wide(
    **CAPS,
    positions_instance=2,
    sectors={A.instrument_id: "coins", B.instrument_id: "coins"},
    sector_gross=Decimal("0.12"),
    issuers={A.instrument_id: "one", B.instrument_id: "one"},
    capital_groups=(
        CapitalGroup(level="client", name="C", instances=MEMBERS, capital_limit=Decimal(90_000), orders_max=5),
        CapitalGroup(level="firm", name="F", capital_limit=Decimal(200_000)),
    ),
    throttle_notional=Decimal(60_000),
    throttle_quoting=6,
    throttle_directional=4,
    throttle_scope=("strategy",),
    venue_messages={"SIM": 40},
    messages_per_second=15,
    min_provenance="attested",
    events=(NOW + 700 * SECOND, NOW + 701 * SECOND),
    no_trade=(NoTradeWindow(name="break", start=SECOND_OF_DAY + 300, end=SECOND_OF_DAY + 330),),
)
"""Every control that needs no history, in force."""
EQUITY2 = 2 * 1_000_000 * USD
CLOSES = {
    "risk.malformed", "risk.not_tradable", "risk.price_collar", "risk.duplicate_order", "risk.guard", "risk.approval",
    "compliance.restricted_symbol",
}  # fmt: skip
"""The only codes that may ever stand against a reducing order."""


def recount(ctx):
    """Work the exposures out from nothing: gross, net if all buys or all sells fill, positions, open risk."""
    holdings = [(h, b) for b in ctx.books.values() for h in b.by_instance.values()]
    gross = sum(projected(h) * b.lot2 for h, b in holdings)
    up = sum((b.position + sum(h.buys for h in b.by_instance.values())) * b.lot2 for b in ctx.books.values())
    down = sum((b.position - sum(h.sells for h in b.by_instance.values())) * b.lot2 for b in ctx.books.values())
    positions = sum(projected(h) > 0 for h, _ in holdings)
    return gross, up, down, positions, sum(projected(h) * h.risk_lot2 for h, _ in holdings)


def projected(holding):
    return max(abs(holding.lots + holding.buys), abs(holding.lots - holding.sells))


def side2(ctx, one, side):
    """The value of one instrument's side, never netted over instances."""
    book = ctx.books[one.instrument_id]
    signed = [(h.lots + h.buys, h.sells - h.lots) for h in book.by_instance.values()]
    return sum(max(0, pair[0] if side is Side.BUY else pair[1]) for pair in signed) * book.lot2


def assert_within(ctx, policy, done):
    """An opening was just approved and reserved: each cap that it grew towards is kept."""
    gross, up, down, positions, risk2 = recount(ctx)
    side = done.side
    assert done.lots * ctx.books[done.instrument].lot2 <= 2 * 30_000 * USD
    assert gross * 4 <= EQUITY2
    assert (up if side is Side.BUY else -down) * 100 <= EQUITY2 * 15
    assert positions <= 6
    if done.instance != "quoter":
        assert risk2 * 1_000 <= EQUITY2 * 4
    if done.instance == "quoter":
        asset = ctx.books[done.instrument]
        assert (asset.net_up if side is Side.BUY else -asset.net_down) * asset.lot2 * 100 <= EQUITY2 * 7
    if done.instrument == E.instrument_id:
        euro = ctx.books[E.instrument_id]
        assert (euro.net_up if side is Side.BUY else -euro.net_down) * euro.lot2 * 100 <= EQUITY2 * 8
    else:
        names = (A, B) if policy is FULL else tuple(one for one in (A, B) if one.instrument_id == done.instrument)
        assert sum(side2(ctx, one, side) for one in names) * 10 <= EQUITY2
    if policy is not FULL:
        return
    values = {
        name: [projected(h) * b.lot2 for b in ctx.books.values() for h in b.by_instance.values() if h.instance == name]
        for name in NAMES
    }
    if done.instrument != E.instrument_id:
        coins = [ctx.books[one.instrument_id] for one in (A, B)]
        assert sum(projected(h) * b.lot2 for b in coins for h in b.by_instance.values()) * 100 <= EQUITY2 * 12
    if done.instance in MEMBERS:
        assert sum(map(sum, (values[name] for name in MEMBERS))) <= 2 * 90_000 * USD
    assert gross <= 2 * 200_000 * USD
    assert sum(value > 0 for value in values[done.instance]) <= 2
    assert not NOW + 580 * SECOND <= ctx.now <= NOW + 821 * SECOND
    assert not NOW + 300 * SECOND <= ctx.now < NOW + 330 * SECOND


def proposed(rng, ctx, key, faithful):
    """An order of any kind: with and without stop, priced or not, on a level or not.

    faithful  each instance keeps to one instrument, as the screen wants it
    """
    name, side = rng.choice(NAMES), rng.choice((Side.BUY, Side.SELL))
    one = LISTED[NAMES.index(name)] if faithful else rng.choice(LISTED)
    mid = ctx.books[one.instrument_id].mid2 // 2
    odd = {}
    if rng.random() < 0.3:
        odd = {"type": OrderType.LIMIT, "price": mid + rng.randint(-40, 40)}
    if rng.random() < 0.1:
        odd["level"] = rng.randint(0, 2)
    odd["stop"] = mid - side * 20
    if rng.random() < 0.2:
        odd["stop"] = rng.choice((None, mid - side * rng.randint(3, 90)))
    ends = 0 if rng.random() < 0.05 else rng.choice((1, SECOND))
    return order(
        side, rng.choice((1, 2, 7, 60, 60, 75, 299, 300, 301, 900, 2_000)), instance=name,
        instrument=one.instrument_id, intent_id=key, expires_at=ctx.now + ends, reduce_only=rng.random() < 0.05, **odd,
    )  # fmt: skip


def disturb(rng, ctx):
    """Something happens that is no order."""
    one = rng.choice(LISTED).instrument_id
    match rng.randrange(6):
        case 0:
            ctx.set_guard("desk", rng.choice((GuardLevel.RUNNING,) * 4 + (GuardLevel.PAUSED,)))
        case 1:
            ctx.set_provenance(one, rng.choice(("measured", "attested", "simulated")), quarantined=rng.random() < 0.1)
        case 2:
            ctx.permit(rng.choice(NAMES), rng.random() < 0.8)
        case 3:
            ctx.cool_down(rng.choice(NAMES), one, ctx.now + rng.randint(0, 5 * SECOND))
        case 4:
            ctx.set_cause(one, "halted", rng.random() < 0.1)
        case 5:
            for scope in ctx.groups:
                ctx.permit_group(scope, rng.random() < 0.9)


def run(seed, steps):
    """Play a random desk; return how many orders were judged."""
    rng = random.Random(seed)
    policy = (PLAIN, FULL)[seed % 2]
    reviewer = desk(policy, instruments=LISTED)
    ctx = reviewer.context
    for one in LISTED:
        ctx.set_provenance(one.instrument_id, "measured")
    live = {}
    judged = 0
    openings = []
    for step in range(steps):
        ctx.now += rng.choice((1, SECOND // 20, SECOND, 4 * SECOND))
        for one in LISTED:
            drift = rng.randint(-3, 3) if rng.random() < 0.2 else 0
            ctx.mark(one.instrument_id, ctx.books[one.instrument_id].mid2 + drift, True, ctx.now)
        ctx.set_equity(1_000_000 * USD)
        act = rng.random()
        if act < 0.05:
            disturb(rng, ctx)
        elif act < 0.6 or not live:
            judged += 1
            intent = proposed(rng, ctx, f"{seed}-{step}", seed % 4 == 0)
            ctx.propose(intent)
            reducing = ctx.opening == 0
            legs = reviewer.review_all(intent)
            ctx.propose(intent)
            strict = [control.code for control in reviewer.controls if control.review(intent, ctx)]
            quick = reviewer.review(intent)
            whole = isinstance(quick, Approved) and quick.intent == intent
            assert not (strict and whole and quick.opening_lots)
            assert isinstance(quick, Approved) == (legs[0].approved is not None)
            for leg in legs:
                if leg.approved is None and reducing:
                    assert {violation.code for violation in leg.fact.violations} <= CLOSES
                    halted = ctx.books[intent.instrument].causes
                    assert intent.price is not None or intent.expires_at <= ctx.now or halted, leg
            for leg in legs:
                if leg.approved is None:
                    continue
                done = leg.approved.intent
                ctx.reserve(done)
                ctx.count_message(done.instance, done.instrument, ctx.now)
                live[done.intent_id] = done
                if leg.approved.opening_lots:
                    assert_within(ctx, policy, done)
                    openings.append((ctx.now, done.instance, done.lots * ctx.books[done.instrument].lot2))
                    if policy is FULL:
                        mine = [v for ts, name, v in openings if name == done.instance and ctx.now - ts < 60 * SECOND]
                        assert len(mine) <= (6 if done.instance == "quoter" else 4)
                        assert sum(mine) <= 2 * 60_000 * USD
        else:
            key = rng.choice(list(live))
            intent = live[key]
            if act < 0.85:
                lots = rng.randint(1, ctx.reservations.open_lots(key))
                if intent.reduce_only:  # the venue fills no more of it than is held
                    lots = min(lots, max(0, -intent.side * ctx.holding_of(intent.instance, intent.instrument).lots))
            if act < 0.85 and lots:
                ctx.book_fill(intent.instance, intent.instrument, intent.side, lots, 1_000, ctx.now)
                ctx.release(key, lots)
            elif act < 0.95:
                ctx.release(key)
            else:
                ctx.hold_unknown(key)
            if key not in ctx.reservations:
                del live[key]
        assert (ctx.gross2, ctx.net_up2, ctx.net_down2, ctx.positions, ctx.risk2) == recount(ctx)
        assert ctx.orders == len(live) == len(ctx.reservations)
        assert all(account.positions == held(ctx, name) for name, account in ctx.instances.items())
        for scope, group in ctx.groups.items():
            members = MEMBERS if scope == "client:C" else NAMES
            assert group.orders == sum(intent.instance in members for intent in live.values())
    return judged


def held(ctx, instance):
    return sum(projected(h) > 0 for b in ctx.books.values() for h in b.by_instance.values() if h.instance == instance)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_no_accepted_sequence_breaches_a_cap_and_reducing_always_passes(seed):
    run(seed, 80)


@pytest.mark.proof
def test_hundred_thousand_orders_never_breach_a_cap(capsys):
    judged = seed = 0
    while judged < 100_000:
        judged += run(seed, 500)
        seed += 1
    with capsys.disabled():
        print(f"\n{judged} orders judged in {seed} runs")


@settings(max_examples=60, deadline=None)
@given(held=st.integers(-900, 900), other=st.integers(-900, 900), lots=st.integers(1, 3_000), buy=st.booleans())
def test_scaled_lots_are_exactly_the_largest_that_pass(held, other, lots, buy):
    side = Side.BUY if buy else Side.SELL
    if held * side < 0:
        held = -held
    limits = {
        "max_order_value": Decimal(90_000),
        "max_position": Decimal("0.10"),
        "gross_leverage": Decimal("0.15"),
        "net_exposure": Decimal(1),
        "capital_limit": Decimal(10**9),
    }
    scaling = desk(wide(**limits, scale=True), held=held)
    strict = desk(wide(**limits), held=held)
    for reviewer in (scaling, strict):
        if other:
            reviewer.context.book_fill(
                "other", A.instrument_id, Side.BUY if other > 0 else Side.SELL, abs(other), 1_000, NOW
            )
    verdict = scaling.review(order(side, lots))
    got = verdict.intent.lots if isinstance(verdict, Approved) else 0
    if got:
        assert isinstance(strict.review(order(side, got)), Approved)
    if got < lots:
        assert not isinstance(strict.review(order(side, got + 1)), Approved)
