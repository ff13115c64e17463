"""May a strategy go on, by what it showed out of sample (ST-03, ST-04)?"""

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from tradeworthy.kernel.report import Check
from tradeworthy.kernel.severity import Severity
from tradeworthy.research.backtest.statistics import DAYS_TO_GATE, drawdown, sharpe

OUT_OF_SAMPLE_SHARE = 5
"""The last fifth of the days is out of sample (BT-05)."""


class TrendGatePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """ST-03: at or under `sharpe_block` no; up to `sharpe_caveat` with a paper drawdown; above and calm, freely."""

    sharpe_block: float = 0.0
    sharpe_caveat: float = 0.5
    drawdown_limit: float = 0.15
    caveat_paper_drawdown: float = 0.05


class ReversionGatePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """ST-04: the Sharpe ratio must be above, the drawdown below."""

    sharpe_over: float = 0.3
    drawdown_limit: float = 0.20


class OutOfSample(msgspec.Struct, frozen=True):
    """The kept-back part: annualised Sharpe and drawdown (fraction), None where nothing can be said, and why."""

    days: int
    sharpe: float | None
    drawdown: float | None
    reason: str = ""


def out_of_sample(equity: Sequence[float], *, periods_per_year: int) -> OutOfSample:
    """Return the statistics of the last fifth of daily closes; fewer than 60 days never gate (BT-06)."""
    days = len(equity) // OUT_OF_SAMPLE_SHARE
    kept = list(equity[len(equity) - days - 1 :]) if days else []
    if days < DAYS_TO_GATE:
        return OutOfSample(days, None, None, f"{days} days out of sample, fewer than {DAYS_TO_GATE} never gate")
    returns = [after / before - 1 for before, after in pairwise(kept)]
    if len(set(returns)) < 2:
        return OutOfSample(days, None, drawdown(kept).depth, "equity did not move out of sample")
    return OutOfSample(days, sharpe(returns, periods_per_year=periods_per_year).value, drawdown(kept).depth)


def judge_trend(found: OutOfSample, policy: TrendGatePolicy) -> tuple[Check, ...]:
    """Return the gate of EMA trend: OK is free, WARN is a caveat, FAIL blocks."""
    limit = f"above {policy.sharpe_block:g}; free above {policy.sharpe_caveat:g}, drawdown < {policy.drawdown_limit:g}"
    if found.sharpe is None or found.drawdown is None:
        return (_unknown(found, limit),)
    caveat = f"paper drawdown at most {policy.caveat_paper_drawdown:g}"
    calm = found.drawdown < policy.drawdown_limit
    if found.sharpe <= policy.sharpe_block:
        return (_check(found, Severity.FAIL, limit, "blocked: it lost or stood still out of sample"),)
    if found.sharpe <= policy.sharpe_caveat or not calm:
        return (_check(found, Severity.WARN, limit, caveat),)
    return (_check(found, Severity.OK, limit, "free"),)


def judge_reversion(found: OutOfSample, policy: ReversionGatePolicy) -> tuple[Check, ...]:
    """Return the gate of mean reversion: both conditions or none."""
    limit = f"Sharpe above {policy.sharpe_over:g}, drawdown below {policy.drawdown_limit:g}"
    if found.sharpe is None or found.drawdown is None:
        return (_unknown(found, limit),)
    kept = found.sharpe > policy.sharpe_over and found.drawdown < policy.drawdown_limit
    return (_check(found, Severity.OK if kept else Severity.FAIL, limit, "free" if kept else "blocked"),)


def _check(found: OutOfSample, severity: Severity, limit: str, text: str) -> Check:
    observed = f"Sharpe {found.sharpe:.6g}, drawdown {found.drawdown:.6g}, {found.days} days"
    return Check("gate.out_of_sample", severity, observed, limit, text)


def _unknown(found: OutOfSample, limit: str) -> Check:
    return Check("gate.out_of_sample", Severity.UNKNOWN, f"{found.days} days", limit, found.reason or "no value")
