"""The harness and what it runs never touch a signing key (EV-05): nothing on their side imports signing of evidence."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "tradeworthy"
KEYS = {"operations.evidence.sign", "operations.evidence.witness", "cryptography"}
RUNNERS = (
    *sorted((PACKAGE / "operations" / "dry_run").rglob("*.py")), *sorted((PACKAGE / "trading").rglob("*.py")),
    *sorted((PACKAGE / "cli").glob("final_dry_run*.py")), PACKAGE / "cli" / "dry_run_session.py",
    PACKAGE / "cli" / "simulated_runtime.py", PACKAGE / "operations" / "evidence" / "build.py",
    PACKAGE / "operations" / "evidence" / "collect.py",
)  # fmt: skip


def imports_of(source):
    """Return the modules that a file imports, without the package's own name."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append(node.module or "")
            found += [f"{node.module}.{one.name}" for one in node.names]
    return {one.removeprefix("tradeworthy.") for one in found}


def test_no_runner_imports_what_signs():
    assert len(RUNNERS) > 60
    found = {
        path.relative_to(PACKAGE).as_posix(): sorted(
            one for one in imports_of(path.read_text()) if one in KEYS or one.startswith("cryptography")
        )
        for path in RUNNERS
    }
    assert {name: what for name, what in found.items() if what} == {}


def test_the_rule_finds_its_breach():
    assert imports_of("from tradeworthy.operations.evidence.sign import sign") & KEYS
    assert imports_of("from tradeworthy.operations.evidence import sign") & KEYS
