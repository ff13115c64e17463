"""A parent order and its children: slices that sum to it, one fact that says what remains (EA-01)."""

import msgspec

from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.trading.model.market import Side
from tradeworthy.trading.model.order import Approved, Intent, OrderType, TimeInForce


@fact("execution.parent_progress")
class ParentProgress(Fact, frozen=True):
    """What a parent has done: `executing`, `done` or `aborted`, with the reason of an abort."""

    parent: str
    state: str
    slices_sent: int
    filled: int
    remaining: int
    reason: str | None = None


def equal_slices(lots: int, slices: int) -> tuple[int, ...]:
    """Part `lots` into equal slices, remainder lots first; fewer slices when there are fewer lots."""
    if lots <= 0 or slices <= 0:
        raise ValueError(f"lots and slices must be above zero, was {lots}, {slices}")
    count = min(lots, slices)
    size, more = divmod(lots, count)
    return (size + 1,) * more + (size,) * (count - more)


class Parent:
    """An approved intent that is worked in children. `collar` is the worst price in ticks, None without one."""

    __slots__ = ("collar", "deadline", "filled", "intent")

    def __init__(self, approved: Approved[Intent], *, deadline: int, collar: int | None) -> None:
        if type(approved) is not Approved:
            raise TypeError(f"a parent must be Approved[Intent], was {type(approved).__name__}")
        self.intent = approved.intent
        self.deadline = deadline
        self.collar = collar
        self.filled = 0

    @property
    def remaining(self) -> int:
        return self.intent.lots - self.filled

    def within(self, price: int) -> int:
        """Return `price`, held to the collar."""
        if self.collar is None:
            return price
        return min(price, self.collar) if self.intent.side is Side.BUY else max(price, self.collar)

    def child(self, slice_no: int, lots: int, price: int, *, expires_at: int, crosses: bool) -> Intent:
        """Return the intent of one slice; it passes risk like any other."""
        return msgspec.structs.replace(
            self.intent, intent_id=f"{self.intent.intent_id}/{slice_no}", lots=lots, type=OrderType.LIMIT,
            price=self.within(price), tif=TimeInForce.IOC if crosses else TimeInForce.GTC, expires_at=expires_at,
            parent=self.intent.intent_id, slice_no=slice_no,
        )  # fmt: skip
