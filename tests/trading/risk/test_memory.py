"""RK-10, RK-11: what was approved before a restart counts after it."""

from risk_desk import ID, NOW, SECOND, codes, desk, order, wide

from tradeworthy.trading.model import ApprovedIntent, OrderChanged, OrderState, OrderType, SubmitOrder, TimeInForce
from tradeworthy.trading.risk.memory import RiskMemory


def told(policy, *facts):
    """A fresh desk after the journal's facts, each a second apart, the last one a second ago."""
    reviewer = desk(policy)
    memory = RiskMemory(reviewer.context)
    for k, fact in enumerate(facts):
        memory.on_fact(fact, NOW - (len(facts) - k) * SECOND)
    return reviewer


def approved(intent, opening=1):
    return ApprovedIntent(intent, "hash", intent.lots, opening_lots=opening)


def sent(intent, order_id="c1"):
    kind, tif = OrderType.MARKET, TimeInForce.GTC
    return SubmitOrder(order_id, intent.intent_id, "ema", ID, intent.side, intent.lots, kind, tif)


def changed(after, order_id="c1"):
    return OrderChanged(order_id, "ema", ID, OrderState.SUBMITTED, after, 0)


def test_key_approved_before_the_restart_is_refused_after_it():
    intent = order()
    assert codes(told(wide(), approved(intent)), intent) == ["risk.duplicate_order"]


def test_throttle_window_survives_the_restart():
    policy = wide(throttle_directional=1)
    assert codes(told(policy, approved(order())), order(lots=2)) == ["risk.throttle"]
    assert codes(told(policy, approved(order(), opening=0)), order(lots=2)) == []


def test_opening_that_was_rejected_before_the_restart_counts_no_more_and_others_do():
    policy, intent = wide(throttle_directional=1), order()
    facts = approved(intent), sent(intent)
    assert codes(told(policy, *facts, changed(OrderState.REJECTED)), order(lots=2)) == []
    assert codes(told(policy, *facts, changed(OrderState.UNKNOWN)), order(lots=2)) == ["risk.throttle"]
    assert codes(told(policy, *facts, changed(OrderState.REJECTED, "c2")), order(lots=2)) == ["risk.throttle"]


def test_instrument_that_is_no_longer_listed_is_passed_over():
    assert codes(told(wide(), approved(order(instrument="GONE.SIM"))), order()) == []
