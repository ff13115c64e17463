"""The playbook's validation: three drills that are really done, and a sabotage of each that is found."""

import json
import os

import pytest

from tradeworthy.app.halting import kill_drill
from tradeworthy.app.incidents import validation
from tradeworthy.cli.main import call
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import RetryLater
from tradeworthy.kernel.report import Check
from tradeworthy.kernel.severity import Severity

CLOCK = SystemClock()


def worst_of(checks):
    return max(one.severity for one in checks)


def test_a_real_desk_is_tripped_and_seen_flat(tmp_path):
    checks = validation.kill_switch(tmp_path / "k", CLOCK, dict(os.environ))
    assert worst_of(checks) is Severity.OK, checks
    assert "kill_switch.outcome" in {one.code for one in checks}


def test_a_sabotaged_kill_switch_fails_the_drill(tmp_path, monkeypatch):
    monkeypatch.setattr(kill_drill, "await_certificate", lambda state, halt, clock: None)
    checks = validation.kill_switch(tmp_path / "k", CLOCK, dict(os.environ))
    assert worst_of(checks) is not Severity.OK


def test_a_day_is_derived_again_and_a_throttle_comes_back_to_the_byte(tmp_path):
    assert worst_of(validation.nightly_replay(tmp_path / "n", CLOCK)) is Severity.OK
    checks = validation.throttle_rollback(tmp_path / "t", CLOCK)
    assert worst_of(checks) is Severity.OK, checks


def test_a_throttle_that_does_not_come_back_is_found(tmp_path, monkeypatch):
    played = validation._played

    def stuck(folder, clock, *, throttle):
        return played(folder, clock, throttle=validation.LOOSE if folder.name == "after" else throttle)

    monkeypatch.setattr(validation, "_played", stuck)
    found = {one.code: one.severity for one in validation.throttle_rollback(tmp_path / "t", CLOCK)}
    assert found["throttle_rollback.back"] is Severity.FAIL


def test_a_replay_that_differs_is_found(tmp_path, monkeypatch):
    replay = validation.replay_run

    class Other:
        def __init__(self, found):
            self.ok, self.digest, self.outcomes = False, "0" * 64, found.outcomes

    monkeypatch.setattr(validation, "replay_run", lambda run: Other(replay(run)))
    found = {one.code: one.severity for one in validation.nightly_replay(tmp_path / "n", CLOCK)}
    assert found["nightly_replay.digest"] is Severity.FAIL


@pytest.mark.parametrize(("breaks", "code"), [(None, 0), ("kill_switch", 2), ("nightly_replay", 2)])
def test_the_pack_names_three_drills_and_any_failure_exits_with_2(tmp_path, monkeypatch, breaks, code):
    for name in ("kill_switch", "nightly_replay", "throttle_rollback"):
        def drill(*_, name=name):
            if name == breaks:
                raise RetryLater("sabotaged")
            return (Check(f"{name}.x", Severity.OK, "seen", "seen"),)

        monkeypatch.setattr(validation, name, drill)
    out = tmp_path / "pack.json"
    assert call(["incident", "validate", "--out", str(out)]) == code
    pack = json.loads(out.read_text())
    assert pack["schema"] == "incident_playbook_validation@1"
    assert pack["passed"] is (code == 0)
    assert [one["name"] for one in pack["drills"]] == ["kill_switch", "nightly_replay", "throttle_rollback"]
