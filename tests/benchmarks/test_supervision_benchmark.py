"""The benchmark of supervision runs to its end at a tiny size; no timing is judged."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_benchmark_prints_ours_beside_the_bare_tasks(tmp_path):
    script, figures = str(ROOT / "benchmarks/supervision.py"), str(tmp_path / "b.json")
    done = subprocess.run(
        [sys.executable, script, "--size", "small", "--json", figures],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (section,) = json.loads((tmp_path / "b.json").read_text()).values()
    assert [figure["unit"] for figure in section["figures"]] == ["ns"] * 6 + ["x"]
