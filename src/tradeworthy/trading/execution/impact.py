"""What trading costs: the optimal schedule under risk aversion and the square-root law (EA-05, EA-06)."""

import math
from collections import deque
from collections.abc import Sequence

import msgspec


class ImpactPolicy(msgspec.Struct, frozen=True):
    """Bounds of the cost estimate.

    coefficient       Y until it is refitted, held to `coefficient_min` .. `coefficient_max`
    parents_min       own parents needed before it is refitted;  parents_max  the newest that are kept for it
    cost_max          expected cost, as a fraction of price, above which an order is sliced or refused
    slices_max        slices beyond which it is refused
    """

    coefficient: float = 1.0
    coefficient_min: float = 0.5
    coefficient_max: float = 1.5
    parents_min: int = 200
    parents_max: int = 2_000
    cost_max: float = 0.005
    slices_max: int = 50


DEFAULT = ImpactPolicy()


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
    quantity: float, *, volume_day: float, volatility_day: float, spread: float,
    coefficient: float = DEFAULT.coefficient,
) -> float:
    """Return the expected cost as a fraction of price: half the spread plus Y sigma sqrt(Q / ADV).

    Raises `ValueError` for a volume that is not above zero: no volume gives no estimate.
    """
    if not volume_day > 0:
        raise ValueError(f"daily volume must be above zero, was {volume_day}")
    return spread / 2 + coefficient * volatility_day * math.sqrt(quantity / volume_day)


def too_costly(cost: float, policy: ImpactPolicy = DEFAULT) -> bool:
    """Tell whether an order of this expected cost is to be sliced or refused."""
    return cost > policy.cost_max


def slices_within_cost(
    quantity: int, *, volume_day: float, volatility_day: float, spread: float,
    coefficient: float = DEFAULT.coefficient, policy: ImpactPolicy = DEFAULT,
) -> int | None:
    """Return in how many equal slices each stays within the cost bound, 1 for an order that is cheap as a whole.

    None refuses the order: half the spread alone is above the bound, or more than `slices_max` were needed.
    """
    if quantity <= 0:
        raise ValueError(f"quantity must be above zero, was {quantity}")
    fields = {"volume_day": volume_day, "volatility_day": volatility_day, "spread": spread, "coefficient": coefficient}
    if not too_costly(square_root_cost(quantity, **fields), policy):
        return 1
    room = policy.cost_max - spread / 2
    if room <= 0:
        return None
    guess = quantity / volume_day * (coefficient * volatility_day / room) ** 2
    if guess > policy.slices_max:
        return None
    slices = max(2, math.ceil(guess - 1e-9))
    return slices if slices <= min(policy.slices_max, quantity) else None


def refit_coefficient(
    participations: Sequence[float], volatilities: Sequence[float], costs: Sequence[float],
    policy: ImpactPolicy = DEFAULT,
) -> float | None:
    """Return Y by least squares through the origin, held to its range; None for fewer than `parents_min` parents.

    participations  Q / ADV;  volatilities  a day;  costs  measured fraction of price without half the spread
    """
    if not len(participations) == len(volatilities) == len(costs):
        raise ValueError(f"expected equal lengths, was {len(participations)}, {len(volatilities)}, {len(costs)}")
    if len(costs) < policy.parents_min:
        return None
    model = [sigma * math.sqrt(share) for sigma, share in zip(volatilities, participations, strict=True)]
    square = sum(value * value for value in model)
    if square == 0:
        return None
    fitted = sum(value * cost for value, cost in zip(model, costs, strict=True)) / square
    return min(policy.coefficient_max, max(policy.coefficient_min, fitted))


class ImpactModel:
    """The cost estimate of one instrument, refitted from own parents once there are enough."""

    __slots__ = ("_parents", "_policy", "coefficient")

    def __init__(self, policy: ImpactPolicy = DEFAULT) -> None:
        self._policy = policy
        self._parents: deque[tuple[float, float, float]] = deque(maxlen=policy.parents_max)
        self.coefficient = policy.coefficient

    def measured(self, participation: float, volatility_day: float, cost: float) -> None:
        """Take one finished parent: Q / ADV, the day's volatility, and its cost without half the spread."""
        self._parents.append((participation, volatility_day, cost))
        shares, volatilities, costs = zip(*self._parents, strict=True)
        fitted = refit_coefficient(shares, volatilities, costs, self._policy)
        if fitted is not None:
            self.coefficient = fitted

    def slices(self, quantity: int, *, volume_day: float, volatility_day: float, spread: float) -> int | None:
        """Return in how many slices the order is cheap enough; None refuses it."""
        return slices_within_cost(
            quantity, volume_day=volume_day, volatility_day=volatility_day, spread=spread,
            coefficient=self.coefficient, policy=self._policy,
        )
