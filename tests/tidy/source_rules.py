"""Rules of the house that a reader of source can check; each returns what it found, by line."""

import ast

CLOCK_READS = frozenset({
    "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time", "sleep", "now",
    "utcnow", "today",
})  # fmt: skip
CLOCK_MODULES = frozenset({"time", "datetime", "date"})
ENVIRONMENTS = frozenset({"paper", "backtest", "replay", "live"})
NOT_ENVIRONMENTS = frozenset({"mode", "state"})
"""Attributes that may equal `live` without asking for the environment: a strategy's mode, a book's state."""


def wall_clock(tree):
    """Find reads of the machine's clocks."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id in CLOCK_MODULES and node.attr in CLOCK_READS:
                found.append((node.lineno, f"{node.value.id}.{node.attr}"))
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            found.append((node.lineno, "from time import"))
    return found


def loose_randomness(tree):
    """Find the shared generator, generators without a seed and ids drawn from the machine."""
    found = []
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    imported = {alias.asname or alias.name for node in imports for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, one.name) for one in node.names if one.name in ("uuid", "secrets")]
        elif isinstance(node, ast.ImportFrom):
            names = [one.name for one in node.names]
            if node.module in ("uuid", "secrets") or (node.module == "random" and names != ["Random"]):
                found.append((node.lineno, f"from {node.module} import {', '.join(names)}"))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in imported:
            if node.value.id == "random" and node.attr != "Random":
                found.append((node.lineno, f"random.{node.attr}"))
            elif (node.value.id, node.attr) == ("os", "urandom"):
                found.append((node.lineno, "os.urandom"))
        elif isinstance(node, ast.Call) and not node.args and not node.keywords:
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in ("Random", "default_rng"):
                found.append((node.lineno, f"{name}()"))
    return found


def environment_questions(tree):
    """Find comparisons with an environment's name, and reads of an attribute called `environment`."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "environment":
            found.append((node.lineno, ".environment"))
        elif isinstance(node, ast.Compare):
            sides = (node.left, *node.comparators)
            names = {one.attr for one in sides if isinstance(one, ast.Attribute)}
            leaves = [leaf for one in sides for leaf in ast.walk(one)]
            words = {leaf.value for leaf in leaves if isinstance(leaf, ast.Constant)} & ENVIRONMENTS
            if words and not (words == {"live"} and names & NOT_ENVIRONMENTS):
                found.append((node.lineno, f"compares with {sorted(words)}"))
    return found


def calls_of(tree, name):
    """Find calls of `name`, also with type parameters or through a module."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            func = node.func.value if isinstance(node.func, ast.Subscript) else node.func
            called = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
            if called == name:
                found.append((node.lineno, name))
    return found


def bare_tasks(tree):
    """Find tasks that are started without a supervisor, through asyncio, a loop or a group."""
    return [found for name in ("create_task", "ensure_future") for found in calls_of(tree, name)]


def imports_of(tree):
    """Return the top packages that a file imports, by line."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, one.name.partition(".")[0]) for one in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.append((node.lineno, (node.module or "").partition(".")[0]))
    return found


def undocumented(tree):
    """Find a module, public function or class without a docstring; the members of an enum tell for themselves."""
    found = [] if ast.get_docstring(tree) else [(1, "module")]
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            bases = node.bases if isinstance(node, ast.ClassDef) else []
            enum = any(getattr(base, "id", "").endswith(("Enum", "Word")) for base in bases)
            if not ast.get_docstring(node) and not enum:
                found.append((node.lineno, node.name))
    return found


def unfinished(source):
    """Find marks of work left behind."""
    marks = ("TO" + "DO", "FIX" + "ME", "X" * 3)
    return [(n, mark) for n, line in enumerate(source.splitlines(), 1) for mark in marks if mark in line]


def writes_or_reads(tree):
    """Find files, sockets, processes and prints."""
    forbidden = {"open", "print", "input", "exec", "eval"}
    found = [(line, name) for line, name in imports_of(tree) if name in ("socket", "subprocess", "sqlite3", "asyncio")]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in forbidden:
            found.append((node.lineno, node.func.id))
    return found
