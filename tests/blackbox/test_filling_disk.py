"""The disk of a real run fills: health says when it will be full before it is (WD-08)."""

import json
import os
import shutil
import signal
import subprocess

import pytest
from ailing_words import AilingWords
from run_scene import RunScene, reachable, until

SIZE_MB, STEP_BYTES = 256, 1 << 20


@pytest.fixture
def small_disk(tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("this account may not mount a small disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def one(tmp_path, small_disk):
    verbs = AilingWords()
    made = RunScene(
        verbs, tmp_path, runs=small_disk / "runs", rest="[runtime.resources]\ninterval_s = 0.2\nsamples_min = 4\n"
    )
    yield made.start(trading=False)
    made.end()
    verbs.close()


def disk_check(one):
    found = reachable(one.port, "/health")
    checks = {} if found is None else {check["name"]: check for check in json.loads(found[1])["checks"]}
    return checks.get("disk")


def test_a_filling_disk_is_foretold_before_it_is_full(one, small_disk):
    filler = small_disk / "filler"

    def told():
        with filler.open("ab") as out:
            out.write(bytes(STEP_BYTES))
        found = disk_check(one)
        return found if found is not None and "disk full in" in found["summary"] else None

    check = until(told)
    left = os.statvfs(small_disk)
    assert left.f_bavail * left.f_frsize > STEP_BYTES, "it is told before it is full"
    assert check["status"] == "FAIL", "in less than two hours"
    filler.unlink()
    assert one.end_desk(signal.SIGTERM) == 0
