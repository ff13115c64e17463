"""`tradeworthy config`: what the verbs print, that it round-trips, and that every exit is the table's."""

import json

import pytest

from tradeworthy.app.config import load
from tradeworthy.app.configuration.audit import AUDIT, audit_configuration
from tradeworthy.cli.main import call
from tradeworthy.kernel.clock import EventClock

TEXT = """schema = "desk@1"
[desk]
name = "made"
environment = "paper"
[risk]
per_trade = "0.005"
[[tapes]]
name = "made"
format = "demo"
instrument = "EURUSD.DEMO"
[[instances]]
id = "quoter"
strategy = "touch_quoter"
instrument = "EURUSD.DEMO"
policy = { lots = 5 }
"""


@pytest.fixture
def path(tmp_path):
    found = tmp_path / "desk.toml"
    found.write_text(TEXT)
    return found


def changed(path, old, new):
    other = path.with_name("other.toml")
    other.write_text(path.read_text().replace(old, new))
    return other


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("per_trade", "per_trad", ["risk.per_trad:", "'per_trade'", "found the unknown key"]),
        ("lots = 5", "lot = 5", ["instances.quoter.policy.lot:", "'lots'"]),
        ('name = "made"\nenv', 'nam = "made"\nenv', ["desk.nam:", "desk.name: expected a value, found none"]),
        ("[risk]", "[runtime]\nidle_beat = 2\n[risk]", ["runtime.idle_beat:", "'idle_beat_s'"]),
        ("[risk]", "[telemetry.logs]\nlevl = 'info'\n[risk]", ["telemetry.logs.levl:", "'level'"]),
        ("[risk]", "[telemetry.logs]\nlevel = 'loud'\n[risk]", ["level must be one of debug"]),
        ("[risk]", "[health]\nport = 99999\n[risk]", ["health: port must be 0 to 65535, was 99999"]),
        ("[risk]", "[control.people]\ncool_off = 9\n[risk]", ["control.people.cool_off:", "'cool_off_seconds'"]),
        ('"paper"', '"moon"', ["desk.environment: expected one of", "found 'moon'"]),
        ("[risk]", "[risks]", ["risks:"]),
        ("[risk]", '[health]\npassword = "hunter2-canary"\n[risk]', ["health.password, expected a reference secret://NAME"]),
        ('environment = "paper"', 'environment = "paper"\nstart = "2024-02-02"\nend = "2024-02-01"', ["desk.start"]),
    ],
)
def test_a_fault_of_form_is_told_with_its_place_and_ends_with_3(path, capsys, old, new, words):
    assert call(["config", "check", str(changed(path, old, new))]) == 3
    told = " ".join(capsys.readouterr().err.split())
    for word in words:
        assert word in told
    assert "hunter2" not in told


def test_a_limit_that_is_not_allowed_ends_with_2(path, capsys, tmp_path):
    path.write_text(path.read_text().replace('name = "made"\nformat', 'name = "eurusd_hourly"\nformat'))
    other = changed(path, 'per_trade = "0.005"', "gross_leverage = 6")
    assert call(["run", str(other), "--runs", str(tmp_path / "runs")]) == 2
    assert "gross_leverage" in capsys.readouterr().err


def test_check_tells_identity_and_secrets(path, capsys, monkeypatch):
    assert call(["config", "check", str(path)]) == 0
    told = capsys.readouterr().out
    for word in ("hash ", "code ", "limits ", "models "):
        assert word in told
    path.write_text(path.read_text() + '[[accounts]]\nid = "main"\nvenue = "DEMO"\ncredentials = "secret://mail"\n')
    monkeypatch.setenv("TRADEWORTHY_SECRET_MAIL", "hunter2-canary")
    assert call(["config", "check", str(path)]) == 0
    told = capsys.readouterr().out
    assert "accounts[main].credentials secret://mail found" in told
    assert "hunter2" not in told


