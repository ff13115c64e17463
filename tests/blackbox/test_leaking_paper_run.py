"""A desk that leaks under its guardian is stopped, and the report says by how much (PPR-05, PPR-02)."""

import json

from desk_process import command, document


def test_a_leak_fails_the_paper_run_and_stops_it(tmp_path):
    config, report = document(tmp_path, rows=100_000, desk="speed = 2000"), tmp_path / "report.json"
    done = command(
        "paper-run", config, "--runs", tmp_path / "runs", "--fault", "desk:leak@1", "--memory-growth-max", "40",
        "--memory-warmup-minutes", "0.02", "--progress-interval", "0.2", "--minimum-runtime-hours", "0",
        "--report-path", report, "--json",
    )  # fmt: skip
    assert done.returncode == 2, done.stdout + done.stderr[-3_000:]
    told = json.loads(report.read_text())
    assert told == json.loads(done.stdout)
    assert told["status"] == "failed"
    assert [one["code"] for one in told["breaches"]] == ["memory.growth"]
    assert told["metrics"]["objective_compliance"]["memory_growth_max_mb"] is False
    assert any("memory grew" in reason for reason in told["stop_reasons"])


def test_without_the_leak_the_same_limit_is_kept(tmp_path):
    config, report = document(tmp_path, rows=100_000, desk="speed = 2000"), tmp_path / "report.json"
    done = command(
        "paper-run", config, "--runs", tmp_path / "runs", "--memory-growth-max", "400", "--duration-hours", "0.001",
        "--memory-warmup-minutes", "0.02", "--progress-interval", "0.2", "--minimum-runtime-hours", "0",
        "--report-path", report, "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr[-3_000:]
    assert json.loads(report.read_text())["status"] == "completed"
