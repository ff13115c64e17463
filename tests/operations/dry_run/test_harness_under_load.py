"""A child that prints as fast as it can, a disk that fails, readers that look at any moment (DR-04, DR-14)."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import msgspec
import psutil
import pytest
from dry_run_fixture import Ran, words
from hypothesis import given
from hypothesis import strategies as st
from virtual_run_fixture import codes, played, settings_in

from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.redaction import redact
from tradeworthy.operations.dry_run.artefact_files import write_artefact
from tradeworthy.operations.dry_run.artefacts import Progress
from tradeworthy.operations.dry_run.audit.judges import AuditJudges
from tradeworthy.operations.dry_run.chain import Chain
from tradeworthy.operations.dry_run.conclude import by_class
from tradeworthy.operations.dry_run.duties import Every, PressureWatch
from tradeworthy.operations.dry_run.incidents import IncidentBook
from tradeworthy.operations.dry_run.model import Incident, IncidentMetadata, IncidentState, RunClass, Status, stamp
from tradeworthy.operations.dry_run.outside import WitnessReading
from tradeworthy.operations.dry_run.policy import HarnessPolicy
from tradeworthy.operations.dry_run.segments import SegmentedLog
from tradeworthy.operations.dry_run.simulation import SimulationPolicy
from tradeworthy.operations.dry_run.smoke import VIRTUAL_START
from tradeworthy.operations.dry_run.virtual import VirtualCommand

ROOT = Path(__file__).resolve().parents[3]
RSS_BYTES_MAX = 150_000_000
"""64 MiB may wait for the disk, besides the interpreter and the batch in hand."""
FLOOD = """
import os, signal, sys
def leave(*_):
    os._exit(0)
signal.signal(signal.SIGINT, leave)
n = 0
while True:
    n += 1
    sys.stdout.write('{"timestamp":"2026-01-05T00:00:00.000000Z","level":"info","event":"flood","n":%d}\\n' % n)
    if n % 1000 == 1:
        sys.stdout.write('{"level":"info","event":"heartbeat","seq":%d}\\n' % n)
"""


def test_a_flood_without_end_is_kept_in_constant_memory(tmp_path):
    command = [
        sys.executable, "-m", "tradeworthy",
        *words(tmp_path, "--no-resource-monitor", "--warn-gap-minutes", "1", seconds=4.0,
               command=(sys.executable, "-c", FLOOD)),
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    watched, sizes = psutil.Process(process.pid), []
    log = tmp_path / "logs"
    while process.poll() is None and not (tmp_path / "summary.json").exists():
        try:
            running = any(one.suffix == ".jsonl" and one.stat().st_size for one in log.glob("final*"))
            stopped = b'"complete": true' in (log / "run_state.json").read_bytes() if running else False
            if running and not stopped:
                sizes.append(watched.memory_info().rss)
        except (psutil.Error, FileNotFoundError):
            pass
        time.sleep(0.05)
    process.wait(60)
    run = Ran(tmp_path, process.returncode)
    assert run.code == 0, run.findings
    assert run.summary.summary.metadata.log_total_lines == run.logs.records > 50_000
    assert len(sizes) > 5
    assert max(sizes) < RSS_BYTES_MAX


@pytest.mark.parametrize(("held", "severity"), [(4.9, None), (5.0, "warn"), (59.9, "warn"), (60.0, "fail")])
def test_back_pressure_is_an_episode_with_two_limits(held, severity):
    book = IncidentBook(kept_max=10, changed=lambda incident: None)
    watch = PressureWatch(HarnessPolicy(), book)
    watch.look(held_seconds=held, at=0)
    assert [str(one.severity) for one in book.all()] == ([severity] if severity else [])
    watch.look(held_seconds=0.0, at=0)
    assert all(one.state is IncidentState.CLOSED for one in book.all())


def test_a_disk_that_fails_loses_lines_loudly_and_never_holds_the_command(tmp_path, monkeypatch):
    write = SegmentedLog.write

    def full(self, structured, raw, lines):
        if b'"seq":60' in structured:
            raise OSError(28, "No space left on device")
        write(self, structured, raw, lines)

    monkeypatch.setattr(SegmentedLog, "write", full)
    result, _ = played(tmp_path)
    assert "log.write_failed" in codes(result)
    assert result.exit_code == 2
    assert result.summary.summary.logs.records > 100


def test_a_reader_in_a_loop_never_sees_a_part_of_a_file(tmp_path):
    path, seen, over = tmp_path / "progress.json", [], threading.Event()

    def read():
        last = False
        while not last:
            last = over.is_set()
            if path.exists():
                seen.append(msgspec.json.decode(path.read_bytes(), type=Progress).phase)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        played(tmp_path, odd={"progress_interval_minutes": 0.2}.items())
    finally:
        over.set()
        reader.join()
    assert len(seen) > 20
    assert seen[-1] == "complete"


class Minutes:
    """A witness that saw this share of the run."""

    def __init__(self, ratio, problems=()):
        self._ratio, self._problems = ratio, problems

    def reading(self, *, started, ended):
        assert ended - started == pytest.approx(1_800 * NANOS_PER_SECOND, rel=0.01)
        return WitnessReading(ratio=self._ratio, minutes=30, minutes_missing=0, key_id="k", problems=self._problems)


@pytest.mark.parametrize(("witness", "code", "ratio"), [
    (Minutes(0.999), 0, 0.999), (Minutes(0.98), 2, 0.98), (Minutes(1.0, problems=("forged",)), 2, 1.0),
])  # fmt: skip
def test_a_witness_that_disagrees_fails_the_run_and_the_lower_uptime_is_used(tmp_path, witness, code, ratio):
    settings = settings_in(tmp_path)
    clock = EventClock(VIRTUAL_START)
    simulation = SimulationPolicy(
        duration_seconds=9_999.0, tick_seconds=10.0, diary=settings.paths.diary,
        performance=settings.paths.performance, durable=False,
    )  # fmt: skip
    chain = Chain(settings, AuditJudges(), clock=clock, say=lambda line: None, summary_path=None, witness=witness)
    result = chain.run(lambda failed: VirtualCommand(simulation, clock))
    assert result.exit_code == code
    assert result.summary.summary.logs.uptime_ratio == pytest.approx(ratio, abs=1e-6)
    assert codes(result) == ([] if code == 0 else ["witness.disagreement"])


def test_a_needed_kill_is_a_warning_in_a_rehearsal_and_a_failure_in_a_release():
    forced = Incident(
        id="i", code="shutdown.forced", severity=Status.WARN, state=IncidentState.OPEN, occurred_at=stamp(0),
        message="m", metadata=IncidentMetadata(component="command"),
    )  # fmt: skip
    assert by_class(forced, RunClass.REHEARSAL).severity is Status.WARN
    assert by_class(forced, RunClass.RELEASE).severity is Status.FAIL


def test_a_late_duty_is_done_once_and_keeps_its_beat():
    duty = Every(10.0, first=0)
    second = NANOS_PER_SECOND
    done = [at for at in (0, 1, 9, 10, 11, 55, 56, 60) if duty.due(at * second)]
    assert done == [0, 10, 55, 60]


@given(st.text(alphabet='token:="secret\\ {}&,;x', max_size=40))
def test_redaction_never_breaks_an_artefact(text):
    incident = Incident(
        id="i", code="log.error", severity=Status.WARN, state=IncidentState.OPEN, occurred_at=stamp(0), message=text,
        metadata=IncidentMetadata(component="log", observed=text),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.json"
        write_artefact(path, incident)
        found = msgspec.json.decode(path.read_bytes(), type=Incident)
    assert found.message == redact(text)
