"""Which facts say that an invariant is broken (PPR-06): typed, never by the words of a text."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from tradeworthy.kernel.facts import Fact
from tradeworthy.trading.control.guard import HeldReason
from tradeworthy.trading.execution.execution import RefusedAltered
from tradeworthy.trading.ledger.bookings import SplitBooked
from tradeworthy.trading.model import GuardChanged, GuardLevel, RunStarted, SubmitOrder
from tradeworthy.trading.model.order import ApprovedIntent, FillBooked, OrderAnomaly
from tradeworthy.trading.model.run import DeskFailed
from tradeworthy.trading.restoring import DeskRestored

APPROVALS_KEPT = 65_536
"""Approvals whose order has not left yet; more than that and an order without one can no longer be told."""
STOPPING_OWNERS = frozenset({"journal", "ledger", "reconciliation"})
"""Owners whose stop says that the record and the world, or the record and itself, no longer agree."""
STOPPING_REASONS = frozenset({"risk.self_failure"})
"""Further reasons that say so."""


class BrokenInvariant(msgspec.Struct, frozen=True):
    """One breach: a stable code, and what was found against what must hold."""

    code: str
    observed: str
    expected: str


Judge = Callable[[Any], BrokenInvariant | None]


class Invariants:
    """Fold facts in journal order; `take` answers with what a fact breaks.

    more  facts of rooms above this one, with what they break

    A fact may say by itself that something is broken, or contradict what came before it: an order that no approval
    covers, an opening that passed while the guard forbids it, a position that its fills do not explain.
    """

    __slots__ = ("_approved", "_forgot", "_handlers", "_level", "_positions", "breaches")

    def __init__(self, more: Mapping[type[Fact], Judge] | None = None) -> None:
        self._approved: dict[str, None] = {}
        self._forgot = False
        self._level = GuardLevel.RUNNING
        self._positions: dict[tuple[str, str], int | None] = {}
        self.breaches = 0
        self._handlers: dict[type[Fact], Judge] = {
            OrderAnomaly: self._anomaly, RefusedAltered: self._altered, DeskFailed: self._failed,
            GuardChanged: self._guard, RunStarted: self._started, DeskRestored: self._restored,
            ApprovedIntent: self._approval, SubmitOrder: self._submit, FillBooked: self._fill,
            SplitBooked: self._split, **(more or {}),
        }  # fmt: skip

    @property
    def kinds(self) -> frozenset[type[Fact]]:
        """The facts that are looked at."""
        return frozenset(self._handlers)

    @property
    def level(self) -> GuardLevel:
        """The desk's guard level as the journal tells it."""
        return self._level

    def take(self, fact: Fact) -> BrokenInvariant | None:
        """Fold one fact; None where everything holds."""
        handler = self._handlers.get(type(fact))
        found = None if handler is None else handler(fact)
        if found is not None:
            self.breaches += 1
        return found

    # a fact that says so itself

    def _anomaly(self, anomaly: OrderAnomaly) -> BrokenInvariant:
        state = "an unknown order" if anomaly.state is None else f"an order {anomaly.state.value}"
        observed = f"{anomaly.report.value} for {state} {anomaly.client_order_id}: {anomaly.text}"
        return BrokenInvariant("order.anomaly", observed, "reports that the order's life allows")

    def _altered(self, refused: RefusedAltered) -> BrokenInvariant:
        return BrokenInvariant(
            "execution.refused_altered", f"intent {refused.intent.intent_id} is not the approved one",
            "the intent that risk approved",
        )  # fmt: skip

    def _failed(self, failed: DeskFailed) -> BrokenInvariant:
        return BrokenInvariant("desk.failed", f"{failed.component}: {failed.text}", "every event can be folded")

    def _guard(self, changed: GuardChanged) -> BrokenInvariant | None:
        self._level = changed.level
        owner = changed.reason.partition(".")[0]
        stops = changed.set and changed.reason_level is GuardLevel.STOPPED
        if stops and (owner in STOPPING_OWNERS or changed.reason in STOPPING_REASONS):
            return BrokenInvariant(f"guard.{changed.reason}", changed.evidence or "stopped", "no stop by this owner")
        return None

    # facts that must agree with earlier ones

    def _started(self, started: RunStarted) -> None:
        """Begin anew: a desk that starts again is told what it goes on with."""
        self._approved, self._positions, self._forgot = {}, {}, False
        held = msgspec.json.decode(started.guard, type=tuple[HeldReason, ...])
        self._level = max((one.level for one in held if one.scope == "desk"), default=GuardLevel.RUNNING)

    def _restored(self, restored: DeskRestored) -> None:
        self._positions = {(one.instance, one.instrument): one.lots for one in restored.positions}

    def _approval(self, approved: ApprovedIntent) -> BrokenInvariant | None:
        if len(self._approved) >= APPROVALS_KEPT:
            del self._approved[next(iter(self._approved))]
            self._forgot = True
        self._approved[approved.intent.intent_id] = None
        if approved.opening_lots and self._level is not GuardLevel.RUNNING:
            observed = f"intent {approved.intent.intent_id} opens {approved.opening_lots} lots"
            return BrokenInvariant("guard.opening_passed", observed, f"no opening while {self._level.name.lower()}")
        return None

    def _submit(self, order: SubmitOrder) -> BrokenInvariant | None:
        if order.intent_id in self._approved:
            del self._approved[order.intent_id]
            return None
        if self._forgot:
            return None
        observed = f"order {order.client_order_id} of intent {order.intent_id}"
        return BrokenInvariant("order.unapproved", observed, "an approval for every order, once")

    def _fill(self, fill: FillBooked) -> BrokenInvariant | None:
        key = fill.instance, fill.instrument
        before = self._positions.get(key, 0)
        self._positions[key] = fill.position
        expected = None if before is None else before + fill.side * fill.lots
        if expected is None or expected == fill.position:
            return None
        observed = f"{fill.instance} holds {fill.position} lots after trade {fill.trade_id}"
        return BrokenInvariant("ledger.position", observed, f"{expected} lots")

    def _split(self, split: SplitBooked) -> None:
        """Learn the positions anew from their next fills."""
        for key in self._positions:
            if key[1] == split.instrument:
                self._positions[key] = None