def test_what_show_prints_is_the_same_document_again(path, capsys, tmp_path):
    assert call(["config", "show", str(path), "--json"]) == 0
    printed = tmp_path / "shown.json"
    printed.write_text(capsys.readouterr().out)
    assert load(printed, environ={}).hash() == load(path, environ={}).hash()
    assert call(["config", "diff", str(path), str(printed)]) == 0
    assert capsys.readouterr().out == ""
    assert call(["config", "show", str(path), "--environment", "backtest", "--set", "desk.seed=9"]) == 0
    told = capsys.readouterr().out
    assert '| desk.environment | "backtest" |' in told
    assert "| desk.seed | 9 |" in told
    assert '| risk.per_trade | "0.005" |' in told


@pytest.mark.parametrize(
    ("old", "new", "code", "word"),
    [
        ("lots = 5", "lots = 6", 0, "OK   instances[quoter].policy.lots: 5 -> 6"),
        ('"0.005"', '"0.004"', 1, 'WARN risk.per_trade: "0.005" -> "0.004"'),
        ('"0.005"', '"0.006"', 2, 'FAIL risk.per_trade: "0.005" -> "0.006"'),
        ('"paper"', '"live"', 2, 'FAIL desk.environment: "paper" -> "live"'),
    ],
)
def test_diff_of_two_ends_by_the_worst_change(path, capsys, old, new, code, word):
    other = changed(path, old, new)
    assert call(["config", "diff", str(path), str(other)]) == code
    assert word in capsys.readouterr().out
    assert call(["config", "diff", str(path), str(other), "--json"]) == code
    (one,) = json.loads(capsys.readouterr().out)["changes"]
    assert set(one) == {"field", "previous", "current", "severity", "note"}
    assert call(["config", "diff", str(path), str(other), "--markdown"]) == code
    assert f"| {one['field']} |" in capsys.readouterr().out
    assert call(["config", "diff", str(path), str(other), "--json", "--markdown"]) == 3


def test_diff_of_one_is_against_the_approved_document(path, capsys, tmp_path):
    runs = ["--runs", str(tmp_path / "runs")]
    assert call(["config", "propose", str(path), "--person", "Ann", "--reason", "start", *runs]) == 0
    capsys.readouterr()
    assert call(["config", "diff", str(path), *runs]) == 0
    assert capsys.readouterr().out == ""
    assert call(["config", "diff", str(changed(path, '"0.005"', '"0.004"')), *runs]) == 0
    assert 'risk.per_trade: "0.005" -> "0.004"' in capsys.readouterr().out


def test_schema_and_page_are_printed(capsys):
    assert call(["config", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["properties"]["risk"] == {"$ref": "#/$defs/RiskPolicy"}
    assert call(["config", "schema", "--markdown"]) == 0
    assert "## Environment variables" in capsys.readouterr().out


def test_history_tells_each_start_that_changed_something(path, capsys, tmp_path):
    runs, clock = tmp_path / "runs", EventClock(1_700_000_000_000_000_000)
    assert call(["config", "history", "made", "--runs", str(runs)]) == 3
    for document in (load(path, environ={}), load(changed(path, '"0.005"', '"0.004"'), environ={})):
        audit_configuration(document, runs / "state" / "made" / AUDIT, clock, "Ann")
    capsys.readouterr()
    assert call(["config", "history", "made", "--runs", str(runs), "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert (first["first"], second["first"], second["updated"], second["severity"]) == (True, False, 1, "WARN")
    assert "snapshot" not in first
    assert call(["config", "history", "made", "--runs", str(runs)]) == 0
    assert "2023-11-14T22:13:20Z WARN" in capsys.readouterr().out


def test_an_environment_against_the_file_of_that_name_is_named(path, capsys):
    assert call(["config", "check", str(path), "--environment", "moon"]) == 3
    assert "expected one of backtest, replay, paper, live" in " ".join(capsys.readouterr().err.split())
    assert call(["config", "check", str(path), "--environment", "paper", "--set", "desk.environment=live"]) == 3
