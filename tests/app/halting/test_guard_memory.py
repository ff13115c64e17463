"""What a start takes over of the guard: of each reason the worse of journal and sentinel (GRD-05)."""

import pytest
from soak_runs import document

from tradeworthy.adapters.sentinel_file import SentinelFile
from tradeworthy.app.halting import guard_memory as guard_memory_room
from tradeworthy.app.halting.guard_memory import GUARD_FILE, guard_memory, held_at_start
from tradeworthy.app.runs.folder import state_of
from tradeworthy.app.runs.last_run import remember
from tradeworthy.app.runs.runner import RunSession
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.journal.snapshot import SnapshotPolicy, newest_snapshot
from tradeworthy.trading.control import sentinel
from tradeworthy.trading.control.guard import HeldReason
from tradeworthy.trading.model import GuardLevel

NOW = 2 * 10**18
STOP = HeldReason("operator", "kill", GuardLevel.STOPPED, "desk", 5, None, "ann: drill")


@pytest.fixture
def state(tmp_path):
    return state_of(tmp_path, "made")


def play(root):
    return RunSession(document(environment="paper", steps=1_200), root=root, clock=EventClock()).play()


def stops(root, state):
    held = held_at_start(root, state, now=NOW)
    return [f"{one.owner}.{one.code}" for one in held if one.level is GuardLevel.STOPPED]


def test_a_first_start_remembers_nothing(tmp_path, state):
    assert held_at_start(tmp_path, state, now=NOW) == ()


def test_a_stop_from_before_the_first_start_counts(tmp_path, state):
    guard_memory(state).write(sentinel.encode((STOP,)))
    assert held_at_start(tmp_path, state, now=NOW) == (STOP,)


def test_a_run_leaves_a_sentinel_though_nothing_happened_and_without_it_the_next_start_is_stopped(tmp_path, state):
    play(tmp_path)
    assert stops(tmp_path, state) == []
    (state / GUARD_FILE).unlink()
    assert stops(tmp_path, state) == ["supervision.guard_memory"]
    assert play(tmp_path).guard == "stopped"


@pytest.mark.parametrize("record", [b"", b"torn", b"0" * 64 + b"\n[]"])
def test_an_unreadable_sentinel_starts_stopped(tmp_path, state, record):
    play(tmp_path)
    SentinelFile(state / GUARD_FILE).write(record)
    assert stops(tmp_path, state) == ["supervision.guard_memory"]


def test_an_unreadable_journal_starts_stopped(tmp_path, state):
    run = play(tmp_path)
    segment = sorted((run.folder / "journal").glob("journal-*"))[0]
    segment.write_bytes(segment.read_bytes().replace(b"kind", b"kimd", 5))
    assert stops(tmp_path, state) == ["supervision.guard_memory"]


def test_a_stop_that_only_the_journal_knows_is_not_forgotten(tmp_path, state):
    guard_memory(state).write(sentinel.encode((STOP,)))
    assert play(tmp_path).guard == "stopped"
    guard_memory(state).write(sentinel.encode(()))
    (held,) = held_at_start(tmp_path, state, now=NOW)
    assert (held.code, held.since) == ("kill", NOW)


def test_a_start_reads_the_last_journal_from_its_newest_snapshot_on(tmp_path, state, monkeypatch):
    guard_memory(state).write(sentinel.encode((STOP,)))
    cadence = SnapshotPolicy(events=1_000)
    wanted = document(environment="paper", steps=2_500)
    run = RunSession(wanted, root=tmp_path, clock=EventClock(), cadence=cadence).play()
    guard_memory(state).write(sentinel.encode(()))
    journal = run.folder / "journal"
    newest, _ = newest_snapshot(journal)
    starts = []

    def reading(directory, *, start=1):
        starts.append(start)
        return read(directory, start=start)

    monkeypatch.setattr(guard_memory_room, "read", reading)
    assert stops(tmp_path, state) == ["operator.kill"]
    assert starts[0] == newest.seq + 1 > 1_000
    for one in journal.glob("snapshot-*.bin"):
        one.write_bytes(b"damaged")
    assert stops(tmp_path, state) == ["operator.kill"]
    assert starts[-1] == 1


def test_a_stop_that_only_the_sentinel_knows_is_not_forgotten(tmp_path, state):
    play(tmp_path)
    guard_memory(state).write(sentinel.encode((STOP,)))
    assert held_at_start(tmp_path, state, now=NOW) == (STOP,)


def test_what_a_start_finds_for_itself_is_not_carried_over(tmp_path, state):
    own = [HeldReason(owner, "x", GuardLevel.PAUSED, "desk", 5) for owner in ("config", "catalogue", "shutdown")]
    guard_memory(state).write(sentinel.encode((*own, STOP)))
    assert held_at_start(tmp_path, state, now=NOW) == (STOP,)


def test_a_run_whose_folder_was_taken_away_leaves_its_sentinel(tmp_path, state):
    remember(state, tmp_path / "gone")
    guard_memory(state).write(sentinel.encode((STOP,)))
    assert held_at_start(tmp_path, state, now=NOW) == (STOP,)


def test_a_backtest_hears_no_kill(tmp_path, state):
    guard_memory(state).write(sentinel.encode((STOP,)))
    session = RunSession(document(environment="backtest", steps=600), root=tmp_path, clock=EventClock())
    assert session.play().guard == "running"
