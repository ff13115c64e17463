"""Figures of a phase that are shown and, where there is too little of it, not judged (PS-10)."""

import math
from collections.abc import Sequence

import msgspec

from tradeworthy.research.backtest import statistics as stats

PERIODS = 252


class PhasePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Aims of a phase; a Sharpe ratio gates nothing below `sharpe_days_min` days."""

    sharpe_days_min: int = 60
    profit_factor_above: float = 1.25
    drawdown_below: float = 0.03
    turnover_day_below: float = 3.0
    turnover_day_aim: float = 2.0


class SharpeShown(msgspec.Struct, frozen=True, kw_only=True):
    """A yearly Sharpe ratio with its standard error; `judged` False: it gates nothing.

    probabilistic  probability that it is above 0;  record_days  days that would show it;  None = not computable
    """

    days: int
    sharpe: float | None
    standard_error: float | None
    judged: bool
    probabilistic: float | None
    record_days: float | None

    @property
    def text(self) -> str:
        """Return it in words."""
        if self.sharpe is None or self.standard_error is None:
            return f"no Sharpe ratio of {self.days} days"
        word = "" if self.judged else ", not judged"
        return f"{self.sharpe:.2f} ± {self.standard_error:.1f} over {self.days} days{word}"


def sharpe_shown(returns: Sequence[float], policy: PhasePolicy | None = None) -> SharpeShown:
    """Return what daily returns say of the Sharpe ratio; few days say little, and its error says how little.

    Source: Lo (2002): without skill the standard error of n independent days is the square root of 252 / n.
    """
    p, days = policy or PhasePolicy(), len(returns)
    sharpe = error = probable = record = None
    if days >= 2:
        mean = math.fsum(returns) / days
        variance = math.fsum((one - mean) ** 2 for one in returns) / (days - 1)
        if variance > 0:
            daily = mean / math.sqrt(variance)
            sharpe = daily * math.sqrt(PERIODS)
            error = math.sqrt(PERIODS / days)
            try:
                found = stats.moments(returns)
                probable, record = stats.probabilistic_sharpe(found), stats.minimum_track_record(found)
            except (ValueError, stats.TooFewObservations):
                probable = record = None
    return SharpeShown(
        days=days, sharpe=sharpe, standard_error=error, judged=days >= p.sharpe_days_min and sharpe is not None,
        probabilistic=probable, record_days=record,
    )  # fmt: skip


class PhaseFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of a phase as fractions and ratios; None = not known. `fee_share` of the gross profit."""

    profit_factor: float | None
    drawdown: float | None
    turnover_day: float | None
    fee_share: float | None


def phase_rows(found: PhaseFigures, policy: PhasePolicy | None = None) -> tuple[tuple[str, str, str], ...]:
    """Return name, value and aim of each figure; what is not known says so."""
    p = policy or PhasePolicy()

    def text(value: float | None, form: str) -> str:
        return "not known" if value is None else format(value, form)

    return (
        ("profit factor", text(found.profit_factor, ".2f"), f"above {p.profit_factor_above:g}"),
        ("drawdown", text(found.drawdown, ".2%"), f"below {p.drawdown_below:.0%}"),
        ("turnover a day", text(found.turnover_day, ".2f"),
         f"below {p.turnover_day_below:g}, aim {p.turnover_day_aim:g}"),
        ("fees of gross profit", text(found.fee_share, ".1%"), "shown"),
    )  # fmt: skip
