"""The real verb over real child processes, scaled to seconds (acceptance 1 to 6, 11; DR-03 to DR-12)."""

import gzip
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from dry_run_fixture import CHILD, Ran, ran, words

from tradeworthy.cli.main import call

ROOT = Path(__file__).resolve().parents[3]


def test_a_healthy_run_of_three_seconds_passes(tmp_path):
    run = ran(tmp_path, seconds=3.0)
    assert (run.code, run.codes, run.summary.status) == (0, [], "pass")
    assert run.summary.summary.metadata.actual_duration_seconds >= 3.0
    assert run.progress.phase == "complete"
    assert run.progress.exit_code == 0
    assert run.progress.sign_off == run.summary.sign_off
    assert run.logs.uptime_source == "heartbeat"
    assert run.summary.run_class == "rehearsal"
    assert [one.switch for one in run.summary.relaxations] == ["--no-diary-required", "--no-performance-required"]


def test_a_silent_tail_fails(tmp_path):
    run = ran(tmp_path, child=["silent@0.3"], seconds=2.5, beat="0.3")
    assert run.code == 2
    assert run.logs.uptime_ratio < 0.4
    assert run.codes == []


def test_a_runtime_that_never_speaks_alerts_and_fails(tmp_path):
    run = ran(tmp_path, "--live-gap-alert-minutes", "0.01", child=["silent@0"])
    assert run.code == 2
    assert "log.silence" in run.codes
    assert run.logs.uptime_ratio in (0.0, None)


def test_silence_opens_and_closes_episodes(tmp_path):
    run = ran(
        tmp_path, "--live-gap-alert-minutes", "0.025", "--minimum-uptime-ratio", "0", "--required-duration-hours",
        "0.0001", "--allow-warnings", child=["episodes=2@0"], seconds=60,
    )  # fmt: skip
    episodes = [(one.severity, one.state) for one in run.summary.incidents if one.code == "log.silence"]
    assert episodes == [("warn", "closed"), ("warn", "closed")]


def test_a_line_of_70_kb_is_whole_and_one_of_5_mb_is_cut_and_reported(tmp_path):
    run = ran(tmp_path, "--max-line-kib", "1024", child=["long=70000@0.2", "long=5000000@0.4"])
    longs = [one for one in run.lines() if "filler" in str(one["payload"].get("structured", ""))
             or one["payload"].get("truncated")]  # fmt: skip
    assert len(longs[0]["payload"]["structured"]["filler"]) == 70_000
    assert longs[1]["payload"]["original_bytes"] > 5_000_000
    assert len(longs[1]["payload"]["raw"]) == 1_048_576
    assert run.codes == ["log.line.truncated"]
    assert run.code == 1


def test_info_on_stderr_is_fine_and_plain_words_there_are_not(tmp_path):
    assert ran(tmp_path / "a", child=["info-on-stderr@0.2"]).code == 0
    assert ran(tmp_path / "b", child=["words-on-stderr@0.2"]).code == 2
    lenient = ran(tmp_path / "c", "--stderr-plain-severity", "warn", "--allow-warnings", child=["words-on-stderr@0.2"])
    assert lenient.code == 1


def test_errors_warnings_and_nested_traces_are_seen_live_and_by_the_audit(tmp_path):
    run = ran(tmp_path, child=["error@0.2", "warning@0.3", "trace@0.4"])
    assert run.code == 2
    assert run.codes == ["log.error", "log.warning", "log.stack_trace"]
    assert len(run.logs.errors) == 1
    assert len(run.logs.warnings) == 1
    assert len(run.logs.content_incidents) == 1
    quiet = ran(tmp_path / "q", "--no-log-monitor", child=["error@0.2"])
    assert (quiet.code, quiet.codes) == (2, [])


@pytest.mark.parametrize(("child", "codes"), [
    (["exit=3@0.5"], ["exit.early", "duration.short"]), (["exit=0@0.5"], ["duration.short"]),
])  # fmt: skip
def test_an_early_exit_fails_by_its_code_or_its_duration(tmp_path, child, codes):
    run = ran(tmp_path, child=child)
    assert (run.code, run.codes) == (2, codes)


def test_ignoring_sigint_is_not_a_failure_and_a_needed_sigkill_is_a_warning(tmp_path):
    started = time.monotonic()
    assert ran(tmp_path / "int", child=["ignore=int@0"], grace="1").code == 0
    killed = ran(tmp_path / "all", child=["ignore=all@0"], grace="1")
    assert (killed.code, killed.codes) == (1, ["shutdown.forced"])
    assert time.monotonic() - started < 40


