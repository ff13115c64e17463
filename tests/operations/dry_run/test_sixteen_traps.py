"""The acceptance list of the final dry run, line by line: each trap is set, and each is noticed."""

import asyncio
import importlib
import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import msgspec
import pytest
from dry_run_fixture import ran

from tradeworthy.app.gates.live_start import refusals
from tradeworthy.cli.main import call
from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.supervision.transitions import State
from tradeworthy.operations.assessments.framework.cases import Case
from tradeworthy.operations.assessments.framework.mutation import AT, changed
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.incidents.model import AlertSeverity, Outcome, Purpose, Receipt
from tradeworthy.trading.model import Approved, GuardLevel, Refused, Side

TESTS = Path(__file__).resolve().parents[2]
SOURCE = TESTS.parent / "src"
FUTURE = "2099-01-01T00:00:00Z"
DOCUMENT = """
schema = "desk@1"
[desk]
name = "small"
environment = "paper"
[[tapes]]
name = "eurusd_hourly"
format = "demo"
instrument = "EURUSD.DEMO"
[[instances]]
id = "touch"
strategy = "touch_quoter"
instrument = "EURUSD.DEMO"
role = "maker"
policy = { lots = 2000 }
"""


def borrowed(room, name):
    """Return a scene that the tests of another room made."""
    place = str(TESTS / room)
    if place not in sys.path:
        sys.path.append(place)
    return importlib.import_module(name)


def assessed(tmp_path, name, **changes):
    """Judge healthy facts with these changes by the verb, and return its exit code."""
    facts = changed(registry().get(name), Case("", changes, Severity.OK))
    path = tmp_path / f"{name}.json"
    rows = [{**msgspec.to_builtins(one), "value": one.value} for one in facts]
    path.write_bytes(msgspec.json.encode({"facts": rows}))
    return call(["assess", name, "--facts", str(path), "--now", str(AT)])


