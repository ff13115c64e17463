"""Work a parent by a schedule of slices, whatever drew the schedule up: equal time, volume or urgency (EA-01)."""

from collections.abc import Sequence
from enum import Enum

import msgspec

from tradeworthy.trading.execution.parents import Parent, ParentProgress
from tradeworthy.trading.model.market import Side
from tradeworthy.trading.model.order import CancelOrder, Intent

BPS = 10_000


class SlicePolicy(msgspec.Struct, frozen=True):
    """Bounds of every schedule.

    catch_up   a slice with what was left over is at most this many times the schedule's own
    cross_bps  how far beyond the touch the last slice may reach
    """

    catch_up: int = 2
    cross_bps: int = 50


class ScheduleState(Enum):
    EXECUTING = "executing"
    DONE = "done"
    ABORTED = "aborted"


class Slice(msgspec.Struct, frozen=True):
    """`lots` that the schedule calls for at `at`, nanoseconds UTC."""

    at: int
    lots: int


Step = tuple[ParentProgress | CancelOrder | Intent, ...]


class Slicing:
    """One schedule at work. The desk feeds timers, order ids, fills and ends of children; slices come as intents.

    name  of the algorithm, the middle of its reason codes
    """

    __slots__ = ("_child", "_due", "_name", "_next", "_plan", "_policy", "parent", "state")

    def __init__(self, parent: Parent, plan: Sequence[Slice], policy: SlicePolicy, name: str) -> None:
        if sum(one.lots for one in plan) != parent.remaining:
            raise ValueError(f"a schedule must sum to {parent.remaining} lots, was {sum(one.lots for one in plan)}")
        if parent.deadline <= plan[-1].at:
            raise ValueError(f"the deadline must be after the last slice {plan[-1].at}, was {parent.deadline}")
        self.parent = parent
        self._plan = tuple(plan)
        self._policy = policy
        self._name = name
        self._next = 0
        self._due = 0  # lots the schedule has called for so far
        self._child: str | None = None
        self.state = ScheduleState.EXECUTING

    @property
    def plan(self) -> tuple[Slice, ...]:
        """The schedule as it was drawn up."""
        return self._plan

    def on_timer(self, now: int, bid: int | None, ask: int | None) -> Step:
        """Return the slice that is due, or the cancel of the one before it, which has to go first.

        Without a touch nothing is sent; the slice's lots carry on to the next. At the deadline the rest is given up.
        Where time passed over several slices the last of them goes, with what the others left as far as `catch_up`
        lets it: an order that ends before it leaves would be none.
        """
        if self.state is not ScheduleState.EXECUTING:
            return ()
        if now >= self.parent.deadline:
            return self.abort(f"execution.{self._name}_deadline")
        if self._next == len(self._plan) or now < self._plan[self._next].at:
            return ()
        if self._child is not None:
            return (CancelOrder(self._child, self.parent.intent.instrument, f"execution.{self._name}_next_slice"),)
        while self._next < len(self._plan) and self._plan[self._next].at <= now:
            self._due += self._plan[self._next].lots
            self._next += 1
        number = self._next - 1
        own = self._plan[number].lots
        if bid is None or ask is None:
            return ()
        last = self._next == len(self._plan)
        lots = min(self._due - self.parent.filled, self._policy.catch_up * own, self.parent.remaining)
        lots = self.allowed(lots)
        if lots <= 0:
            return ()
        expires_at = self.parent.deadline if last else self._plan[self._next].at
        return (
            self.parent.child(number, lots, self._price(bid, ask, last), expires_at=expires_at, crosses=last),
            self._progress(),
        )

    def allowed(self, lots: int) -> int:
        """Return how many of `lots` a slice may have; schedules with a participation cap allow fewer."""
        return lots

    def on_sent(self, client_order_id: str) -> None:
        """Remember the child that works; one at a time."""
        self._child = client_order_id

    def on_fill(self, lots: int) -> Step:
        """Count a child's fill."""
        self.parent.filled += lots
        if self.parent.remaining <= 0 and self.state is ScheduleState.EXECUTING:
            self.state = ScheduleState.DONE
            return (self._progress(),)
        return ()

    def on_child_end(self, client_order_id: str) -> None:
        """Note that a child ended (filled, cancelled, rejected): its unfilled lots carry on."""
        if self._child == client_order_id:
            self._child = None

    def abort(self, reason: str) -> Step:
        """Send nothing more, cancel the working slice, report what remains."""
        if self.state is not ScheduleState.EXECUTING:
            return ()
        self.state = ScheduleState.ABORTED
        progress = self._progress(reason)
        if self._child is None:
            return (progress,)
        return CancelOrder(self._child, self.parent.intent.instrument, reason), progress

    def _price(self, bid: int, ask: int, last: bool) -> int:
        buys = self.parent.intent.side is Side.BUY
        if not last:
            return bid if buys else ask
        reach = self._policy.cross_bps
        return ask * (BPS + reach) // BPS if buys else -(-bid * (BPS - reach) // BPS)

    def _progress(self, reason: str | None = None) -> ParentProgress:
        parent = self.parent
        return ParentProgress(
            parent.intent.intent_id, self.state.value, self._next, parent.filled, parent.remaining, reason
        )


def in_lots(lots: int, shares: Sequence[float]) -> tuple[int, ...]:
    """Part `lots` by `shares` (at least 0, some above): each part within one lot of its share, the sum exact."""
    whole = sum(shares)
    if lots <= 0 or whole <= 0 or min(shares) < 0:
        raise ValueError(f"expected lots above 0 and shares at least 0 with a sum above 0, was {lots}, {shares}")
    parts: list[int] = []
    given, seen = 0, 0.0
    for share in shares:
        seen += share
        upto = round(lots * seen / whole)
        parts.append(upto - given)
        given = upto
    parts[-1] += lots - given
    return tuple(parts)
