"""A run looks after its journal: refused input, the sign of life, copies of checkpoints, and its health files."""

import base64
import json

import pytest

from tradeworthy.adapters.sentinel_file import SentinelFile
from tradeworthy.app import config
from tradeworthy.app.runs.folder import state_of
from tradeworthy.app.runs.journal_keeper import JournalKeeper
from tradeworthy.app.runs.runner import RunSession
from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.journal import JournalConflict, read
from tradeworthy.kernel.journal.integrity import SLOT_NANOS
from tradeworthy.trading.control import sentinel

GOOD = b"2017-01-01T%02d:00:00,1.05236,1.05253,1.05221,1.05227,12"
BAD = {
    "fields": b"2017-01-02T23:00:00,1,1,1",
    "time": b"yesterday,1,1,1,1,1",
    "absent": b"2017-01-02T23:00:00,1,,1,1,1",
    "infinite": b"2017-01-02T23:00:00,1,1,1,inf,1",
    "negative": b"2017-01-02T23:00:00,1,1,1,1,-1",
    "shape": b"2017-01-02T23:00:00,1,1,1,2,1",
    "bytes": b"2017-01-02T23:00:00,1,1,1,1,\xff",
}


def document(*, environment="backtest", steps=2_000):
    """Return a desk without strategies on a made market: one quote a second."""
    walk = {"ts": 1_704_153_600 * NANOS_PER_SECOND, "start": 110_000, "steps": steps, "step": 6.0, "spread": 10,
            "size_max": 1_000_000}  # fmt: skip
    return config.parse(
        {
            "schema": "desk@1", "desk": {"name": "made", "environment": environment, "capital": "1000000"},
            "tapes": [{"name": "made", "format": "synthetic", "instrument": "EURUSD.DEMO", "label": "synthetic",
                       "kind": "quotes", "seed": 11, "walk": walk}],
            "instances": [],
        }, origin="test",
    )  # fmt: skip


def bars(path, *lines, environment="paper", **desk):
    path.write_bytes(b"\n".join((b"Time,Open,High,Low,Close,Volume", *lines)))
    return config.parse(
        {
            "schema": "desk@1", "desk": {"name": "bars", "environment": environment, "capital": "1000000", **desk},
            "tapes": [{"name": "b", "format": "csv_bars", "instrument": "EURUSD.DEMO", "path": str(path),
                       "interval_seconds": 3600}],
            "instances": [], "venue": {"matching": "bars"},
        }, origin="test",
    )  # fmt: skip


@pytest.mark.parametrize("environment", ["paper", "backtest"])
def test_each_class_of_bad_input_is_quarantined_and_told_and_the_desk_runs_on(tmp_path, environment):
    good = [GOOD % hour for hour in range(10, 18)]
    lines = [*good[:4], *BAD.values(), *good[4:]]
    session = RunSession(bars(tmp_path / "b.csv", *lines, environment=environment), root=tmp_path / "runs")
    result = session.play()
    events = list(read(result.folder / "journal"))
    assert result.reason == "completed"
    assert sum(event.kind == "market.bar" for event in events) == len(good)
    records = [json.loads(line) for line in (result.folder / "journal" / "quarantine.jsonl").read_bytes().splitlines()]
    assert [base64.b64decode(one["bytes"]) for one in records] == list(BAD.values())
    assert {one["source"] for one in records} == {"tape.b"}
    told = [event.payload for event in events if event.kind == "input.quarantined"]
    assert [(one.source, one.reason, one.size, one.sha256) for one in told] == [
        (one["source"], one["reason"], one["size"], one["sha256"]) for one in records
    ]
    assert events[0].kind == "run.started"
    journal = b"".join(path.read_bytes() for path in (result.folder / "journal").glob("journal-*"))
    assert not any(raw in journal for raw in BAD.values())


