"""Trading that crashes: paused until it reconciles, on after its last row; if it goes on crashing, stopped (APP-08)."""

import itertools
import signal
import time

import pytest
from desk_process import command, document, ended, events_of, folder_of, kinds_of, only_life, started, told

from tradeworthy.adapters.venue_line import EmergencyLine
from tradeworthy.kernel.clock import SystemClock

AT_ONCE = {"RUNTIME_TRADING_LOOP_RESTART_BACKOFF_SECONDS": "0.05"}
ORDERS = ("command.submit", "command.replace")


def runs_of(runs):
    """Return the folders of the attempts, in the order in which they began."""
    found = [one for one in runs.iterdir() if one.name != "state"]
    return sorted(found, key=lambda one: events_of(one)[0].ts_init)


def rows_of(run):
    return [one.event_id for one in events_of(run) if one.kind == "market.quote"]


@pytest.fixture(scope="module", params=["crash", "hang"])
def restarted(tmp_path_factory, request):
    """A run whose trading fails once or twice before its tape ends."""
    place = tmp_path_factory.mktemp(request.param)
    config = document(place, rows=1_000, desk="speed = 300000")
    odd = AT_ONCE | ({"RUNTIME_TRADING_LOOP_HANG_TIMEOUT_SECONDS": "1"} if request.param == "hang" else {})
    done = command(
        "run", config, "--runs", place / "runs", "--fault", f"trading_loop:{request.param}@2x2", **odd
    )  # fmt: skip
    return request.param, done, place / "runs"


def test_a_failed_desk_goes_on_after_its_last_row_to_the_end_of_the_tape(restarted):
    kind, done, runs = restarted
    assert done.returncode == 0, done.stdout + done.stderr
    attempts = runs_of(runs)
    assert len(attempts) >= 2
    rows = [row for one in attempts for row in rows_of(one)]
    assert len(rows) == len(set(rows)) == 1_000
    assert [one.kind for one in map(last_of, attempts)].count("run.ended") == 1
    assert last_of(attempts[-1]).payload.reason == "completed"
    life = only_life(runs)
    causes = {one.cause.value for name in ("failed", "hung") for one in told(life, f"supervision.{name}")}
    assert causes == {"failure" if kind == "crash" else "heartbeat_lost"}
    (over,) = [one for one in told(life, "runtime.workload_ended") if one.name == "trading_loop"]
    assert (over.state, over.restarts, over.problem) == ("finished", len(attempts) - 1, "")


def last_of(run):
    return events_of(run)[-1]


def test_no_order_leaves_a_restarted_desk_before_its_clean_report(restarted):
    _, _, runs = restarted
    traded = []
    for run in runs_of(runs)[1:]:
        kinds = kinds_of(run)
        report = kinds.index("reconciliation.report")
        assert events_of(run)[report].payload.agreement == "clean"
        assert not [one for one in kinds[:report] if one in ORDERS]
        traded.append("command.submit" in kinds[report:])
        changes = [one.payload for one in events_of(run) if one.kind == "guard.changed"]
        mine = [one for one in changes if one.reason == "reconciliation.restart"]
        assert [(one.set, one.level.name) for one in mine] == [(True, "PAUSED"), (False, "RUNNING")]
        events = list(enumerate(events_of(run)))
        asked, cleared = (place for place, one in events if getattr(one.payload, "reason", "") == mine[0].reason)
        assert asked < report < cleared
    assert any(traded)


def test_a_restarted_desk_holds_what_the_failed_one_held(restarted):
    _, _, runs = restarted
    attempts = runs_of(runs)
    for before, after in itertools.pairwise(attempts):
        lots = sum(one.payload.side * one.payload.lots for one in events_of(before) if one.kind == "ledger.fill_booked")
        (restored,) = told(after, "desk.restored")
        carried = sum(one.lots for one in told(before, "desk.restored") for one in one.positions)
        assert restored.run == before.name
        assert sum(one.lots for one in restored.positions) == lots + carried


