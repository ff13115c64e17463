"""The compiled desk is the interpreted one: equal digest, equal journal head."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD_SECONDS_MAX = 1_800
PLAY = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import desk_ema
import tradeworthy.trading.desk as desk
run = desk_ema.run_of(Path(sys.argv[2]), desk_ema.bars(20_000))
run.play()
print(json.dumps([Path(desk.__file__).suffix, run.environment.digest.hexdigest(), run.journal.head]))
"""


@pytest.fixture(scope="module")
def compiled():
    if shutil.which("cc") is None and shutil.which("gcc") is None:
        if os.environ.get("STRICT_COMPONENTS") == "1":
            pytest.fail("a C compiler is required, found none")
        pytest.skip("a C compiler is required to build the compiled desk, found none")
    built = subprocess.run(
        [sys.executable, ROOT / "tools" / "native.py"], timeout=BUILD_SECONDS_MAX, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return ROOT / "build" / "native"


def played(tree: Path, place: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PLAY, str(ROOT / "benchmarks"), str(place)],
        env={**os.environ, "PYTHONPATH": str(tree)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    answer: list[str] = json.loads(done.stdout)
    return answer


@pytest.mark.proof
def test_the_compiled_desk_decides_as_the_interpreted_one(compiled, tmp_path):
    ours = played(ROOT / "src", tmp_path / "interpreted")
    theirs = played(compiled, tmp_path / "compiled")
    assert ours[0] == ".py"
    assert theirs[0] == ".so"
    assert ours[1:] == theirs[1:]


@pytest.mark.proof
def test_a_run_made_compiled_replays_interpreted(compiled, tmp_path):
    runs = tmp_path / "runs"
    demo = [sys.executable, "-m", "tradeworthy", "demo", "--runs", str(runs)]
    subprocess.run(demo, env={**os.environ, "PYTHONPATH": str(compiled)}, check=True, capture_output=True)
    [folder] = [path for path in runs.iterdir() if path.is_dir()]
    replay = [sys.executable, "-m", "tradeworthy", "replay", str(folder)]
    done = subprocess.run(
        replay, env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
