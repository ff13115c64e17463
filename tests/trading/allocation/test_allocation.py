"""Budgets add up, are renewed in time, and shrink with drawdown."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.trading.allocation import AllocationPolicy, DrawdownTiers, Role, StaticSplit, TierPolicy

NOW = 10**18
ROLES = {"mm": Role.MAKER, "ema": Role.DIRECTIONAL, "rsi": Role.DIRECTIONAL}
DAY = NANOS_PER_DAY


def amounts(budgets):
    return {b.instance: b.nanos for b in budgets}


def test_capital_is_split_sixty_thirty_ten_with_a_time_to_live():
    budgets = StaticSplit(AllocationPolicy(), ROLES).split(1_000, NOW)
    assert amounts(budgets) == {"mm": 600, "ema": 150, "rsi": 150, "reserve": 100}
    assert {b.expires_at for b in budgets} == {NOW + 300 * NANOS_PER_SECOND}


@given(
    st.integers(-(10**20), 10**20),
    st.dictionaries(st.text("abc", min_size=1, max_size=3), st.sampled_from(Role), max_size=7),
    st.decimals(0, 1, places=3),
)
def test_budgets_add_up_to_the_capital_exactly_and_none_is_negative(capital, roles, factor):
    split = StaticSplit(AllocationPolicy(), roles)
    for instance in list(roles)[:2]:
        split.set_factor(instance, factor)
    budgets = split.split(capital, NOW)
    assert sum(b.nanos for b in budgets) == max(0, capital)
    assert min(b.nanos for b in budgets) >= 0


def test_budgets_are_renewed_each_minute_and_on_a_change_of_equity():
    split = StaticSplit(AllocationPolicy(), ROLES)
    assert split.on_equity(10_000, NOW)
    assert split.on_equity(10_099, NOW + 59 * NANOS_PER_SECOND) == ()
    assert split.on_equity(10_100, NOW + 59 * NANOS_PER_SECOND)
    assert split.on_equity(10_100, NOW + 118 * NANOS_PER_SECOND) == ()
    assert split.on_equity(10_100, NOW + 119 * NANOS_PER_SECOND)


def test_freed_capital_goes_to_the_reserve_at_once():
    split = StaticSplit(AllocationPolicy(dry_run=True), ROLES)
    split.on_equity(1_000, NOW)
    split.set_factor("mm", Decimal("0.5"))
    budgets = split.on_equity(1_000, NOW + 1)
    assert amounts(budgets) == {"mm": 300, "ema": 150, "rsi": 150, "reserve": 400}
    assert all(b.dry_run for b in budgets)


@pytest.mark.parametrize(
    "odd", [{"maker": Decimal("0.61")}, {"reserve": Decimal("-0.1"), "maker": Decimal("0.8")}, {"ttl": 1}]
)
def test_split_that_does_not_add_up_does_not_start(odd):
    with pytest.raises(ConfigurationRefused):
        AllocationPolicy(**odd)


def test_instance_may_not_be_called_reserve_and_factors_are_fractions():
    with pytest.raises(ConfigurationRefused):
        StaticSplit(AllocationPolicy(), {"reserve": Role.MAKER})
    with pytest.raises(ValueError, match="factor"):
        StaticSplit(AllocationPolicy(), ROLES).set_factor("mm", Decimal("1.1"))


def test_path_down_takes_a_fifth_a_half_and_all():
    tiers = DrawdownTiers(TierPolicy())
    path = [(1_000, 1), (951, 1), (950, "0.8"), (901, "0.8"), (900, "0.5"), (851, "0.5"), (850, 0)]
    for step, (worth, factor) in enumerate(path):
        tiers.observe("mm", worth, NOW + step)
        assert tiers.factor("mm") == Decimal(factor), worth


def test_gap_goes_to_the_deepest_tier_in_one_change():
    tiers = DrawdownTiers(TierPolicy())
    tiers.observe("mm", 1_000, NOW)
    change = tiers.observe("mm", 800, NOW + 1)
    assert (change.before, change.after, change.factor) == (0, 3, 0)
    assert tiers.observe("mm", 790, NOW + 2) is None


def test_tier_recovers_one_point_below_its_edge_for_a_day():
    tiers = DrawdownTiers(TierPolicy())
    tiers.observe("mm", 1_000, NOW)
    tiers.observe("mm", 950, NOW)
    assert tiers.observe("mm", 959, NOW + 2 * DAY) is None
    assert tiers.observe("mm", 960, NOW + 3 * DAY) is None
    assert tiers.observe("mm", 960, NOW + 4 * DAY - 1) is None
    assert tiers.observe("mm", 960, NOW + 4 * DAY).after == 0


def test_falling_back_restarts_the_day():
    tiers = DrawdownTiers(TierPolicy())
    for worth, ts in ((1_000, 0), (950, 0), (960, 1), (955, DAY), (960, DAY + 1)):
        tiers.observe("mm", worth, NOW + ts)
    assert tiers.observe("mm", 960, NOW + DAY + 2) is None


def test_last_tier_is_left_by_an_operator_only():
    tiers = DrawdownTiers(TierPolicy())
    tiers.observe("mm", 1_000, NOW)
    tiers.observe("mm", 850, NOW)
    assert tiers.observe("mm", 1_000, NOW + 9 * DAY) is None
    assert tiers.release("mm", "ann").factor == 1
    assert tiers.release("mm", "ann") is None


def test_frozen_tiers_do_not_move():
    tiers = DrawdownTiers(TierPolicy())
    tiers.observe("mm", 1_000, NOW)
    tiers.frozen = True
    assert tiers.observe("mm", 500, NOW) is None
    assert tiers.factor("mm") == 1


@pytest.mark.parametrize("odd", [{"edges": (Decimal("0.1"),)}, {"factors": (Decimal(1), Decimal(1), Decimal(0))}])
def test_tiers_that_do_not_deepen_do_not_start(odd):
    with pytest.raises(ConfigurationRefused):
        TierPolicy(**odd)
