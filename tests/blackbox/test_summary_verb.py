"""`tradeworthy summary`: one document of one schema, a block for each registered topic, no secret in it (CLI-02)."""

import json

import msgspec
import pytest
from desk_process import command, document

from tradeworthy.app.runtime.policy import RuntimePolicy
from tradeworthy.app.runtime.summary import SCHEMA, STOPPED_DESK, Summary, blocks_of
from tradeworthy.app.runtime.workload import KINDS, hang_of
from tradeworthy.kernel.telemetry.topics import TOPICS


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    place = tmp_path_factory.mktemp("summary")
    done = command(
        "summary", document(place), "--json", "--runs", place / "runs", RUNTIME_HEALTHCHECK_ENABLED="true",
        RUNTIME_TRADING_LOOP_HANG_TIMEOUT_SECONDS="abc", RUNTIME_RESOURCES_MAX_RESTARTS="2",
        RUNTIME_RESOURCES_HANG_TIMEOUT_SECONDS="off",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (place / "runs").exists() or not list((place / "runs").glob("*/*/runtime"))
    return done.stdout


def test_the_document_is_of_its_schema(shown):
    decoded = msgspec.json.decode(shown, type=Summary, strict=True)
    assert (decoded.schema, decoded.running, decoded.desk) == (SCHEMA, False, "small")
    told = json.loads(command("summary", "--schema").stdout)
    definition = told["$defs"]["Summary"]
    assert set(json.loads(shown)) <= set(definition["properties"])
    assert set(definition["required"]) <= set(json.loads(shown))


def test_each_registered_topic_has_a_block_and_an_absent_one_a_reason(shown):
    blocks = json.loads(shown)["projections"]
    assert set(blocks) >= set(TOPICS)
    for topic in TOPICS:
        assert blocks[topic]["payload"] is not None or blocks[topic]["reason"] == STOPPED_DESK
    assert blocks_of({"telemetry.runtime.tasks": {"a": 1}})["telemetry.runtime.tasks"].payload == {"a": 1}


def test_the_registry_equals_the_table_but_for_the_overrides(shown):
    found = {one["name"]: one for one in json.loads(shown)["workloads"]}
    assert {"trading_loop", "watchdog", "time_integrity", "drift_monitor", "health_server", "resources"} <= set(found)
    intervals = {"time_integrity": 10.0, "drift_monitor": 120.0, "health_server": 1.0, "runtime_board": 1.0,
                 "watchdog": RuntimePolicy().watch.beat_interval_s}  # fmt: skip
    for name, one in found.items():
        kind = KINDS[one["kind"]]
        assert (one["workload_class"], one["criticality"]) == (kind.workload_class.value, kind.criticality.value)
        assert one["restart_policy"]["backoff_base_s"] == kind.backoff_base_s
        assert one["required"] is (kind.workload_class.value != "auxiliary")
        if name in intervals:
            assert one["hang_timeout_seconds"] == hang_of(intervals[name])
    assert found["trading_loop"]["hang_timeout_seconds"] == 10.0
    assert found["trading_loop"]["supervised_components"] == ["touch"]
    overridden = found["resources"]
    assert (overridden["hang_timeout_seconds"], overridden["restart_policy"]["max_restarts"]) == (None, 2)


def test_services_say_their_state_and_what_is_skipped_says_why(shown):
    summary = json.loads(shown)
    assert {one["state"] for kind in summary["services"].values() for one in kind} <= {"declared", "skipped"}
    assert summary["skipped"]["skip-ingest"]
    assert "RIM_RUNTIME_ENABLED" in summary["skipped"]["reflection"]


def test_people_get_a_table_and_no_trading_is_a_reason(tmp_path):
    done = command("summary", document(tmp_path), "--runs", tmp_path / "runs", "--no-trading")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped trading_loop: --no-trading" in done.stdout
    assert "time_integrity" in done.stdout
    assert "guard running" in done.stdout


def test_the_guard_of_a_stopped_desk_is_told_from_its_memory(tmp_path):
    assert command("kill", "small", "--reason", "drill", "--no-wait", "--runs", tmp_path / "runs").returncode == 0
    done = command("summary", document(tmp_path), "--json", "--runs", tmp_path / "runs")
    guard = json.loads(done.stdout)["guard"]
    assert (guard["level"], guard["source"]) == ("stopped", "memory")
    assert guard["reasons"]
