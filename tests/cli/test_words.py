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


def test_a_word_of_another_room_is_found_there_and_the_help_of_the_deepest_verb_is_named(capsys):
    assert call(["museum"]) == 3
    assert "`tradeworthy incident museum`" in capsys.readouterr().err
    assert call(["assess", "explain"]) == 3
    assert "Try `tradeworthy assess explain --help`." in capsys.readouterr().err


def test_a_path_of_the_words_that_cannot_be_written_is_one_line_and_exit_three(tmp_path, capsys):
    out = tmp_path / "absent" / "x.json"
    assert call(["assess", "event_bus_health", "--format", "json", "--output", str(out)]) == 3
    told = capsys.readouterr().err
    assert told.startswith(f"tradeworthy: cannot use {out}: No such file or directory")
    assert "Traceback" not in told
