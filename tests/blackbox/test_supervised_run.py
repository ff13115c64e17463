"""A paper desk as a whole process: each way to its end, its order, a blocked loop, a task that never obeys (CLI-01)."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from desk_process import (
    command,
    document,
    ended,
    environment,
    events_of,
    journaled,
    kinds_of,
    only_life,
    only_run,
    started,
    told,
)

from tradeworthy.adapters.venue_line import EmergencyLine
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.supervision.incident import read_incidents

SLOW = "speed = 2000"
HANG_AFTER_S = 1.5
DETECTED_WITHIN_S = 2.0


def wait_for(holds, seconds=30):
    until = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < until
        time.sleep(0.02)
    return found


def name_of(payload):
    return getattr(payload, "name", "") or getattr(payload, "step", "")


@pytest.mark.parametrize(
    ("how", "reason", "detail"),
    [(signal.SIGINT, "signal", "SIGINT"), (signal.SIGTERM, "signal", "SIGTERM"), ("timeout", "timeout", "1.5 s"),
     ("completed", "completed", "")],
)  # fmt: skip
def test_each_way_to_the_end_is_clean_and_leaves_one_last_event(tmp_path, how, reason, detail):
    config, runs = document(tmp_path, rows=300, desk="" if how == "completed" else SLOW), tmp_path / "runs"
    words = ("--timeout", "1.5") if how == "timeout" else ()
    process = started("run", config, "--runs", runs, *words)
    journaled(runs, process)
    asked = time.monotonic()
    assert ended(process, how if isinstance(how, signal.Signals) else None) == 0
    if isinstance(how, signal.Signals):
        assert time.monotonic() - asked < 10
    life = only_life(runs)
    (stopping,), (stopped,) = told(life, "runtime.stopping"), told(life, "runtime.stopped")
    assert (stopping.reason, stopping.detail) == (reason, detail)
    assert (stopped.reason, stopped.exit_code, stopped.working_orders, stopped.abandoned) == (reason, 0, 0, ())
    assert stopped.took_ns < 10_000_000_000
    assert kinds_of(life)[-1] == "runtime.stopped"
    assert events_of(only_run(runs))[-1].payload.reason == reason
    assert (only_run(runs) / "report.html").exists()


def test_the_start_goes_in_order_and_the_end_after_it(tmp_path):
    done = command("run", document(tmp_path, rows=300), "--runs", tmp_path / "runs")
    assert done.returncode == 0, done.stdout + done.stderr
    life = only_life(tmp_path / "runs")
    events = events_of(life)
    names = [f"{one.kind} {name_of(one.payload)}".strip() for one in events]
    order = [
        "runtime.began", "config.audited", "runtime.callback configuration", "runtime.journal_opened",
        "runtime.guard_restored", "runtime.callback journal", "watchdog.launched", "runtime.callback watchdog",
        "runtime.callback event_bus", "runtime.workload_started trading_loop", "runtime.workload_started watchdog",
        "runtime.workload_started time_integrity", "runtime.ready", "runtime.stopping", "runtime.shutdown_step pause",
        "runtime.shutdown_step orders", "runtime.shutdown_step farewell", "runtime.shutdown_step tasks",
        "runtime.callback event_bus", "runtime.shutdown_step callbacks", "runtime.shutdown_step seal",
        "runtime.stopped",
    ]  # fmt: skip
    again = names.index("watchdog.launched") + 1  # a busy machine may take a slow watchdog for a dead one, and renew it
    assert [one for n, one in enumerate(names) if one in order and (n < again or one != "watchdog.launched")] == order
    (opened,) = told(life, "runtime.journal_opened")
    assert opened.folder == str(only_run(tmp_path / "runs"))
    started_at = next(one.ts_init for one in events if one.kind == "runtime.workload_started")
    (log,) = (life / "logs").iterdir()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert lines[-1]["event"] == "runtime_stopped"
    assert all(one["run_id"] == life.name for one in lines)
    assert started_at > events[0].ts_init


def test_a_stop_asked_while_the_desk_still_starts_is_heard(tmp_path):
    runs = tmp_path / "runs"
    process = started("run", document(tmp_path, rows=300, desk=SLOW), "--runs", runs)
    wait_for(lambda: list(runs.glob("state/small/runtime/*/journal/journal-*")))
    assert ended(process, signal.SIGTERM) == 0
    assert told(only_life(runs), "runtime.stopped")[0].reason == "signal"


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "soon"])
def test_a_timeout_must_be_above_nothing(tmp_path, text):
    done = command("run", document(tmp_path), "--runs", tmp_path / "runs", f"--timeout={text}")
    assert done.returncode == 3
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("word", ["moon", "trading_loop", "trading_loop:moon", ":crash", "a:crash@-1", "a:crash@1x0"])
def test_a_fault_of_another_form_is_usage(tmp_path, word):
    done = command("run", document(tmp_path), "--runs", tmp_path / "runs", "--fault", word)
    assert (done.returncode, "--fault takes" in done.stderr) == (3, True)


def test_without_trading_everything_else_runs(tmp_path):
    done = command("run", document(tmp_path), "--runs", tmp_path / "runs", "--no-trading", "--timeout", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    life = only_life(tmp_path / "runs")
    begun = {one.name for one in told(life, "runtime.workload_started")}
    assert "trading_loop" not in begun
    assert {"time_integrity", "resources", "runtime_board"} <= begun
    skipped = {one.name: one.reason for one in told(life, "runtime.workload_skipped")}
    assert skipped["trading_loop"] == "--no-trading"
    assert [one.name for one in (tmp_path / "runs").iterdir()] == ["state"]


def test_a_task_that_swallows_its_cancellation_is_abandoned_and_orders_and_journal_are_safe(tmp_path):
    runs = tmp_path / "runs"
    done = command(
        "run", document(tmp_path, rows=300, desk=SLOW), "--runs", runs, "--timeout", "1", "--fault",
        "resources:swallow-cancel",
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    life = only_life(runs)
    (stopped,) = told(life, "runtime.stopped")
    assert (stopped.exit_code, stopped.abandoned, stopped.working_orders) == (1, ("resources",), 0)
    assert stopped.took_ns <= 10_000_000_000
    assert kinds_of(only_run(runs))[-1] == "run.ended"
    assert command("journal", "verify", only_run(runs)).returncode == 0


def test_a_second_signal_skips_to_the_seal(tmp_path):
    runs = tmp_path / "runs"
    process = started(
        "run", document(tmp_path, rows=300, desk=SLOW), "--runs", runs, "--fault", "resources:swallow-cancel"
    )  # fmt: skip
    journaled(runs, process)
    wait_for(lambda: "runtime.ready" in kinds_of(only_life(runs)))
    time.sleep(0.3)  # until the fault has its task
    process.send_signal(signal.SIGTERM)
    wait_for(lambda: "runtime.stopping" in kinds_of(only_life(runs)))
    time.sleep(0.3)
    asked = time.monotonic()
    assert ended(process, signal.SIGTERM) == 130
    assert time.monotonic() - asked < 5
    (stopped,) = told(only_life(runs), "runtime.stopped")
    assert stopped.exit_code == 130
    (seal,) = [one for one in told(only_life(runs), "runtime.shutdown_step") if one.step == "seal"]
    assert seal.ok
    assert kinds_of(only_run(runs))[-1] == "run.ended"
    assert command("journal", "verify", only_run(runs)).returncode == 0


def test_a_blocked_loop_is_an_incident_within_two_seconds_and_its_orders_are_gone(tmp_path):
    url, runs = f"unix://{tmp_path}/v", tmp_path / "runs"
    rest = f'[venue]\nconnection = "{url}"\nsubmit_ms = 5.0\n'
    config = document(tmp_path, rows=3_000, desk="speed = 20000", rest=rest)
    venue = started("venue", "serve", "--config", config, "--listen", url)
    wait_for(lambda: (tmp_path / "v").exists())
    line = EmergencyLine(url, SystemClock(), name="test", scope="view")
    desk = started("run", config, "--runs", runs, "--fault", "loop:block@4")
    try:
        wait_for(lambda: line.view().open_orders)
        (incident,) = wait_for(lambda: read_incidents(runs / "state" / "small" / "watchdog"), 40)
        last_beat_ns = incident.silent_ns
        assert HANG_AFTER_S <= last_beat_ns / 10**9 <= DETECTED_WITHIN_S
        assert incident.cause.value == "loop_hung"
        wait_for(lambda: not line.view().open_orders, 5)
        orders = line.view().orders
        os.kill(desk.pid, signal.SIGKILL)
        again = command("run", config, "--runs", runs, "--timeout", "2")
        assert "guard stopped" in again.stdout
        assert line.view().orders == orders
    finally:
        line.close()
        ended(desk, signal.SIGKILL)
        ended(venue, signal.SIGTERM)


def test_a_run_goes_on_where_no_handler_can_be_set(tmp_path):
    code = (
        "import sys, threading; from tradeworthy.cli.main import call; codes = []; "
        "thread = threading.Thread(target=lambda: codes.append(call(sys.argv[1:]))); "
        "thread.start(); thread.join(); sys.exit(codes[0])"
    )
    config, runs = document(tmp_path, rows=300, desk=SLOW), tmp_path / "runs"
    done = subprocess.run(
        [sys.executable, "-c", code, "run", str(config), "--runs", str(runs), "--timeout", "1"], env=environment(),
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert told(only_life(runs), "runtime.stopped")[0].reason == "timeout"
