"""Going on after the worst (DR-44, DR-45, DR-46)."""

import os
import subprocess
import sys

import msgspec
import pytest
from dry_run_fixture import CHILD
from virtual_run_fixture import codes, played, settings_in

from tradeworthy.cli.main import call
from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.artefact_files import IncidentLog, Timeline, read_incidents
from tradeworthy.operations.dry_run.artefacts import Progress, RunState, decode_summary
from tradeworthy.operations.dry_run.audit.judges import AuditJudges
from tradeworthy.operations.dry_run.chain import Chain
from tradeworthy.operations.dry_run.harness import Harness
from tradeworthy.operations.dry_run.model import (
    Hashes,
    Incident,
    IncidentMetadata,
    IncidentState,
    Status,
    nanos_of,
    stamp,
)
from tradeworthy.operations.dry_run.plan import hashes_of
from tradeworthy.operations.dry_run.policy import FreshnessPolicy
from tradeworthy.operations.dry_run.recover import left_in, reasons_against_resuming, still_running
from tradeworthy.operations.dry_run.simulation import SimulationPolicy
from tradeworthy.operations.dry_run.smoke import VIRTUAL_START
from tradeworthy.operations.dry_run.virtual import VirtualCommand

SECOND = NANOS_PER_SECOND
LOOSE = {"diary_required": False, "performance_required": False, "checkpoint_seconds": 20.0}


class PowerCut(BaseException):
    """The host is gone: nothing may be caught, nothing is written."""


class CutCommand(VirtualCommand):
    """A runtime whose host loses power after so many seconds."""

    def __init__(self, policy, clock, *, after):
        super().__init__(policy, clock)
        self._cut = clock.monotonic() + after * SECOND
        self._clock_ = clock

    def wait(self, nanos):
        if self._clock_.monotonic() + nanos > self._cut:
            raise PowerCut
        super().wait(nanos)


def cut_run(folder, *, after=600, settings=None, clock=None, carried=None):
    """Run until the power is cut; return the clock and what was left."""
    settings = settings or settings_in(folder, odd=LOOSE.items(), diary=None, performance=None)
    clock = clock or EventClock(VIRTUAL_START)
    simulation = SimulationPolicy(duration_seconds=36_000.0, tick_seconds=10.0, durable=False)
    harness = Harness(
        settings, lambda failed: CutCommand(simulation, clock, after=after), clock=clock, say=lambda line: None,
        carried=carried,
    )  # fmt: skip
    with pytest.raises(PowerCut):
        harness.run()
    return clock, left_in(folder)


def test_at_most_a_second_is_lost_by_a_cut(tmp_path):
    settings = settings_in(tmp_path, odd={**LOOSE, "checkpoint_seconds": 1.0}.items(), diary=None, performance=None)
    clock, left = cut_run(tmp_path, after=100, settings=settings)
    lost = (clock.now() - nanos_of(left.state.now)) / SECOND
    assert 0 <= lost <= 1.0
    assert left.state.run_seconds >= 99
    assert not left.state.complete


def test_two_boots_are_one_run_and_the_outage_is_exact_and_down(tmp_path):
    clock, left = cut_run(tmp_path)
    last = nanos_of(left.state.now)
    clock.advance_to(last + 300 * SECOND)
    result, _ = played(tmp_path, settings=left.settings, clock=clock, carried=left.state)
    metadata = result.summary.summary.metadata
    assert [one.outage_seconds for one in metadata.boots] == [0.0, 300.0]
    assert metadata.actual_duration_seconds == pytest.approx(1_800.0, abs=0.01)
    assert sum(one.run_seconds for one in metadata.boots) == pytest.approx(1_800.0, abs=0.01)
    assert metadata.heartbeat.ratio == pytest.approx(1_800 / 2_100, abs=0.02)
    assert len(metadata.segments) == 2
    resumed = [one for one in result.summary.incidents if one.code == "run.resumed"]
    assert [(str(one.severity), one.metadata.observed) for one in resumed] == [("warn", 300.0)]
    assert result.summary.summary.logs.records == metadata.log_total_lines


@pytest.mark.parametrize(("outage", "severity"), [(900, "warn"), (901, "fail")])
def test_an_outage_of_more_than_fifteen_minutes_fails(tmp_path, outage, severity):
    clock, left = cut_run(tmp_path)
    clock.advance_to(nanos_of(left.state.now) + outage * SECOND)
    result, _ = played(tmp_path, settings=left.settings, clock=clock, carried=left.state)
    (told,) = [one for one in result.summary.incidents if one.code == "run.resumed"]
    assert str(told.severity) == severity


def test_a_fourth_resumption_fails(tmp_path):
    clock, left = cut_run(tmp_path, after=100)
    for _ in range(3):
        clock, left = cut_run(tmp_path, after=100, settings=left.settings, clock=clock, carried=left.state)
    assert left.state.resumptions == 3
    assert str(left.state.highest_severity) == "warn"
    result, _ = played(tmp_path, settings=left.settings, clock=clock, carried=left.state)
    worst = [str(one.severity) for one in result.summary.incidents if one.code == "run.resumed"]
    assert worst == ["warn", "warn", "warn", "fail"]


