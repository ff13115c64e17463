"""All formulas together: what is known in, what should be quoted out."""

import msgspec

from tradeworthy.trading.sensing.regime import Regime
from tradeworthy.trading.strategies.market_maker_formulas.edge import model_edge, round_trip_costs, spread_floor
from tradeworthy.trading.strategies.market_maker_formulas.levels import quote_prices, side_floor
from tradeworthy.trading.strategies.market_maker_formulas.policy import MarketMakerPolicy
from tradeworthy.trading.strategies.market_maker_formulas.skew import inventory_skew
from tradeworthy.trading.strategies.market_maker_formulas.spread import (
    candidate_spread,
    level_count,
    turnover_penalty,
    turnover_ratio,
)


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """The inputs of one evaluation; `mid` in ticks, the rest fractions. `funding` is signed, over one refresh."""

    mid: float
    market_spread: float
    regime: Regime
    band: float
    drift: float
    drift_ewma: float
    turnover: float
    share: float
    target: float
    maker_fee: float
    adverse: float
    funding: float
    fill_factor: float
    min_edge: float


class Assessment(msgspec.Struct, frozen=True):
    """The minute row's part of the market maker (AC-06): every intermediate value of one evaluation."""

    known: Known
    candidate: float
    levels: int
    costs: float
    floor: float
    spread: float
    edge: float
    skew: float
    side_floor: float
    bids: tuple[int, ...]
    asks: tuple[int, ...]


def assess(known: Known, policy: MarketMakerPolicy) -> Assessment:
    """Return spread, edge, skew and prices of one evaluation."""
    row = policy.quoting(known.regime)
    ratio = turnover_ratio(known.turnover, policy)
    candidate = candidate_spread(row, ratio, known.drift, known.drift_ewma, policy)
    levels = level_count(row, ratio)
    penalty = turnover_penalty(known.turnover, policy)
    costs = round_trip_costs(known.maker_fee, known.adverse, penalty, known.funding, policy)
    floor = spread_floor(costs, known.min_edge, known.fill_factor, known.band, policy)
    spread = max(candidate, floor)
    skew = inventory_skew(known.share, known.target, known.regime, known.band, policy)
    least = side_floor(known.market_spread, policy)
    bids, asks = quote_prices(known.mid, spread, skew, least, levels, policy)
    edge = model_edge(known.fill_factor, spread, costs)
    return Assessment(
        known, candidate, levels, costs, floor, spread, edge, skew, least, tuple(bids), tuple(asks)
    )
