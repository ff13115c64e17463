"""What a process is made of holds all that it loaded; what no distribution owns stands under its own name."""

import sysconfig
from importlib import metadata

import msgspec
import pytest

from tradeworthy.app.evidence.bill_of_materials import bill, canonical_name, loaded, modules_here, tell
from tradeworthy.app.identity import commit_at

OURS, STANDARD = ("tradeworthy", "msgspec", "cyclopts", "os"), sysconfig.get_path("stdlib")
OWNERS = {"msgspec": ["msgspec"], "yaml": ["PyYAML"], "google": ["a_b", "c.d"]}


def test_the_modules_of_this_process_are_in_its_bill():
    ours = {name: file for name, file in modules_here().items() if name.partition(".")[0] in OURS}
    listed = {one["name"] for one in bill()["components"]}
    found = loaded(ours, metadata.packages_distributions(), standard=STANDARD)["modules"]
    assert {"tradeworthy", "msgspec"} <= set(found) <= listed


@pytest.mark.parametrize(("name", "file", "expected"), [
    ("os", "/lib/os.py", []), ("json.decoder", "/lib/json/decoder.py", []), ("__main__", "/x/run.py", []),
    ("yaml.reader", "/lib/site-packages/yaml/reader.py", ["pyyaml"]), ("google.x", None, ["a-b", "c-d"]),
    ("smuggled", "/x/smuggled.py", ["smuggled"]), ("smuggled", "/lib/site-packages/smuggled.py", ["smuggled"]),
    ("cython_runtime", None, []), ("_sysconfigdata", "/lib/_sysconfigdata.py", []), ("msgspec.json", None, ["msgspec"]),
])  # fmt: skip
def test_a_module_stands_for_its_distribution(name, file, expected):
    assert loaded({name: file}, OWNERS, standard="/lib") == {"modules": expected}


def test_both_files_are_written(tmp_path):
    tell(tmp_path / "logs")
    told = msgspec.json.decode((tmp_path / "logs" / "loaded_modules.json").read_bytes())
    assert "tradeworthy" in told["modules"]
    assert msgspec.json.decode((tmp_path / "logs" / "sbom.json").read_bytes())["bomFormat"] == "CycloneDX"


def test_names_are_spelled_as_an_index_spells_them():
    assert canonical_name("PyYAML_x.y") == "pyyaml-x-y"


def test_the_commit_of_a_tree_is_read_loose_packed_or_detached(tmp_path):
    git, below = tmp_path / ".git", tmp_path / "a" / "b"
    git.mkdir()
    below.mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "packed-refs").write_text(f"# pack-refs\n{'1' * 40} refs/heads/main\n")
    assert commit_at(below) == "1" * 40
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "refs" / "heads" / "main").write_text("2" * 40 + "\n")
    assert commit_at(tmp_path) == "2" * 40
    (git / "HEAD").write_text("3" * 40 + "\n")
    assert commit_at(tmp_path) == "3" * 40
    (git / "HEAD").write_text("odd\n")
    assert commit_at(tmp_path) is None