def test_every_attempt_s_journal_verifies_and_replays(restarted):
    for run in runs_of(restarted[2]):
        assert command("journal", "verify", run).returncode == 0
        assert command("replay", run).returncode == 0


def test_a_crash_loop_stops_the_guard_raises_the_flag_and_the_next_start_is_stopped(tmp_path):
    config, runs = document(tmp_path, rows=3_000, desk="speed = 30000"), tmp_path / "runs"
    done = command("run", config, "--runs", runs, "--fault", "trading_loop:crash@0.3", **AT_ONCE)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "trading_loop failed" in done.stdout + done.stderr
    life = only_life(runs)
    (escalated,) = told(life, "supervision.escalated")
    assert (escalated.task, escalated.response.value, escalated.restarts) == ("trading_loop", "stop", 5)
    (stopped,) = told(life, "runtime.stopped")
    assert (stopped.reason, stopped.exit_code, stopped.working_orders) == ("failed", 2, 0)
    shown = command("guard", "small", "--runs", runs)
    assert (shown.returncode, "supervision.trading_loop" in shown.stdout) == (2, True)
    again = command("run", document(tmp_path, rows=300), "--runs", runs)
    assert again.returncode == 0
    assert "guard stopped" in again.stdout
    assert not [one for one in kinds_of(folder_of(again)) if one in ORDERS]
    assert command("replay", folder_of(again)).returncode == 0


def test_an_auxiliary_that_crashes_again_and_again_leaves_trading_alone(tmp_path):
    runs = tmp_path / "runs"
    done = command(
        "run", document(tmp_path, rows=300, desk="speed = 60000"), "--runs", runs, "--fault", "resources:crash@0.1",
        "--set", "runtime.supervision.cancel_timeout_s=5",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    life = only_life(runs)
    assert [one.task for one in told(life, "supervision.failed")].count("resources") >= 2
    (over,) = [one for one in told(life, "runtime.workload_ended") if one.name == "trading_loop"]
    assert (over.state, over.restarts) == ("finished", 0)


def test_a_timeout_of_the_workload_s_own_is_an_ordinary_failure(tmp_path):
    runs = tmp_path / "runs"
    done = command("run", document(tmp_path, rows=300, desk="speed = 100000"), "--runs", runs, "--fault",
                   "drift_monitor:raise-timeout@0.2")  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    failed = [one for one in told(only_life(runs), "supervision.failed") if one.task == "drift_monitor"]
    assert {(one.cause.value, one.error) for one in failed} == {("failure", "TimeoutError")}
    assert "on purpose" in failed[0].message


def test_a_crash_in_the_middle_of_orders_at_an_outside_venue_trades_on_only_where_both_agree(tmp_path):
    url, runs = f"unix://{tmp_path}/v", tmp_path / "runs"
    rest = f'[venue]\nconnection = "{url}"\nsubmit_ms = 5.0\n[runtime]\nwatchdog = false\n'
    config = document(tmp_path, rows=1_000, desk="speed = 300000", rest=rest)
    venue = started("venue", "serve", "--config", config, "--listen", url)
    line = EmergencyLine(url, SystemClock(), name="test", scope="view")
    try:
        until = time.monotonic() + 30
        while not (tmp_path / "v").exists():
            assert time.monotonic() < until
            time.sleep(0.02)
        done = command("run", config, "--runs", runs, "--fault", "trading_loop:crash@1.5x2", **AT_ONCE)
        assert done.returncode == 0, done.stdout + done.stderr
        view = line.view()
    finally:
        line.close()
        ended(venue, signal.SIGTERM)
    assert view.open_orders == ()
    attempts = runs_of(runs)
    assert len(attempts) >= 2
    sent = 0
    for run in attempts:
        kinds = kinds_of(run)
        sent += kinds.count("command.submit")
        report = kinds.index("reconciliation.report")
        assert not [one for one in kinds[:report] if one in ORDERS]
        if events_of(run)[report].payload.agreement != "clean":
            assert "command.submit" not in kinds, "what differs waits for a person"
    assert view.orders == sent