def test_what_changed_or_is_complete_may_not_be_resumed(tmp_path):
    _, left = cut_run(tmp_path)
    assert reasons_against_resuming(left, (), left.state.hashes, frozenset()) == []
    assert reasons_against_resuming(left, ("simulated",), left.state.hashes, frozenset()) == []
    assert "found ['other']" in reasons_against_resuming(left, ("other",), left.state.hashes, frozenset())[0]
    assert "the code changed" in reasons_against_resuming(left, (), Hashes(code="x"), frozenset())[0]
    assert "--env" in reasons_against_resuming(left, (), left.state.hashes, frozenset({"A"}))[0]
    played(tmp_path / "whole")
    whole = left_in(tmp_path / "whole")
    assert "complete" in reasons_against_resuming(whole, (), whole.state.hashes, frozenset())[0]


def test_recovery_judges_what_is_there_without_running(tmp_path):
    clock, left = cut_run(tmp_path)
    chain = Chain(left.settings, AuditJudges(), clock=clock, say=lambda line: None, summary_path=tmp_path / "s.json")
    result = chain.recover(left)
    assert codes(result) == ["harness.cut_off", "duration.short"]
    assert result.exit_code == 2
    assert result.summary.summary.logs.records == left.state.line_counts.stdout
    (segment,) = result.summary.summary.metadata.segments
    assert len(segment.structured_sha256) == 64


def test_values_of_the_user_s_variables_are_in_no_checkpoint(tmp_path):
    settings = settings_in(tmp_path, odd=LOOSE.items(), diary=None, performance=None)
    settings = msgspec.structs.replace(settings, user_environment={"VENUE": "value-of-the-user"})
    cut_run(tmp_path, settings=settings)
    assert b"value-of-the-user" not in (tmp_path / "run_state.json").read_bytes()
    assert left_in(tmp_path).settings.user_environment == {"VENUE": ""}


@pytest.mark.parametrize("content", [None, "garbage", "{}"])
def test_a_folder_without_a_checkpoint_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "run_state.json").write_text(content)
    with pytest.raises(UsageError):
        left_in(tmp_path)


def test_a_checkpoint_round_trips(tmp_path):
    _, left = cut_run(tmp_path)
    data = (tmp_path / "run_state.json").read_bytes()
    assert msgspec.json.decode(data, type=RunState) == left.state
    assert left.settings.policy.diary_required is False
    assert Severity.OK is left.state.highest_severity.severity


def test_the_verb_goes_on_with_a_real_child_in_its_own_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("tradeworthy.cli.dry_run_session.code_hash", lambda: "code")
    (tmp_path / "home").mkdir()
    settings = settings_in(tmp_path, odd={**LOOSE, "heartbeat_interval_seconds": 0.3}.items(), diary=None,
                           performance=None)  # fmt: skip
    policy = msgspec.structs.replace(
        settings.policy, duration_hours=602 / 3_600, shutdown_grace_seconds=2.0, diary_freshness=FreshnessPolicy(),
        performance_freshness=FreshnessPolicy(),
    )  # fmt: skip
    settings = msgspec.structs.replace(
        settings, policy=policy, command=(sys.executable, CHILD), folder=str(tmp_path / "home"),
        hashes=hashes_of((sys.executable, CHILD), code="code"),
    )  # fmt: skip
    cut_run(tmp_path, settings=settings)
    summary = tmp_path / "s.json"
    code = call(["final-dry-run", "--resume", str(tmp_path), "--json-report", str(summary)])
    assert code == 2  # the outage, from the injected clock to this machine's, is longer than any limit
    found = decode_summary(summary.read_bytes())
    assert [one.code for one in found.incidents] == ["run.resumed"]
    assert found.summary.metadata.actual_duration_seconds == pytest.approx(602, abs=1.5)
    assert len(found.summary.metadata.boots) == 2
    assert call(["final-dry-run", "--resume", str(tmp_path), "--json-report", str(summary)]) == 3


def test_a_run_whose_command_still_lives_is_not_started_a_second_time(tmp_path):
    _, left = cut_run(tmp_path)
    assert still_running(left.settings) == []
    marked = {**os.environ, "FINAL_DRY_RUN_LOG_DIR": str(left.settings.paths.log_dir)}
    child = subprocess.Popen([sys.executable, "-c", "print(flush=True); input()"], env=marked, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)  # fmt: skip
    assert child.stdout.readline()
    (reason,) = still_running(left.settings)
    assert f"({child.pid})" in reason
    child.communicate(b"\n")
    assert still_running(left.settings) == []


def test_snapshots_of_a_second_boot_go_on_after_those_of_the_first(tmp_path):
    snapshot = Progress(
        run_id="r", now=stamp(0), started_at=stamp(0), elapsed_seconds=0.0, target_duration_seconds=1.0,
        required_duration_seconds=1.0, minimum_uptime_ratio=0.98, require_diary_evidence=False,
        require_performance_evidence=False,
    )  # fmt: skip
    for _ in range(2):
        Timeline(tmp_path / "timeline").keep(snapshot)
    Timeline(None).keep(snapshot)
    found = [path.name for path in sorted((tmp_path / "timeline").iterdir())]
    assert found == ["snapshot-19700101T000000-00001.json", "snapshot-19700101T000000-00002.json"]


def test_a_torn_line_of_incidents_takes_no_other_with_it(tmp_path):
    path = tmp_path / "incidents.jsonl"
    path.write_bytes(b'{"id":"inc-00001","code":"log.er')
    log = IncidentLog(path)
    told = Incident(
        id="inc-00002", code="log.error", severity=Status.FAIL, state=IncidentState.OPEN, occurred_at=stamp(0),
        message="m", metadata=IncidentMetadata(component="log"),
    )  # fmt: skip
    log.append([told])
    log.close()
    assert [one.id for one in read_incidents(path)] == ["inc-00002"]
