"""Children that do their worst (DR-03 to DR-12): print flat out, end no line, orphan forks, ignore every signal."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from dry_run_fixture import Ran, words

ROOT = Path(__file__).resolve().parents[3]
RUN_BYTES_MAX = 200_000_000
"""The interpreter, 64 MiB that may wait for the disk, and what is on its way through the pumps."""
GROWTH_BYTES_MAX = 20_000_000
"""What the second half of a run may hold more than the first."""
END_SECONDS_MAX = 60.0
"""From the stop request to the verdict, with the audit of what a minute left, on a busy machine."""
FLAT_OUT = """
import os, signal
names, over = ["heartbeat", *["line"] * 499], []
signal.signal(signal.SIGINT, lambda *_: over.append(1))
n = 0
while not over:
    head, tail = '{"level":"info","event":"', f',"x":"{"x" * 80}"}}\\n'
    lines = "".join(f'{head}{name}","seq":{n + k}{tail}' for k, name in enumerate(names))
    left = memoryview(lines.encode())
    while left:
        left = left[os.write(1, left):]
    n += 500
"""
ENDLESS_LINE = """
import os, signal, threading
signal.signal(signal.SIGINT, lambda *_: os._exit(0))
def fill(stream):
    while True:
        os.write(stream, b"x" * 65_536)
threading.Thread(target=fill, args=(2,), daemon=True).start()
fill(1)
"""
FORKING = """
import os, signal, sys, time
signal.signal(signal.SIGINT, lambda *_: os._exit(0))
pause, seq = float(sys.argv[1]), 0
while True:
    print('{"level":"info","event":"heartbeat","seq":%d}' % seq, flush=True)
    seq += 1
    if seq <= int(sys.argv[2]) and os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(600)
        os._exit(0)
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                break
        except ChildProcessError:
            break
    time.sleep(pause)
"""
DEAF = """
import signal, time
for number in range(1, signal.NSIG):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
seq = 0
while True:
    print('{"level":"info","event":"heartbeat","seq":%d}' % seq, flush=True)
    seq += 1
    time.sleep(0.1)
"""


class Observed:
    """A finished run with the memory its harness held until the stop request, and how long the end took."""

    def __init__(self, folder, code, *more, seconds):
        command = [
            sys.executable, "-m", "tradeworthy",
            *words(folder, "--resource-sample-interval-minutes", "0.01", "--max-line-kib", "64", seconds=seconds,
                   command=(sys.executable, "-c", code, *more)),
        ]  # fmt: skip
        began = time.monotonic()
        process = subprocess.Popen(
            command, env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        watched, self.running = psutil.Process(process.pid), []
        state = folder / "logs" / "run_state.json"
        while process.poll() is None:
            try:
                if not (state.exists() and b'"stop_requested": true' in state.read_bytes()):
                    self.running.append(watched.memory_info().rss)
            except psutil.Error:
                break
            time.sleep(0.05)
        process.wait(600)
        self.took = time.monotonic() - began
        self.run = Ran(folder, process.returncode)
        self.left = [one for one in psutil.process_iter(["cmdline"]) if code in (one.info["cmdline"] or [])]

    def require_promises(self, seconds):
        """Hold what the harness promises whatever the child does."""
        metadata = self.run.summary.summary.metadata
        assert metadata.actual_duration_seconds >= seconds
        assert self.took < seconds + END_SECONDS_MAX * max(1.0, seconds / 10)
        assert self.run.progress.phase == "complete"
        assert self.run.progress.exit_code == self.run.code
        assert "harness.failed" not in self.run.codes
        assert "pump.failed" not in self.run.codes
        assert self.left == []
        half = len(self.running) // 2
        self.first, self.second = max(self.running[:half]), max(self.running[half:])
        assert self.second < RUN_BYTES_MAX
        if seconds >= 30:
            assert self.second < self.first + GROWTH_BYTES_MAX

    def told(self, name):
        lines = self.run.summary.summary.metadata.log_total_lines
        memory = f"{self.first / 1e6:.0f} MB, then {self.second / 1e6:.0f} MB"
        print(f"\n{name}: {lines:,} lines, {memory}, codes {self.run.codes}")


def flat_out(folder, seconds):
    seen = Observed(folder, FLAT_OUT, seconds=seconds)
    seen.require_promises(seconds)
    logs = seen.run.logs
    assert (seen.run.code, seen.run.codes) == (0, [])
    assert logs.records == seen.run.summary.summary.metadata.log_total_lines == 500 * logs.event_counts["heartbeat"]
    assert logs.records > 1_000 * seconds
    seen.told("flat out")


def endless_line(folder, seconds):
    seen = Observed(folder, ENDLESS_LINE, seconds=seconds)
    seen.require_promises(seconds)
    assert seen.run.code == 2
    assert "log.line.truncated" in seen.run.codes
    assert seen.run.summary.summary.metadata.log_total_lines == 2
    seen.told("one endless line on each stream")


def forking(folder, seconds, orphans):
    seen = Observed(folder, FORKING, f"{seconds / orphans / 2:.4f}", str(orphans), seconds=seconds)
    seen.require_promises(seconds)
    (told,) = [one for one in seen.run.summary.incidents if one.code == "shutdown.orphans"]
    assert told.metadata.observed == orphans
    assert seen.run.code == 1
    seen.told(f"{orphans} orphans")


def deaf(folder, seconds):
    seen = Observed(folder, DEAF, seconds=seconds)
    seen.require_promises(seconds)
    assert (seen.run.code, seen.run.codes) == (1, ["shutdown.forced"])
    assert seen.run.summary.summary.metadata.exit_code == -signal.SIGKILL
    seen.told("deaf")


def test_a_child_that_prints_flat_out_loses_no_line_in_flat_memory(tmp_path):
    flat_out(tmp_path, 3.0)


def test_a_line_without_an_end_is_cut_and_told_in_flat_memory(tmp_path):
    endless_line(tmp_path, 2.0)


def test_every_orphan_of_a_child_that_forks_is_killed_and_told(tmp_path):
    forking(tmp_path, 3.0, 12)


def test_a_child_that_ignores_every_signal_is_killed_after_the_grace(tmp_path):
    deaf(tmp_path, 2.0)


@pytest.mark.proof
def test_a_minute_of_each_harsh_child_in_flat_memory(tmp_path):
    flat_out(tmp_path / "flat", 60.0)
    endless_line(tmp_path / "line", 60.0)
    forking(tmp_path / "fork", 60.0, 200)
    deaf(tmp_path / "deaf", 60.0)
