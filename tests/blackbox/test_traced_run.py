"""A run with tracing on: what becomes a span, and that a dead collector harms nobody (TRC-02, TRC-03)."""

import json
import re
import subprocess
import sys

import pytest
from desk_process import command, document, environment, only_life, only_run, told
from run_scene import until

pytest.importorskip("opentelemetry.sdk", reason="the extra `tracing` is not installed")

DEAD = "http://127.0.0.1:1"
TRACED = {"OTEL_ENABLED": "true", "OTEL_CONSOLE_EXPORTER": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": DEAD}
NAMES = re.compile(r'"name": ?"([a-z_.]+)"')


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    place = tmp_path_factory.mktemp("traced")
    done = command(
        "run", document(place, rows=300), "--runs", place / "runs", OTEL_ENABLED="true", OTEL_CONSOLE_EXPORTER="true",
        OTEL_EXPORTER_OTLP_ENDPOINT=DEAD, OTEL_EXPORTER_OTLP_TIMEOUT="0.2",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr[-3_000:]
    return place / "runs", done


def test_an_alert_of_a_run_is_a_span_where_it_is_handed_in_and_where_it_goes_out(tmp_path):
    channels = '[telemetry.alerts]\ndefault_channels = ["ops"]\n'
    channels += 'channels = [{ name = "ops", transport = "file", destination = "told.jsonl" }]\n'
    rules = '[[telemetry.alerts.rules]]\nname = "all"\ncategories = ["guard."]\nchannels = ["ops"]\n'
    limit = '[risk]\nmax_order_value = "500000"\ndrawdown_stop = "0.25"\n'
    rest = channels + rules + limit
    config = document(tmp_path, desk="speed = 2000", rest=rest)
    with (tmp_path / "err").open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "tradeworthy", "run", config, "--runs", tmp_path / "runs"], stderr=err,
            stdout=subprocess.DEVNULL, env=environment(**TRACED),
        )  # fmt: skip
    try:
        until(lambda: list((tmp_path / "runs").glob("*/journal/journal-*.jsonl")))
        assert command("kill", "small", "--reason", "traced", "--no-wait", "--runs", tmp_path / "runs").returncode == 0
        until((tmp_path / "runs" / "state" / "small" / "alerts" / "told.jsonl").exists)
    finally:
        process.terminate()
        process.wait(timeout=60)
    lines = (tmp_path / "err").read_text().splitlines()
    found = [json.loads(line) for line in lines if line.startswith("{") and '"context"' in line]
    routed = [one for one in found if one["name"] == "alert.route"]
    sent = [one for one in found if one["name"] == "alert.deliver"]
    assert "guard.operator" in {one["attributes"]["alert_id"] for one in routed}
    assert {one["attributes"]["channel"] for one in sent} == {"ops"}


def spans(done):
    found = []
    for line in done.stderr.splitlines():
        if line.startswith("{") and '"context"' in line:
            found.append(json.loads(line))
    return found


def test_workloads_callbacks_bus_and_orders_are_spans(run):
    _, done = run
    names = {one["name"] for one in spans(done)} or set(NAMES.findall(done.stderr))
    assert {"runtime.workload", "runtime.operation", "event_bus.publish", "event_bus.handle", "desk.step"} <= names
    assert {"order.submit", "order.changed", "order.fill_booked"} <= names


def test_each_started_workload_and_each_callback_has_its_span(run):
    runs, done = run
    life = only_life(runs)
    began = {one.name for one in told(life, "runtime.workload_started")}
    shown = {one["attributes"].get("workload") for one in spans(done) if one["name"] == "runtime.workload"}
    assert began <= shown
    called = {one.name for one in told(life, "runtime.callback")}
    operations = {one["attributes"].get("operation") for one in spans(done) if one["name"] == "runtime.operation"}
    assert called <= operations


def test_a_dead_collector_leaves_a_clean_end(run):
    runs, _ = run
    (stopped,) = told(only_life(runs), "runtime.stopped")
    assert (stopped.exit_code, stopped.abandoned) == (0, ())
    assert command("journal", "verify", only_run(runs)).returncode == 0
