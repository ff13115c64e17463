"""The pipeline's steps are those of its description, and each refuses the very failure that it is there for (GT-17)."""

import importlib.util
import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from tradeworthy.kernel.clock import SystemClock

ROOT = Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location("pipeline", ROOT / "tools" / "pipeline.py")
pipeline = importlib.util.module_from_spec(SPEC)
sys.modules["pipeline"] = pipeline
SPEC.loader.exec_module(pipeline)
STEPS = {one.name: one for one in pipeline.steps()}
LAYERS = ("cli", "web", "app", "demo", "adapters", "operations", "research", "trading", "kernel")
ROOMS = ("market_data", "sensing", "allocation", "risk", "execution", "ledger", "control")
GOOD_TEST = "def test_one():\n    assert True\n"
BAD_TEST = "def test_one():\n    assert False\n"
SOUND = {
    "src/tradeworthy/__main__.py": "", **{f"src/tradeworthy/{one}/__init__.py": "" for one in LAYERS},
    "src/tradeworthy/__init__.py": "", **{f"src/tradeworthy/trading/{one}/__init__.py": "" for one in ROOMS},
    "tests/test_one.py": GOOD_TEST, "tests/replay/test_two.py": GOOD_TEST, "tests/golden/test_three.py": GOOD_TEST,
    "tests/trading/risk/test_mutations.py": GOOD_TEST, "tools/one.py": "", "benchmarks/one.py": "",
}  # fmt: skip
"""A small tree in the shape of this one, with nothing wrong."""


def tree(folder, changed):
    for name, text in {**SOUND, **changed}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def run(name, folder, capfd):
    code = pipeline.run(STEPS[name], root=folder)
    return code, "".join(capfd.readouterr()), (folder / "build" / "summary.md").read_text()


@pytest.mark.parametrize(("name", "place", "seed", "told"), [
    ("format", "src/tradeworthy/kernel/one.py", "import sys\nimport os\n\nprint(os, sys) \n", "W291"),
    ("lint", "tests/test_one.py", "import os\n", "F401"),
    ("types", "src/tradeworthy/kernel/one.py", "def one() -> int:\n    return 'x'\n", "Incompatible return value"),
    ("layers", "src/tradeworthy/kernel/one.py", "import tradeworthy.trading\n", "BROKEN"),
    ("tests", "tests/test_one.py", BAD_TEST, "1 failed"),
    ("replay", "tests/golden/test_three.py", BAD_TEST, "1 failed"),
])  # fmt: skip
def test_a_step_passes_a_sound_tree_and_refuses_its_own_failure(tmp_path, capfd, name, place, seed, told):
    if name != "replay":  # its commands are those of `tests`, over other folders
        code, said, summary = run(name, tree(tmp_path / "sound", {}), capfd)
        assert (code, f"passed: {name}" in summary) == (0, True), said
    code, said, summary = run(name, tree(tmp_path / "seeded", {place: seed}), capfd)
    assert code != 0
    assert told in said
    assert f"FAILED with {code}: {name}" in summary


def real(folder, changed):
    """Return a tree over the real package, with a desk's document."""
    shutil.rmtree(tree(folder, changed) / "src")
    (folder / "src").symlink_to(ROOT / "src")
    if not (folder / "config").exists():
        shutil.copytree(ROOT / "config", folder / "config")
    return folder


def test_the_mutation_step_refuses_a_control_that_nobody_misses(tmp_path, capfd):
    seeded = real(tmp_path / "seeded", {"tests/trading/risk/test_mutations.py": BAD_TEST})
    code, said, _ = run("mutation", seeded, capfd)
    assert (code, "1 failed" in said) == (1, True)


@pytest.mark.parametrize(("advisories", "code"), [
    ([], 0),
    ([{"id": "A-1", "package": "pytest", "versions": [pytest.__version__], "severity": "critical", "open_days": 9}], 2),
    (None, 3),
])  # fmt: skip
def test_the_supply_step_refuses_an_open_weakness_and_what_nobody_looked_up(tmp_path, capfd, advisories, code):
    lock = f"pytest=={pytest.__version__} \\\n    --hash=sha256:aa\n"
    folder = real(tmp_path, {"requirements/run.txt": lock})
    if advisories is not None:
        told = {"stamp": SystemClock().now(), "advisories": advisories}
        (folder / "build").mkdir()
        (folder / "build" / "advisories.json").write_text(json.dumps(told))
    assert run("supply", folder, capfd)[0] == code


def test_the_gate_step_refuses_a_release_that_is_not_shown_and_a_document_that_is_none(tmp_path, capfd):
    folder = real(tmp_path / "seeded", {})
    (folder / "build").mkdir()
    case = '<testsuite><testcase classname="tests.test_one" name="a"/></testsuite>'
    (folder / "build" / "junit.xml").write_text(case)
    (folder / "build" / "coverage.json").write_text('{"totals": {"percent_covered": 79.9}}')
    code, said, summary = run("gate", folder, capfd)
    assert code == 2
    assert "NO-GO" in said
    for block in ("# Gate promotion: NO-GO", "Risk", "Ingest", "Sensing", "Build"):
        assert block in summary
    (folder / "config" / "paper.toml").write_text("schema = 3")
    assert run("gate", folder, capfd)[0] == 3


def test_nobody_claims_a_coverage_that_was_not_measured(tmp_path):
    where = {"root": tmp_path, "binaries": Path("bin"), "summary": Path("s.md")}
    (promote, _) = STEPS["gate"].run
    assert "--coverage" not in pipeline.words_of(promote, **where)
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "coverage.json").write_text('{"totals": {"percent_covered": 81.5}}')
    words = pipeline.words_of(promote, **where)
    assert words[words.index("--coverage") + 1] == "81.5"


def test_the_public_host_runs_every_step_and_reaches_no_address_of_ours():
    text = (ROOT / ".github" / "workflows" / "pipeline.yml").read_text()
    assert re.findall(r"tools/pipeline\.py (\w+)", text) == list(STEPS)
    assert text.count("if: ${{ !cancelled() }}") == len(STEPS) + 1
    assert "://" not in text.replace("secret://build_token", "")
    both = text + (ROOT / pipeline.DESCRIPTION).read_text()
    assert not re.search(r"(?m)(^|[\s\"'=])/(home|work|root|opt|usr)/", both)
    assert set(re.findall(r"uses: (\S+)", text)) == {
        "actions/checkout@v4", "actions/setup-python@v5", "actions/upload-artifact@v4",
    }  # fmt: skip


def test_the_steps_are_those_of_the_house_and_an_unknown_one_is_told(capsys):
    assert list(STEPS) == ["format", "lint", "types", "layers", "tests", "replay", "mutation", "supply", "gate"]
    assert pipeline.main(["nothing"]) == 3
    assert "expected steps of format, lint" in capsys.readouterr().err
