"""The candidate spread and the number of levels: what turnover and drift ask for."""

from math import floor

from tradeworthy.trading.strategies.market_maker_formulas.policy import MarketMakerPolicy, RegimeQuoting


def clip(value: float, low: float, high: float) -> float:
    """Return `value` held within [low, high]."""
    return low if value < low else high if value > high else value


def turnover_ratio(turnover: float, policy: MarketMakerPolicy) -> float:
    """Return r, from 0 (idle) to 1 (soft turnover limit reached)."""
    return clip(turnover / policy.turnover_soft, 0.0, 1.0)


def turnover_penalty(turnover: float, policy: MarketMakerPolicy) -> float:
    """Return the cost added for turnover past the soft limit."""
    return max(0.0, turnover - policy.turnover_soft) * policy.turnover_penalty


def candidate_spread(
    row: RegimeQuoting, ratio: float, drift: float, drift_ewma: float, policy: MarketMakerPolicy,
) -> float:
    """Return the spread wanted before the floor; a drift above its own mean widens it."""
    if policy.fixed_spread is not None:
        return policy.fixed_spread
    unusual = clip((abs(drift) - drift_ewma) / policy.drift_scale, 0.0, 1.0)
    return (row.spread_min + (row.spread_max - row.spread_min) * ratio) * (1.0 + policy.drift_widening * unusual)


def level_count(row: RegimeQuoting, ratio: float) -> int:
    """Return levels a side; halves round up."""
    span = row.levels_max - row.levels_min
    return max(row.levels_min, row.levels_max - floor(ratio * span + 0.5))
