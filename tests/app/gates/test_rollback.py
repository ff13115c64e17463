"""A rollback is rehearsed by interpreters of each release: equal states twice down and up, or it is refused."""

import shutil
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

import tradeworthy
from tradeworthy.app.config import parse
from tradeworthy.app.gates.rollback import Tree, code_of, own_source, rehearse
from tradeworthy.app.runs.runner import RunSession
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.gates.release_checks import rollback_report


def copied(root):
    package = Path(tradeworthy.__file__).parent
    shutil.copytree(package, root / "tradeworthy", ignore=shutil.ignore_patterns("__pycache__"))
    return root


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """The package as it was a moment ago: others may write to it while looks are taken."""
    return copied(tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    plain = tomllib.loads(files("tradeworthy.demo").joinpath("demo.toml").read_text())
    for tape in plain["tapes"]:
        tape["rows_max"] = 400
    session = RunSession(parse(plain, origin="demo"), root=tmp_path_factory.mktemp("runs"))
    session.play()
    return session.folder


def bad(found):
    return sorted({one.code for one in rollback_report(found).failed()})


def of(source):
    return Tree(source=source, code=code_of(source))


def test_a_release_that_decides_alike_takes_the_journal_over_and_gives_it_back(tree, run, tmp_path):
    previous = copied(tmp_path)
    version = previous / "tradeworthy" / "kernel" / "severity.py"
    version.write_text(version.read_text() + "\n# the release before\n")
    found = rehearse(of(tree), of(previous), run, SystemClock())
    assert (found.problem, bad(found)) == ("", [])
    assert found.restored == found.previous != code_of(tree)
    assert (len(found.state_hashes), len(set(found.state_hashes))) == (5, 1)
    assert found.open_orders == found.adopted


def test_a_release_that_decides_otherwise_or_that_is_broken_is_refused(tree, run, tmp_path):
    other = copied(tmp_path / "other")
    digest = other / "tradeworthy" / "trading" / "digest.py"
    digest.write_text(digest.read_text().replace("sha256(", "sha512("))
    told = bad(rehearse(of(tree), of(other), run, SystemClock()))
    assert "rollback.state" in told
    broken = copied(tmp_path / "broken")
    (broken / "tradeworthy" / "app" / "bootstrap.py").write_text("raise SystemExit(1)\n")
    found = rehearse(of(tree), of(broken), run, SystemClock())
    assert "cannot take the journal over" in found.problem
    assert rollback_report(found).severity is Severity.FAIL


def test_a_node_that_was_left_behind_is_no_rollback(tree, run):
    found = rehearse(of(tree), of(tree), run, SystemClock(), nodes={"two": "d" * 64})
    assert bad(found) == ["rollback.nodes"]


def test_a_folder_without_the_package_is_no_release(tmp_path):
    with pytest.raises(UsageError, match="expected a folder"):
        code_of(tmp_path)
    assert (own_source() / "tradeworthy").is_dir()
