"""The drift monitor of a running desk: a withdrawn bundle pauses at the next look, its return releases (APP-13)."""

import asyncio

import msgspec
import pytest
from live_documents import approve, desk

from tradeworthy.app.runs.runner import journal_of
from tradeworthy.app.runtime.desk_process import DeskProcess
from tradeworthy.app.runtime.policy import DriftMonitorPolicy
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.journal import read

ALONE = {"RUNTIME_HEALTHCHECK_ENABLED": "false", "RUNTIME_WATCHDOG_HTTP": ""}
SOON = {"RUNTIME_DRIFT_MONITOR_INTERVAL_SECONDS": "0.1"}


def process_of(tmp_path, **odd):
    path = tmp_path / "approved.toml"
    made = msgspec.structs.replace(desk(path, steps=100_000, speed=2_000), runtime={"watchdog": False})
    approve(path, made)
    return made, path, DeskProcess(made, root=tmp_path / "runs", clock=SystemClock(), environ={**ALONE, **odd})


def test_a_bundle_that_is_withdrawn_pauses_the_running_desk_until_it_returns(tmp_path):
    made, path, process = process_of(tmp_path, **SOON)

    async def main():
        loop = asyncio.get_running_loop()
        loop.call_later(0.8, lambda: approve(path, made, config_hash="f" * 64))
        loop.call_later(1.8, lambda: approve(path, made))
        return await process.run(3.0)

    assert asyncio.run(main()).reason == "timeout"
    (run,) = [one for one in (tmp_path / "runs").iterdir() if one.name != "state"]
    events = list(read(journal_of(run)))
    changes = [(one.seq, one.payload.set) for one in events
               if one.kind == "guard.changed" and one.payload.reason == "config.drift"]  # fmt: skip
    assert [held for _, held in changes] == [True, False]
    sent = [one.seq for one in events if one.kind == "command.submit"]
    assert [seq for seq in sent if seq < changes[0][0]]
    assert [seq for seq in sent if seq > changes[1][0]]


def test_the_monitor_is_on_every_two_minutes_unless_its_variables_say_otherwise(tmp_path):
    assert DriftMonitorPolicy() == DriftMonitorPolicy(enabled=True, interval_seconds=120.0)
    for odd, hang in (({}, 480.0), ({"RUNTIME_DRIFT_MONITOR_INTERVAL_SECONDS": "30"}, 120.0)):
        process = process_of(tmp_path, **odd)[2]
        (service,) = process.application.services.snapshot(())["drift_monitor"]
        assert (service.hang_timeout_seconds, service.criticality) == (hang, "optional")
        process.discard()
    process = process_of(tmp_path, RUNTIME_DRIFT_MONITOR_ENABLED="false")[2]
    assert "drift_monitor" not in process.application.services.snapshot(())
    process.discard()


def test_a_variable_that_is_none_is_usage(tmp_path):
    with pytest.raises(UsageError, match="RUNTIME_DRIFT_MONITOR"):
        process_of(tmp_path, RUNTIME_DRIFT_MONITOR_INTERVAL_SECONDS="soon")
