"""Take a forensic snapshot of a stopped desk into a folder that is named by its content (KS-08)."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.host import rss_bytes
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.supervision.stacks import thread_stack
from tradeworthy.trading.control import forensic
from tradeworthy.trading.control.forensic import LOG_LINES, Manifest, SnapshotTaken
from tradeworthy.trading.control.guard import HeldReason
from tradeworthy.trading.control.venue_view import OpenOrder, VenueView
from tradeworthy.trading.desk import Desk
from tradeworthy.trading.model import GuardLevel
from tradeworthy.trading.simulation.emergency import protects
from tradeworthy.trading.simulation.venue import SimulatedVenue

FORENSICS = "forensics"
"""Where a desk's state keeps its snapshots."""
MANIFEST, NEWEST, AGREEMENT = "manifest.json", "newest.json", "agreement.txt"
FRAMES_MAX = 50


class Forensics:
    """Take snapshots of one run's desk.

    journal       returns the last seq and the head of the chain
    venue         returns what the venue shows, None where nobody can be asked
    log_lines     returns the newest log lines, oldest first;  metrics  the exposition text;  clock_offset  seconds
    author        of the configuration in force, None where nobody is known
    """

    def __init__(
        self, state: Path, *, name: str, run: str, config_hash: str, clock: Clock, desk: Desk,
        journal: Callable[[], tuple[int, str]], venue: Callable[[], VenueView | None],
        log_lines: Callable[[], Sequence[bytes]] | None = None, metrics: Callable[[], str] | None = None,
        clock_offset: Callable[[], float | None] | None = None, author: str | None = None,
    ) -> None:  # fmt: skip
        self._folder = state / FORENSICS
        self._name, self._run, self._config_hash, self._clock, self._desk = name, run, config_hash, clock, desk
        self._journal, self._venue, self._author = journal, venue, author
        self._log_lines, self._metrics, self._clock_offset = log_lines, metrics, clock_offset

    def take(self) -> SnapshotTaken:
        """Write a snapshot of the desk as it stands between two events, and return what names it."""
        taken_at = self._clock.now()
        seq, head = self._journal()
        view = self._venue()
        incident = f"INC-{datetime.fromtimestamp(taken_at // NANOS_PER_SECOND, UTC):%Y%m%dT%H%M%SZ}"
        files = self._parts(seq, head, view)
        manifest = forensic.manifest_of(self._name, incident, taken_at, files).encoded()
        name = forensic.name_of(manifest)
        folder = self._folder / name
        folder.mkdir(parents=True, exist_ok=True)
        for part, data in files.items():
            write_durably(folder / part, data)
        write_durably(folder / MANIFEST, manifest)
        taken = SnapshotTaken(
            name, incident, taken_at, seq, head, stops_of(self._desk.guard.reasons()), self._agreement(view),
            self._author,
        )
        write_durably(self._folder / NEWEST, msgspec.json.encode(taken, order="sorted"))
        self.note(taken.reconciliation)
        return taken

    def reconciliation(self) -> str:
        """Compare desk and venue now."""
        return self._agreement(self._venue())

    def note(self, agreement: str) -> None:
        """Keep the newest comparison for whoever asks when this process is gone."""
        self._folder.mkdir(parents=True, exist_ok=True)
        write_durably(self._folder / AGREEMENT, agreement.encode())

    def _agreement(self, view: VenueView | None) -> str:
        lots: Counter[str] = Counter()
        for one in self._desk.ledger.positions():
            lots[one.instrument] += one.lots
        live = [one.client_order_id for one in self._desk.execution.orders.all_live()]
        return forensic.agreement(live, lots, view)

    def _parts(self, seq: int, head: str, view: VenueView | None) -> dict[str, bytes]:
        desk = self._desk
        memory = msgspec.json.encode(desk.memory.told(self._run, seq, desk.now))
        orders = [
            {
                "client_order_id": one.client_order_id, "instance": one.instance, "instrument": one.instrument,
                "side": one.side.name, "price": one.price, "lots": one.lots, "cum_lots": one.cum_lots,
                "state": one.state.name, "created_at": one.created_at,
            }
            for one in desk.execution.orders.all_live()
        ]  # fmt: skip
        offset = None if self._clock_offset is None else self._clock_offset()
        unknown = "unknown: nobody measures it"
        state = {
            "run": self._run, "ledger_digest": desk.ledger.state_hash(), "memory": msgspec.Raw(memory),
            "configuration_hash": self._config_hash, "desk_time": desk.now, "guard": desk.guard.reasons(),
            "clock_offset_seconds": unknown if offset is None else offset, "rss_bytes": rss_bytes(),
        }  # fmt: skip
        lines = None if self._log_lines is None else b"\n".join(self._log_lines()[-LOG_LINES:])
        return {
            "journal.json": _json({"seq": seq, "head": head}), "state.json": _json(state),
            "orders.json": _json(orders),
            "positions.json": _json(desk.ledger.positions()),
            "venue.json": _json("unknown: no venue view" if view is None else view),
            "stacks.txt": _stacks().encode(),
            "log.txt": b"unknown: no log is kept in this process" if lines is None else lines,
            "metrics.txt": b"unknown: no metrics are kept in this process" if self._metrics is None
            else self._metrics().encode(),
        }  # fmt: skip


