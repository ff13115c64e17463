"""Read the acceptance pages: which ids a page promises, which rows it has, which tests each row names."""

import ast
import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs" / "acceptance").glob("*.md"))
IDS = re.compile(r"\b([A-Z]{2,4})-(\d{1,3})(?: to (?:\1-)?(\d{1,3}))?")
CODE = re.compile(r"`([^`]+)`")
KINDS = frozenset({"unit", "real loop", "black box", "proof", "none"})


class Row(NamedTuple):
    """One row of a page: its id, what is seen, `(file, test)` of each test it names, kinds, open gaps."""

    id: str
    seen: str
    tests: tuple[tuple[str, str], ...]
    kinds: tuple[str, ...]
    gaps: str


def promised(text):
    """Return the ids of the line that begins with `Ids:`, ranges written out."""
    line = next((one for one in text.splitlines() if one.startswith("Ids:")), "")
    found = []
    for family, first, last in IDS.findall(line):
        found += [f"{family}-{number:0{len(first)}d}" for number in range(int(first), int(last or first) + 1)]
    return found


def rows(text):
    """Return the rows of a page's tables whose first cell is an id."""
    found = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and IDS.fullmatch(cells[0]):
            name, seen, tests, kinds, gaps = cells
            found.append(Row(name, seen, named(tests), tuple(one.strip() for one in kinds.split(",")), gaps))
    return found


def named(cell):
    """Return the tests of a cell: a file below `tests/`, then its tests, then the next file."""
    found, file = [], ""
    for word in CODE.findall(cell):
        if word.endswith(".py"):
            file = word
        else:
            found.append((file, word))
    return tuple(found)


def tests_in(file):
    """Return the names of the test functions of a file below `tests/`, nothing where there is no such file."""
    path = ROOT / "tests" / file
    if not path.is_file():
        return frozenset()
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.parse(path.read_text()).body if isinstance(node, functions))
