"""Snapshots come at their cadence, and a damaged one costs time, never state."""

import msgspec
import pytest

from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.journal.snapshot import (
    Snapshot,
    SnapshotPolicy,
    Snapshots,
    head_after,
    newest_snapshot,
    write_snapshot,
)

MINUTE = 60 * NANOS_PER_SECOND


def totals(directory, snapshot):
    """Fold bids by instrument, from a snapshot or from the first event."""
    state = {} if snapshot is None else msgspec.msgpack.decode(snapshot.state)
    for event in read(directory, start=1 if snapshot is None else snapshot.seq + 1):
        state[event.payload.instrument] = state.get(event.payload.instrument, 0) + event.payload.bid_lots
    return state


@pytest.mark.parametrize(
    ("seq", "minutes", "due"), [(99_999, 14, False), (100_000, 0, True), (1, 15, True), (0, 99, False)]
)
def test_a_snapshot_is_due_after_events_or_time(tmp_path, seq, minutes, due):
    clock = EventClock(0)
    snapshots = Snapshots(tmp_path, clock)
    clock.sleep(minutes * MINUTE)
    found = snapshots.offer(seq, "h", lambda: b"state")
    assert (found is not None) == due
    assert snapshots.offer(seq, "h", lambda: pytest.fail("not due again")) is None


def test_state_is_encoded_only_when_it_is_due(tmp_path):
    clock = EventClock(0)
    snapshots = Snapshots(tmp_path, clock, seq=50, policy=SnapshotPolicy(events=10))
    assert snapshots.offer(59, "h", lambda: pytest.fail("encoded too early")) is None
    assert snapshots.offer(60, "h", lambda: b"x") == tmp_path / f"snapshot-{60:020d}.bin"


@pytest.fixture
def place(tmp_path, opened, quote_event):
    """A journal of 1 000 events with a snapshot each 300."""
    directory = tmp_path / "j"
    journal = opened(directory, batch_events_max=50, segment_bytes_max=60_000)
    snapshots = Snapshots(directory, EventClock(0), policy=SnapshotPolicy(events=300))
    state = {}
    for n in range(1, 1_001):
        event = quote_event(n)
        journal.accept(event)
        state["ABC.SIM"] = state.get("ABC.SIM", 0) + event.payload.bid_lots
        if n % 50 == 0:
            snapshots.offer(journal.commit(), journal.head, lambda: msgspec.msgpack.encode(state))
    journal.close()
    return directory, state


def test_the_newest_snapshot_and_the_rest_of_the_journal_give_the_state(place):
    directory, state = place
    assert [path.name[-8:] for path in sorted(directory.glob("snapshot-*"))] == ["0300.bin", "0600.bin", "0900.bin"]
    snapshot, warnings = newest_snapshot(directory)
    assert (snapshot.seq, warnings) == (900, ())
    assert totals(directory, snapshot) == state


@pytest.mark.parametrize("at", [0, 31, 32, 40, -1])
def test_a_flipped_byte_in_the_newest_gives_the_same_state_and_one_warning(place, at):
    directory, state = place
    newest = max(directory.glob("snapshot-*"))
    data = bytearray(newest.read_bytes())
    data[at] ^= 1
    newest.write_bytes(data)
    snapshot, warnings = newest_snapshot(directory)
    assert snapshot.seq == 600
    assert len(warnings) == 1
    assert newest.name in warnings[0]
    assert totals(directory, snapshot) == state
    assert newest.read_bytes() == data, "it is evidence and stays"


def test_without_a_good_snapshot_the_state_is_rebuilt_from_the_journal(place):
    directory, state = place
    for path in directory.glob("snapshot-*"):
        path.write_bytes(path.read_bytes()[:10])
    snapshot, warnings = newest_snapshot(directory)
    assert (snapshot, len(warnings)) == (None, 3)
    assert totals(directory, snapshot) == state


def test_a_snapshot_of_another_journal_is_skipped(place):
    directory, _ = place
    write_snapshot(directory, Snapshot(950, "0" * 64, b""))
    write_snapshot(directory, Snapshot(975, head_after(directory, 950), b""))
    snapshot, warnings = newest_snapshot(directory)
    assert snapshot.seq == 900
    assert len(warnings) == 2


def test_a_snapshot_is_never_written_twice(place):
    directory, _ = place
    with pytest.raises(FileExistsError, match="never edited in place"):
        write_snapshot(directory, Snapshot(900, "h", b""))


@pytest.mark.parametrize(("seq", "known"), [(50, True), (51, False), (1_000, True), (1_050, False), (0, False)])
def test_a_head_stands_where_a_batch_ends(place, seq, known):
    assert (head_after(place[0], seq) is not None) == known
