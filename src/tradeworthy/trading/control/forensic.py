"""The forensic snapshot: what it must hold, its hash, and whether desk and venue agree (KS-08, KS-09)."""

import hashlib
from collections.abc import Iterable, Mapping

import msgspec

from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.trading.control.venue_view import VenueView

CLEAN = "clean"
"""Desk and venue hold the same orders and positions."""
DIFFERS, LOTS = "differs: ", " lots at the desk"
LOG_LINES = 1_000
PARTS = (
    "journal.json", "state.json", "orders.json", "positions.json", "venue.json", "stacks.txt", "log.txt", "metrics.txt",
)  # fmt: skip
"""The files of a snapshot; one that could not be had says why in its place."""


@fact("forensic.snapshot")
class SnapshotTaken(Fact, frozen=True):
    """A stop was recorded: whoever re-arms cites `snapshot`. `taken_at` in ns UTC of the desk's wall clock.

    reconciliation  `clean`, `differs: ...` or `unknown: ...` at that time
    author          of the configuration in force, who may not sign the re-arm; None where nobody is known
    """

    snapshot: str
    incident: str
    taken_at: int
    journal_seq: int
    journal_head: str
    reasons: tuple[str, ...]
    reconciliation: str
    author: str | None = None


class Manifest(msgspec.Struct, frozen=True):
    """The files of a snapshot with their SHA-256; the hash of its own bytes names the snapshot."""

    schema: str
    desk: str
    incident: str
    taken_at: int
    files: dict[str, str]

    def encoded(self) -> bytes:
        """Return the canonical bytes."""
        return msgspec.json.encode(self, order="sorted")


def manifest_of(desk: str, incident: str, taken_at: int, files: Mapping[str, bytes]) -> Manifest:
    """Return the manifest over the parts of a snapshot."""
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    return Manifest("forensic@1", desk, incident, taken_at, hashes)


def name_of(manifest: bytes) -> str:
    """Return the snapshot's hash: the SHA-256 of its manifest's bytes, in hex."""
    return hashlib.sha256(manifest).hexdigest()


def agreement(orders: Iterable[str], positions: Mapping[str, int], venue: VenueView | None) -> str:
    """Compare the desk's working orders and its signed lots by instrument with the venue's; unknown is not clean."""
    if venue is None:
        return "unknown: no venue view"
    ours, theirs = set(orders), {one.client_order_id for one in venue.open_orders}
    held = {name: lots for name, lots in venue.positions.items() if lots}
    booked = {name: lots for name, lots in positions.items() if lots}
    found = [f"order {one} only at the desk" for one in sorted(ours - theirs)]
    found += [f"order {one} only at the venue" for one in sorted(theirs - ours)]
    for name in sorted(held.keys() | booked.keys()):
        if held.get(name, 0) != booked.get(name, 0):
            found.append(f"{name}: {booked.get(name, 0)}{LOTS}, {held.get(name, 0)} at the venue")
    return told(found)


def told(differences: Iterable[str]) -> str:
    """Return an agreement in words."""
    found = "; ".join(differences)
    return f"{DIFFERS}{found}" if found else CLEAN


def differences_in(agreement: str) -> tuple[str, ...]:
    """Return what an agreement says that differs, one by one."""
    return tuple(agreement.removeprefix(DIFFERS).split("; ")) if agreement.startswith(DIFFERS) else ()
