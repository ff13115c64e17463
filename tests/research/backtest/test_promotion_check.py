import math

import msgspec
import pytest

from tradeworthy.kernel.severity import Severity, worst
from tradeworthy.research.backtest.promotion import (
    FLAGS,
    PromotionPolicy,
    PromotionRecord,
    check_promotion,
)

GOOD = PromotionRecord(
    trades=30, out_of_sample_sharpe=0.6, out_of_sample_drawdown=0.14, deflated_sharpe=0.95, overfit_probability=0.19,
    parity_rungs=PromotionPolicy().parity_rungs, config_hash="a" * 64, deployed_hash="a" * 64,
    **dict.fromkeys(FLAGS, True),
)


def failed(record):
    return [one.code for one in check_promotion(record) if one.severity]


def test_a_whole_record_is_promoted():
    assert failed(GOOD) == []


@pytest.mark.parametrize("flag", FLAGS)
def test_each_flag_that_is_false_in_turn_is_named_alone(flag):
    assert failed(msgspec.structs.replace(GOOD, **{flag: False})) == [f"promotion.{flag}"]


@pytest.mark.parametrize("name", PromotionRecord.__struct_fields__)
def test_each_missing_field_in_turn_fails_and_is_named(name):
    code = "config_hash" if name == "deployed_hash" else name
    found = [one for one in check_promotion(msgspec.structs.replace(GOOD, **{name: None})) if one.severity]
    assert [one.code for one in found] == [f"promotion.{code}"]
    assert found[0].observed == "missing"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("trades", 29), ("out_of_sample_sharpe", 0.0), ("out_of_sample_drawdown", 0.15), ("deflated_sharpe", 0.9499),
        ("overfit_probability", 0.20), ("overfit_probability", math.nan), ("parity_rungs", ("T0", "T1")),
        ("deployed_hash", "b" * 64),
    ],
)
def test_each_figure_at_its_limit_fails(name, value):
    code = "config_hash" if name == "deployed_hash" else name
    assert failed(msgspec.structs.replace(GOOD, **{name: value})) == [f"promotion.{code}"]


def test_nothing_stated_fails_everything():
    checks = check_promotion(PromotionRecord())
    assert worst(one.severity for one in checks) is Severity.FAIL
    assert all(one.observed == "missing" for one in checks)
