"""A desk under observation: heartbeats of its own loop, a diary that agrees with the journal, one schema."""

import json
from decimal import Decimal

import msgspec
from desk_process import document

from tradeworthy.app import config
from tradeworthy.app.evidence.observed_run import observed_by
from tradeworthy.app.runs.runner import RunSession
from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock, SystemClock
from tradeworthy.kernel.journal import read
from tradeworthy.operations.dry_run.audit.diary import DiaryPolicy, audit_diary
from tradeworthy.operations.dry_run.audit.evidence import decisions_of
from tradeworthy.operations.dry_run.audit.performance import audit_performance
from tradeworthy.operations.dry_run.model import Status


def test_nobody_observes_a_desk_that_no_harness_started():
    assert observed_by({}, clock=EventClock(), capital=Decimal(1), emit=print) is None


def test_a_desk_keeps_a_diary_that_agrees_with_its_journal_and_a_performance_file_that_is_read(tmp_path):
    said = []
    environment = {
        "FINAL_DRY_RUN_RUN_ID": "r", "FINAL_DRY_RUN_DIARY_PATH": str(tmp_path / "diary.jsonl"),
        "FINAL_DRY_RUN_PERFORMANCE_PATH": str(tmp_path / "performance.json"), "FINAL_DRY_RUN_HEARTBEAT_SECONDS": "0.01",
    }  # fmt: skip
    loaded = config.load(document(tmp_path, rows=600), overrides={})
    session = RunSession(loaded, root=tmp_path / "runs")
    clock = SystemClock()
    link = observed_by(environment, clock=clock, capital=session.capital, emit=said.append)
    waiting = json.loads((tmp_path / "performance.json").read_bytes())
    assert (waiting["status"], waiting["aggregates"]) == ("waiting", None)
    result = session.play(progress=link.on_progress, observe=link.on_event)
    link.close(result.reason)
    journal = result.folder / "journal"
    counted = decisions_of(journal)
    section = audit_diary(tmp_path / "diary.jsonl", DiaryPolicy(), now=clock.now(), journal=counted)
    assert counted.count == section.total_entries > 0
    assert [one.reason for one in section.issues if one.severity is Status.FAIL] == []
    seqs = [msgspec.json.decode(line)["journal_seq"] for line in (tmp_path / "diary.jsonl").read_bytes().splitlines()]
    kinds = {event.seq: event.kind for event in read(journal)}
    assert all(kinds[seq] in ("intent.approved", "intent.refused", "strategy.abstained") for seq in seqs)
    performance = audit_performance(tmp_path / "performance.json", now=clock.now())
    assert performance.roi is not None
    assert performance.status in (Status.PASS, Status.WARN)
    lines = [json.loads(one) for one in said]
    beats = [one["seq"] for one in lines if one["event"] == "heartbeat"]
    assert beats == list(range(1, len(beats) + 1))
    assert (lines[0]["event"], lines[-1]["event"]) == ("startup", "shutdown")


def test_a_loop_that_handles_no_event_does_not_beat():
    clock, said = EventClock(), []
    link = observed_by({"FINAL_DRY_RUN_RUN_ID": "r"}, clock=clock, capital=Decimal(1), emit=said.append)
    clock.advance_to(3_600 * NANOS_PER_SECOND)
    assert len(said) == 1
    link.close("end")
    assert [json.loads(one)["event"] for one in said] == ["startup", "shutdown"]
