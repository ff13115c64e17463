"""Make the standalone verifier: one file of the same definitions that the library uses, standard library only."""

import ast
from functools import cache
from importlib import import_module, resources
from typing import NamedTuple

HEAD = '''"""Verify an evidence bundle with nothing but the standard library.

python -I verify_bundle.py BUNDLE --key TRUST

One file, made from the product's own modules; it imports nothing but the standard library and opens no connection.
Exit codes: 0 verified; 1 verified with waivers; 2 invalid; 3 no trusted key, or nothing to judge.
"""
'''


class Part(NamedTuple):
    """A module, and those of its names that go into the file; all of them when empty."""

    module: str
    names: frozenset[str] = frozenset()


ROOM = "tradeworthy.operations.evidence"
PARTS = (
    Part("tradeworthy.kernel.clock", frozenset({"NANOS_PER_SECOND", "SystemClock"})),
    Part(
        "tradeworthy.kernel.journal.verify",
        frozenset({
            "PAYLOAD_TYPE", "leaf_of", "node_of", "Merkle", "pre_authentication", "_P", "_Q", "_D", "_Point",
            "ed25519_valid", "_decompress", "_add", "_multiply",
        }),
    ),
    Part(f"{ROOM}.vocabulary"), Part(f"{ROOM}.canonical"), Part(f"{ROOM}.judge"), Part(f"{ROOM}.signatures"),
    Part(f"{ROOM}.page_data"), Part(f"{ROOM}.verify_bundle"),
)  # fmt: skip
STANDARD = (
    "import argparse\nimport base64\nimport hashlib\nimport json\nimport re\nimport sys\nimport time\n"
    "from collections.abc import Callable, Iterable\n"
    "from concurrent.futures import ThreadPoolExecutor\n"
    "from datetime import UTC, datetime, timedelta\n"
    "from itertools import pairwise\nfrom pathlib import Path\nfrom typing import Any, NamedTuple, Protocol\n"
)


@cache
def verifier() -> bytes:
    """Return the file; the same product gives the same bytes."""
    blocks = [HEAD.strip(), STANDARD.strip()]
    for part in PARTS:
        blocks += _statements(part)
    return ("\n\n\n".join(blocks) + "\n").encode()


def _statements(part: Part) -> list[str]:
    package, _, name = part.module.rpartition(".")
    import_module(package)
    source = resources.files(package).joinpath(f"{name}.py").read_text()
    lines = source.splitlines()
    taken = []
    for node in ast.parse(source).body:
        is_docstring = isinstance(node, ast.Expr) and node.lineno == 1
        is_import = isinstance(node, ast.Import | ast.ImportFrom)
        if not is_import and not is_docstring and (not part.names or _name(node) in part.names):
            first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])
            taken.append("\n".join(lines[first - 1 : node.end_lineno]))
    return taken


def _name(node: ast.stmt) -> str:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
        case _:
            return ""
