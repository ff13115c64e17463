"""Each benchmark of the desk runs to its end at a tiny size; no timing is judged."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run_small(name: str, place: Path) -> str:
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / name), "--size", "small", "--folder", str(place)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_ema_desk_reports_fills_and_one_digest(tmp_path: Path) -> None:
    out = run_small("desk_ema.py", tmp_path)
    assert "bars/s" in out
    assert "digest" in out
    assert "guard running" in out
    assert not list(tmp_path.iterdir())


def test_replay_compares_every_outcome_of_the_ema_desk(tmp_path: Path) -> None:
    out = run_small("verified_replay.py", tmp_path)
    assert "events/s" in out
    assert "outcomes equal" in out


def test_depth_desk_quotes_on_the_recorded_tape(tmp_path: Path) -> None:
    out = run_small("desk_l2.py", tmp_path)
    if "skipped" in out:
        pytest.skip(out.strip())
    assert "orders" in out
    assert "guard running" in out
