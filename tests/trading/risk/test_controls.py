"""Each control at its limit, just past it, with unknown inputs, and for reducing orders."""

from decimal import Decimal

import pytest
from control_cases import CASES, NAMES, SIDES
from risk_desk import ID, NOW, SECOND, USD, codes, desk, instrument, order, wide

from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.trading.model import Approved, GuardLevel, OrderType, Refused, Side
from tradeworthy.trading.risk.controls import all_controls
from tradeworthy.trading.risk.policy import RestrictedEntry, RestrictedList


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_order_at_the_limit_passes_and_just_past_it_is_refused(case, side):
    reviewer, intent = case.at(side)
    assert isinstance(reviewer.review(intent), Approved)
    reviewer, intent = case.past(side)
    assert codes(reviewer, intent) == [case.code]
    assert reviewer.review(intent).code == case.code


def test_every_control_has_a_case():
    assert {case.code for case in CASES} == {control.code for control in all_controls(wide(), (instrument(),))}


@pytest.mark.parametrize("side", SIDES)
def test_unknown_equity_refuses_openings_with_every_code_that_needs_it(side):
    reviewer = desk(equity=None)
    assert codes(reviewer, order(side)) == [
        "risk.max_position.unknown",
        "risk.gross_leverage.unknown",
        "risk.net_exposure.unknown",
        "risk.per_trade.unknown",
        "risk.open_risk.unknown",
    ]


def test_equity_as_old_as_its_limit_is_unknown():
    reviewer = desk()
    reviewer.context.now = NOW + 5 * SECOND
    reviewer.context.mark(ID, 2_000, True, NOW + 5 * SECOND)
    assert "risk.gross_leverage.unknown" in codes(reviewer, order())


def test_unknown_reference_refuses_openings_and_lets_reducing_pass():
    reviewer = desk(held=5)
    reviewer.context.mark(ID, None, False, NOW)
    assert codes(reviewer, order()) == ["risk.reference_stale.unknown", "risk.stop_required.unknown"]
    assert isinstance(reviewer.review(order(Side.SELL, 5)), Approved)


def test_crossed_book_refuses_openings():
    reviewer = desk()
    reviewer.context.mark(ID, 2_000, False, NOW)
    assert codes(reviewer, order()) == ["risk.reference_stale"]


def test_instrument_never_marked_is_unknown_for_each_value_control():
    reviewer = desk()
    reviewer.context.books[ID].lot2 = 0
    reviewer.context.books[ID].mid2 = None
    found = codes(reviewer, order(stop=980))
    assert {"risk.reference_stale.unknown", "risk.max_order_value.unknown", "risk.max_position.unknown"} <= set(found)


def test_quote_currency_without_a_rate_is_unknown_and_a_rate_gives_it_value():
    reviewer = desk(instruments=(instrument(quote="JPY"),))
    assert "risk.max_order_value.unknown" in codes(reviewer, order())
    reviewer.context.convert("JPY", Decimal("0.01"))
    assert codes(reviewer, order()) == []
    assert reviewer.context.books[ID].lot2 == 2 * USD


@pytest.mark.parametrize("held", [50, -50])
def test_reducing_order_passes_all_limits_that_refuse_an_opening(held):
    tight = wide(
        max_order_value=Decimal(100_000),
        max_position=Decimal("0.000001"),
        gross_leverage=Decimal("0.000001"),
        net_exposure=Decimal("0.000001"),
        throttle_directional=1,
        capital_limit=Decimal(1),
        working_orders_instance=1,
        restricted=RestrictedList("v", (RestrictedEntry("btc"),)),
    )
    reviewer = desk(tight, held=held, instruments=(instrument(min_lots=5, min_notional=Decimal(10**6)),))
    ctx = reviewer.context
    ctx.set_equity(None)
    ctx.set_guard("desk", GuardLevel.REDUCING)
    ctx.cool_down("ema", ID, NOW + 1)
    ctx.permit("ema", False)
    for _ in range(50):
        ctx.count_message("ema", ID, NOW)
    side = Side.SELL if held > 0 else Side.BUY
    verdict = reviewer.review(order(side, 1, stop=None))
    assert isinstance(verdict, Approved)
    assert verdict.opening_lots == 0
    assert len(codes(reviewer, order(side.opposite, 1, stop=None))) >= 8


