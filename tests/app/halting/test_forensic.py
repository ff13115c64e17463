"""KS-08: the snapshot of a stop holds what is named, is named by its content, and is checked from its files."""

import hashlib
import json

import pytest
from soak_runs import document

from tradeworthy.app.halting.forensic import FORENSICS, MANIFEST, Forensics, newest, noted_agreement, stops_of, verify
from tradeworthy.app.runs.folder import state_of
from tradeworthy.app.runs.runner import RunSession, journal_of
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.journal import read
from tradeworthy.trading.control.forensic import PARTS, SnapshotTaken, agreement
from tradeworthy.trading.control.venue_view import OpenOrder, VenueView
from tradeworthy.trading.model import GuardLevel, GuardReason

NOW = 1_800_000_000 * 10**9
EMPTY = VenueView(NOW, NOW, (), {})


@pytest.fixture
def desk(tmp_path):
    session = RunSession(document(environment="paper", steps=1_200), root=tmp_path, clock=EventClock(NOW))
    session.play()
    desk = session._desk
    desk.guard.set(GuardReason("operator", "kill", GuardLevel.STOPPED), 5)
    return desk


def forensics(tmp_path, desk, **odd):
    usual = {"name": "made", "run": "made-1", "config_hash": "c" * 64, "clock": EventClock(NOW), "desk": desk,
             "journal": lambda: (7, "h" * 64), "venue": lambda: None}  # fmt: skip
    return Forensics(state_of(tmp_path, "made"), **(usual | odd))


def part(folder, name):
    return json.loads((folder / name).read_bytes())


def test_it_holds_every_part_and_says_what_could_not_be_had(tmp_path, desk):
    taken = forensics(tmp_path, desk).take()
    folder = state_of(tmp_path, "made") / FORENSICS / taken.snapshot
    assert {path.name for path in folder.iterdir()} == {MANIFEST, *PARTS}
    assert part(folder, "journal.json") == {"seq": 7, "head": "h" * 64}
    state = part(folder, "state.json")
    assert (state["configuration_hash"], state["ledger_digest"]) == ("c" * 64, desk.ledger.state_hash())
    assert state["clock_offset_seconds"].startswith("unknown")
    assert part(folder, "venue.json").startswith("unknown")
    assert b"unknown" in (folder / "log.txt").read_bytes()
    assert b"MainThread" in (folder / "stacks.txt").read_bytes()
    assert taken.reasons == ("operator.kill@desk",)
    assert taken.reconciliation.startswith("unknown")
    assert newest(state_of(tmp_path, "made")) == taken


def test_it_keeps_the_newest_thousand_log_lines_the_metrics_and_the_offset(tmp_path, desk):
    lines = [b"line %d" % number for number in range(1_500)]
    taken = forensics(
        tmp_path, desk, log_lines=lambda: lines, metrics=lambda: "guard_state 3\n", clock_offset=lambda: 0.25,
        author="dan",
    ).take()  # fmt: skip
    folder = state_of(tmp_path, "made") / FORENSICS / taken.snapshot
    assert (folder / "log.txt").read_bytes().splitlines() == lines[-1_000:]
    assert (folder / "metrics.txt").read_text() == "guard_state 3\n"
    assert part(folder, "state.json")["clock_offset_seconds"] == 0.25
    assert taken.author == "dan"


def test_its_name_is_the_hash_of_its_manifest_and_every_altered_byte_shows(tmp_path, desk):
    taken = forensics(tmp_path, desk).take()
    folder = state_of(tmp_path, "made") / FORENSICS / taken.snapshot
    assert hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest() == taken.snapshot
    assert verify(folder) == []
    for name in (*PARTS, MANIFEST):
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]) if name != MANIFEST else whole + b" ")
        assert verify(folder) != []
        (folder / name).write_bytes(whole)
    (folder / "more.txt").write_bytes(b"")
    assert verify(folder) == ["more.txt is not what the manifest names"]
    (folder / "more.txt").unlink()
    (folder / PARTS[0]).unlink()
    assert verify(folder) == [f"{PARTS[0]} is not what the manifest names"]
    with pytest.raises(UsageError, match="forensic snapshot"):
        verify(tmp_path)


def test_a_run_that_starts_stopped_takes_one_snapshot_and_the_next_run_cites_the_same(tmp_path):
    first = RunSession(document(environment="paper", steps=1_200), root=tmp_path, clock=EventClock(NOW))
    first._desk.guard.set(GuardReason("operator", "kill", GuardLevel.STOPPED), 5)
    taken = [event.payload for event in read(journal_of(first.play().folder)) if event.kind == "forensic.snapshot"]
    assert len(taken) == 1
    assert isinstance(taken[0], SnapshotTaken)
    assert noted_agreement(state_of(tmp_path, "made")) == "clean"


@pytest.mark.parametrize(
    ("orders", "positions", "view", "word"),
    [
        ((), {}, EMPTY, "clean"),
        (("a",), {"X": 3}, VenueView(NOW, NOW, (OpenOrder("a", "i", "X", 1, 1),), {"X": 3}), "clean"),
        ((), {"X": 0}, EMPTY, "clean"),
        ((), {}, None, "unknown"),
        (("a",), {}, EMPTY, "order a only at the desk"),
        ((), {}, VenueView(NOW, NOW, (OpenOrder("a", "i", "X", 1, 1),), {}), "order a only at the venue"),
        ((), {"X": 3}, VenueView(NOW, NOW, (), {"X": -3}), "X: 3 lots at the desk, -3 at the venue"),
        ((), {"X": 3}, EMPTY, "X: 3 lots at the desk, 0 at the venue"),
    ],
)
def test_desk_and_venue_agree_only_when_every_order_and_position_does(orders, positions, view, word):
    assert word in agreement(orders, positions, view)


def test_only_stops_are_named(desk):
    desk.guard.set(GuardReason("bus", "outage", GuardLevel.PAUSED), 5)
    assert stops_of(desk.guard.reasons()) == ("operator.kill@desk",)
