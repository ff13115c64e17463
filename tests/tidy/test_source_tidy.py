"""The rules that hold for every file of the product; each rule is shown to find its breach."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest
import source_rules as rules

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "tradeworthy"
FILES = {path.relative_to(PACKAGE).as_posix(): path.read_text() for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(source) for name, source in FILES.items()}
LINES_MAX = 450
IMPORTED_AS = {"pyjwt": "jwt", "opentelemetry_sdk": "opentelemetry"}
"""Packages whose import has another name."""


def breaches(rule, *, below=(), but=()):
    """Return `file:line what` for each finding in files under `below` (all when empty), but for `but`."""
    return [
        f"{name}:{line} {what}"
        for name, tree in TREES.items()
        if (not below or name.startswith(below)) and name not in but
        for line, what in rule(tree)
    ]


def test_the_rules_look_at_the_whole_package():
    assert len(FILES) > 100
    assert {"trading/desk.py", "kernel/clock.py", "cli/main.py"} <= FILES.keys()


def test_only_the_clock_reads_the_clock():
    assert breaches(rules.wall_clock, but=("kernel/clock.py",)) == []


def test_no_randomness_but_from_a_seed_that_was_passed_in():
    assert breaches(rules.loose_randomness) == []


def test_no_room_below_app_asks_for_the_environment():
    assert breaches(rules.environment_questions, below=("trading/", "kernel/", "research/")) == []


def test_only_the_review_approves():
    found = breaches(lambda tree: rules.calls_of(tree, "Approved"))
    assert found
    assert {one.partition(":")[0] for one in found} == {"trading/risk/review.py"}


def test_only_declared_packages_are_imported_so_no_oracle_ships():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    shipped = [extras[name] for name in extras if name not in {"build", "dev"}]
    declared = [*project["dependencies"], *(one for extra in shipped for one in extra)]
    names = {re.split(r"[<>=\[;! ]", one)[0].replace("-", "_") for one in declared}
    names |= {IMPORTED_AS[name] for name in names & IMPORTED_AS.keys()}
    allowed = names | set(sys.stdlib_module_names) | {"tradeworthy"}
    found = breaches(lambda tree: [(line, name) for line, name in rules.imports_of(tree) if name not in allowed])
    assert found == []


def test_only_supervision_starts_bare_tasks():
    assert breaches(rules.bare_tasks, but=[name for name in FILES if name.startswith("kernel/supervision/")]) == []


def test_the_desk_touches_no_file_socket_or_screen():
    assert breaches(rules.writes_or_reads, below=("trading/",)) == []


def test_public_things_are_documented():
    assert breaches(rules.undocumented) == []


def test_nothing_is_left_unfinished():
    assert [f"{name}: {found}" for name, source in FILES.items() if (found := rules.unfinished(source))] == []


def test_files_are_short():
    lengths = {name: source.count("\n") for name, source in FILES.items()}
    assert {name: lines for name, lines in lengths.items() if lines > LINES_MAX} == {}


def test_test_files_have_names_of_their_own_and_no_packages():
    files = list((ROOT / "tests").rglob("*.py"))
    names = [path.name for path in files if path.name != "conftest.py"]
    assert sorted({name for name in names if names.count(name) > 1}) == []
    assert [path for path in files if path.name == "__init__.py"] == []


def test_no_machine_path_stands_in_the_product():
    path = re.compile(r"[\"'](/home/|/Users/|/work/|C:\\\\)")
    assert [name for name, source in FILES.items() if path.search(source)] == []


@pytest.mark.parametrize(
    ("rule", "bad", "good"),
    [
        (rules.wall_clock, "import time\nt = time.monotonic()", "def f(clock): return clock.monotonic()"),
        (rules.wall_clock, "from datetime import datetime\nd = datetime.now()", "datetime.fromtimestamp(ts, UTC)"),
        (rules.wall_clock, "from time import time_ns", "import datetime"),
        (rules.loose_randomness, "import random\nrandom.random()", "def f(random): return random.random()"),
        (rules.loose_randomness, "import random\nr = random.Random()", "import random\nr = random.Random(7)"),
        (rules.loose_randomness, "from random import choice", "from random import Random"),
        (rules.loose_randomness, "import uuid", "import hashlib"),
        (rules.environment_questions, "if x == 'paper': pass", "if x == 'maker': pass"),
        (rules.environment_questions, "if mode in ('live', 'backtest'): pass", "if policy.mode == 'live': pass"),
        (rules.environment_questions, "desk.environment", "environment = 1"),
        (lambda tree: rules.calls_of(tree, "Approved"), "Approved[Intent](i, h, 1)", "x: Approved[Intent]"),
        (lambda tree: rules.calls_of(tree, "Approved"), "model.Approved(i, h, 1)", "type(x) is Approved"),
        (rules.bare_tasks, "import asyncio\nasyncio.create_task(work())", "supervisor.create(work, owner='desk')"),
        (rules.bare_tasks, "loop.ensure_future(work())", "app.create_background_task(work)"),
        (rules.imports_of, "import hftbacktest.data", "from . import own"),
        (rules.undocumented, "'''Doc.'''\ndef f(): pass", "'''Doc.'''\ndef f():\n    '''Doc.'''"),
        (rules.undocumented, "x = 1", "'''Doc.'''\ndef _f(): pass"),
        (rules.writes_or_reads, "open('x')", "book.open('x')"),
    ],
)
def test_each_rule_finds_its_breach_and_nothing_else(rule, bad, good):
    assert rule(ast.parse(bad))
    assert not rule(ast.parse(good))
