"""Quote prices in ticks, outside a floor distance from the mid."""

from math import ceil, floor

from tradeworthy.trading.strategies.market_maker_formulas.policy import MarketMakerPolicy

ROUNDING_TICKS = 1e-6
"""A price this close to a whole tick is that tick: the floats of the formula end in ...99999999."""


def side_floor(market_spread: float, policy: MarketMakerPolicy) -> float:
    """Return the least distance of a quote from the mid."""
    return max(policy.side_floor_min, market_spread / 2.0 + policy.side_floor_extra)


def quote_prices(
    mid: float, spread: float, skew: float, least: float, levels: int, policy: MarketMakerPolicy,
) -> tuple[list[int], list[int]]:
    """Return bids and asks in ticks, best first, for a mid in ticks."""
    bids, asks = [], []
    for level in range(levels):
        offset = spread / 2.0 * (1.0 + policy.level_step * level)
        bids.append(floor(mid * (1.0 - max(least, offset - skew)) + ROUNDING_TICKS))
        asks.append(ceil(mid * (1.0 + max(least, offset + skew)) - ROUNDING_TICKS))
    return bids, asks