def test_a_child_of_the_child_that_burns_memory_is_caught_and_does_not_survive(tmp_path):
    run = ran(
        tmp_path, "--max-memory-mb", "150", "--resource-sample-interval-minutes", "0.005", child=["memory=300@0.2"],
        seconds=4.0,
    )  # fmt: skip
    assert "resource.memory_mb" in run.codes
    assert run.code == 2
    assert run.summary.summary.metadata.resource_monitor.peak_memory_mb > 300
    assert not [one for one in psutil.process_iter(["cmdline"]) if "300000000" in (one.info["cmdline"] or [])]


def test_orphans_in_and_out_of_the_session_are_killed_and_told(tmp_path):
    run = ran(tmp_path, child=["orphan@0.2", "daemon@0.2"], seconds=3.0)
    assert "shutdown.orphans" in run.codes
    (told,) = [one for one in run.summary.incidents if one.code == "shutdown.orphans"]
    assert told.metadata.observed == 2
    assert run.code == 1


def test_a_flood_loses_no_line_over_rotated_segments(tmp_path):
    run = ran(tmp_path, "--log-rotate-hours", "0.0001", child=["flood=60000@0.2"], seconds=2.0)
    metadata = run.summary.summary.metadata
    printed = [one["payload"]["structured"]["n"] for one in run.lines() if one["event"] == "flood"]
    assert printed == list(range(60_000))
    assert len(metadata.structured_log_paths) > 2
    assert metadata.log_total_lines == len(run.lines()) == sum(one.lines for one in metadata.segments)
    assert all(one.structured_sha256 and one.raw_sha256 for one in metadata.segments)


def test_broken_bytes_are_replaced_and_counted(tmp_path):
    run = ran(tmp_path, child=["binary@0.2"])
    assert run.code == 0
    assert run.summary.summary.metadata.log_line_counts["invalid_utf8"] == 2


def test_a_secret_is_in_no_artefact(tmp_path, monkeypatch, capfd):
    canary = "correct-horse-battery-staple"
    monkeypatch.setenv("CANARY_TOKEN", canary)
    run = ran(
        tmp_path, "--metadata", f"note={canary}", "--progress-timeline-dir", str(tmp_path / "timeline"),
        "--compress-logs", child=["secret@0.2"],
    )  # fmt: skip
    captured = capfd.readouterr()
    assert canary not in captured.out + captured.err
    files = [one for one in tmp_path.rglob("*") if one.is_file()]
    assert len(files) >= 7
    for one in files:
        data = gzip.decompress(one.read_bytes()) if one.suffix == ".gz" else one.read_bytes()
        assert canary.encode() not in data, one
    assert run.summary.summary.metadata.log_total_lines > 3


def test_ctrl_c_leaves_130_and_every_artefact(tmp_path):
    def press():
        until = time.monotonic() + 40
        while time.monotonic() < until and not any(one.stat().st_size for one in (tmp_path / "logs").glob("*.jsonl")):
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    run = ran(tmp_path, seconds=60)
    assert run.code == 130
    assert run.progress.phase == "complete"
    assert run.progress.exit_code == 130
    assert "duration.short" in run.codes


def test_a_killed_harness_leaves_readable_logs_and_can_be_recovered(tmp_path):
    command = [sys.executable, "-m", "tradeworthy", *words(tmp_path, "--compress-logs", seconds=60)]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    state = tmp_path / "logs" / "run_state.json"
    until = time.monotonic() + 60
    log_bytes = 0
    while time.monotonic() < until and log_bytes < 200:
        time.sleep(0.1)
        log_bytes = sum(one.stat().st_size for one in (tmp_path / "logs").glob("*.jsonl.gz"))
    process.kill()
    process.wait()
    assert state.exists()
    for one in psutil.process_iter(["cmdline"]):
        if CHILD in (one.info["cmdline"] or []):
            one.kill()
    code = call(["final-dry-run", "--recover", str(tmp_path / "logs"), "--json-report", str(tmp_path / "summary.json")])
    run = Ran(tmp_path, code)
    assert code == 2
    assert run.codes == ["harness.cut_off", "duration.short"]
    assert run.progress.phase == "complete"
    assert run.logs.records > 10
    assert any(one.metadata.get("code") == "log.tail.truncated" for one in run.logs.content_incidents)


def test_required_evidence_that_was_not_named_is_refused_with_every_reason(tmp_path, capfd):
    folder = str(tmp_path / "logs")
    code = call(["final-dry-run", "--log-dir", folder, "--minimum-uptime-ratio", "1.5", "--", "no-such"])
    told = capfd.readouterr().err
    assert code == 3
    for part in ("--diary is required", "--performance is required", "--minimum-uptime-ratio", "'no-such'", "spawned"):
        assert part in told
    assert list(tmp_path.iterdir()) == []
    assert call(["final-dry-run", "--log-dir", str(tmp_path), "--metadata", "command=x", "--", "true"]) == 3
    assert call(["final-dry-run", "--log-dir", str(tmp_path), "--env", "novalue", "--", "true"]) == 3
    assert call(["final-dry-run", "--", "true"]) == 3
