"""Order size under the caps (MM-07), before risk sees it."""

import msgspec

from tradeworthy.trading.model import NANOS, Instrument
from tradeworthy.trading.strategies.market_maker_formulas.policy import MarketMakerPolicy


class Sized(msgspec.Struct, frozen=True):
    """Notional of one order in quote currency, levels left, and whether a cap bound."""

    notional: float
    levels: int
    capped: bool


def size_orders(
    wanted: float, levels: int, minimum: float, budget: float, policy: MarketMakerPolicy,
) -> Sized | None:
    """Return the size of each order; None when the venue's minimum is above the cap.

    The instance cap holds for the quotes of one side, as both sides together never fill into one position.
    Outer levels leave before a size falls under `minimum`.
    """
    order_cap = min(policy.order_cap, budget)
    instance_cap = min(policy.instance_cap, budget)
    if minimum > order_cap or minimum > instance_cap:
        return None
    size = max(minimum, min(wanted, order_cap))
    left = levels
    while left > 1 and instance_cap / left < minimum:
        left -= 1
    capped_size = min(size, instance_cap / left)
    return Sized(capped_size, left, capped_size < wanted or left < levels)


def lots_for(instrument: Instrument, price: int, notional: float) -> int:
    """Return lots at `price` ticks, rounded down, and up only to reach the venue's minimum."""
    unit = instrument.notional_nanos(price, 1)
    lots = int(notional * NANOS / unit)
    least = max(instrument.min_lots, -(-int(instrument.min_notional * NANOS) // unit))
    lots = max(lots, least)
    return lots if instrument.max_order_lots is None else min(lots, instrument.max_order_lots)


def least_notional(instrument: Instrument, price: int) -> float:
    """Return the smallest order the venue takes at `price`, in quote currency."""
    unit = instrument.notional_nanos(price, 1)
    least = max(instrument.min_lots, -(-int(instrument.min_notional * NANOS) // unit))
    return least * unit / NANOS
