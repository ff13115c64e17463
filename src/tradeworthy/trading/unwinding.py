"""Closing positions in slices: on a kill with flatten, and while the guard is `reducing` (EA-01..EA-03, GRD-03)."""

from collections.abc import Callable, Collection, Sequence
from typing import Literal

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.kernel.facts import Fact
from tradeworthy.trading.control.guard import Guard
from tradeworthy.trading.execution.orders import Order
from tradeworthy.trading.execution.parents import Parent
from tradeworthy.trading.execution.slicing import BPS, ScheduleState, Step
from tradeworthy.trading.execution.twap import Twap, TwapPolicy, unwind, unwind_slices
from tradeworthy.trading.model import CancelOrder, GuardLevel, Intent, Side
from tradeworthy.trading.ordering import Ordering
from tradeworthy.trading.view import Seat

UNWIND_LEVEL = -2
"""Slot of orders that close a position for others than its strategy."""
FLATTEN, REDUCING = "kill.flatten", "guard.reducing"


class UnwindPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How positions are closed; times in nanoseconds.

    reducing     what happens to positions while the guard is reducing: `unwind` closes them, `off` leaves them
    duration_ns  from the first slice to the deadline;  collar_bps  worst price, from the mid at the start
    retry_ns     pause after an unwind that left a remainder or was refused, before the next one
    """

    reducing: Literal["unwind", "off"] = "unwind"
    twap: TwapPolicy = TwapPolicy()
    duration_ns: int = 600 * NANOS_PER_SECOND
    collar_bps: int = 500
    retry_ns: int = 60 * NANOS_PER_SECOND

    def __post_init__(self) -> None:
        if self.duration_ns <= 0 or self.retry_ns <= 0 or not 0 < self.collar_bps < BPS:
            raise ConfigurationRefused(
                f"unwind: expected duration_ns and retry_ns above 0 and collar_bps in (0, {BPS}), "
                f"was {self.duration_ns}, {self.retry_ns} and {self.collar_bps}"
            )


class Unwinds:
    """At most one schedule an instance. `on_change` hears when one begins or ends: its strategy rests meanwhile."""

    __slots__ = (
        "_active", "_children", "_flattening", "_guard", "_on_change", "_ordering", "_policy", "_retry_at", "_seats",
    )  # fmt: skip

    def __init__(
        self, policy: UnwindPolicy, *, ordering: Ordering, guard: Guard, seats: Sequence[Seat],
        on_change: Callable[[], None],
    ) -> None:  # fmt: skip
        self._policy, self._ordering, self._guard, self._on_change = policy, ordering, guard, on_change
        self._seats = {seat.instance: seat for seat in seats}
        self._active: dict[str, Twap] = {}
        self._children: dict[str, Twap] = {}
        self._retry_at: dict[str, int] = {}
        self._flattening: dict[str, str] = {}

    @property
    def active(self) -> Collection[str]:
        """Instances whose position is being closed in slices."""
        return self._active.keys()

    def works(self, client_order_id: str) -> bool:
        """Tell whether an order is the slice of a schedule that goes on."""
        twap = self._children.get(client_order_id)
        return twap is not None and twap.state is ScheduleState.EXECUTING

    def close(self, seat: Seat, *, reason: str, owner: str, key: str, now: int, facts: list[Fact]) -> None:
        """Close a position: in slices from the policy's notional, else by one order; nothing while it is under way."""
        if not seat.position or seat.instance in self._active:
            return
        policy = self._policy
        mid2 = seat.top.mid2
        intent = Intent(
            f"{key}:{seat.instance}", owner, seat.instance, reason, key, seat.instrument_id,
            Side.SELL if seat.position > 0 else Side.BUY, abs(seat.position), now + policy.duration_ns,
            reduce_only=True, level=UNWIND_LEVEL,
        )  # fmt: skip
        notional = 0 if mid2 is None else seat.instrument.notional_nanos(mid2, seat.position) // 2
        if seat.instrument.inverse:
            notional = seat.instrument.notional_nanos(1, seat.position)
        if mid2 is None or unwind_slices(notional, policy.twap) == 1:
            self._ordering.propose(seat, intent, facts)
            return
        approved = self._ordering.approve_parent(intent, facts)
        if approved is None:
            return
        reach = policy.collar_bps * -intent.side
        parent = Parent(approved, deadline=now + policy.duration_ns, collar=mid2 * (BPS - reach) // (2 * BPS))
        twap = self._active[seat.instance] = unwind(parent, notional, policy.twap, now)
        self._on_change()
        self._take(seat, twap, twap.on_timer(now, seat.top.bid, seat.top.ask), facts)

    def flatten(self, seat: Seat, *, key: str, now: int, facts: list[Fact]) -> None:
        """Close a position for a person, and keep it closed until another trip or a re-arm (KS-05).

        A fill that was under way at the kill lands after it: what it leaves is closed at the next second.
        """
        self._flattening[seat.instance] = key
        self.close(seat, reason=FLATTEN, owner="operator", key=key, now=now, facts=facts)

    def release(self, concerns: Callable[[Seat], bool]) -> None:
        """Keep the instances concerned flat no longer: their stop was taken away, or another one came."""
        for instance in [one for one in self._flattening if concerns(self._seats[one])]:
            del self._flattening[instance]

    def on_time(self, now: int, facts: list[Fact]) -> None:
        """Send slices that are due; begin and end what the guard's `reducing` asks for. Once a second."""
        if not self._active and self._guard.free:
            return
        for instance, twap in list(self._active.items()):
            seat = self._seats[instance]
            self._take(seat, twap, twap.on_timer(now, seat.top.bid, seat.top.ask), facts)
        for instance, key in self._flattening.items():
            seat = self._seats[instance]
            if seat.position and now >= self._retry_at.get(instance, 0) and not _closing(seat):
                self._retry_at[instance] = now + self._policy.retry_ns
                self.close(seat, reason=FLATTEN, owner="operator", key=f"{key}:{now}", now=now, facts=facts)
        if self._policy.reducing == "off":
            return
        asked = self._reducing() if self._guard.reasons() else ()
        for seat in asked:
            if seat.position and now >= self._retry_at.get(seat.instance, 0) and not _closing(seat):
                self._retry_at[seat.instance] = now + self._policy.retry_ns
                self.close(seat, reason=REDUCING, owner="risk", key=f"{REDUCING}@{now}", now=now, facts=facts)
        for instance, twap in list(self._active.items()):
            if twap.parent.intent.reason == REDUCING and self._seats[instance] not in asked:
                self._take(self._seats[instance], twap, twap.abort("execution.guard_released"), facts)

    def on_report(self, order: Order, lots: int, facts: list[Fact]) -> None:
        """Count what a slice filled, and its end."""
        twap = self._children.get(order.client_order_id)
        if twap is None:
            return
        seat = self._seats[order.instance]
        if lots:
            self._take(seat, twap, twap.on_fill(lots), facts)
        if not order.live:
            del self._children[order.client_order_id]
            twap.on_child_end(order.client_order_id)

    def abort(self, reason: str, facts: list[Fact], concerns: Callable[[Seat], bool] = lambda seat: True) -> None:
        """Send no further slice of the instances concerned, cancel the working one, report what remains."""
        self.release(concerns)
        for instance, twap in list(self._active.items()):
            if concerns(self._seats[instance]):
                self._take(self._seats[instance], twap, twap.abort(reason), facts)

    def _take(self, seat: Seat, twap: Twap, step: Step, facts: list[Fact]) -> None:
        for one in step:
            if isinstance(one, Intent):
                child = self._ordering.propose_first(seat, one, facts)
                if child is not None:
                    twap.on_sent(child)
                    self._children[child] = twap
            elif isinstance(one, CancelOrder):
                self._ordering.cancel((one,), facts)
            else:
                facts.append(one)
        if twap.state is not ScheduleState.EXECUTING and self._active.get(seat.instance) is twap:
            del self._active[seat.instance]
            self._on_change()

    def _reducing(self) -> list[Seat]:
        """Return the seats that another than their own strategy wants reduced, and nobody stopped."""
        wanted = []
        for seat in self._seats.values():
            if seat.guard is GuardLevel.REDUCING and any(
                one.level is GuardLevel.REDUCING and one.owner != "strategy" and applies(one.scope, seat)
                for one in self._guard.reasons()
            ):
                wanted.append(seat)
        return wanted


def applies(scope: str, seat: Seat) -> bool:
    """Tell whether a guard scope covers a seat."""
    return scope in (
        "desk", f"strategy:{seat.instance}", f"instrument:{seat.instrument_id}", f"venue:{seat.instrument.venue}",
    )  # fmt: skip


def _closing(seat: Seat) -> bool:
    return any(order.level == UNWIND_LEVEL for order in seat.working())
