"""Watching a run, naming its class, comparing it with a witness (DR-40, DR-43, section 1)."""

import msgspec
import pytest

from tradeworthy.cli.main import call
from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.artefact_files import write_artefact
from tradeworthy.operations.dry_run.artefacts import LineCounts, Progress
from tradeworthy.operations.dry_run.model import (
    Heartbeat,
    Incident,
    IncidentMetadata,
    IncidentState,
    Phase,
    Relaxation,
    RunClass,
    Status,
    stamp,
)
from tradeworthy.operations.dry_run.outside import WitnessReading, agree
from tradeworthy.operations.dry_run.run_class import REQUIRED_OBJECTIVES, ReleaseFacts, judge_class
from tradeworthy.operations.dry_run.watch import WatchPolicy, render, watch

SNAPSHOT = Progress(
    run_id="r", status=Status.RUNNING, phase=Phase.RUNNING, now=stamp(0), started_at=stamp(0), elapsed_seconds=3_600.0,
    target_duration_seconds=7_200.0, required_duration_seconds=7_200.0, minimum_uptime_ratio=0.98,
    require_diary_evidence=True, require_performance_evidence=False, line_counts=LineCounts(stdout=7, stderr=1),
    total_lines=8, heartbeat=Heartbeat(source="heartbeat", beats=7, ratio=0.995),
)  # fmt: skip


def incident(number, severity=Status.WARN):
    return Incident(
        id=f"inc-{number:05d}", code=f"code.{number}", severity=severity, state=IncidentState.OPEN,
        occurred_at=stamp(number * NANOS_PER_SECOND), message="m", metadata=IncidentMetadata(component="c"),
    )  # fmt: skip


class Script(EventClock):
    """A clock whose sleeps write the next snapshot."""

    def __init__(self, path, snapshots):
        super().__init__()
        self.path, self.snapshots = path, list(snapshots)

    def sleep(self, nanos):
        super().sleep(nanos)
        if self.snapshots:
            write_artefact(self.path, self.snapshots.pop(0))


def test_a_scripted_run_is_followed_without_repetition_to_its_end(tmp_path):
    path = tmp_path / "p.json"
    write_artefact(path, SNAPSHOT)
    worse = msgspec.structs.replace(SNAPSHOT, highest_severity=Status.WARN, incidents=(incident(1),))
    done = msgspec.structs.replace(worse, phase=Phase.COMPLETE, status=Status.WARN, exit_code=1)
    clock, shown = Script(path, [SNAPSHOT, worse, worse, done]), []
    code = watch(path, WatchPolicy(exit_when_complete=True), clock=clock, show=shown.append)
    assert code == 1
    assert len(shown) == 3
    assert clock.now() == 4 * 30 * NANOS_PER_SECOND
    assert "code.1" in shown[1]
    assert "exit code 1" in shown[2]


def test_what_is_shown():
    many = msgspec.structs.replace(SNAPSHOT, incidents=tuple(incident(n) for n in range(1, 8)))
    text = render(many, WatchPolicy())
    for part in ("running / running", "50.0 %", "1 h 00 min 00 s left", "99.500% by heartbeat", "stdout 7, stderr 1",
                 "diary yes, performance no", "2 older", "code.7"):  # fmt: skip
        assert part in text
    assert text.index("code.3") < text.index("code.7")
    assert "code.2" not in text
    assert "code." not in render(many, WatchPolicy(show_incidents=False))


@pytest.mark.parametrize(("odd", "code"), [
    ({}, 0), ({"highest_severity": Status.WARN}, 1), ({"highest_severity": Status.FAIL}, 2),
    ({"status": Status.UNKNOWN}, 3), ({"status": Status.FAIL}, 2),
])  # fmt: skip
def test_watch_leaves_with_the_status_shown_last(tmp_path, odd, code):
    path = tmp_path / "p.json"
    write_artefact(path, msgspec.structs.replace(SNAPSHOT, **odd))
    assert call(["final-dry-run-watch", "--progress", str(path), "--once"]) == code


