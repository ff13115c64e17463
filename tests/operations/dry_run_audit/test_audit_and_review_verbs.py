"""The verbs on real files in processes of their own: exit codes, formats, and that there is always a summary."""

import json
import os
import subprocess
import sys
from pathlib import Path

import audit_logs as logs
import pytest

SOURCE = Path(__file__).resolve().parents[3] / "src"
HOURS = 72


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    """Three healthy days: log with beats each 10 s, diary each 10 min, performance file."""
    folder = tmp_path_factory.mktemp("run")
    end = HOURS * 3_600
    logs.write(folder / "log.jsonl", [logs.beat(n, n // 10) for n in range(0, end + 1, 10)])
    entries = [{"entry_id": f"e{n}", "recorded_at": logs.at(n), "policy_id": "core"} for n in range(0, end + 1, 600)]
    (folder / "diary.jsonl").write_text("".join(json.dumps(one) + "\n" for one in entries))
    aggregates = {"trades": 4, "roi": 0.01, "win_rate": 0.5, "sharpe_ratio": 1.2, "daily_returns": [0.01, -0.01, 0.02]}
    (folder / "performance.json").write_text(
        json.dumps({"generated_at": logs.at(end), "period_start": logs.at(0), "aggregates": aggregates})
    )
    return folder


def call(folder, *words):
    done = subprocess.run(
        [sys.executable, "-m", "tradeworthy", *words], cwd=folder, capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": str(SOURCE), "COLUMNS": "200"}, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


WINDOW = ("--window-start", logs.at(0), "--window-end", logs.at(HOURS * 3_600))
ALL = ("--log", "log.jsonl", "--diary", "diary.jsonl", "--performance", "performance.json", *WINDOW)


def judged(folder, *words):
    code, out, err = call(folder, "final-dry-run-audit", "--format", "json", *words)
    assert out, err
    return code, json.loads(out)


def test_a_healthy_run_is_signed_off(run_folder):
    code, found = judged(run_folder, *ALL, "--sign-off", "--sign-off-min-sharpe", "1.0")
    assert (code, found["status"], found["sign_off"]["status"]) == (0, "pass", "pass")
    assert found["summary"]["logs"]["uptime_ratio"] == 1.0
    assert [one["code"] for one in found["sign_off"]["findings"]] == ["sharpe.point_estimate_only"]


def test_a_floor_that_is_missed_a_short_run_and_no_diary_fail(run_folder):
    assert judged(run_folder, *ALL, "--sign-off", "--sign-off-min-sharpe", "1.3")[0] == 2
    assert judged(run_folder, *ALL, "--sign-off", "--sign-off-min-duration-hours", "73")[0] == 2
    without = ("--log", "log.jsonl", "--performance", "performance.json", *WINDOW, "--sign-off")
    assert judged(run_folder, *without)[0] == 2
    code, found = judged(run_folder, *without, "--sign-off-optional-diary")
    assert (code, [one["code"] for one in found["relaxations"]]) == (0, ["relaxation.diary"])


def test_a_silent_tail_fails(run_folder, tmp_path):
    lines = (run_folder / "log.jsonl").read_bytes().splitlines()
    logs.write(tmp_path / "log.jsonl", lines[: len(lines) * 66 // HOURS])
    code, found = judged(tmp_path, "--log", "log.jsonl", *WINDOW, "--sign-off", "--sign-off-optional-diary",
                         "--sign-off-optional-performance")  # fmt: skip
    assert code == 2
    assert [one["position"] for one in found["summary"]["logs"]["gap_incidents"]] == ["tail"]
    assert "uptime.low" in {one["code"] for one in found["sign_off"]["findings"]}


def test_info_on_stderr_is_not_a_failure(tmp_path):
    logs.write(tmp_path / "log.jsonl", [logs.line(n, stream="stderr") for n in range(100)])
    assert judged(tmp_path, "--log", "log.jsonl")[0] == 0


def test_a_malformed_diary_still_yields_a_summary(run_folder, tmp_path):
    good = (run_folder / "diary.jsonl").read_text()
    (tmp_path / "diary.jsonl").write_text(good + "{broken\n" + good)
    code, found = judged(tmp_path, "--log", str(run_folder / "log.jsonl"), "--diary", "diary.jsonl", *WINDOW)
    assert (code, found["summary"]["diary"]["status"], found["summary"]["diary"]["malformed_lines"]) == (1, "warn", 1)
    (tmp_path / "diary.jsonl").write_bytes(b"\x00\xff\xfe garbage")
    code, found = judged(tmp_path, "--log", str(run_folder / "log.jsonl"), "--diary", "diary.jsonl", *WINDOW)
    assert (code, found["summary"]["diary"]["status"], found["summary"]["logs"]["status"]) == (2, "fail", "pass")


def test_a_report_dated_in_the_future_fails(run_folder, tmp_path):
    document = json.loads((run_folder / "performance.json").read_text()) | {"generated_at": "2999-01-01T00:00:00Z"}
    (tmp_path / "performance.json").write_text(json.dumps(document))
    code, found = judged(tmp_path, "--log", str(run_folder / "log.jsonl"), "--performance", "performance.json")
    assert (code, found["summary"]["performance"]["status"]) == (2, "fail")


def test_missing_files_are_three_when_nothing_is_left_and_unknown_otherwise(run_folder, tmp_path):
    assert call(tmp_path, "final-dry-run-audit", "--log", "none.jsonl")[0] == 3
    code, found = judged(run_folder, "--log", "log.jsonl", "--log", "none.jsonl")
    assert (code, found["status"], found["summary"]["logs"]["records"]) == (3, "unknown", HOURS * 360 + 1)
    assert judged(run_folder, "--log", "log.jsonl", "--log", "none.jsonl", "--sign-off")[0] == 2
    code, found = judged(run_folder, "--log", "log.jsonl", "--diary", "none.jsonl")
    assert (code, found["summary"]["diary"]["status"]) == (3, "unknown")


@pytest.mark.parametrize("words", [
    (), ("--log", "log.jsonl", "--warn-gap-minutes", "10", "--fail-gap-minutes", "5"),
    ("--log", "log.jsonl", "--window-start", "2026-03-02T06:00:00Z"), ("--log", "log.jsonl", "--format", "xml"),
    ("--log", "log.jsonl", "--window-start", "soon", "--window-end", "later"),
    ("--log", "log.jsonl", "--sign-off-min-uptime-ratio", "2"),
    ("--log", "log.jsonl", "--diary-min-entries-per-day", "-1"),
])  # fmt: skip
def test_words_that_make_no_sense_are_three(run_folder, words):
    assert call(run_folder, "final-dry-run-audit", *words)[0] == 3


def test_a_secret_is_in_no_answer_and_json_stays_json(run_folder, tmp_path):
    document = json.loads((run_folder / "performance.json").read_text())
    document["metadata"] = {"api_key": None, "token": 7, "note": "password=hunter2secret"}
    (tmp_path / "performance.json").write_text(json.dumps(document))
    words = ("--log", str(run_folder / "log.jsonl"), "--performance", "performance.json", *WINDOW)
    code, found = judged(tmp_path, *words)
    assert (code, found["summary"]["performance"]["metadata"]["token"]) == (0, "[redacted]")
    assert call(tmp_path, "final-dry-run-audit", *words, "--output", "audit.json")[0] == 0
    code, page, _ = call(tmp_path, "final-dry-run-review", *words, "--note", "token=hunter2secret")
    assert (code, json.loads((tmp_path / "audit.json").read_text())["status"]) == (0, "pass")
    assert "hunter2secret" not in page + (tmp_path / "audit.json").read_text()


def test_several_logs_may_follow_one_switch(tmp_path):
    for number in range(3):
        logs.write(tmp_path / f"log_p00{number}.jsonl", [logs.line(number * 100 + n) for n in range(100)])
    code, found = judged(tmp_path, "--log", "log_p000.jsonl", "log_p001.jsonl", "log_p002.jsonl")
    assert (code, found["summary"]["logs"]["records"]) == (0, 300)


def test_a_warning_leaves_with_one_or_two(run_folder, tmp_path):
    lines = (run_folder / "log.jsonl").read_bytes().splitlines()
    logs.write(tmp_path / "log.jsonl", [*lines, logs.line(50, level="warning")])
    assert judged(tmp_path, "--log", "log.jsonl")[0] == 1
    assert judged(tmp_path, "--log", "log.jsonl", "--treat-warn-as-error")[0] == 2


def test_review_packet_backlog_and_wrap_up_of_one_run(run_folder, tmp_path):
    out = tmp_path / "out"
    words = [str(run_folder / one) if one.endswith((".jsonl", ".json")) else one for one in ALL]
    code, page, _ = call(
        tmp_path, "final-dry-run-review", *words, "--sign-off", "--objective", "risk=ok", "--note", "all calm",
        "--attendee", "Ann", "--run-label", "spring", "--packet-dir", "out/packet", "--packet-archive", "out/p.tar.gz",
    )  # fmt: skip
    assert code == 0
    assert "# Final dry run review: spring" in page
    assert (out / "p.tar.gz").stat().st_size > 1_000
    summary = out / "packet" / "dry_run_summary.json"
    code, listed, _ = call(tmp_path, "final-dry-run-backlog", "--summary", str(summary), "--format", "json")
    assert (code, json.loads(listed)) == (0, [])
    code, told, _ = call(tmp_path, "final-dry-run-wrap-up", str(summary), "--no-markdown")
    assert (code, "not met" in told) == (2, True)  # no harness measured this run
    assert (summary.with_name("wrap_up.json").is_file(), summary.with_name("wrap_up.md").is_file()) == (True, False)


def test_a_bad_objective_and_missing_notes_are_three_and_a_typed_failure_blocks(run_folder):
    assert call(run_folder, "final-dry-run-review", *ALL, "--objective", "risk=perhaps")[0] == 3
    assert call(run_folder, "final-dry-run-review", *ALL, "--notes-file", "none.txt")[0] == 3
    assert call(run_folder, "final-dry-run-review", *ALL, "--packet-archive", "a.tgz")[0] == 3
    assert call(run_folder, "final-dry-run-review", *ALL, "--objective", "risk=red")[0] == 2


@pytest.mark.parametrize("verb", [("final-dry-run-backlog", "--summary"), ("final-dry-run-wrap-up",)])
def test_verbs_without_a_readable_summary_are_three(tmp_path, verb):
    assert call(tmp_path, *verb, "none.json")[0] == 3
    for bad in ("[]", '{"schema": "dry_run.progress@1", "run_id": "a progress file looks like a summary"}'):
        (tmp_path / "bad.json").write_text(bad)
        assert call(tmp_path, *verb, "bad.json")[0] == 3
