"""Slicing by urgency: trade early where waiting is the greater risk (EA-05)."""

from itertools import pairwise

import msgspec

from tradeworthy.trading.execution.impact import shortfall_holdings, urgency
from tradeworthy.trading.execution.parents import Parent
from tradeworthy.trading.execution.slicing import Slice, SlicePolicy, Slicing


class ShortfallPolicy(SlicePolicy, frozen=True, kw_only=True):
    """How a parent is traded off between impact and risk.

    risk_aversion  lambda, one over quote currency: 0 trades evenly, as TWAP does
    """

    slices: int = 10
    risk_aversion: float = 1e-6


class MarketMoves(msgspec.Struct, frozen=True):
    """What the schedule assumes: price deviation over the whole horizon, and the price change a lot a horizon causes.

    Both in quote currency a lot.
    """

    volatility: float
    impact: float


def shortfall_plan(
    lots: int, begin: int, deadline: int, moves: MarketMoves, policy: ShortfallPolicy
) -> tuple[Slice, ...]:
    """Return the slices of `lots`: holdings of the closed form, rounded to lots, so that they sum exactly."""
    kappa = urgency(policy.risk_aversion, moves.volatility, moves.impact)
    held = [round(value) for value in shortfall_holdings(float(lots), 1.0, kappa, policy.slices)]
    spacing = (deadline - begin) // policy.slices
    return tuple(
        Slice(begin + number * spacing, before - after)
        for number, (before, after) in enumerate(pairwise(held))
    )


class ImplementationShortfall(Slicing):
    """An urgency schedule at work."""

    __slots__ = ()

    def __init__(self, parent: Parent, begin: int, moves: MarketMoves, policy: ShortfallPolicy) -> None:
        if parent.deadline <= begin:
            raise ValueError(f"the deadline must be after the start {begin}, was {parent.deadline}")
        plan = shortfall_plan(parent.remaining, begin, parent.deadline, moves, policy)
        super().__init__(parent, plan, policy, "shortfall")
