"""What trading costs: the optimal schedule under risk aversion and the square-root law (EA-05, EA-06)."""

import math
from collections.abc import Sequence

PARENTS_MIN = 200
"""Own parents needed before the impact coefficient is refitted."""
COEFFICIENT_MIN, COEFFICIENT_MAX = 0.5, 1.5
COST_MAX = 0.005
"""Expected cost, as a fraction of price, above which an order is sliced or refused."""


def urgency(risk_aversion: float, volatility: float, impact: float) -> float:
    """Return kappa = sqrt(lambda sigma^2 / eta), in one over the unit of time of `volatility`.

    Source: Almgren and Chriss (2001).
    """
    if risk_aversion < 0 or volatility < 0 or impact <= 0:
        found = (risk_aversion, volatility, impact)
        raise ValueError(f"expected risk aversion and volatility at least 0, impact above 0, was {found}")
    return math.sqrt(risk_aversion * volatility * volatility / impact)


def shortfall_holdings(quantity: float, horizon: float, kappa: float, slices: int) -> list[float]:
    """Return what is still held after 0..`slices` steps; kappa -> 0 gives equal slices.

    Source: Almgren and Chriss (2001), x(t) = X sinh(kappa (T - t)) / sinh(kappa T).
    """
    if slices < 1 or horizon <= 0 or kappa < 0:
        raise ValueError(f"expected slices >= 1, horizon > 0, kappa >= 0, was {(slices, horizon, kappa)}")
    left = [(slices - step) / slices for step in range(slices + 1)]
    urgent = kappa * horizon
    if urgent < 1e-9:  # sinh(x) is x to the last digit: the limit
        return [quantity * share for share in left]
    # sinh(ua)/sinh(u) written with decaying exponentials only, so that a great urgency does not overflow
    return [
        quantity * math.exp(-urgent * (1 - share)) * math.expm1(-2 * urgent * share) / math.expm1(-2 * urgent)
        for share in left
    ]


def square_root_cost(
    quantity: float, *, volume_day: float, volatility_day: float, spread: float, coefficient: float = 1.0
) -> float:
    """Return the expected cost as a fraction of price: half the spread plus Y sigma sqrt(Q / ADV).

    Raises `ValueError` for a volume that is not above zero: no volume gives no estimate.
    """
    if not volume_day > 0:
        raise ValueError(f"daily volume must be above zero, was {volume_day}")
    return spread / 2 + coefficient * volatility_day * math.sqrt(quantity / volume_day)


def too_costly(cost: float) -> bool:
    """Tell whether an order of this expected cost is to be sliced or refused."""
    return cost > COST_MAX


def refit_coefficient(
    participations: Sequence[float], volatilities: Sequence[float], costs: Sequence[float]
) -> float | None:
    """Return Y by least squares through the origin, held to 0.5 .. 1.5; None for fewer than `PARENTS_MIN` parents.

    participations  Q / ADV;  volatilities  a day;  costs  measured fraction of price without half the spread
    """
    if not len(participations) == len(volatilities) == len(costs):
        raise ValueError(f"expected equal lengths, was {len(participations)}, {len(volatilities)}, {len(costs)}")
    if len(costs) < PARENTS_MIN:
        return None
    model = [sigma * math.sqrt(share) for sigma, share in zip(volatilities, participations, strict=True)]
    square = sum(value * value for value in model)
    if square == 0:
        return None
    fitted = sum(value * cost for value, cost in zip(model, costs, strict=True)) / square
    return min(COEFFICIENT_MAX, max(COEFFICIENT_MIN, fitted))
