"""The production chain on an injected clock: each fault gives exactly its finding, twice the same bytes (DR-47)."""

import json
from random import Random

import msgspec
import pytest
from virtual_run_fixture import SteppedClock, codes, played, settings_in

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import InvalidInput, UsageError
from tradeworthy.operations.dry_run.artefacts import Progress, decode_summary
from tradeworthy.operations.dry_run.audit.judges import AuditJudges
from tradeworthy.operations.dry_run.harness import Harness
from tradeworthy.operations.dry_run.simulation import FAULTS, fault_of
from tradeworthy.operations.dry_run.smoke import VIRTUAL_START

FINDINGS = {
    "silent=300@600": (["log.silence"], 2), "silent=60@600": ([], 0), "die@900": (["exit.early", "duration.short"], 2),
    "exit-code=3@900": (["exit.early", "duration.short"], 2), "exit-code=0@900": (["duration.short"], 2),
    "traceback@600": (["log.stack_trace"], 2), "nested-trace@600": (["log.stack_trace"], 2),
    "stderr-info@600": ([], 0), "stderr-plain@600": (["log.plain_stderr"], 2),
    "long-line@600": (["log.line.truncated"], 1), "long-line=70000@600": ([], 0), "warn@600": (["log.warning"], 2),
    "error@600": (["log.error"], 2), "ignore-sigint@600": ([], 0), "diary-stop@600": (["evidence.diary.stale"], 2),
    "diary-corrupt@600": ([], 2), "performance-stop@600": (["evidence.performance.stale"], 2),
    "future-time@600": (["log.timestamp.future"], 2), "cpu@600": (["resource.cpu_percent"], 2),
    "memory@600": (["resource.memory_mb"], 2), "fork@600": (["resource.memory_mb"], 2),
}  # fmt: skip


def test_every_fault_has_its_finding_in_the_table():
    assert {fault_of(word).kind for word in FINDINGS} == FAULTS


@pytest.mark.parametrize("fault", FINDINGS)
def test_each_fault_gives_exactly_its_finding(tmp_path, fault):
    result, _ = played(tmp_path, fault)
    expected, code = FINDINGS[fault]
    assert codes(result) == expected
    assert result.exit_code == code, result.summary.sign_off.findings


def test_a_healthy_run_passes_and_is_the_same_bytes_twice(tmp_path):
    for name in ("a", "b"):
        result, said = played(tmp_path / name)
        assert (result.exit_code, said) == (0, [])
    for name in ("logs/final_dry_run_virtual.jsonl", "logs/final_dry_run_virtual.log", "decision_diary.jsonl"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    other, _ = played(tmp_path / "c", seed=1)
    assert other.exit_code == 0
    log = "logs/final_dry_run_virtual.jsonl"
    assert (tmp_path / "c" / log).read_bytes() != (tmp_path / "a" / log).read_bytes()


@pytest.mark.parametrize("step", [3_600, -3_600])
def test_a_wall_clock_stepped_by_an_hour_changes_neither_duration_nor_uptime(tmp_path, step):
    clock = SteppedClock(VIRTUAL_START, step_seconds=step, at_seconds=900)
    settings = settings_in(tmp_path, odd={"diary_required": False, "performance_required": False}.items(), diary=None,
                           performance=None)  # fmt: skip
    result, _ = played(tmp_path, clock=clock, settings=settings)
    metadata = result.summary.summary.metadata
    assert metadata.actual_duration_seconds == pytest.approx(1_800.0)
    assert result.summary.summary.logs.uptime_ratio > 0.99
    assert result.summary.summary.logs.gap_incidents == ()
    assert "log.silence" not in codes(result)
    assert "duration.short" not in codes(result)


def test_episodes_of_evidence_close_when_it_recovers(tmp_path):
    result, said = played(tmp_path, "silent=300@300", "silent=300@900")
    episodes = [(one.code, str(one.state)) for one in result.summary.incidents]
    assert episodes == [("log.silence", "closed"), ("log.silence", "closed")]
    assert [one.split()[1] for one in said] == ["WARN", "closed", "WARN", "closed"]


class Broken(AuditJudges):
    """Judges of which one breaks."""

    def diary(self, *_, **__):
        raise InvalidInput("the diary is a brick")

    def sign_off(self, *_, **__):
        raise RuntimeError("no pen")


def test_a_section_that_raises_is_unknown_and_the_summary_is_there_anyway(tmp_path):
    result, _ = played(tmp_path, judges=Broken())
    summary = decode_summary((tmp_path / "summary.json").read_bytes())
    assert str(summary.summary.diary.status) == "unknown"
    assert "brick" in summary.summary.diary.error
    assert [one.code for one in summary.sign_off.findings] == ["sign_off.failed"]
    assert result.exit_code == 2
    assert json.loads((tmp_path / "progress.json").read_bytes())["phase"] == "complete"


def test_an_internal_failure_of_the_harness_still_ends_in_a_summary(tmp_path, monkeypatch):
    write = Harness._checkpoint

    def fail(self, at):
        if at - VIRTUAL_START > 600 * NANOS_PER_SECOND:
            raise ZeroDivisionError("inside")
        write(self, at)

    monkeypatch.setattr(Harness, "_checkpoint", fail)
    result, _ = played(tmp_path)
    assert codes(result) == ["harness.failed", "duration.short"]
    assert result.exit_code == 2
    final = json.loads((tmp_path / "progress.json").read_bytes())
    assert (final["phase"], final["exit_code"]) == ("complete", 2)
    assert result.summary.summary.logs.records > 50


def test_severity_in_the_progress_file_never_falls_and_the_end_is_locked(tmp_path):
    settings = settings_in(tmp_path, timeline=tmp_path / "timeline")
    result, _ = played(tmp_path, "silent=300@300", settings=settings)
    files = sorted((tmp_path / "timeline").iterdir())
    snapshots = [msgspec.json.decode(one.read_bytes(), type=Progress) for one in files]
    severities = [one.highest_severity.severity for one in snapshots]
    assert severities == sorted(severities)
    assert [str(one.phase) for one in snapshots[:2]] == ["startup", "running"] or snapshots[0].phase == "startup"
    last = snapshots[-1]
    assert (str(last.phase), last.exit_code, last.sign_off) == ("complete", result.exit_code, result.summary.sign_off)
    assert [one.exit_code for one in snapshots[:-1]] == [None] * (len(snapshots) - 1)


@pytest.mark.parametrize("word", ["silent", "nothing@3", "silent@x", "silent=a@3", "@3", ""])
def test_a_bad_fault_is_refused(word):
    with pytest.raises(UsageError, match="--fault"):
        fault_of(word)


def vary(folder, count):
    """Run `count` variations of seed, fault and moment; each must give its own finding."""
    generator = Random(20_260_105)
    kinds = sorted(FINDINGS)
    for number in range(count):
        word = kinds[generator.randrange(len(kinds))]
        moment = generator.randrange(300, 900)
        fault = f"{word.rpartition('@')[0]}@{moment}"
        result, _ = played(folder / str(number), fault, seed=number)
        expected, code = FINDINGS[word]
        assert (codes(result), result.exit_code) == (expected, code), (fault, number)


def test_some_variations_of_seed_fault_and_moment_give_their_own_finding(tmp_path):
    vary(tmp_path, 4)


@pytest.mark.proof
def test_a_thousand_variations_give_their_own_finding(tmp_path):
    vary(tmp_path, 1_000)
