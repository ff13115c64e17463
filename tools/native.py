"""Compile the desk's hot rooms with mypyc into `build/native`, beside the sources and never over them.

Run: `make native`, then put the tree first: `PYTHONPATH=build/native tradeworthy ...`. The compiled desk is the same
source; `tests/native` holds both to one outcome digest and one journal head. See docs/adr/0005.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TREE = ROOT / "build" / "native"
ROOMS = (
    "trading/*.py", "trading/risk/*.py", "trading/risk/controls/*.py", "trading/execution/*.py", "trading/ledger/*.py",
    "trading/simulation/*.py", "trading/allocation/*.py", "trading/control/guard.py", "trading/sensing/*.py",
    "trading/market_data/top.py", "trading/market_data/depth.py", "trading/market_data/false_tick.py",
    "trading/strategies/ema_trend.py", "trading/strategies/directional.py", "trading/strategies/touch_quoter.py",
    "kernel/journal/journal.py", "kernel/journal/identity.py", "kernel/ids.py",
)  # fmt: skip
UNSUPPORTED = re.compile(r"kw_only=True|cached_property|@contextmanager|@runtime_checkable|\border=True")
"""What mypyc does not compile as the interpreter runs it; a file that holds it stays interpreted."""
STRUCT = re.compile(r"^(class \w+)\(msgspec\.Struct, ([^)]*)\):", re.MULTILINE)
SETUP = """
import sys
from mypyc.build import mypycify
from setuptools import setup
setup(name="native", ext_modules=mypycify(
    ["--config-file=mypy.ini", *open("modules.txt").read().split()], opt_level="3", debug_level="0"))
"""
MYPY = "[mypy]\nstrict = True\npython_version = 3.11\nignore_missing_imports = True\n"


def main() -> int:
    """Copy, rewrite what mypyc would drop, compile; returns the compiler's exit code."""
    shutil.rmtree(TREE, ignore_errors=True)
    shutil.copytree(ROOT / "src" / "tradeworthy", TREE / "tradeworthy", ignore=shutil.ignore_patterns("__pycache__"))
    bases: dict[str, str] = {}
    modules = []
    for path in sorted({path for room in ROOMS for path in (TREE / "tradeworthy").glob(room)}):
        text = path.read_text()
        if path.name == "__init__.py" or UNSUPPORTED.search(text):
            continue
        path.write_text(_with_bases(_quoted(text), bases))
        modules.append(str(path.relative_to(TREE)))
    lines = ['"""Frozen bases: mypyc drops class keywords, a base hands them down."""', "import msgspec"]
    lines += [f"class {name}(msgspec.Struct, {options}): pass" for options, name in bases.items()]
    (TREE / "tradeworthy" / "native_bases.py").write_text("\n".join(lines) + "\n")
    (TREE / "modules.txt").write_text("\n".join(modules))
    (TREE / "mypy.ini").write_text(MYPY)
    (TREE / "setup.py").write_text(SETUP)
    print(f"compiling {len(modules)} modules into {TREE.relative_to(ROOT)}", flush=True)
    return subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", "--inplace", "-j2"], cwd=TREE, check=False,
        env={**os.environ, "MYPYPATH": ".", "CFLAGS": "-w"},
    ).returncode  # fmt: skip


def _quoted(text: str) -> str:
    """Quote the annotations of records: mypyc keeps a quoted name with its brackets, and nothing of any other."""
    records = {"Fact", "Struct"}
    spans = []
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef) and records & {ast.unparse(one).rpartition(".")[2] for one in node.bases}:
            records.add(node.name)
            fields = [one.annotation for one in node.body if isinstance(one, ast.AnnAssign)]
            spans += [one for one in fields if not ast.unparse(one).startswith("ClassVar")]
    lines = text.split("\n")
    for one in reversed(spans):
        if one.lineno != one.end_lineno:
            raise SystemExit(f"line {one.lineno}: expected a field's annotation on one line: {ast.unparse(one)}")
        raw = lines[one.lineno - 1].encode()
        quoted = repr(_named(one)).encode()
        lines[one.lineno - 1] = (raw[: one.col_offset] + quoted + raw[one.end_col_offset :]).decode()
    if not spans:
        return text
    at = next(n for n, line in enumerate(lines) if line.startswith(("import ", "from ")))
    lines.insert(at, "from typing import Union")
    return "\n".join(lines)


def _named(annotation: ast.expr) -> str:
    """Return an annotation as one name with brackets: `A | None` as `Union[A, None]`."""
    parts, rest = [], annotation
    while isinstance(rest, ast.BinOp):
        parts.append(ast.unparse(rest.right))
        rest = rest.left
    return f"Union[{', '.join([ast.unparse(rest), *reversed(parts)])}]" if parts else ast.unparse(rest)


def _with_bases(text: str, bases: dict[str, str]) -> str:
    used = []

    def base(match: re.Match[str]) -> str:
        name = bases.setdefault(match[2], f"Base{len(bases)}")
        used.append(name)
        return f"{match[1]}({name}, {match[2]}):"

    changed = STRUCT.sub(base, text)
    if not used:
        return text
    names = ", ".join(dict.fromkeys(used))
    return changed.replace("\nimport msgspec\n", f"\nimport msgspec\nfrom tradeworthy.native_bases import {names}\n", 1)


if __name__ == "__main__":
    sys.exit(main())
