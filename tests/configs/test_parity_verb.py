"""`tradeworthy parity`: counts and exit codes."""

import gzip
import json
import os
import shutil
from pathlib import Path

import pytest

from tradeworthy.cli.main import call

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("TRADEWORTHY_DATA") or ROOT.parent / "shared" / "data")
PARITY = ROOT / "tests" / "parity"
WORDS = ["--data", str(DATA)]


@pytest.fixture
def market() -> None:
    if not DATA.is_dir():
        pytest.skip(f"no market data at {DATA}; set TRADEWORTHY_DATA")


@pytest.mark.usefixtures("market")
def test_equal_rung_exits_zero_and_prints_its_counts(capsys: pytest.CaptureFixture[str]):
    assert call(["parity", "--rung", "T1", "--golden", str(PARITY / "golden"), *WORDS]) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("T1"))
    assert row.split()[-3:] == ["176", "0", "0"]


@pytest.mark.usefixtures("market")
def test_one_changed_answer_exits_two_and_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    shutil.copytree(PARITY / "tapes", tmp_path / "tapes")
    shutil.copytree(PARITY / "golden", tmp_path / "answers")
    path = tmp_path / "answers" / "T1_nautilus.json.gz"
    golden = json.loads(gzip.decompress(path.read_bytes()))
    changed = golden["fills"][0][0]
    del golden["fills"][0]
    path.write_bytes(gzip.compress(json.dumps(golden).encode()))
    assert call(["parity", "--rung", "T1", "--golden", str(tmp_path / "answers"), *WORDS]) == 2
    assert str(changed) in capsys.readouterr().out


def test_absent_data_or_answers_or_an_unknown_rung_exit_three(tmp_path: Path):
    golden = ["--golden", str(PARITY / "golden")]
    assert call(["parity", "--rung", "T1", *golden, "--data", str(tmp_path)]) == 3
    assert call(["parity", "--rung", "T1", "--golden", str(tmp_path / "none"), *WORDS]) == 3
    assert call(["parity", "--rung", "T9", *golden, *WORDS]) == 3