def program(folder, *words, **more):
    """Run the real program in a process of its own."""
    environ = {**os.environ, "PYTHONPATH": str(SOURCE), "COLUMNS": "200", **more}
    return subprocess.run(
        [sys.executable, "-m", "tradeworthy", *words], cwd=folder, env=environ, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def healthy(tmp_path_factory):
    """Three seconds of a healthy child that says one long line, and a note on standard error."""
    folder = tmp_path_factory.mktemp("healthy")
    return ran(folder, seconds=3.0, child=["info-on-stderr@0.3", "long=70000@0.6"])


def test_01_a_healthy_run_of_three_seconds_passes_with_limits_scaled_to_it(healthy):
    assert (healthy.code, healthy.codes, healthy.summary.status) == (0, [], "pass")
    assert 3.0 <= healthy.summary.summary.metadata.actual_duration_seconds < 60
    assert call(["assess", "final_dry_run", "--dry-run", str(healthy.folder)]) == 1  # a rehearsal, and all else well


def test_02_a_silent_tail_fails(tmp_path):
    run = ran(tmp_path, child=["silent@0.3"], seconds=2.5, beat="0.3")
    assert run.code == 2
    assert run.findings


def test_03_a_silent_start_alerts(tmp_path):
    run = ran(tmp_path, "--live-gap-alert-minutes", "0.01", child=["silent@0"])
    assert (run.code, "log.silence" in run.codes) == (2, True)


def test_04_a_line_of_70_kb_is_kept_whole(healthy):
    told = [one["payload"]["structured"]["filler"] for one in healthy.lines() if one["event"] == "long"]
    assert [len(one) for one in told] == [70_000]


def test_05_info_on_standard_error_is_no_failure(healthy):
    notes = [one for one in healthy.lines() if one["stream"] == "stderr"]
    assert [one["level"] for one in notes] == ["info"]
    assert healthy.code == 0


def audited(folder, capsys, *, diary=None, performance=None):
    """Audit a minute of beats with a diary and a performance file; return exit code and sections."""
    logs = borrowed("operations/dry_run_audit", "audit_logs")
    logs.write(folder / "log.jsonl", [logs.beat(n, n) for n in range(61)])
    words = ["final-dry-run-audit", "--format", "json", "--log", str(folder / "log.jsonl")]
    words += ["--window-start", logs.at(0), "--window-end", logs.at(60)]
    for name, data in (("diary", diary), ("performance", performance)):
        if data is not None:
            (folder / name).write_text(data)
            words += [f"--{name}", str(folder / name)]
    capsys.readouterr()
    code = call(words)
    return code, json.loads(capsys.readouterr().out)["summary"]


def test_06_a_diary_of_json_lines_is_read_and_a_malformed_one_still_yields_a_summary(tmp_path, capsys):
    logs = borrowed("operations/dry_run_audit", "audit_logs")
    entries = [{"entry_id": f"e{n}", "recorded_at": logs.at(n), "policy_id": "core"} for n in range(0, 61, 10)]
    text = "".join(json.dumps(one) + "\n" for one in entries)
    code, sound = audited(tmp_path, capsys, diary=text)
    assert (code, sound["diary"]["total_entries"]) == (0, 7)
    code, broken = audited(tmp_path, capsys, diary="{broken\n" + text)
    assert code in (1, 2)
    assert broken["diary"]["total_entries"] == 7
    assert broken["logs"] is not None


def test_07_a_hit_rate_of_nought_in_twenty_lookups_fails(tmp_path):
    assert assessed(tmp_path, "cache_health", hits=0, misses=20) == 2
    assert assessed(tmp_path, "cache_health", hits=0, misses=19) == 1
    assert assessed(tmp_path, "cache_health", configured=False, expected=False, hits=0, misses=20) == 0


def test_08_a_report_dated_in_the_future_fails(tmp_path, capsys):
    figures = {"trades": 4, "roi": 0.01, "win_rate": 0.5, "sharpe_ratio": 1.2, "daily_returns": [0.01, -0.01, 0.02]}
    document = {"period_start": "2026-03-02T06:00:00Z", "aggregates": figures}
    for at, status in (("2026-03-02T06:00:50Z", 0), (FUTURE, 2)):
        code, _ = audited(tmp_path, capsys, performance=json.dumps({**document, "generated_at": at}))
        assert code == status
    ahead = (datetime.fromisoformat(FUTURE) - datetime.fromtimestamp(AT / NANOS_PER_SECOND, UTC)).total_seconds()
    assert assessed(tmp_path, "system_validation", reported_at=-int(ahead)) == 2
    assert assessed(tmp_path, "final_dry_run", ended=-1) == 2
    assert assessed(tmp_path, "final_dry_run", ended=0) == 0


def held(tmp_path, days):
    """Take daily bars of these days into a market store by the verb, and judge its retention."""
    rows = "".join(f"{day}T00:00:00,1.10,1.12,1.09,1.11,5\n" for day in days)
    (tmp_path / "days.csv").write_text("time,open,high,low,close,volume\n" + rows)
    source = ('[[runtime.ingest.sources]]\nname = "days"\nformat = "csv_bars"\ninstrument = "EURUSD.DEMO"\n'
              f'path = "{tmp_path / "days.csv"}"\ninterval_seconds = 86400\n')  # fmt: skip
    (tmp_path / "small.toml").write_text(DOCUMENT + source)
    store = tmp_path / "store.duckdb"
    took = call(["ingest-once", str(tmp_path / "small.toml"), "--runs", str(tmp_path / "runs"),
                 "--duckdb-path", str(store)])  # fmt: skip
    assert took == 0
    return call(["assess", "data_retention", "--store", str(store)])


def test_09_366_days_of_complete_data_are_ok_and_two_rows_a_year_apart_fail(tmp_path):
    pytest.importorskip("duckdb", reason="the data extra is not installed")
    pytest.importorskip("polars", reason="the data extra is not installed")
    year = [date(2024, 1, 1) + timedelta(days=n) for n in range(366)]
    whole, ends = tmp_path / "whole", tmp_path / "ends"
    whole.mkdir()
    ends.mkdir()
    assert held(whole, [one for one in year if one.weekday() < 5]) == 0
    assert held(ends, [year[0], year[-1]]) == 2


def test_10_a_reducing_order_passes_in_drawdown_and_below_the_least_size():
    risk = borrowed("trading/risk", "risk_desk")
    least = risk.instrument(min_lots=5, min_notional=Decimal(10**6))
    reviewer = risk.desk(risk.wide(), held=50, instruments=(least,))
    reviewer.context.set_guard("desk", GuardLevel.REDUCING)
    assert isinstance(reviewer.review(risk.order(Side.SELL, 1, stop=None)), Approved)
    assert isinstance(reviewer.review(risk.order(Side.BUY, 1, stop=None)), Refused)


def test_11_a_secret_is_in_no_artefact(tmp_path, monkeypatch, capfd):
    canary = "never-to-be-seen-4711"
    monkeypatch.setenv("CANARY_TOKEN", canary)
    ran(tmp_path, child=["secret@0.2"])
    told = capfd.readouterr()
    assert canary not in told.out + told.err
    files = [one for one in tmp_path.rglob("*") if one.is_file()]
    assert len(files) >= 5
    assert not [one for one in files if canary.encode() in one.read_bytes()]
    assert call(["assess", "secrets_hygiene", "--scan", str(tmp_path)]) == 0
    (tmp_path / "leak.txt").write_text(f"with {canary}")
    assert call(["assess", "secrets_hygiene", "--scan", str(tmp_path)]) == 2
    told = capfd.readouterr()
    assert canary not in told.out + told.err


async def deaf(pulse):
    """Swallow every cancellation."""
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            pulse.beat()


async def beating(pulse):
    while True:
        pulse.beat()
        await asyncio.sleep(0.5)


def test_12_the_cancellation_of_all_tasks_is_bounded():
    bench = borrowed("kernel/supervision", "supervision_bench").Bench()

    async def main():
        task = bench.supervisor.create(deaf, owner="test")
        await asyncio.sleep(1)
        began = bench.seconds()
        await bench.supervisor.cancel_all(2.0)
        return task.name, bench.seconds() - began, [one.name for one in bench.supervisor.abandoned()]

    name, took, abandoned = bench.run(main())
    assert took == pytest.approx(2.0, abs=0.1)
    assert abandoned == [name]
    bench.loop.close()


def test_13_a_beating_loop_survives_the_hang_timeout():
    scene = borrowed("kernel/supervision", "supervision_bench")
    bench = scene.Bench()

    async def main():
        task = bench.supervisor.create(beating, owner="test", policy=scene.policy(hang_timeout_s=2))
        await asyncio.sleep(60)
        found = task.restarts, task.state
        await bench.supervisor.cancel_all()
        return found

    assert bench.run(main()) == (0, State.RUNNING)
    bench.close()


def test_14_a_gate_that_does_not_say_go_stops_a_live_start(tmp_path):
    (tmp_path / "small.toml").write_text(DOCUMENT)
    done = program(tmp_path, "run", "small.toml", "--runs", "runs", "--live-mode", RUNTIME_HEALTHCHECK_ENABLED="false")
    assert done.returncode == 2
    assert "gate_verdict: expected GO" in " ".join(done.stderr.split())
    (refused,) = refusals(tmp_path / "runs" / "state" / "small")
    assert "gate_verdict" in [one.what for one in refused.missing]
    assert not list((tmp_path / "runs").glob("*/journal"))
    start = borrowed("app/gates", "test_live_start")  # a start that lacks nothing else, before a gate that says FAIL
    (tmp_path / "ready").mkdir()
    said_no = start.Verdicts(go=False, why="risk_limits FAIL")
    assert start.missing(tmp_path / "ready", start.live(), verdicts=said_no) == ["gate_verdict"]


def test_15_an_alert_without_endpoint_is_undelivered_and_one_broken_transport_stops_no_other():
    alerts = borrowed("operations/incidents", "alert_scene")
    alone = alerts.Scene({"one": "no destination is configured"}, policy=alerts.policy_of(("one",)))
    alone.after(1.0, alerts.signal(severity=AlertSeverity.CRITICAL))
    told = [one for one in alone.record.of(Receipt) if one.purpose is Purpose.ALERT]
    assert told
    assert {one.outcome for one in told} == {Outcome.UNDELIVERED}
    both = alerts.Scene({"dead": alerts.Failing(), "one": alerts.Taking()})
    both.after(1.0, alerts.signal(severity=AlertSeverity.CRITICAL))
    receipts = [one for one in both.record.of(Receipt) if one.purpose is Purpose.ALERT]
    assert ("one", Outcome.ACCEPTED) in {(one.channel, one.outcome) for one in receipts}


def test_16_health_is_503_on_fail():
    pytest.importorskip("litestar", reason="the web extra is not installed")
    desk = borrowed("web", "web_desk").WebDesk(authenticated=False)
    with desk.serving() as port:
        address = f"http://127.0.0.1:{port}/health"
        assert httpx.get(address).status_code == 200
        desk.guard(GuardLevel.STOPPED)
        answer = httpx.get(address)
        assert (answer.status_code, answer.json()["status"]) == (503, "FAIL")
        assert call(["health", "--url", address]) == 2
