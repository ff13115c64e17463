"""The help of a verb names each switch, with the default that the page on supervision gives it (PBL-01, PPR-01)."""

import re

import pytest

from tradeworthy.cli.main import call

BASELINE = {
    "--trades": "3", "--throttle-max-trades": "1", "--throttle-window-seconds": "60.0",
    "--throttle-cooldown-seconds": None, "--throttle-min-spacing-seconds": None, "--throttle-max-notional": None,
    "--throttle-multiplier": None, "--throttle-scope-field": None, "--backlog-threshold-ms": None,
    "--max-processing-ms": "250.0", "--max-lag-ms": "250.0", "--max-cpu-percent": None, "--max-memory-mb": None,
    "--max-memory-percent": None, "--output": None, "--indent": "2",
}  # fmt: skip
PAPER = {
    "--duration-hours": "0.0", "--progress-interval": "60.0", "--latency-p99-max": None, "--memory-growth-max": None,
    "--minimum-runtime-hours": "168.0", "--min-orders": "0", "--allow-invariant-errors": None, "--report-path": None,
    "--errors-path": None, "--json": None,
}  # fmt: skip


def helped(verb, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert call([verb, "--help"]) == 0
    return capsys.readouterr().out


def rows_of(text):
    """Return the help's rows, each with its further lines: a row begins with its switch."""
    found = []
    for line in (" ".join(line.strip("│ ").split()) for line in text.splitlines()):
        if re.match(r"\*? ?(?:[A-Z-]+ )?-", line) or not found:
            found.append(line)
        else:
            found[-1] += f" {line}"
    return found


@pytest.mark.parametrize(("verb", "switches"), [("performance-baseline", BASELINE), ("paper-run", PAPER)])
def test_help_names_each_switch_and_its_default(verb, switches, capsys, monkeypatch):
    text = helped(verb, capsys, monkeypatch)
    for switch, default in switches.items():
        rows = [row for row in rows_of(text) if switch in row.split()[:2]]
        assert rows, f"{verb} does not name {switch}"
        if default is not None:
            assert f"[default: {default}]" in rows[0], f"{switch} has another default"
