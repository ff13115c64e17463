"""Reflection beside a running desk: under a lock and a budget, journaled, applied by nobody (APP-13)."""

import asyncio

import msgspec
import pytest
from ingesting_scene import document, process, run, told

from tradeworthy.adapters.run_lock import RunLock
from tradeworthy.adapters.workload_state_sqlite import WorkloadStateFile
from tradeworthy.app.runtime.reflecting import (
    LOCK,
    REFLECTION,
    STATE,
    TOPIC,
    journals_of_desk,
    reflecting_of,
    suggestions_of,
)
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.research.reflection.model import ReflectionModel
from tradeworthy.research.reflection.policy import ReflectionPolicy

ON = {"RIM_RUNTIME_ENABLED": "true"}
SOON = {**ON, "RIM_RUNTIME_INTERVAL_SECONDS": "0.2"}
LIMITS = "entries_min = 20\nconfidence_min = 0.01\nflag_min = 0.01\nwindow_minutes = 600000\n"
"""So that the quoter of a small tape is flagged: what is shown is the way, not the judgement."""


@pytest.fixture
def limits(tmp_path):
    path = tmp_path / "limits.toml"
    path.write_text(LIMITS)
    return {**SOON, "RIM_RUNTIME_CONFIG_PATH": str(path)}


def test_off_by_default_and_hourly_when_on(tmp_path):
    off = process(tmp_path, document())
    assert "RIM_RUNTIME_ENABLED turns it on" in off.application.services.skipped[REFLECTION]
    off.discard()
    on = process(tmp_path, document(), environ=ON)
    (service,) = on.application.services.snapshot(())[REFLECTION]
    assert (service.criticality, service.hang_timeout_seconds) == ("optional", 14_400.0)
    assert REFLECTION not in on.application.services.skipped
    on.discard()
    idle = process(tmp_path, document(), environ=ON, no_trading=True)
    assert idle.application.services.skipped[REFLECTION] == "--no-trading"
    idle.discard()


def test_a_desk_reflects_and_its_suggestions_are_facts_with_their_cause(tmp_path, limits):
    one = process(tmp_path, document(rows=3_000), environ=limits)
    assert run(one).exit_code == 0
    ran, suggested = told(one, "reflection.ran"), told(one, "reflection.suggested")
    assert suggested
    assert ran[0].suggestions >= 1
    first = suggested[0]
    assert (first.schema_version, first.applied, first.shadow, first.run_id) == ("rim.v1", False, True, ran[0].run_id)
    assert (first.config_hash, first.code_hash) == (one.document.hash(), one.code)
    assert (first.input_hash, first.model_hash) == (ran[0].input_hash, ReflectionModel().digest)
    assert len({found.suggestion_id for found in suggested}) == len(suggested)
    assert one.bulletin.newest[TOPIC]
    assert {found.suggestion_id for found in suggestions_of(one.state)} == {found.suggestion_id for found in suggested}
    assert not (one.state / LOCK).exists()


def test_what_an_earlier_life_told_is_not_told_again(tmp_path, limits):
    first = process(tmp_path, document(rows=3_000), environ=limits)
    run(first)
    again = process(tmp_path, document(rows=3_000), environ=limits)
    run(again)
    before = {one.suggestion_id for one in told(first, "reflection.suggested")}
    assert not before & {one.suggestion_id for one in told(again, "reflection.suggested")}


def test_a_second_runner_is_refused_with_its_code(tmp_path, limits):
    one = process(tmp_path, document(rows=3_000), environ=limits)
    other = RunLock(one.state / LOCK, SystemClock(), ttl_s=60, owner="other")
    assert other.take() is None
    assert run(one).exit_code == 0
    assert {(found.code) for found in told(one, "reflection.skipped")} == {"lock_active"}
    assert not told(one, "reflection.ran")
    assert other.holder().owner == "other"


def test_a_store_that_is_down_leaves_the_desk_alone(tmp_path, limits):
    made = msgspec.structs.replace(
        document(rows=3_000), runtime={"watchdog": False, "drift_monitor": {"interval_seconds": 0.2}}
    )
    one = process(tmp_path, made, environ=limits)
    (one.state / STATE).mkdir(parents=True)  # a folder in place of the file: nothing can be written
    ended = run(one)
    assert (ended.reason, ended.exit_code) == ("completed", 0)
    assert told(one, "reflection.suggested")
    lines = (one.life.folder / "logs").rglob("*") if (one.life.folder / "logs").is_dir() else ()
    text = "".join(path.read_text() for path in lines if path.is_file())
    assert "state_write_failed" in text or "state_read_failed" in text


def test_the_drift_monitor_remembers_its_last_look(tmp_path):
    made = msgspec.structs.replace(
        document(rows=3_000), runtime={"watchdog": False, "drift_monitor": {"interval_seconds": 0.2}}
    )
    one = process(tmp_path, made)
    run(one)
    (row,) = WorkloadStateFile(one.state / STATE).rows("drift_monitor")
    assert msgspec.json.decode(row.body) == {"run": one.life.run_id, "drifted": []}


def test_a_stopped_guard_and_a_closed_desk_are_skipped(tmp_path):
    one = process(tmp_path, document(), environ=ON)
    assert asyncio.run(reflecting_of(one, ReflectionPolicy()).once()).code == "no_diaries"
    one.discard()


def test_only_runs_of_this_very_desk_are_read(tmp_path):
    for name in ("made-0123456789ab", "made-0123456789ab-2", "made-x-0123456789ab", "made-short"):
        (tmp_path / name / "journal").mkdir(parents=True)
    assert {one.name for one in journals_of_desk(tmp_path, "made", 8)} == {"made-0123456789ab", "made-0123456789ab-2"}
    assert len(journals_of_desk(tmp_path, "made", 1)) == 1


@pytest.mark.parametrize(("key", "value"), [("INTERVAL_SECONDS", "soon"), ("INTERVAL_SECONDS", "0"),
                                            ("CONFIG_PATH", "absent.toml"), ("MODEL_PATH", "absent.json")])  # fmt: skip
def test_a_variable_that_is_none_is_usage(tmp_path, key, value):
    with pytest.raises(UsageError, match="RIM_RUNTIME_"):
        process(tmp_path, document(), environ={**ON, f"RIM_RUNTIME_{key}": value})
