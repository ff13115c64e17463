"""A million different errors in flat memory (DR-17), and a disk that takes a fraction of what is printed (DR-04)."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from dry_run_fixture import HOUR, Ran, words
from virtual_run_fixture import settings_in

from tradeworthy.kernel.clock import SystemClock
from tradeworthy.operations.dry_run.audit.judges import AuditJudges
from tradeworthy.operations.dry_run.chain import Chain
from tradeworthy.operations.dry_run.command import ChildCommand
from tradeworthy.operations.dry_run.policy import PumpPolicy
from tradeworthy.operations.dry_run.segments import EvidenceFile

ROOT = Path(__file__).resolve().parents[3]
KEPT_MAX = 1_000
RUN_BYTES_MAX, AUDIT_BYTES_MAX = 150_000_000, 300_000_000
"""While it runs: the interpreter, a thousand incidents and 64 MiB that may wait for the disk; then the audit's own."""
GROWTH_BYTES_MAX = 20_000_000
"""What the second half of a run may hold more than the first."""
ERRORS = """
import sys
def word(n):
    letters = ""
    while n:
        n, rest = divmod(n, 26)
        letters = chr(97 + rest) + letters
    return letters
for n in range(1, int(sys.argv[1]) + 1):
    sys.stdout.write('{"level":"error","event":"failed","message":"could not settle %s"}\\n' % word(n))
"""


def observed_errors(folder, count):
    """Run a child that prints `count` different errors; return (what was left, memory while it ran, memory after)."""
    command = [
        sys.executable, "-m", "tradeworthy",
        *words(folder, "--no-resource-monitor", "--required-duration-hours", f"{0.01 / HOUR:.12f}", seconds=600,
               command=(sys.executable, "-c", ERRORS, str(count))),
    ]  # fmt: skip
    process = subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    watched, running, after = psutil.Process(process.pid), [], []
    state = folder / "logs" / "run_state.json"
    while process.poll() is None:
        try:
            over = state.exists() and b'"complete": true' in state.read_bytes()
            (after if over else running).append(watched.memory_info().rss)
        except psutil.Error:
            break
        time.sleep(0.05)
    process.wait(60)
    return Ran(folder, process.returncode), running, after


def require_bounded(run, count):
    assert run.code == 2
    assert run.logs.records == count == run.logs.level_counts["error"]
    live = [one for one in run.summary.incidents if one.code == "log.error"]
    (overflow,) = [one for one in run.summary.incidents if one.code == "incident.overflow"]
    assert len(live) == KEPT_MAX
    assert overflow.count == count - KEPT_MAX
    assert len(run.logs.errors) == KEPT_MAX
    (beyond,) = [one for one in run.logs.content_incidents if one.metadata["code"] == "incident.overflow"]
    assert beyond.metadata["lines"] == count - KEPT_MAX
    lines = (run.folder / "logs" / "incidents.jsonl").read_bytes().splitlines()
    assert len(lines) <= 2 * KEPT_MAX + 10


def test_more_different_errors_than_are_kept_are_counted_and_bounded(tmp_path):
    run, running, after = observed_errors(tmp_path, 20_000)
    require_bounded(run, 20_000)
    assert max(running) < RUN_BYTES_MAX
    assert max(after) < AUDIT_BYTES_MAX


@pytest.mark.proof
def test_a_million_different_errors_in_flat_memory(tmp_path):
    run, running, after = observed_errors(tmp_path, 1_000_000)
    require_bounded(run, 1_000_000)
    half = len(running) // 2
    first, second = max(running[:half]), max(running[half:])
    print(f"\n1,000,000 errors: {first / 1e6:.0f} MB, then {second / 1e6:.0f} MB; audit {max(after) / 1e6:.0f} MB")
    assert second < RUN_BYTES_MAX
    assert second < first + GROWTH_BYTES_MAX
    assert max(after) < AUDIT_BYTES_MAX


LINES = 3_000
BURST = """
import signal, sys, os, time
def leave(*_):
    os._exit(0)
signal.signal(signal.SIGINT, leave)
for n in range(int(sys.argv[1])):
    sys.stdout.write('{"level":"info","event":"burst","n":%d,"x":"%s"}\\n' % (n, "x" * 80))
sys.stdout.flush()
"""


def test_a_slow_disk_holds_the_command_is_told_of_as_it_gets_worse_and_loses_no_line(tmp_path, monkeypatch):
    """The disk takes 150 kB/s of some 1.5 MB; warn after 0.4 s of holding the command, fail after 1.2 s."""
    write = EvidenceFile._write

    def slow(self):
        time.sleep(sum(map(len, self._pending)) / 150_000)
        write(self)

    monkeypatch.setattr(EvidenceFile, "_write", slow)
    pumps = PumpPolicy(
        buffer_bytes_max=131_072, back_pressure_warn_seconds=0.4, back_pressure_fail_seconds=1.2, chunk_bytes=65_536
    )
    settings = settings_in(tmp_path, odd={
        "duration_hours": 60 / HOUR, "required_duration_hours": 0.1 / HOUR, "checkpoint_seconds": 0.2,
        "heartbeat_interval_seconds": 30.0, "diary_required": False, "performance_required": False, "pumps": pumps,
    }.items(), diary=None, performance=None)  # fmt: skip
    commands = []

    def make(failed):
        commands.append(ChildCommand(
            (sys.executable, "-c", BURST, str(LINES)), dict(os.environ), tmp_path, clock=SystemClock(), policy=pumps,
            pump_failed=failed,
        ))  # fmt: skip
        return commands[0]

    said = []
    chain = Chain(settings, AuditJudges(), clock=SystemClock(), say=said.append, summary_path=None)
    result = chain.run(make)
    (held,) = {one.code for one in result.summary.incidents}
    assert held == "log.back_pressure"
    assert all(str(one.state) == "closed" for one in result.summary.incidents)
    assert "fail" in {str(one.severity) for one in result.summary.incidents}
    words_said = [one.split()[1] for one in said]
    assert words_said.index("WARN") < words_said.index("FAIL") < len(words_said) - 1
    assert result.summary.summary.logs.records == LINES
    assert commands[0]._buffer.bytes_peak <= pumps.buffer_bytes_max + 2 * pumps.chunk_bytes
