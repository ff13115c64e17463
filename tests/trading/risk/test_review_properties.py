"""RK-62: no accepted sequence breaches a cap, and no reducing order is refused by exposure, loss or size."""

import random
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from risk_desk import NOW, USD, desk, instrument, order, wide

from tradeworthy.trading.model import Approved, GuardLevel, Side

A, B = instrument(), instrument(symbol="ETHUSDT", base="ETH", min_lots=2)
NAMES = ("ema", "other", "quoter")
POLICY = wide(
    max_order_value=Decimal(30_000),
    max_position=Decimal("0.10"),
    gross_leverage=Decimal("0.25"),
    net_exposure=Decimal("0.15"),
    working_orders_instance=4,
    working_orders_desk=9,
    scale=True,
    slices_max=50,
)
EQUITY2 = 2 * 1_000_000 * USD


def recount(ctx):
    """Work the exposures out from nothing: gross, worst instrument side, worst net a side."""
    gross = 0
    for book in ctx.books.values():
        for h in book.by_instance.values():
            gross += max(abs(h.lots + h.buys), abs(h.lots - h.sells)) * book.lot2
    net_up = sum((b.position + sum(h.buys for h in b.by_instance.values())) * b.lot2 for b in ctx.books.values())
    net_down = sum((b.position - sum(h.sells for h in b.by_instance.values())) * b.lot2 for b in ctx.books.values())
    sides = [
        max(
            sum(max(0, h.lots + h.buys) for h in b.by_instance.values()),
            sum(max(0, h.sells - h.lots) for h in b.by_instance.values()),
        )
        * b.lot2
        for b in ctx.books.values()
    ]
    return gross, max(sides), net_up, net_down


def run(seed, steps):
    """Play a random desk; return how many orders were judged."""
    rng = random.Random(seed)
    reviewer = desk(POLICY, instruments=(A, B))
    ctx = reviewer.context
    live = {}
    judged = 0
    for step in range(steps):
        ctx.now = NOW + step
        act = rng.random()
        if act < 0.6 or not live:
            judged += 1
            intent = order(
                rng.choice((Side.BUY, Side.SELL)),
                rng.choice((1, 2, 7, 60, 299, 300, 301, 900, 2_000)),
                instance=rng.choice(NAMES),
                instrument=rng.choice((A, B)).instrument_id,
                intent_id=f"{seed}-{step}",
            )
            if rng.random() < 0.05:
                ctx.set_guard("desk", rng.choice((GuardLevel.RUNNING, GuardLevel.PAUSED)))
            ctx.propose(intent)
            reducing = ctx.opening == 0
            legs = reviewer.review_all(intent)
            ctx.propose(intent)
            strict = [control.code for control in reviewer.controls if control.review(intent, ctx)]
            quick = reviewer.review(intent)
            assert not (strict and isinstance(quick, Approved) and quick.intent == intent and quick.opening_lots)
            assert isinstance(quick, Approved) == (legs[0].approved is not None)
            if reducing:
                assert all(leg.approved is not None for leg in legs), legs
            for leg in legs:
                if leg.approved is None:
                    continue
                done = leg.approved.intent
                ctx.reserve(done)
                live[done.intent_id] = done
                if leg.approved.opening_lots:
                    gross, side, net_up, net_down = recount(ctx)
                    assert side * 10 <= EQUITY2
                    assert gross * 4 <= EQUITY2
                    net = net_up if done.side is Side.BUY else -net_down
                    assert net * 100 <= EQUITY2 * 15
                    assert done.lots * ctx.books[done.instrument].lot2 <= 2 * 30_000 * USD
        else:
            key = rng.choice(list(live))
            intent = live[key]
            if act < 0.85:
                lots = rng.randint(1, ctx.reservations.open_lots(key))
                ctx.book_fill(intent.instance, intent.instrument, intent.side, lots, 1_000, ctx.now)
                ctx.release(key, lots)
            elif act < 0.93:
                ctx.release(key, rejected=rng.random() < 0.5)
            else:
                ctx.hold_unknown(key)
            if key not in ctx.reservations:
                del live[key]
        gross, side, net_up, net_down = recount(ctx)
        assert (ctx.gross2, ctx.net_up2, ctx.net_down2) == (gross, net_up, net_down)
        assert gross * 4 <= EQUITY2
        assert side * 10 <= EQUITY2
        assert ctx.orders == len(live) == len(ctx.reservations)
    return judged


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
