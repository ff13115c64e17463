"""Money is never a float: not in the ledger, not in the model, not in the venue's account (MO-02)."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "src/tradeworthy/trading"
MONEY = re.compile(
    r"(^|_)(price|fee|fees|cash|amount|cost|costs|realized|unrealized|equity|notional|balance|balances|average|lots"
    r"|quantity|funding|dividends|borrow|capital|mid|bid|ask|mark)(_|$)"
)
VIEW_OF_STRATEGIES = {"model/state.py"}
"""What strategies see is for statistics; it never comes back as money."""
OF_THE_VENUE = {"account", "credit", "equity", "fees", "margin", "rules", "venue"}
PATHS = sorted(
    path for folder in ("ledger", "model", "simulation") for path in (ROOT / folder).glob("*.py")
    if f"{folder}/{path.name}" not in VIEW_OF_STRATEGIES and (folder != "simulation" or path.stem in OF_THE_VENUE)
)  # fmt: skip


def floats_of(tree):
    """Return `(line, what)` for each float in a money path: a literal, a conversion, or a money name typed so."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            found.append((node.lineno, repr(node.value)))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
            found.append((node.lineno, "float()"))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found += _typed(node.lineno, node.target.id, node.annotation)
        elif isinstance(node, ast.FunctionDef):
            arguments = [*node.args.args, *node.args.kwonlyargs]
            for one in arguments:
                found += _typed(node.lineno, one.arg, one.annotation)
            found += _typed(node.lineno, node.name, node.returns)
    return found


def _typed(line, name, annotation):
    if annotation is None or not MONEY.search(name):
        return []
    names = {leaf.id for leaf in ast.walk(annotation) if isinstance(leaf, ast.Name)}
    return [(line, f"{name}: float")] if "float" in names else []


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_float_stands_in_a_money_path(path):
    assert floats_of(ast.parse(path.read_text())) == []


@pytest.mark.parametrize(
    "bad", ["x = 0.1", "fee = float(text)", "class A:\n    fee: float", "def cash(self) -> float | None: ...",
            "def book(price: float) -> int: ..."],
)  # fmt: skip
def test_the_rule_finds_each_kind_of_float(bad):
    assert floats_of(ast.parse(bad))


GOOD = ['x = Decimal("0.1")', "class A:\n    loss: float | None", "def share() -> float: ..."]


@pytest.mark.parametrize("good", GOOD)
def test_fractions_of_money_may_be_floats(good):
    assert floats_of(ast.parse(good)) == []
