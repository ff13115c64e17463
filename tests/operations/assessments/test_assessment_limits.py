"""Limits: the one boundary convention, and what is refused."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework import AssessmentPolicy, at_least, at_most, below
from tradeworthy.operations.assessments.framework.limits import Limit
from tradeworthy.operations.assessments.framework.policy import effective, loosened, policy_hash

OK, WARN, FAIL = Severity.OK, Severity.WARN, Severity.FAIL
bounds = st.floats(min_value=1e-6, max_value=1e9)


class Example(AssessmentPolicy, frozen=True, kw_only=True):
    """A policy with one limit of each direction."""

    lag: Limit = at_most("s", warn=10.0, fail=20.0)
    rate: Limit = at_least("share", warn=0.9, fail=0.5, high=1.0)
    exposure: Limit = below("quote", warn=80, fail=100)


@given(bounds)
def test_a_budget_is_breached_when_it_is_reached(bound: float):
    limit = at_most("s", fail=bound)
    assert limit.judged(math.nextafter(bound, -math.inf))[0] is OK
    assert limit.judged(bound)[0] is FAIL
    assert limit.judged(math.nextafter(bound, math.inf))[0] is FAIL


@given(bounds)
def test_a_floor_is_breached_when_it_is_fallen_below(bound: float):
    limit = at_least("s", fail=bound)
    assert limit.judged(math.nextafter(bound, -math.inf))[0] is FAIL
    assert limit.judged(bound)[0] is OK


@given(bounds)
def test_a_cap_is_breached_when_it_is_gone_over(bound: float):
    limit = below("s", fail=bound)
    assert limit.judged(bound)[0] is OK
    assert limit.judged(math.nextafter(bound, math.inf))[0] is FAIL


@given(st.integers(0, 1_000), st.integers(1, 1_000))
def test_a_share_of_counts_meets_its_limit_exactly(num: int, den: int):
    limit = at_least("share", fail=0.35)
    assert (limit.judged(num / den)[0] is FAIL) == (num * 100 < den * 35)


def test_a_decimal_meets_a_limit_as_it_is_written():
    assert at_most("quote", fail=0.35).judged(Decimal("0.35"))[0] is FAIL
    assert below("quote", fail=Decimal("0.01")).judged(0.01)[0] is OK
    assert below("quote", fail=Decimal("0.01")).judged(Decimal("0.010000001"))[0] is FAIL


@pytest.mark.parametrize(
    ("kind", "bounds", "text"),
    [
        (at_most, {"warn": 2, "fail": 1}, "wrong side"), (below, {"warn": 2, "fail": 1}, "wrong side"),
        (at_least, {"warn": 1, "fail": 2}, "wrong side"), (at_most, {}, "neither"),
        (at_most, {"fail": math.nan}, "finite"), (at_most, {"fail": 0}, "splits nothing"),
        (at_most, {"fail": 1.01, "high": 1.0}, "splits nothing"), (below, {"fail": 1.0, "high": 1.0}, "splits nothing"),
        (at_least, {"fail": 0}, "splits nothing"), (at_least, {"fail": 1.01, "high": 1.0}, "splits nothing"),
    ],
)  # fmt: skip
def test_a_limit_that_splits_nothing_or_stands_the_wrong_way_is_refused(kind, bounds, text):
    with pytest.raises(ValueError, match=text):
        kind("s", **bounds)


def test_overrides_lie_over_the_defaults():
    found = effective("example", Example(), {"lag": {"warn": 5.0}, "age_max_s": 600.0})
    assert found.lag == at_most("s", warn=5.0, fail=20.0)
    assert found.age_max_s == 600.0
    assert found.rate == Example().rate
    assert policy_hash(found) != policy_hash(Example())
    assert policy_hash(effective("example", Example(), {})) == policy_hash(Example())


@pytest.mark.parametrize(
    ("override", "text"),
    [
        ({"lga": 1}, "lga"), ({"lag": {"unit": "ms"}}, "unit"), ({"lag": {"direction": "floor"}}, "direction"),
        ({"lag": {"warn": 30.0}}, "wrong side"), ({"lag": {"worn": 1}}, "worn"), ({"age_max_s": -1}, "age_max_s"),
        ({"period_s": 1_300.0}, "period_s"), ({"lag": {"fail": "x"}}, "lag"),
    ],
)  # fmt: skip
def test_an_override_that_cannot_be_is_refused_by_name(override, text):
    with pytest.raises(UsageError, match=text):
        effective("example", Example(), override)


def test_a_looser_limit_is_told_and_a_tighter_one_is_not():
    before = Example()
    after = effective("example", before, {
        "lag": {"warn": 11.0, "fail": 19.0}, "rate": {"warn": 0.8}, "exposure": {"warn": None},
    })  # fmt: skip
    assert loosened(before, after) == ("lag.warn", "rate.warn", "exposure.warn")
    assert loosened(before, before) == ()