def newest(state: Path) -> SnapshotTaken | None:
    """Return the newest snapshot of a desk, None where none was taken or its note cannot be read."""
    try:
        return msgspec.json.decode((state / FORENSICS / NEWEST).read_bytes(), type=SnapshotTaken)
    except (OSError, msgspec.MsgspecError):
        return None


def noted_agreement(state: Path) -> str:
    """Return how desk and venue compared when the last process looked; unknown where none did."""
    try:
        return (state / FORENSICS / AGREEMENT).read_text()
    except OSError:
        return "unknown: no process compared desk and venue"


def verify(folder: Path) -> list[str]:
    """Recompute every hash of a snapshot from its files and return what does not fit; raises `UsageError`."""
    try:
        data = (folder / MANIFEST).read_bytes()
        manifest = msgspec.json.decode(data, type=Manifest)
    except (OSError, msgspec.MsgspecError) as problem:
        raise UsageError(f"expected a forensic snapshot in {folder}, found {problem}") from None
    faults = [] if forensic.name_of(data) == folder.name else ["the folder is not named by its manifest"]
    held = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name != MANIFEST}
    found = forensic.manifest_of(manifest.desk, manifest.incident, manifest.taken_at, held).files
    for name in sorted(found.keys() | manifest.files.keys()):
        if found.get(name) != manifest.files.get(name):
            faults.append(f"{name} is not what the manifest names")
    return faults


def stops_of(held: Sequence[HeldReason]) -> tuple[str, ...]:
    """Return the stops in force by owner, code and scope."""
    return tuple(sorted(f"{r.owner}.{r.code}@{r.scope}" for r in held if r.level is GuardLevel.STOPPED))


def view_of(venue: SimulatedVenue, at: int, ts: int) -> VenueView:
    """Return what a venue in this process shows; `at` of the wall clock, `ts` of the desk, in ns UTC."""
    resting = [
        OpenOrder(
            one.client_order_id, one.instance, one.instrument, int(one.side), one.leaves, one.venue_order_id,
            protective=protects(one), reduce_only=one.reduce_only,
        )
        for one in venue.open_orders()
    ]
    coming = [
        OpenOrder(
            one.client_order_id, one.instance, one.instrument, int(one.side), one.lots, under_way=True,
            reduce_only=one.reduce_only,
        )
        for one in venue.wire.submits()
    ]
    return VenueView(at, ts, (*resting, *coming), {name: lots for name, lots in venue.positions().items() if lots})


def _json(value: Any) -> bytes:
    return msgspec.json.encode(value, order="sorted")


def _stacks() -> str:
    lines: list[str] = []
    for thread in threading.enumerate():
        lines += [f"thread {thread.name}", *thread_stack(thread, FRAMES_MAX), ""]
    return str(redact("\n".join(lines)))
