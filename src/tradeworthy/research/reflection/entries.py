"""A desk's decisions as its journal has them, each with its hash: what a reflection rests on (RF-06)."""

import hashlib
from collections.abc import Iterable, Iterator
from decimal import Decimal

import msgspec

from tradeworthy.kernel.facts import Event
from tradeworthy.trading.model.order import ApprovedIntent, FillBooked, Refused
from tradeworthy.trading.model.state import Abstained

RISK_CODES = "risk."
"""How the codes of risk controls begin."""


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One decision, or the outcome of one. `ts` is nanoseconds UTC of the desk's own time.

    digest   SHA-256 of the event's id, kind, time and payload;  flagged  risk refused it
    result   what a closing fill realised, as a multiple of the risk budget of one trade; None for anything else
    """

    id: str
    digest: str
    ts: int
    strategy: str
    decision: bool
    flagged: bool = False
    result: float | None = None


def entries_of(events: Iterable[Event], *, risk_budget: Decimal) -> Iterator[Entry]:
    """Yield the entries of a journal in its order.

    risk_budget  what one trade may lose, in the desk's currency, above zero
    """
    for event in events:
        match event.payload:
            case ApprovedIntent(intent=intent):
                yield Entry(event.event_id, digest_of(event), event.ts_event, intent.instance, True)
            case Refused(intent=intent, violations=violations):
                flagged = any(one.code.startswith(RISK_CODES) for one in violations)
                yield Entry(event.event_id, digest_of(event), event.ts_event, intent.instance, True, flagged)
            case Abstained(instance=instance):
                yield Entry(event.event_id, digest_of(event), event.ts_event, instance, True)
            case FillBooked(instance=instance, realized=realized) if realized:
                result = float(realized / risk_budget)
                yield Entry(event.event_id, digest_of(event), event.ts_event, instance, False, result=result)


def digest_of(event: Event) -> str:
    """Return the SHA-256 of what an event says, whatever journal holds it."""
    said = (event.event_id, event.kind, event.ts_event, event.payload)
    return hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()


def input_hash(entries: Iterable[Entry]) -> str:
    """Return the SHA-256 of the ordered digests."""
    found = hashlib.sha256()
    for one in entries:
        found.update(bytes.fromhex(one.digest))
    return found.hexdigest()
