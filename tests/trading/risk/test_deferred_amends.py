"""RK-08: amends wait while the budget is used up; the venue's budget is the whole desk's."""

from risk_desk import ID, NOW, SECOND, codes, desk, order, wide

from tradeworthy.trading.model import AmendOrder, Side
from tradeworthy.trading.risk.controls.max_messages import MaxMessages
from tradeworthy.trading.risk.deferred_amends import DeferredAmends


def waiting(**odd):
    reviewer = desk(wide(**odd))
    (budget,) = [control for control in reviewer.controls if isinstance(control, MaxMessages)]
    return reviewer, DeferredAmends(budget, reviewer.context)


def spend(ctx, n, instance="ema", at=NOW):
    for _ in range(n):
        ctx.count_message(instance, ID, at)


def test_amend_leaves_at_once_while_there_is_room():
    reviewer, amends = waiting()
    spend(reviewer.context, 9)
    amend = AmendOrder("c1", ID, 1_001, None)
    assert amends.offer("ema", amend) is amend
    assert len(amends) == 0


def test_amend_past_the_budget_waits_and_the_last_wish_of_an_order_leaves():
    reviewer, amends = waiting()
    ctx = reviewer.context
    spend(ctx, 10)
    assert amends.offer("ema", AmendOrder("c1", ID, 1_001, None)) is None
    assert amends.offer("ema", AmendOrder("c1", ID, 1_002, None)) is None
    assert len(amends) == 1
    ctx.now = NOW + SECOND - 1
    assert amends.due() == []
    ctx.now = NOW + SECOND
    assert [amend.price for amend in amends.due()] == [1_002]
    assert len(amends) == 0


def test_amends_that_are_due_count_as_messages_themselves():
    reviewer, amends = waiting(messages_per_second=2)
    ctx = reviewer.context
    spend(ctx, 2)
    for n in range(5):
        amends.offer("ema", AmendOrder(f"c{n}", ID, 1_001, None))
    ctx.now = NOW + SECOND
    assert [amend.client_order_id for amend in amends.due()] == ["c0", "c1"]
    assert len(amends) == 3


def test_amend_of_an_order_that_ended_is_forgotten():
    reviewer, amends = waiting()
    spend(reviewer.context, 10)
    amends.offer("ema", AmendOrder("c1", ID, 1_001, None))
    amends.withdraw("c1")
    reviewer.context.now = NOW + SECOND
    assert amends.due() == []


def test_half_of_the_published_budget_is_shared_by_all_instances():
    reviewer, amends = waiting(venue_messages={"SIM": 6})
    spend(reviewer.context, 1, "ema")
    spend(reviewer.context, 2, "other")
    assert codes(reviewer, order(instance="quoter", stop=None)) == ["risk.max_messages"]
    assert amends.offer("quoter", AmendOrder("c1", ID, 1_001, None)) is None


def test_published_budget_above_the_ring_is_kept_whole():
    reviewer, _ = waiting(venue_messages={"SIM": 3_000}, messages_per_second=600)
    spend(reviewer.context, 1_499, "other")
    assert codes(reviewer, order()) == []
    spend(reviewer.context, 1, "quoter")
    assert codes(reviewer, order()) == ["risk.max_messages"]


def test_hundred_intents_in_a_second_give_ten_messages_and_cancels_still_go():
    reviewer, _ = waiting()
    ctx = reviewer.context
    sent = 0
    for n in range(100):
        intent = order(lots=n + 1)
        if not codes(reviewer, intent):
            ctx.reserve(intent)
            ctx.count_message("ema", ID, NOW)
            sent += 1
    assert sent == 10
    ctx.count_message("ema", ID, NOW)
    ctx.book_fill("ema", ID, Side.BUY, 500, 1_000, NOW)
    assert codes(reviewer, order(Side.SELL, 1, reduce_only=True)) == []
