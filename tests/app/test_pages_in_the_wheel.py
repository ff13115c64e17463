"""A desk that is installed finds the pages that its findings name, as one in the repository does."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tradeworthy.app.gates import preflight
from tradeworthy.app.runbooks import DOCS, FOLDER, runbooks_hash

ROOT = Path(__file__).resolve().parents[2]
BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
ASK = """
import json, sys
from pathlib import Path
from tradeworthy.app.gates import preflight
from tradeworthy.app.runbooks import DOCS, runbooks_hash
found = preflight.files_of(Path("none.toml"), DOCS)
print(json.dumps([str(DOCS), runbooks_hash(), sorted(name for name, data in found.items() if data is None),
                  sum(name.startswith("schema:") for name in found)]))
"""


def run(*words, cwd, **more):
    done = subprocess.run([sys.executable, *words], cwd=cwd, capture_output=True, text=True, timeout=120, **more)
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The wheel of this tree, unpacked where nothing else of the repository is."""
    pytest.importorskip("setuptools", minversion="77", reason="a wheel is built with setuptools")
    tree, out, site = (tmp_path_factory.mktemp(name) for name in ("tree", "out", "site"))
    left_out = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", tree / "src", symlinks=True, ignore=left_out)
    shutil.copytree(ROOT / "docs", tree / "docs")
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, tree)
    run("-c", BUILD, str(out), cwd=tree)
    (wheel,) = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site


def test_the_repository_has_one_copy_and_the_package_a_link_to_it():
    assert (ROOT / "src" / "tradeworthy" / "docs").is_symlink()
    assert DOCS.resolve() == ROOT / "docs"
    listed = subprocess.run(
        ["git", "ls-files", "src/tradeworthy/docs"], cwd=ROOT, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert listed.returncode != 0 or listed.stdout.split() == ["src/tradeworthy/docs"]


def test_every_page_that_is_named_is_found_wherever_the_desk_is_started(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = preflight.files_of(Path("none.toml"), DOCS)
    assert [name for name, data in found.items() if data is None] == ["configuration:none.toml"]


def test_an_installed_desk_has_the_same_pages_and_schemas(installed, tmp_path):
    docs, digest, missing, schemas = json.loads(run("-c", ASK, cwd=tmp_path, env={"PYTHONPATH": str(installed)}))
    assert docs == str(installed / "tradeworthy" / "docs")
    assert not Path(docs).is_symlink()
    assert digest == runbooks_hash() != ""
    assert missing == ["configuration:none.toml"]
    assert schemas == len(list((DOCS / "schemas").glob("*.json"))) > 0
    assert sorted(one.name for one in Path(docs).iterdir()) == ["runbooks", "schemas"]


def test_a_page_that_is_gone_changes_the_hash(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "runbooks")
    assert runbooks_hash(tmp_path / "runbooks") == runbooks_hash()
    next((tmp_path / "runbooks").glob("*.md")).unlink()
    assert runbooks_hash(tmp_path / "runbooks") not in ("", runbooks_hash())
    assert runbooks_hash(tmp_path / "nowhere") == ""
