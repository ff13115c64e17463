"""Ingest that is killed at any moment leaves a source whole or not at all, and the next cycle completes it (DB-21)."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("duckdb", reason="the data extra is not installed")
pytest.importorskip("polars", reason="the data extra is not installed")

import duckdb
from test_ingest_once_verb import HEADER, PAPER

ROOT = Path(__file__).resolve().parents[2]
DAYS, ROWS = 5, 5 * 1440
LONGEST_S = 6.0
"""A whole cycle with the start of its process, on a busy machine."""


def files(folder):
    lines = [
        f"2024-01-{day + 1:02}T{minute // 60:02}:{minute % 60:02}:00,1.10,1.12,1.09,1.11,5\n"
        for day in range(DAYS) for minute in range(1440)
    ]  # fmt: skip
    sections = []
    for name in ("a", "b"):
        path = folder / f"{name}.csv"
        path.write_text(HEADER + "".join(lines))
        sections.append(f'[[runtime.ingest.sources]]\nname = "{name}"\nformat = "csv_bars"\npath = "{path}"\n'
                        'instrument = "EURUSD.DEMO"\ninterval_seconds = 60\n')  # fmt: skip
    (folder / "small.toml").write_text(PAPER + "".join(sections))


def begun(folder):
    words = ["ingest-once", "small.toml", "--runs", "runs", "--duckdb-path", "d/tier0.duckdb"]
    return subprocess.Popen(
        [sys.executable, "-m", "tradeworthy", *words], cwd=folder, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip


def held(folder):
    """Return the rows and the seals of each source; a database without tables holds none."""
    path = folder / "d" / "tier0.duckdb"
    if not path.exists():
        return {}, {}
    with duckdb.connect(str(path)) as connection:
        try:
            rows = dict(connection.execute("select source, count(*) from market_data_bars group by source").fetchall())
            seals = dict(connection.execute('select source, "rows" from market_data_datasets').fetchall())
        except duckdb.CatalogException:
            return {}, {}
    return rows, seals


def killed_and_completed(folder, seed):
    files(folder)
    process = begun(folder)
    time.sleep(random.Random(seed).uniform(0.3, LONGEST_S))  # a real process is killed at a real moment
    process.send_signal(signal.SIGKILL)
    process.wait()
    rows, seals = held(folder)
    assert rows == seals
    assert set(rows.values()) <= {ROWS}
    again = begun(folder)
    assert again.wait(120) == 0, again.stderr.read()
    assert held(folder) == ({"a": ROWS, "b": ROWS}, {"a": ROWS, "b": ROWS})


@pytest.mark.parametrize("seed", [5])
def test_a_killed_cycle_leaves_no_half_source(tmp_path, seed):
    killed_and_completed(tmp_path, seed)


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(100, 150))
def test_fifty_killed_cycles_leave_no_half_source(tmp_path, seed):
    killed_and_completed(tmp_path, seed)
