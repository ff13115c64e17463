"""The benchmark of the audit's scan runs to its end and finds what DuckDB finds; no timing is judged."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def test_the_audit_finds_what_duckdb_finds(tmp_path):
    pytest.importorskip("duckdb")
    pytest.importorskip("numba")
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "audit_scan.py"), "--size", "small", "--rounds", "1", "--folder",
         str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "x DuckDB" in done.stdout
    assert "refused" not in done.stdout
    assert not list(tmp_path.iterdir())
