"""Every task of a running desk stands under exactly one service, and `GET /summary` shows it there (SUP-19, APP-03)."""

import json
import signal
import socket
import time
import urllib.request

import pytest
from desk_process import document, ended, started

WAIT_S = 60
WORKLOADS = {"trading_loop", "watchdog", "time_integrity", "drift_monitor", "resources", "runtime_board",
             "health_server"}  # fmt: skip
OF_THE_BUS = {"event_bus.bulletin", "event_bus.kill_switch"}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


def summary_of(process, port):
    """Ask until the desk answers with its living tasks."""
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        assert process.poll() is None, process.stderr.read()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/summary", timeout=5) as answer:
                found = json.load(answer)
            told = found["projections"]["telemetry.runtime.watchdog"]["payload"]
            if told is not None and found["supervisor"]["running"] >= len(WORKLOADS) + len(OF_THE_BUS):
                return found
        except OSError:
            pass
        time.sleep(0.2)
    raise AssertionError("no summary in time")


@pytest.fixture
def summary(tmp_path):
    port, metrics = free_port(), free_port()
    config = document(tmp_path, rows=100_000, desk="speed = 100", rest=f"[health]\nmetrics_port = {metrics}")
    process = started("run", config, "--runs", tmp_path / "runs", RUNTIME_HEALTHCHECK_ENABLED="true",
                      RUNTIME_HEALTHCHECK_PORT=str(port))  # fmt: skip
    yield summary_of(process, port)
    assert ended(process, signal.SIGTERM) == 0


def test_each_task_is_named_under_its_workload(summary):
    services = {one["name"]: one for found in summary["services"].values() for one in found}
    tasks = [task["name"] for one in services.values() for task in one["tasks"]]
    assert len(tasks) == len(set(tasks)) == summary["supervisor"]["running"]
    assert {name for name, one in services.items() if one["state"] == "running" and one["tasks"]} >= WORKLOADS
    for name in WORKLOADS:
        assert name in {task["name"] for task in services[name]["tasks"]}
        assert {task["owner"] for task in services[name]["tasks"]} == {name}
    rest = {task["name"] for task in services["runtime"]["tasks"]}
    assert rest >= OF_THE_BUS
    assert not rest & WORKLOADS
    assert {one["state"] for one in services.values() if not one["tasks"]} == {"skipped"}


def test_what_became_of_the_watchdog_is_published(summary):
    told = summary["projections"]["telemetry.runtime.watchdog"]["payload"]
    assert (told["kind"], told["run_id"]) == ("watchdog.launched", summary["run_id"])
