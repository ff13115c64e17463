"""The skew: both quotes move so that inventory returns to its target."""

from tradeworthy.trading.sensing.regime import Regime
from tradeworthy.trading.strategies.market_maker_formulas.policy import MarketMakerPolicy
from tradeworthy.trading.strategies.market_maker_formulas.spread import clip


def inventory_skew(share: float, target: float, regime: Regime, band: float, policy: MarketMakerPolicy) -> float:
    """Return the shift of both quotes, above zero = up (we want to buy)."""
    factor = policy.skew_trend if regime in (Regime.UP, Regime.DOWN) else policy.skew_calm
    wish = policy.skew_max * (target - share) / policy.skew_share
    wish *= factor * (1.0 + clip(band / policy.skew_band, 0.0, 1.0))
    return clip(wish, -policy.skew_max, policy.skew_max)
