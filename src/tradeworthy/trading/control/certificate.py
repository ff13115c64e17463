"""The certificate of flatness: what was seen of the venue after a halt, to be verified offline (KS-06)."""

from collections.abc import Sequence

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_MILLI, NANOS_PER_SECOND
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.words import Word
from tradeworthy.trading.control.halt import Halt, concerns, venue_of
from tradeworthy.trading.control.venue_view import CancelSeen, OpenOrder, VenueView

SCHEMA = "flatness@1"
WATCHDOG, DESK = "watchdog", "desk"
NO_NEW_ORDER, DISPATCHED, ACKNOWLEDGED, FLAT = (
    "no_new_order", "cancels_dispatched", "venue_acknowledged", "no_open_orders",
)  # fmt: skip
LIMITS_NS = {
    NO_NEW_ORDER: 50 * NANOS_PER_MILLI, DISPATCHED: 250 * NANOS_PER_MILLI, ACKNOWLEDGED: 2 * NANOS_PER_SECOND,
    FLAT: 5 * NANOS_PER_SECOND,
}  # fmt: skip
"""KS-03: the most that each step may take from the trip."""


class Flatness(Word):
    """How a halt ended: nothing is open, something is or a cancel is refused or unknown, or the venue shows nothing."""

    VERIFIED = "verified"
    PARTIAL = "partial"
    UNVERIFIED = "unverified"


class StepTime(msgspec.Struct, frozen=True):
    """When a step was done, in nanoseconds from the trip; None when it was not. Reaching the limit is a breach."""

    name: str
    after_ns: int | None
    limit_ns: int

    @property
    def in_time(self) -> bool:
        """Whether the step was done inside its limit."""
        return self.after_ns is not None and self.after_ns < self.limit_ns


class Certificate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a watchdog saw. Times are nanoseconds UTC; `cancels` are those since the trip, with their answers.

    cause        what the watchdog's incident was;  halts  the trips that this answers
    last_order   the last order that the venue took, and when, by its clock; `after_trip` ns from trip to it, 0 before
    disagreements  where the venue's book and its drop copy differ;  copied  whether there is a drop copy
    problem      why the venue could not be asked or refused, at the last try
    seen_by      whose look this is: the watchdog's own at the venue, or what the desk's process told of the venue in it
    """

    schema: str = SCHEMA
    desk: str
    run_id: str
    token: int
    cause: str
    halts: tuple[Halt, ...]
    tripped_at: int
    made_at: int
    outcome: Flatness
    steps: tuple[StepTime, ...]
    last_order: str = ""
    last_order_at: int | None = None
    cancels: tuple[CancelSeen, ...] = ()
    open_orders: tuple[OpenOrder, ...] = ()
    positions: dict[str, int] = {}
    disagreements: tuple[str, ...] = ()
    view_at: int | None = None
    problem: str = ""
    seen_by: str = WATCHDOG
    copied: bool = False

    @property
    def flatten_left(self) -> bool:
        """Whether positions stand that a person asked to be closed."""
        return bool(self.positions) and any(one.flatten for one in self.halts)


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a watchdog has at hand when it certifies. `after` holds steps by name, in nanoseconds from the trip."""

    halts: tuple[Halt, ...]
    tripped_at: int
    view: VenueView | None
    after: dict[str, int]
    problem: str = ""
    seen_by: str = WATCHDOG


def certify(
    seen: Seen, *, desk: str, run_id: str, token: int, cause: str, made_at: int
) -> Certificate:
    """Return the certificate of what was seen; pure, so that the same look gives the same bytes.

    No new order is one that may open a position where a person asked for positions to be closed, else any at all.
    """
    view = seen.view
    after: dict[str, int | None] = dict(seen.after)
    if view is not None and seen.seen_by == WATCHDOG:
        closes = any(one.flatten for one in seen.halts)
        last = view.last_opening_at if closes else view.last_order_at
        after[NO_NEW_ORDER] = 0 if last is None else max(0, last - seen.tripped_at)
    steps = tuple(StepTime(name, after.get(name), limit) for name, limit in LIMITS_NS.items())
    shown = () if view is None else view.open_orders
    return Certificate(
        desk=desk, run_id=run_id, token=token, cause=cause, halts=seen.halts, tripped_at=seen.tripped_at,
        made_at=made_at, outcome=_outcome(seen), steps=steps, last_order="" if view is None else view.last_order,
        last_order_at=None if view is None else view.last_order_at,
        cancels=() if view is None else tuple(one for one in view.cancels if one.at >= seen.tripped_at),
        open_orders=shown, positions={} if view is None else view.positions,
        disagreements=() if view is None else view.disagreements(), view_at=None if view is None else view.at,
        problem=seen.problem, seen_by=seen.seen_by, copied=view is not None and view.copied,
    )  # fmt: skip


def left_open(orders: Sequence[OpenOrder], halts: Sequence[Halt]) -> tuple[OpenOrder, ...]:
    """Return the orders that a halt wants gone and the venue still shows; without a halt all.

    Protective stops stay, and so do the reducing orders by which a halt that flattens closes positions.
    """
    return tuple(
        one for one in orders
        if not one.protective and (not halts or any(
            not (one.reduce_only and halt.flatten) and concerns(
                halt.scope, instance=one.instance, instrument=one.instrument, venue=venue_of(one.instrument)
            )
            for halt in halts
        ))
    )  # fmt: skip


def faults_of(certificate: Certificate) -> tuple[str, ...]:
    """Return what a certificate says that does not hold together; empty when it does."""
    faults: list[str] = []
    if certificate.schema != SCHEMA:
        faults.append(f"expected schema {SCHEMA}, found {certificate.schema}")
    if certificate.outcome is Flatness.VERIFIED:
        if certificate.view_at is None or certificate.view_at < certificate.tripped_at:
            faults.append("verified needs a view of the venue from after the trip, found none")
        left = left_open(certificate.open_orders, certificate.halts)
        if left:
            faults.append(f"verified needs no open order, found {', '.join(one.client_order_id for one in left)}")
        if certificate.disagreements:
            faults.append(f"verified needs an agreeing drop copy, found {'; '.join(certificate.disagreements)}")
    return tuple(faults)


def encode(certificate: Certificate) -> bytes:
    """Return the certificate's canonical bytes: what is signed."""
    return msgspec.json.encode(certificate, order="sorted")


def decode(data: bytes) -> Certificate:
    """Return a certificate; raises `InvalidInput` for anything else."""
    try:
        return msgspec.json.decode(data, type=Certificate)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"expected a certificate of flatness, found {data[:80]!r}: {error}") from error


def _outcome(seen: Seen) -> Flatness:
    view = seen.view
    if view is None or view.at < seen.tripped_at:
        return Flatness.UNVERIFIED
    if seen.problem or left_open(view.open_orders, seen.halts) or view.disagreements():
        return Flatness.PARTIAL
    return Flatness.VERIFIED
