"""RK-02, RK-15, RK-33: clients, traders and the firm beside strategy and desk."""

from decimal import Decimal

import pytest
from risk_desk import NOW, USD, codes, desk, instrument, order, wide

from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.trading.model import GuardLevel, Side
from tradeworthy.trading.risk import RiskPolicy
from tradeworthy.trading.risk.groups import CapitalGroup

A = CapitalGroup(level="client", name="A", instances=("ema",), capital_limit=Decimal(1_000), orders_max=2)
B = CapitalGroup(level="client", name="B", instances=("other",), capital_limit=Decimal(1_000), orders_max=2)
TRADER = CapitalGroup(level="trader", name="T", instances=("ema", "other"), capital_limit=Decimal(1_500))
FIRM = CapitalGroup(level="firm", name="F", capital_limit=Decimal(50_000), outside=True)


def grouped(*groups, **odd):
    return desk(wide(capital_groups=groups), **odd)


def test_client_at_its_limit_does_not_block_another():
    reviewer = grouped(A, B, held=10)
    assert codes(reviewer, order()) == ["risk.capital_gate"]
    assert codes(reviewer, order(instance="other")) == []
    assert codes(reviewer, order(Side.SELL, 10)) == []


def test_clients_orders_are_counted_and_given_back():
    reviewer = grouped(A, B)
    intents = [order(lots=n + 1) for n in range(2)]
    for intent in intents:
        reviewer.context.reserve(intent)
    assert codes(reviewer, order(lots=3)) == ["risk.client_limit"]
    assert codes(reviewer, order(lots=3, instance="other")) == []
    reviewer.context.release(intents[0].intent_id)
    assert codes(reviewer, order(lots=3)) == []


def test_trader_is_judged_over_all_its_instances():
    reviewer = grouped(A, B, TRADER, held=10)
    assert codes(reviewer, order(lots=5, instance="other")) == []
    refused = reviewer.review(order(lots=6, instance="other"))
    assert (refused.code, refused.violations[0].observed) == ("risk.capital_gate", "1600 of trader:T")


def test_firm_counts_what_other_desks_hold_and_stale_word_is_unknown():
    reviewer = grouped(FIRM)
    assert codes(reviewer, order()) == ["risk.capital_gate.unknown"]
    reviewer.context.set_outside("firm:F", 49_900 * USD, NOW + 1)
    assert codes(reviewer, order()) == []
    assert codes(reviewer, order(lots=2)) == ["risk.capital_gate"]
    reviewer.context.set_outside("firm:F", 0, NOW)
    assert codes(reviewer, order()) == ["risk.capital_gate.unknown"]


def test_group_without_a_limit_of_its_own_has_the_desks_leverage():
    reviewer = desk(wide(capital_groups=(CapitalGroup(level="firm", name="F"),), gross_leverage=Decimal(1)))
    assert codes(reviewer, order(lots=10_001)) == [
        "risk.max_order_quantity", "risk.capital_gate", "risk.max_position", "risk.gross_leverage",
        "risk.net_exposure", "risk.per_trade",
    ]  # fmt: skip


@pytest.mark.parametrize("scope", ["client:A", "trader:T"])
def test_client_or_trader_without_permission_opens_nothing_and_closes(scope):
    reviewer = grouped(A, TRADER, held=2)
    reviewer.context.permit_group(scope, False)
    assert reviewer.review(order()).violations[0].observed == f"{scope} not_permitted"
    assert codes(reviewer, order(Side.SELL, 2)) == []


def test_guard_of_a_client_holds_its_instances_only():
    reviewer = grouped(A, B)
    reviewer.context.set_guard("client:A", GuardLevel.PAUSED)
    assert codes(reviewer, order()) == ["risk.guard"]
    assert codes(reviewer, order(instance="other")) == []


def test_parent_orders_in_a_loop_stop_at_the_gate():
    reviewer = grouped(TRADER, instruments=(instrument(),))
    sent = 0
    for n in range(212):
        reviewer.context.now = NOW + n
        intent = order(instance=("ema", "other")[n % 2])
        if not codes(reviewer, intent):
            reviewer.context.reserve(intent)
            sent += 1
    assert sent == 15


@pytest.mark.parametrize(
    ("groups", "word"),
    [((A, A), "twice"), ((CapitalGroup(level="client", name=""),), "needs a name"),
     ((CapitalGroup(level="client", name="C", capital_limit=Decimal(0)),), "client:C"),
     ((CapitalGroup(level="client", name="C", orders_max=0),), "orders_max")],
)  # fmt: skip
def test_group_that_must_not_start_is_named(groups, word):
    with pytest.raises(ConfigurationRefused, match=word):
        RiskPolicy(capital_groups=groups)
