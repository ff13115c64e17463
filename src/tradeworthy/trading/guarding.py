"""The guard at the desk: who sets a reason, what a new level takes off the market, what people may ask (GRD, KS)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.trading.control.asked import GuardAsked
from tradeworthy.trading.control.break_glass import (
    BreakGlass,
    BreakGlassCarried,
    BreakGlassRequest,
    BreakGlassReview,
    BreakGlassRevoke,
)
from tradeworthy.trading.control.drift import ConfigDrift
from tradeworthy.trading.control.forensic import SnapshotTaken
from tradeworthy.trading.control.guard import Guard, HeldReason
from tradeworthy.trading.control.kill import (
    KillRequest,
    KillSwitch,
    PauseRequest,
    Rearmed,
    RearmRefused,
    RearmRequest,
    ResumeRequest,
    scope_of,
    stops_of,
)
from tradeworthy.trading.control.policy import USUAL, PeoplePolicy
from tradeworthy.trading.execution.execution import Execution
from tradeworthy.trading.execution.intake import Cause, DeadLetter, Intake, OutsideWish, Taken
from tradeworthy.trading.execution.orders import Order
from tradeworthy.trading.model import CancelOrder, GuardChanged, GuardLevel, GuardReason
from tradeworthy.trading.model.run import DeskFailed, RunStopping
from tradeworthy.trading.ordering import Ordering
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.monitors import SelfFailure
from tradeworthy.trading.unwinding import Unwinds, applies
from tradeworthy.trading.view import Seat


class Guarding:
    """Carry changes of the guard to risk, to working orders and to unwinds.

    facts      where the step collects what it found;  people  what people may do
    outside    tells how the value behind a stop still lies outside its limit;  on_rearmed  takes each stop that ended
    """

    __slots__ = ("_context", "_execution", "_facts", "_failure", "_glass", "_guard", "_intake", "_kill", "_on_rearmed",
                 "_ordering", "_own", "_seats", "_snapshot", "_unwinds")  # fmt: skip

    def __init__(
        self, guard: Guard, *, execution: Execution, context: RiskContext, seats: Mapping[str, Seat], unwinds: Unwinds,
        failure: SelfFailure, facts: list[Fact], ordering: Ordering, intake: Intake | None = None,
        people: PeoplePolicy = USUAL, rollover_ns: int = 0,
        outside: Callable[[HeldReason], str | None] = lambda reason: None,
        on_rearmed: Callable[[HeldReason], None] = lambda reason: None,
    ) -> None:  # fmt: skip
        self._guard, self._execution, self._context, self._seats = guard, execution, context, seats
        self._unwinds, self._failure, self._facts = unwinds, failure, facts
        self._snapshot: str | None = None
        self._on_rearmed = on_rearmed
        self._ordering, self._intake = ordering, intake
        self._kill = KillSwitch(guard, people.cool_off, outside=outside)
        self._glass = BreakGlass(
            people, controls={one.code for one in ordering.reviewer.controls},
            instruments={seat.instrument_id for seat in seats.values()}, tell=facts.append, rollover_ns=rollover_ns,
        )  # fmt: skip
        ordering.reviewer.mask_with(self._glass)
        self._own: dict[str, dict[str, GuardLevel]] = {}
        for scope in {"desk", *(reason.scope for reason in guard.reasons())}:
            context.set_guard(scope, guard.level_of(scope))

    def apply(self, reasons: Iterable[GuardReason]) -> None:
        """Set or clear reasons in their owners' names; a reason in force already is told once (OM-11)."""
        for reason in reasons:
            self._tell(self._guard.apply(reason, self._context.now))

    def drain(self) -> None:
        """Take over what execution counted: cancel budget, failures in a row, anomalies (OM-01, OM-09, OM-10)."""
        for name, level in self._execution.drain_reasons():
            owner, _, code = name.partition(".")
            active = level is not GuardLevel.RUNNING
            self.apply((GuardReason(owner, code, level if active else GuardLevel.PAUSED, active=active),))

    def raise_own(self, seat: Seat) -> None:
        """Bring the reasons that a strategy states of itself to the guard, owner `strategy`, scope the instance."""
        strategy: Any = seat.strategy
        stated = {one.code: one for one in strategy.guard.raised}
        held = self._own.setdefault(seat.instance, {})
        if not stated and not held:
            return
        scope = f"strategy:{seat.instance}"
        for name, one in stated.items():
            if held.get(name) is not one.level:
                held[name] = one.level
                owner, _, code = name.partition(".")
                evidence = f"{one.value:.6g}, limit {one.limit:.6g}"
                self.apply((GuardReason(owner, code, one.level, scope, evidence=evidence),))
        for name in [name for name in held if name not in stated]:
            owner, _, code = name.partition(".")
            self.apply((GuardReason(owner, code, held.pop(name), scope, active=False),))

    def expire(self) -> None:
        """End the pauses whose time has come."""
        for changed in self._guard.expire(self._context.now):
            self._tell(changed)
        self.apply(self._glass.tick(self._context.now))

    def on_kill(self, event: Event, request: KillRequest) -> None:
        """Stop the scope at once; with `flatten` close its positions, a plan that only another stop aborts."""
        now, scope = self._context.now, scope_of(request.scope)
        changed = self._kill.kill(request, now)
        self._tell(changed)
        if changed is None and not request.flatten:  # stopped already, and tripped again: no slice leaves any more
            self._unwinds.abort("guard.operator.kill", self._facts, lambda seat: applies(scope, seat))
        if request.flatten:
            for seat in self._seats.values():
                if applies(scope, seat):
                    self._unwinds.flatten(seat, key=f"flatten@{event.event_id}", now=now, facts=self._facts)

    def on_pause(self, event: Event, request: PauseRequest) -> None:
        self._tell(self._kill.pause(request, self._context.now))

    def on_resume(self, event: Event, request: ResumeRequest) -> None:
        for changed in self._kill.resume(request, self._context.now):
            self._tell(changed)

    def on_rearm(self, event: Event, request: RearmRequest) -> None:
        """Leave `stopped` where two people cite the newest forensic snapshot; else tell every reason why not."""
        stops = stops_of(self._guard.reasons(), request.scope)
        answer = self._kill.rearm(request, self._snapshot, self._context.now)
        if isinstance(answer, RearmRefused):
            self._facts.append(answer)
            return
        for changed in answer:
            self._tell(changed)
        for reason in stops:
            self._on_rearmed(reason)
        self._unwinds.release(lambda seat: applies(request.scope, seat))
        self._facts.append(Rearmed(request, tuple(changed.reason for changed in answer)))

    def on_snapshot(self, event: Event, taken: SnapshotTaken) -> None:
        """Remember what a re-arm must cite."""
        self._snapshot = taken.snapshot

    def on_glass(self, event: Event, request: BreakGlassRequest) -> None:
        """Mask a control for a while, where two people signed for it."""
        self._glass.activate(request, self._context.now)

    def on_glass_revoked(self, event: Event, asked: BreakGlassRevoke) -> None:
        """End a break-glass before its time."""
        self._glass.revoke(asked, self._context.now)

    def on_glass_review(self, event: Event, asked: BreakGlassReview) -> None:
        """Take the review of a break-glass that is over."""
        self.apply(self._glass.review(asked))

    def on_glass_carried(self, event: Event, carried: BreakGlassCarried) -> None:
        """Go on with what an earlier run of this desk left."""
        self._glass.carry(carried)

    def on_wish(self, event: Event, wish: OutsideWish) -> None:
        """Apply a wish from outside once; one that may not be, or cannot be, becomes a dead letter (MO-05)."""
        if self._intake is None:
            self._facts.append(DeadLetter(wish.sender, Cause.POLICY, "this desk takes no wishes", wish.body))
            return
        found = self._intake.receive(wish.body.encode(), wish.sender, self._context.now)
        if not isinstance(found, Taken):
            if found is not None:
                self._facts.append(found)
            return
        try:
            self._carry_out(found)
        except InvalidInput as problem:
            name = found.fact.intent_id
            self._facts.append(DeadLetter(wish.sender, Cause.SCOPE, str(problem), wish.body, name))

    def _carry_out(self, taken: Taken) -> None:
        if taken.guard is not None:
            self.apply((taken.guard,))
        self._facts.append(taken.fact)
        if taken.intent is None:
            return
        seat = self._seats.get(taken.intent.instance)
        if seat is None or seat.instrument_id != taken.intent.instrument:
            self._facts.pop()
            raise InvalidInput(
                f"an instance with its instrument was expected, found {taken.intent.instance} in "
                f"{taken.intent.instrument}"
            )
        self._ordering.propose(seat, taken.intent, self._facts)

    @property
    def handlers(self) -> dict[type[Fact], Callable[[Event, Any], None]]:
        """What the guard hears: people, the runtime around the desk, the desk's own failure and end."""
        return {
            KillRequest: self.on_kill, PauseRequest: self.on_pause, ResumeRequest: self.on_resume,
            RearmRequest: self.on_rearm, OutsideWish: self.on_wish, ConfigDrift: self.on_drift,
            GuardAsked: self.on_asked, DeskFailed: self.on_failed, RunStopping: self.on_stopping,
            SnapshotTaken: self.on_snapshot, BreakGlassRequest: self.on_glass, BreakGlassRevoke: self.on_glass_revoked,
            BreakGlassReview: self.on_glass_review, BreakGlassCarried: self.on_glass_carried,
        }  # fmt: skip

    def on_asked(self, event: Event, asked: GuardAsked) -> None:
        """Set or clear a reason that something beside the desk states in its own name."""
        self.apply((asked.guard_reason(),))

    def on_drift(self, event: Event, drift: ConfigDrift) -> None:
        """Pause what no longer is what was approved; its return clears only that."""
        self.apply((drift.guard_reason(),))

    def on_failed(self, event: Event, failed: DeskFailed) -> None:
        """Stop for good: a part of the desk could not fold an event (RK-54)."""
        self.apply((self._failure.failed(failed.component, failed.text),))

    def on_stopping(self, event: Event, stopping: RunStopping) -> None:
        """Give up what is being worked, all but the stops that protect an open position (SHD-01)."""
        reason = f"shutdown.{stopping.reason}"
        self._unwinds.abort(reason, self._facts)
        for order in unprotecting(self._execution.orders.all_live(), self._seats):
            cancel = CancelOrder(order.client_order_id, order.instrument, reason)
            self._facts += self._execution.cancel(cancel, self._context.now)


    def _tell(self, changed: GuardChanged | None) -> None:
        """Tell risk of the new level, and take off what it forbids: openings, when stopped all but what protects.

        A stop order that can only reduce the open position stays at the venue in every state (GRD-03).
        """
        if changed is None:
            return
        self._facts.append(changed)
        scope = changed.scope
        self._context.set_guard(scope, self._guard.level_of(scope))
        if not changed.set or changed.reason_level is GuardLevel.RUNNING:
            return
        reason = f"guard.{changed.reason}"
        if changed.reason_level is GuardLevel.STOPPED:
            self._unwinds.abort(reason, self._facts, lambda seat: applies(scope, seat))
        for order in self._execution.orders.all_live():
            if self._unwinds.works(order.client_order_id):
                continue
            seat = self._seats[order.instance]
            if protects(order, seat):
                continue
            level = self._guard.level_for(order.instance, order.instrument, seat.instrument.venue)
            reduces = order.intent.reduce_only or seat.position * order.side < 0
            if level is GuardLevel.STOPPED or (level is not GuardLevel.RUNNING and not reduces):
                self._facts += self._execution.cancel(
                    CancelOrder(order.client_order_id, order.instrument, reason), self._context.now
                )


def unprotecting(orders: Iterable[Order], seats: Mapping[str, Seat]) -> list[Order]:
    """Return the orders that are no stop of an open position: what the end of a run takes off."""
    return [one for one in orders if not protects(one, seats[one.instance])]


def protects(order: Order, seat: Seat) -> bool:
    """Tell whether an order is a stop that can only reduce the position which is open."""
    return order.intent.trigger is not None and order.intent.reduce_only and seat.position * order.side < 0
