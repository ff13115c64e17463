"""SIGKILL of the harness at any moment leaves readable evidence, and a run that goes on or ends with a true verdict."""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import msgspec
import psutil
import pytest
from dry_run_fixture import CHILD, HOUR

from tradeworthy.cli.main import call
from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.operations.dry_run.artefacts import Progress, RunState, decode_summary
from tradeworthy.operations.dry_run.audit.policy import AuditPolicy
from tradeworthy.operations.dry_run.audit.scan import scan
from tradeworthy.operations.dry_run.model import nanos_of

ROOT = Path(__file__).resolve().parents[3]
RUN_SECONDS, KILLED_WITHIN_SECONDS = 3.0, 7.5
"""Start-up, the run, its drain and its artefacts, on a busy machine."""
LATEST = 2_000_000_000_000_000_000
LOST_SECONDS_MAX = 2.0
"""A checkpoint is written each second, and may take a moment on a busy disk."""


def killed(root, after):
    """Start a run, kill its harness `after` seconds, and end the command by hand as the runbook says."""
    command = [
        sys.executable, "-m", "tradeworthy", "final-dry-run-orchestrator", "--output-root", str(root), "--run-name",
        "a", "--duration-hours", f"{RUN_SECONDS / HOUR:.9f}", "--heartbeat-interval-seconds", "1",
        "--skip-diary-evidence", "--skip-performance-evidence", "--shutdown-grace-seconds", "2",
        *(["--compress-logs"] if after * 1_000 % 2 < 1 else []), "--", sys.executable, CHILD,
    ]  # fmt: skip
    process = subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    began = time.monotonic()
    while process.poll() is None and time.monotonic() - began < after:
        time.sleep(0.005)
    lived = time.monotonic() - began
    process.kill()
    process.wait()
    folder = str(root / "a")
    for one in psutil.process_iter():
        try:
            if folder in one.environ().get("FINAL_DRY_RUN_LOG_DIR", ""):
                one.kill()
                one.wait(10)
        except psutil.Error:
            continue
    return root / "a", lived


def require_readable(folder):
    """Every artefact is whole or absent, every log reads to its end; return the records that are there."""
    for path in folder.rglob("*.json"):
        json.loads(path.read_bytes())
    logs = sorted((folder / "logs").glob("*.jsonl*"))
    tally = scan(logs, AuditPolicy(), now=LATEST)
    assert tally.problems == []
    assert tally.ignored == 0
    return tally


def require_true_verdict(root, after, *, resume):
    """Kill one harness and judge what it left; return what became of the run."""
    folder, lived = killed(root, after)
    state_path = folder / "run_state.json"
    if not state_path.exists():
        assert call(["final-dry-run-orchestrator", "--recover", str(folder)]) == 3
        return "nothing had begun"
    tally = require_readable(folder)
    state = msgspec.json.decode(state_path.read_bytes(), type=RunState)
    numbers = sorted(tally.beats[1::2])
    assert numbers == list(range(1, len(numbers) + 1))
    if (folder / "summary.json").exists():
        before = decode_summary((folder / "summary.json").read_bytes())
        assert str(before.status) in ("pass", "fail")
    if state.complete:
        assert call(["final-dry-run-orchestrator", "--resume", str(folder)]) == 3
    verb = "--resume" if resume and not state.complete else "--recover"
    code = call(["final-dry-run-orchestrator", verb, str(folder)])
    if code == 3:  # the kill came after the last artefact: nothing is left to recover
        assert state.complete
        assert (folder / "packet.tar.gz").exists()
        return "was over"
    summary = decode_summary((folder / "summary.json").read_bytes())
    progress = msgspec.json.decode((folder / "progress.json").read_bytes(), type=Progress)
    metadata = summary.summary.metadata
    assert (str(progress.phase), progress.status) == ("complete", summary.status)
    assert summary.summary.logs.records >= tally.records
    codes = {one.code for one in summary.incidents}
    if verb == "--resume":
        assert "run.resumed" in codes
        assert metadata.actual_duration_seconds >= RUN_SECONDS
        assert len(metadata.boots) == 2
        assert code in (1, 2)
        return "went on"
    assert metadata.actual_duration_seconds <= lived
    newest = max((moment for cell in tally.coverage.cells() for moment in cell), default=0)
    assert newest - nanos_of(state.now) <= LOST_SECONDS_MAX * NANOS_PER_SECOND
    assert "harness.cut_off" in codes
    short = metadata.actual_duration_seconds + 0.1 < RUN_SECONDS
    assert ("duration.short" in codes) == short
    assert code == 2 if short else code in (1, 2)
    assert str(summary.status) in ("warn", "fail")
    return "ended short" if short else "ended whole"


@pytest.mark.parametrize(("after", "resume"), [(2.6, False), (3.1, True)])
def test_a_harness_killed_in_its_run_leaves_a_true_end(tmp_path, after, resume):
    assert require_true_verdict(tmp_path, after, resume=resume)


@pytest.mark.proof
def test_harnesses_killed_at_random_leave_readable_evidence_and_true_ends(tmp_path):
    rng = random.Random(20_261_121)
    count = int(os.environ.get("HARNESS_KILLS", "100"))
    ends = Counter(
        require_true_verdict(tmp_path / f"{number}", rng.uniform(0.2, KILLED_WITHIN_SECONDS), resume=number % 2 == 0)
        for number in range(count)
    )
    print(f"\n{count} kills: {dict(ends)}")
    assert sum(ends.values()) == count
