"""A log that living evidence cites is never rotated away, in a running desk too (LOG-02)."""

import hashlib
import json

from ingesting_scene import document, process

from tradeworthy.app.evidence.citations import Citations, citations_of
from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.kernel.telemetry.log_files import DailyFile
from tradeworthy.kernel.telemetry.log_lines import LogLine

DAY = NANOS_PER_DAY


def line(day):
    data = json.dumps({"timestamp": f"2026-01-{day:02}T12:00:00.000000Z", "event": f"day {day}"}).encode()
    return LogLine(20, (20_453 + day) * DAY, "tradeworthy", f"day {day}", data)


def cite(folder, digest, name="bundle-1/manifest.json"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"files": [{"path": "logs/old.jsonl", "sha256": digest}]}))
    return path


def test_a_file_is_cited_by_its_digest_and_by_no_name(tmp_path):
    log = tmp_path / "old.jsonl"
    log.write_bytes(b"{}\n")
    digest = hashlib.sha256(b"{}\n").hexdigest()
    register = Citations((tmp_path / "evidence", tmp_path / "absent"))
    assert not register(log)
    bundle = cite(tmp_path / "evidence", "0" * 64)
    assert not register(log)
    bundle.write_text(json.dumps({"files": {digest: {}}}))
    assert register(log)
    bundle.unlink()
    assert not register(log)


def test_evidence_gates_and_drills_beside_a_desk_count_and_folders_that_are_named(tmp_path):
    log = tmp_path / "old.jsonl"
    log.write_bytes(b"x")
    digest = hashlib.sha256(b"x").hexdigest()
    root, state = tmp_path / "runs", tmp_path / "runs" / "state" / "made"
    for place in (root / "evidence", root / "gates", state / "drills", tmp_path / "vault"):
        kept = cite(place, digest)
        assert citations_of(root, state, (str(tmp_path / "vault"),))(log)
        kept.unlink()
    assert not citations_of(root, state)(log)


def test_nine_days_leave_a_cited_file_beside_the_seven(tmp_path):
    register = Citations((tmp_path / "evidence",))
    file = DailyFile(tmp_path / "logs", "desk.jsonl", kept=7, cited=register)
    for day in range(1, 10):
        file.write([line(day)])
        if day == 2:
            (first,) = file.rotated()
            cite(tmp_path / "evidence", hashlib.sha256(first.read_bytes()).hexdigest())
    for day in range(10, 12):
        file.write([line(day)])
    kept = file.rotated()
    file.close()
    assert first in kept
    assert len(kept) == 8


def test_a_folder_that_cannot_be_read_keeps_the_file(tmp_path):
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "torn.json").write_text("{")
    file = DailyFile(tmp_path / "logs", "desk.jsonl", kept=1, cited=Citations((tmp_path / "evidence",)))
    for day in range(1, 5):
        file.write([line(day)])
    assert len(file.rotated()) == 3
    file.close()


def test_a_running_desk_asks_the_register_before_it_deletes(tmp_path):
    one = process(tmp_path, document(runtime={"evidence": [str(tmp_path / "vault")]}))
    log = tmp_path / "x.jsonl"
    log.write_bytes(b"x")
    cite(tmp_path / "vault", hashlib.sha256(b"x").hexdigest())
    (sink,) = [outlet._sink for outlet in one.logs._outlets if outlet.name == "file"]
    assert sink._cited(log)
    one.discard()
