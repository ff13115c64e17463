"""Time-weighted slicing of a parent, and its reduce-only unwind (EA-02, EA-03)."""

import msgspec

from tradeworthy.trading.execution.parents import Parent, equal_slices
from tradeworthy.trading.execution.slicing import ScheduleState as ScheduleState
from tradeworthy.trading.execution.slicing import Slice, SlicePolicy, Slicing
from tradeworthy.trading.model.instrument import NANOS


class TwapPolicy(SlicePolicy, frozen=True, kw_only=True):
    """Bounds of a schedule.

    unwind_notional  quote value from which an unwind is sliced, else one order
    """

    slices: int = 10
    unwind_notional: int = 1_000


class Twap(Slicing):
    """Equal slices at equal distances from `begin` to the parent's deadline, remainder lots first."""

    __slots__ = ()

    def __init__(self, parent: Parent, policy: TwapPolicy, begin: int) -> None:
        if parent.deadline <= begin:
            raise ValueError(f"the deadline must be after the start {begin}, was {parent.deadline}")
        parts = equal_slices(parent.remaining, policy.slices)
        spacing = (parent.deadline - begin) // len(parts)
        plan = [Slice(begin + number * spacing, lots) for number, lots in enumerate(parts)]
        super().__init__(parent, plan, policy, "twap")


def unwind_slices(notional_nanos: int, policy: TwapPolicy) -> int:
    """Return in how many slices a position of this value is closed: one below the policy's notional."""
    return policy.slices if notional_nanos >= policy.unwind_notional * NANOS else 1


def unwind(parent: Parent, notional_nanos: int, policy: TwapPolicy, begin: int) -> Twap:
    """Return the schedule that closes a position; raises `ValueError` for a parent that is not reduce-only."""
    if not parent.intent.reduce_only:
        raise ValueError("an unwind must be reduce-only, the parent is not")
    return Twap(parent, msgspec.structs.replace(policy, slices=unwind_slices(notional_nanos, policy)), begin)
