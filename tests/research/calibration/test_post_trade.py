import pytest

from tradeworthy.kernel.severity import Severity
from tradeworthy.research.calibration.post_trade import PostTradePolicy, SessionFills, judge_session, ramp_check

POLICY = PostTradePolicy(fill_factor_reference=1.0, adverse_bps_reference=1.0)
OK, WARN, UNKNOWN, FAIL = Severity.OK, Severity.WARN, Severity.UNKNOWN, Severity.FAIL


def judged(*, fills=200, factor=1.0, adverse=1.0, rate=0.5, model=0.5):
    checks = judge_session(SessionFills(fills, factor, adverse, rate, model), POLICY)
    return {one.code.removeprefix("post_trade."): one.severity for one in checks}


@pytest.mark.parametrize(
    ("ratio", "severity"), [(0.69, FAIL), (0.70, WARN), (0.8499, WARN), (0.85, OK), (1.2, OK), (None, UNKNOWN)]
)
def test_the_fill_factor_ratio_has_two_floors(ratio, severity):
    assert judged(factor=ratio)["fill_factor_ratio"] is severity


@pytest.mark.parametrize(("ratio", "severity"), [(1.99, OK), (2.0, WARN), (2.99, WARN), (3.0, FAIL), (-1.0, OK)])
def test_the_adverse_ratio_has_two_budgets(ratio, severity):
    assert judged(adverse=ratio)["adverse_ratio"] is severity


@pytest.mark.parametrize(
    ("rate", "severity"), [(0.26, OK), (0.25, WARN), (0.74, OK), (0.75, WARN), (0.5, OK)]
)
def test_a_fill_rate_half_off_the_model_warns_either_way(rate, severity):
    assert judged(rate=rate)["fill_rate"] is severity


def test_without_fills_nothing_is_known():
    assert set(judged(fills=0).values()) == {UNKNOWN}


def test_the_defaults_are_the_page_s_references():
    checks = judge_session(SessionFills(1, 0.4 * 0.69, 4.5, None))
    assert [one.severity for one in checks] == [FAIL, FAIL, UNKNOWN]


@pytest.mark.parametrize(
    ("sessions", "held"),
    [([], False), ([FAIL, FAIL], False), ([FAIL, FAIL, FAIL], True), ([FAIL, FAIL, FAIL, WARN], False),
     ([OK, FAIL, FAIL, FAIL], True), ([FAIL, UNKNOWN, FAIL, FAIL], False)],
)
def test_three_failed_sessions_in_a_row_hold_the_ramp(sessions, held):
    assert (ramp_check(sessions).severity is FAIL) == held
