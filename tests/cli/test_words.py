"""The command line's own small parts: overrides, money, exit codes."""

from decimal import Decimal

import pytest

from tradeworthy.cli.live import money
from tradeworthy.cli.main import call
from tradeworthy.cli.run import parsed
from tradeworthy.kernel.errors import UsageError


def test_overrides_split_at_the_first_equals_sign():
    assert parsed(("desk.seed=8", "tapes.path=a=b", "desk.name=")) == {
        "desk.seed": "8", "tapes.path": "a=b", "desk.name": "",
    }  # fmt: skip


@pytest.mark.parametrize("word", ["desk.seed", "=8", ""])
def test_an_override_without_key_or_value_is_usage(word):
    with pytest.raises(UsageError, match=r"section\.key=value"):
        parsed((word,))


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "unknown"), (Decimal("1234567.891"), "1,234,567.89"), (Decimal("-0.5"), "-0.50"), (0, "0.00")],
)
def test_money_has_two_decimals_and_the_unknown_is_said(value, shown):
    assert money(value) == shown


@pytest.mark.parametrize(("words", "code"), [(["--version"], 0), (["--help"], 0), (["nonsense"], 3), (["replay"], 3)])
def test_every_call_returns_an_exit_code(words, code, capsys):
    assert call(words) == code
    assert "".join(capsys.readouterr())
