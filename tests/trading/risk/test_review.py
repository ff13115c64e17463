"""Splitting, scaling, slicing, the list of violations, and the policy's own validation."""

from decimal import Decimal

import pytest
from msgspec.structs import replace
from risk_desk import ID, NOW, codes, desk, order, wide

from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.trading.model import Approved, GuardLevel, Side
from tradeworthy.trading.risk import RiskPolicy


def test_all_violations_are_listed_in_table_order():
    reviewer = desk(wide(max_order_value=Decimal(100), net_exposure=Decimal("0.0001")))
    reviewer.context.set_guard("desk", GuardLevel.PAUSED)
    assert codes(reviewer, order(lots=2)) == ["risk.max_order_value", "risk.guard", "risk.net_exposure"]


def test_held_nine_percent_and_two_more_are_scaled_to_one():
    reviewer = desk(wide(max_position=Decimal("0.10"), scale=True), held=900)
    leg = reviewer.review_all(order(lots=200))[0]
    assert (leg.approved.intent.lots, leg.fact.requested_lots, leg.fact.binding) == (100, 200, "risk.max_position")
    assert codes(reviewer, order(lots=200)) == []
    strict = desk(wide(max_position=Decimal("0.10")), held=900)
    assert codes(strict, order(lots=101)) == ["risk.max_position"]


def test_scaling_below_the_minimum_is_a_refusal():
    reviewer = desk(wide(max_position=Decimal("0.10"), scale=True), held=1_000)
    assert codes(reviewer, order(lots=2)) == ["risk.max_position"]


def test_refusing_control_is_never_scaled_around():
    reviewer = desk(wide(max_position=Decimal("0.10"), scale=True))
    reviewer.context.set_guard("desk", GuardLevel.PAUSED)
    assert codes(reviewer, order(lots=2_000)) == ["risk.guard", "risk.max_position"]


def test_gross_leverage_of_one_point_two_passes_and_a_lot_more_is_refused():
    assert codes(desk(wide(gross_leverage=Decimal("1.2")), held=5_000), order(lots=5_000)) == []
    reviewer = desk(wide(gross_leverage=Decimal("1.2")), held=0)
    reviewer.context.book_fill("other", ID, Side.SELL, 2_001, 1_000, NOW)
    assert codes(reviewer, order(lots=10_000)) == ["risk.gross_leverage"]


@pytest.mark.parametrize(("held", "side"), [(5, Side.SELL), (-5, Side.BUY)])
def test_flip_is_split_into_a_reducing_and_an_opening_leg(held, side):
    reviewer = desk(held=held)
    legs = reviewer.review_all(order(side, 8))
    assert [(leg.approved.intent.lots, leg.approved.opening_lots) for leg in legs] == [(5, 0), (3, 3)]
    assert len({leg.approved.intent.intent_id for leg in legs}) == 2
    assert reviewer.context.ahead == 0


def test_flip_with_openings_paused_keeps_its_reducing_leg():
    reviewer = desk(held=5)
    reviewer.context.set_guard("desk", GuardLevel.PAUSED)
    reducing, opening = reviewer.review_all(order(Side.SELL, 8))
    assert reducing.approved.intent.lots == 5
    assert opening.approved is None
    assert opening.fact.code == "risk.guard"
    assert isinstance(reviewer.review(order(Side.SELL, 8)), Approved)


def test_large_reduction_is_sliced_into_allowed_pieces():
    reviewer = desk(wide(max_order_value=Decimal(10_000)), held=250)
    legs = reviewer.review_all(order(Side.SELL, 250))
    assert [leg.approved.intent.lots for leg in legs] == [100, 100, 50]
    assert all(leg.approved.opening_lots == 0 for leg in legs)


def test_one_lot_worth_more_than_the_cap_can_still_be_closed():
    reviewer = desk(wide(max_order_value=Decimal(10)), held=1)
    assert codes(reviewer, order(Side.SELL, 1)) == []


def test_second_exit_while_one_works_is_an_opening_unless_reduce_only():
    reviewer = desk(held=5)
    reviewer.context.reserve(order(Side.SELL, 5))
    assert reviewer.review(order(Side.SELL, 4)).opening_lots == 4
    assert reviewer.review(order(Side.SELL, 4, reduce_only=True)).opening_lots == 0


def test_reduce_only_is_trimmed_to_what_is_held_and_refused_when_flat():
    assert desk(held=5).review(order(Side.SELL, 9, reduce_only=True)).intent.lots == 5
    assert codes(desk(), order(Side.SELL, 9, reduce_only=True)) == ["risk.malformed"]
    assert desk().review(order(Side.SELL, 9, reduce_only=True)).code == "risk.malformed"


def test_reservation_matches_only_what_was_approved():
    ctx = desk().context
    intent = order(lots=4)
    ctx.reserve(intent)
    assert ctx.reservations.matches(intent)
    for odd in (
        {"lots": 5},
        {"side": Side.SELL},
        {"price": 7},
        {"trigger": 7},
        {"instrument": "X"},
        {"intent_id": "y"},
    ):
        assert not ctx.reservations.matches(replace(intent, **odd))


def test_rejection_frees_everything_and_unknown_keeps_everything():
    ctx = desk().context
    rejected, unknown = order(lots=4, level=1), order(lots=6, level=2)
    for intent in (rejected, unknown):
        ctx.reserve(intent)
    ctx.hold_unknown(unknown.intent_id)
    ctx.release(rejected.intent_id, rejected=True)
    holding = ctx.holding_of("ema", ID)
    assert (holding.buys, holding.orders, ctx.orders) == (6, 1, 1)
    assert ctx.gross2 == 6 * ctx.books[ID].lot2
    assert ctx.reservations.open_lots(unknown.intent_id) == 6


def test_policy_hash_follows_the_content():
    assert wide().policy_hash == wide().policy_hash
    assert wide().policy_hash != wide(max_position=Decimal("0.5")).policy_hash


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("gross_leverage", Decimal(6)),
        ("per_trade", Decimal("0.021")),
        ("max_position", Decimal("NaN")),
        ("daily_loss_pause", Decimal("0.04")),
        ("net_exposure", Decimal("1.1")),
        ("messages_per_minute", 5),
        ("stop_distance_min", Decimal("0.09")),
        ("open_risk", Decimal("0.3")),
        ("slices_max", 0),
        ("capital_limit", Decimal(0)),
        ("max_order_value", Decimal(-1)),
        ("reference_age", 0),
    ],
)
def test_policy_that_must_not_start_is_refused_naming_the_field(field, value):
    with pytest.raises(ConfigurationRefused, match=field):
        RiskPolicy(**{field: value})


def test_leverage_of_five_starts_and_research_is_unfit_to_trade():
    RiskPolicy(gross_leverage=Decimal(5)).require_fit_to_trade()
    with pytest.raises(ConfigurationRefused, match="research"):
        RiskPolicy(research=True).require_fit_to_trade()


def test_research_relaxes_the_stop_only():
    assert codes(desk(wide(research=True)), order(stop=None)) == []