def test_stopped_lets_only_an_operators_reducing_order_pass():
    reviewer = desk(held=5)
    reviewer.context.set_guard("desk", GuardLevel.STOPPED)
    assert codes(reviewer, order(Side.SELL, 5)) == ["risk.guard"]
    assert codes(reviewer, order(Side.BUY, 5, owner="operator")) == ["risk.guard"]
    assert codes(reviewer, order(Side.SELL, 5, owner="operator")) == []


def test_collar_is_twice_as_wide_for_a_reducing_order():
    reviewer = desk(held=5)
    assert codes(reviewer, order(Side.SELL, 1, type=OrderType.LIMIT, price=940)) == []
    assert codes(reviewer, order(Side.SELL, 1, type=OrderType.LIMIT, price=939)) == ["risk.price_collar"]


def test_no_trade_entry_refuses_reducing_orders_too_and_an_expired_list_is_unknown():
    entry = RestrictedEntry("BTCUSDT", no_trade=True)
    reviewer = desk(wide(restricted=RestrictedList("v", (entry,))), held=5)
    assert codes(reviewer, order(Side.SELL, 5)) == ["compliance.restricted_symbol"]
    reviewer = desk(wide(restricted=RestrictedList("v", (), NOW)), held=5)
    assert codes(reviewer, order()) == ["compliance.restricted_symbol.unknown"]
    assert codes(reviewer, order(Side.SELL, 5)) == []


def test_first_cause_wins_among_two():
    reviewer = desk()
    reviewer.context.set_cause(ID, "halted", True)
    reviewer.context.set_cause(ID, "account_blocked", True)
    assert reviewer.review(order()).violations[0].observed == "account_blocked"


def test_instrument_outside_its_validity_is_not_tradable():
    assert codes(desk(instruments=(instrument(valid_to=NOW),)), order()) == ["risk.not_tradable"]
    assert codes(desk(instruments=(instrument(valid_from=NOW),)), order()) == []


@pytest.mark.parametrize(
    "bad", [{"lots": float("nan")}, {"lots": float("inf")}, {"lots": 0.5}, {"price": 10.5}, {"price": 0}]
)
def test_malformed_order_is_refused_alone(bad):
    verdict = desk().review(order(type=OrderType.LIMIT, **({"price": 1_000} | bad)))
    assert isinstance(verdict, Refused)
    assert [v.code for v in verdict.violations] == ["risk.malformed"]


def test_unknown_instrument_is_malformed():
    assert desk().review(order(instrument="NO.SUCH")).code == "risk.malformed"


def test_key_is_accepted_once_also_for_a_reducing_order():
    reviewer = desk(held=5)
    intent = order(Side.SELL, 1)
    reviewer.context.reserve(intent)
    reviewer.context.release(intent.intent_id)
    assert codes(reviewer, intent) == ["risk.duplicate_order"]


def test_rejected_order_gives_the_throttle_back_and_an_unknown_one_does_not():
    reviewer = desk(wide(throttle_directional=1))
    first, second = order(), order(lots=2)
    reviewer.context.reserve(first)
    reviewer.context.hold_unknown(first.intent_id)
    refused = reviewer.review(second)
    assert refused.code == "risk.throttle"
    assert f"retry_at={NOW + 60 * SECOND}" in refused.violations[0].limit
    reviewer.context.release(first.intent_id, rejected=True)
    assert isinstance(reviewer.review(second), Approved)


def test_quoting_instance_needs_no_stop():
    assert codes(desk(), order(instance="quoter", stop=None)) == []


def test_instrument_without_max_order_lots_does_not_start():
    with pytest.raises(ConfigurationRefused, match=r"BTCUSDT\.SIM"):
        desk(instruments=(instrument(max_order_lots=None),))


def test_half_of_the_venues_published_messages_is_used():
    reviewer = desk(wide(venue_messages={"SIM": 6}))
    for _ in range(3):
        reviewer.context.count_message("ema", ID, NOW)
    assert codes(reviewer, order()) == ["risk.max_messages"]