def test_what_is_refused_before_the_first_row_is_told_after_the_start(tmp_path):
    session = RunSession(bars(tmp_path / "b.csv", BAD["time"], GOOD % 10), root=tmp_path / "runs")
    kinds = [event.kind for event in read(session.play().folder / "journal")]
    assert kinds[:2] == ["run.started", "input.quarantined"]


class Ticking(EventClock):
    """A clock that moves a little at each look."""

    def __init__(self, step):
        super().__init__(1_800_000_000 * NANOS_PER_SECOND)
        self.step = step

    def now(self):
        self.sleep(self.step)
        return super().now()


def test_a_paper_run_beats_once_in_each_slot_it_lives_in_and_writes_its_health(tmp_path):
    session = RunSession(
        document(environment="paper", steps=4_000), root=tmp_path, clock=Ticking(12 * NANOS_PER_SECOND)
    )
    folder = session.play().folder
    slots = [event.payload.slot for event in read(folder / "journal") if event.kind == "journal.heartbeat"]
    assert len(slots) > 3
    assert len(set(slots)) == len(slots)
    assert 0 <= slots[0] - 1_800_000_000 * NANOS_PER_SECOND // SLOT_NANOS < 100
    coverage = json.loads((folder / "continuity.json").read_text())
    assert coverage["present"] >= len(slots) - 1
    assert coverage["severity"] == "UNKNOWN"
    assert "recorded tape on event time" in coverage["note"]
    [report] = folder.glob("integrity-*.json")
    said = json.loads(report.read_text())
    assert report.name == f"integrity-{said['day']}.json"
    assert (said["severity"], said["gaps"], said["chain"]) == ("OK", [], "")
    assert said["events"] > 4_000


def test_checkpoints_are_copied_beside_the_desks_state(tmp_path):
    folder = RunSession(document(environment="paper", steps=2_000), root=tmp_path / "runs").play().folder
    own = {path.name: path.read_bytes() for path in (folder / "journal").glob("checkpoint-*")}
    copies = state_of(tmp_path / "runs", "made") / "checkpoints" / folder.name
    assert own
    assert {path.name: path.read_bytes() for path in copies.iterdir()} == own


def test_a_backtest_leaves_no_heartbeat_and_no_checkpoint(tmp_path):
    folder = RunSession(document(steps=2_000), root=tmp_path).play().folder
    assert not [event for event in read(folder / "journal") if event.kind == "journal.heartbeat"]
    assert not list((folder / "journal").glob("checkpoint-*"))


def test_a_conflict_in_the_journal_latches_a_stop(tmp_path, monkeypatch):
    from tradeworthy.trading.environment import Environment

    def conflicting(self, rows):
        raise JournalConflict("expected 'feed:1' as accepted at seq 1, found other bytes")

    monkeypatch.setattr(Environment, "steps", conflicting)
    session = RunSession(document(environment="paper", steps=2_000), root=tmp_path)
    with pytest.raises(JournalConflict):
        session.play()
    [held] = sentinel.decode(SentinelFile(state_of(tmp_path, "made") / "guard.bin").read())
    assert (held.owner, held.code, held.level.name) == ("journal", "conflict", "STOPPED")
    assert "feed:1" in held.evidence


def test_a_running_desk_judges_its_window_each_three_hundred_seconds(tmp_path):
    clock = EventClock(1_800_000_000 * NANOS_PER_SECOND)
    told = []
    keeper = JournalKeeper(document(environment="paper"), tmp_path, clock=clock, copies=tmp_path / "copies")
    keeper.begin(lambda fact, source, key: told.append((source, key)))
    for _ in range(29):
        clock.sleep(10 * NANOS_PER_SECOND)
        keeper.look()
        keeper.look()
    assert len(told) == len(set(told)) == 30
    assert not (tmp_path / "continuity.json").exists()
    clock.sleep(10 * NANOS_PER_SECOND)
    keeper.look()
    said = json.loads((tmp_path / "continuity.json").read_text())
    assert (said["present"], said["slots"]) == (30, 8_640)
    assert said["judged_at"] == clock.now()
