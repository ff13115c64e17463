"""A paper run keeps what its desk knows beside the journal; a damaged snapshot is skipped (JR-16)."""

import msgspec
from soak_runs import document

from tradeworthy.app.bootstrap import build_desk
from tradeworthy.app.halting.guard_memory import RunSnapshot
from tradeworthy.app.runs.runner import RunSession, journal_of, replay_run
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.journal.snapshot import SnapshotPolicy, newest_snapshot
from tradeworthy.trading.replay import replay

EACH = SnapshotPolicy(events=1_000)


def played(root, environment="paper"):
    wanted = document(environment=environment, steps=2_500)
    return wanted, RunSession(wanted, root=root, clock=EventClock(), cadence=EACH).play()


def told(wanted, folder, until):
    """Return what a desk knows that folds the journal up to `until` anew."""
    desk = build_desk(wanted)
    last = None

    def events():
        nonlocal last
        for event in read(journal_of(folder), stop=until + 1):
            last = event
            yield event

    replay(events(), desk)
    return desk.memory.told(folder.name, until, last.ts_init)


def test_a_snapshot_is_what_the_journal_folds_to_and_a_damaged_one_is_skipped(tmp_path):
    wanted, run = played(tmp_path)
    paths = sorted(journal_of(run.folder).glob("snapshot-*.bin"))
    assert len(paths) >= 2
    newest, warnings = newest_snapshot(journal_of(run.folder))
    assert (warnings, newest.seq) == ((), int(paths[-1].stem.split("-")[1]))
    found = msgspec.json.decode(newest.state, type=RunSnapshot).memory
    assert found == told(wanted, run.folder, newest.seq)
    damaged = bytearray(paths[-1].read_bytes())
    damaged[40] ^= 1
    paths[-1].write_bytes(bytes(damaged))
    older, warnings = newest_snapshot(journal_of(run.folder))
    assert len(warnings) == 1
    assert msgspec.json.decode(older.state, type=RunSnapshot).memory == told(wanted, run.folder, older.seq)
    assert replay_run(run.folder).ok


def test_a_backtest_leaves_no_snapshot(tmp_path):
    _, run = played(tmp_path, "backtest")
    assert list(journal_of(run.folder).glob("snapshot-*")) == []
