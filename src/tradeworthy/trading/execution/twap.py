"""Time-weighted slicing of a parent, and its reduce-only unwind (EA-02, EA-03)."""

from enum import Enum

import msgspec

from tradeworthy.trading.execution.parents import Parent, ParentProgress, equal_slices
from tradeworthy.trading.model.instrument import NANOS
from tradeworthy.trading.model.market import Side
from tradeworthy.trading.model.order import CancelOrder, Intent

BPS = 10_000


class TwapPolicy(msgspec.Struct, frozen=True):
    """Bounds of a schedule.

    catch_up        a slice with what was left over is at most this many times an equal slice
    cross_bps       how far beyond the touch the last slice may reach
    unwind_notional quote value from which an unwind is sliced, else one order
    """

    slices: int = 10
    catch_up: int = 2
    cross_bps: int = 50
    unwind_notional: int = 1_000


class TwapState(Enum):
    EXECUTING = "executing"
    DONE = "done"
    ABORTED = "aborted"


TwapStep = tuple[ParentProgress | CancelOrder | Intent, ...]


class Twap:
    """One schedule. The desk feeds timers, order ids, fills and ends of children; slices come back as intents."""

    __slots__ = ("_begin", "_child", "_due", "_next", "_plan", "_policy", "_spacing", "parent", "state")

    def __init__(self, parent: Parent, policy: TwapPolicy, begin: int) -> None:
        if parent.deadline <= begin:
            raise ValueError(f"the deadline must be after the start {begin}, was {parent.deadline}")
        self.parent = parent
        self._policy = policy
        self._plan = equal_slices(parent.remaining, policy.slices)
        self._begin = begin
        self._spacing = (parent.deadline - begin) // len(self._plan)
        self._next = 0
        self._due = 0  # lots the schedule has called for so far
        self._child: str | None = None
        self.state = TwapState.EXECUTING

    def on_timer(self, now: int, bid: int | None, ask: int | None) -> TwapStep:
        """Return the slice that is due, or the cancel of the one before it, which has to go first.

        Without a touch nothing is sent; the slice's lots carry on to the next. At the deadline the rest is given up.
        """
        if self.state is not TwapState.EXECUTING:
            return ()
        if now >= self.parent.deadline:
            return self.abort("execution.twap_deadline")
        if self._next == len(self._plan) or now < self._begin + self._next * self._spacing:
            return ()
        if self._child is not None:
            return (CancelOrder(self._child, self.parent.intent.instrument, "execution.twap_next_slice"),)
        number = self._next
        self._next += 1
        self._due += self._plan[number]
        if bid is None or ask is None:
            return ()
        last = self._next == len(self._plan)
        lots = min(self._due - self.parent.filled, self._policy.catch_up * self._plan[0], self.parent.remaining)
        if lots <= 0:
            return ()
        expires_at = self.parent.deadline if last else self._begin + self._next * self._spacing
        return (
            self.parent.child(number, lots, self._price(bid, ask, last), expires_at=expires_at, crosses=last),
            self._progress(),
        )

    def on_sent(self, client_order_id: str) -> None:
        """Remember the child that works; one at a time."""
        self._child = client_order_id

    def on_fill(self, lots: int) -> TwapStep:
        """Count a child's fill."""
        self.parent.filled += lots
        if self.parent.remaining <= 0 and self.state is TwapState.EXECUTING:
            self.state = TwapState.DONE
            return (self._progress(),)
        return ()

    def on_child_end(self, client_order_id: str) -> None:
        """Note that a child ended (filled, cancelled, rejected): its unfilled lots carry on."""
        if self._child == client_order_id:
            self._child = None

    def abort(self, reason: str) -> TwapStep:
        """Send nothing more, cancel the working slice, report what remains."""
        if self.state is not TwapState.EXECUTING:
            return ()
        self.state = TwapState.ABORTED
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


def unwind_slices(notional_nanos: int, policy: TwapPolicy) -> int:
    """Return in how many slices a position of this value is closed: one below the policy's notional."""
    return policy.slices if notional_nanos >= policy.unwind_notional * NANOS else 1


def unwind(parent: Parent, notional_nanos: int, policy: TwapPolicy, begin: int) -> Twap:
    """Return the schedule that closes a position; raises `ValueError` for a parent that is not reduce-only."""
    if not parent.intent.reduce_only:
        raise ValueError("an unwind must be reduce-only, the parent is not")
    return Twap(parent, msgspec.structs.replace(policy, slices=unwind_slices(notional_nanos, policy)), begin)
