"""What a round trip costs, the spread below which it loses, and the model edge."""

from tradeworthy.trading.strategies.market_maker_formulas.policy import MarketMakerPolicy


def funding_cost(
    net_share: float, rate: float, refresh_s: float, interval_s: float, policy: MarketMakerPolicy,
) -> float:
    """Return signed funding over one refresh, above zero when we pay."""
    return net_share * rate * max(policy.funding_refresh_s_min, refresh_s) / interval_s


def round_trip_costs(
    maker_fee: float, adverse: float, penalty: float, funding: float, policy: MarketMakerPolicy,
) -> float:
    """Return the sum of fee, exit slippage, adverse selection, turnover penalty and funding; a credit counts 0."""
    return maker_fee + policy.exit_slippage + adverse + penalty + max(0.0, funding)


def spread_floor(costs: float, min_edge: float, fill_factor: float, band: float, policy: MarketMakerPolicy) -> float:
    """Return the spread that earns `min_edge` after costs, plus room for the band."""
    return (costs + min_edge) / fill_factor + policy.band_in_floor * band


def model_edge(fill_factor: float, spread: float, costs: float) -> float:
    """Return the expected net capture of one fill."""
    return fill_factor * spread - costs