def test_watch_without_a_good_file_is_a_usage_error(tmp_path, capfd):
    assert call(["final-dry-run-watch", "--progress", str(tmp_path / "gone"), "--once"]) == 3
    assert "name the run's folder" in " ".join(capfd.readouterr().err.split())
    assert call(["final-dry-run-watch", "--progress", str(tmp_path), "--once"]) == 3
    assert "progress.json" in "".join(capfd.readouterr().err.split())
    write_artefact(tmp_path / "progress.json", SNAPSHOT)
    assert call(["final-dry-run-watch", "--progress", str(tmp_path), "--once"]) == 0
    (tmp_path / "bad").write_text("{}")
    assert call(["final-dry-run-watch", "--progress", str(tmp_path / "bad"), "--once"]) == 3
    with pytest.raises(UsageError):
        watch(tmp_path / "bad", WatchPolicy(once=True), clock=EventClock(), show=print)


RELEASE = ReleaseFacts(
    paper_on_live_feed=True, required_seconds=72 * 3_600.0, run_seconds=72 * 3_600.0, uptime_ratio=0.999,
    uptime_ratio_min=0.995, witness_attached=True, live_gap_alert_minutes=15.0, heartbeat_source="heartbeat",
    window_proved=True, derived_objectives=REQUIRED_OBJECTIVES, hashes_equal_release=True,
)  # fmt: skip


def test_a_release_meets_every_condition():
    assert judge_class(RELEASE) == (RunClass.RELEASE, ())
    waived = Relaxation(code="relaxation.warnings", switch="--allow-warnings", waiver_id="w")
    assert judge_class(msgspec.structs.replace(RELEASE, relaxations=(waived,)))[0] is RunClass.RELEASE


@pytest.mark.parametrize("odd", [
    {"paper_on_live_feed": None}, {"paper_on_live_feed": False}, {"required_seconds": 71 * 3_600.0},
    {"run_seconds": 72 * 3_600.0 - 1}, {"uptime_ratio": 0.994}, {"uptime_ratio": None}, {"uptime_ratio_min": 0.98},
    {"witness_attached": False}, {"live_gap_alert_minutes": None}, {"live_gap_alert_minutes": 15.1},
    {"heartbeat_source": "lines"}, {"window_proved": False}, {"hashes_equal_release": None},
    {"derived_objectives": REQUIRED_OBJECTIVES - {"risk"}}, {"tier_uptime_ratio": 0.9999},
    {"relaxations": (Relaxation(code="c", switch="--allow-warnings"),)},
])  # fmt: skip
def test_one_missing_condition_makes_a_rehearsal_and_names_it(odd):
    run_class, reasons = judge_class(msgspec.structs.replace(RELEASE, **odd))
    assert run_class is RunClass.REHEARSAL
    assert len(reasons) == 1


def seen(ratio, **odd):
    return WitnessReading(ratio=ratio, minutes=4_320, minutes_missing=odd.get("missing", 0), key_id="k",
                          problems=odd.get("problems", ()))  # fmt: skip


@pytest.mark.parametrize(("runtime", "witness", "severity"), [
    (0.999, 0.9941, Severity.OK), (0.999, 0.994, Severity.FAIL), (0.99, 0.995, Severity.FAIL),
    (None, 0.99, Severity.UNKNOWN), (0.99, None, Severity.UNKNOWN),
])  # fmt: skip
def test_half_a_point_between_runtime_and_witness_fails_and_the_lower_counts(runtime, witness, severity):
    found = agree(runtime, seen(witness))
    assert found.severity is severity
    if runtime is not None and witness is not None:
        assert found.ratio == min(runtime, witness)
    assert agree(0.99, seen(0.99, problems=("chain broken",))).severity is Severity.FAIL
