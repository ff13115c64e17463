"""Each edge of the out-of-sample gates, a little to either side."""

import pytest

from tradeworthy.kernel.severity import Severity
from tradeworthy.research.backtest.strategy_gates import (
    OutOfSample,
    ReversionGatePolicy,
    TrendGatePolicy,
    judge_reversion,
    judge_trend,
    out_of_sample,
)

E = 1e-9
OK, WARN, UNKNOWN, FAIL = Severity.OK, Severity.WARN, Severity.UNKNOWN, Severity.FAIL


@pytest.mark.parametrize(
    ("sharpe", "depth", "severity"),
    [
        (-E, 0.0, FAIL), (0.0, 0.0, FAIL), (E, 0.0, WARN), (0.5 - E, 0.0, WARN), (0.5, 0.0, WARN), (0.5 + E, 0.0, OK),
        (0.5 + E, 0.15 - E, OK), (0.5 + E, 0.15, WARN), (0.5 + E, 0.15 + E, WARN), (0.0, 0.9, FAIL),
        (None, 0.1, UNKNOWN), (1.0, None, UNKNOWN),
    ],
)  # fmt: skip
def test_the_trend_gate_at_each_edge(sharpe, depth, severity):
    (check,) = judge_trend(OutOfSample(100, sharpe, depth), TrendGatePolicy())
    assert check.severity is severity


@pytest.mark.parametrize(
    ("sharpe", "depth", "severity"),
    [
        (0.3 - E, 0.0, FAIL), (0.3, 0.0, FAIL), (0.3 + E, 0.0, OK), (1.0, 0.20 - E, OK), (1.0, 0.20, FAIL),
        (1.0, 0.20 + E, FAIL), (None, 0.1, UNKNOWN), (1.0, None, UNKNOWN),
    ],
)  # fmt: skip
def test_the_reversion_gate_at_each_edge(sharpe, depth, severity):
    (check,) = judge_reversion(OutOfSample(100, sharpe, depth), ReversionGatePolicy())
    assert check.severity is severity


def test_a_caveat_names_the_paper_drawdown_that_it_grants():
    (check,) = judge_trend(OutOfSample(100, 0.4, 0.0), TrendGatePolicy())
    assert "paper drawdown at most 0.05" in check.text


def curve(days):
    """A rising curve whose last fifth falls."""
    up = days - days // 5
    return [100.0 + n + (n % 2) for n in range(up)] + [100.0 + up - n - (n % 2) for n in range(days - up)]


def test_only_the_last_fifth_of_the_days_is_judged():
    found = out_of_sample(curve(500), periods_per_year=252)
    assert found.days == 100
    assert found.sharpe < 0
    assert found.drawdown == pytest.approx(1 - min(curve(500)[400:]) / max(curve(500)[399:]))


@pytest.mark.parametrize(("days", "known"), [(299, False), (300, True), (4, False), (0, False)])
def test_fewer_than_sixty_days_never_gate(days, known):
    assert (out_of_sample(curve(days), periods_per_year=252).sharpe is not None) is known


def test_an_equity_that_never_moved_has_no_sharpe():
    assert out_of_sample([100.0] * 400, periods_per_year=252).sharpe is None
