"""Diary and performance file by their variables, with a harness and without one (APP-14)."""

import json
from decimal import Decimal

import pytest
from desk_process import command, document, only_life, only_run, told

from tradeworthy.app.evidence.observed_run import observed_by
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.journal import read
from tradeworthy.operations.dry_run.audit.evidence import decisions_of


def run(place, **odd):
    done = command(
        "run", document(place, rows=300, desk="speed = 300000"), "--runs", place / "runs", **odd
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def diary_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_harness_s_paths_fill_diary_and_performance_and_its_label_marks_both(tmp_path):
    diary, performance = tmp_path / "d" / "diary.jsonl", tmp_path / "p" / "performance.json"
    run(tmp_path, FINAL_DRY_RUN_DIARY_PATH=str(diary), FINAL_DRY_RUN_PERFORMANCE_PATH=str(performance),
        FINAL_DRY_RUN_LABEL="rehearsal")  # fmt: skip
    entries = diary_of(diary)
    assert len(entries) == decisions_of(only_run(tmp_path / "runs") / "journal").count > 0
    assert {one["metadata"]["run_label"] for one in entries} == {"rehearsal"}
    written = json.loads(performance.read_text())
    assert (written["run_label"], written["status"]) == ("rehearsal", "running")
    assert written["aggregates"]["trades"] is not None
    begun = {one.name for one in told(only_life(tmp_path / "runs"), "runtime.workload_started")}
    assert "performance_writer" in begun


def test_a_desk_s_own_keys_win(tmp_path):
    names = ("own_diary", "own_performance", "their_diary", "their_performance")
    own_diary, own_performance, their_diary, their_performance = (tmp_path / name for name in names)
    run(tmp_path, DECISION_DIARY_PATH=str(own_diary), PERFORMANCE_METRICS_PATH=str(own_performance),
        FINAL_DRY_RUN_DIARY_PATH=str(their_diary), FINAL_DRY_RUN_PERFORMANCE_PATH=str(their_performance))  # fmt: skip
    assert diary_of(own_diary)
    assert json.loads(own_performance.read_text())["run_label"] is None
    assert not their_diary.exists()
    assert not their_performance.exists()


def test_without_a_variable_nothing_is_written_and_no_writer_runs(tmp_path):
    run(tmp_path)
    begun = {one.name for one in told(only_life(tmp_path / "runs"), "runtime.workload_started")}
    assert "performance_writer" not in begun


@pytest.mark.parametrize("key", ["DECISION_DIARY_PATH", "PERFORMANCE_METRICS_PATH", "FINAL_DRY_RUN_DIARY_PATH",
                                 "FINAL_DRY_RUN_PERFORMANCE_PATH"])  # fmt: skip
def test_any_of_the_paths_is_enough_and_prints_nothing_without_a_harness(tmp_path, key):
    said = []
    link = observed_by({key: str(tmp_path / "file")}, clock=EventClock(), capital=Decimal(1), emit=said.append)
    link.close("end")
    assert (tmp_path / "file").exists()
    assert (said, link.harnessed) == ([], False)
    assert (link.performance is not None) is ("PERFORMANCE" in key)


def test_a_label_alone_observes_nothing():
    assert observed_by({"FINAL_DRY_RUN_LABEL": "x"}, clock=EventClock(), capital=Decimal(1), emit=print) is None


def test_the_diary_cites_places_of_the_journal(tmp_path):
    diary = tmp_path / "diary.jsonl"
    run(tmp_path, DECISION_DIARY_PATH=str(diary))
    kinds = {event.seq: event.kind for event in read(only_run(tmp_path / "runs") / "journal")}
    assert all(kinds[one["journal_seq"]] == one["decision"]["kind"] for one in diary_of(diary))
