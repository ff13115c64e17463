"""The verbs `alert` and `incident` by their exit codes, on a desk at rest."""

import json
from pathlib import Path

import pytest

from tradeworthy.cli.main import call

ROOT = Path(__file__).resolve().parents[2]
PAPER = (ROOT / "config" / "paper.toml").read_text()
FILES = """
[[telemetry.alerts.channels]]
name = "a"
transport = "file"
destination = "a.jsonl"
[[telemetry.alerts.channels]]
name = "b"
transport = "{second}"
destination = "{destination}"
[[telemetry.alerts.rules]]
name = "all"
categories = ["kill."]
channels = ["a", "b"]
[[telemetry.escalation.tiers]]
roles = ["head"]
channels = ["a"]
[[telemetry.escalation.tiers]]
roles = ["risk"]
channels = ["a"]
[[telemetry.escalation.tiers]]
roles = ["legal"]
channels = ["a"]
"""


@pytest.fixture
def desk(tmp_path, capsys):
    class Desk:
        runs = tmp_path / "runs"

        def __init__(self):
            self.out = ""

        def document(self, *, second="file", destination="b.jsonl", bare=False):
            path = tmp_path / "desk.toml"
            more = "" if bare else FILES.format(second=second, destination=destination).replace(
                "[[telemetry.alerts.rules]]", "[[telemetry.alerts.rules]]", 1
            )
            head = "" if bare else "\n[telemetry.alerts]\ndefault_channels = [\"a\"]\n"
            path.write_text(PAPER + head + more)
            return str(path)

        def call(self, *words):
            code = call([*words, "--runs", str(self.runs)])
            self.out = capsys.readouterr().out
            return code

    return Desk()


def test_a_test_says_by_its_exit_code_how_many_channels_took_it(desk):
    assert desk.call("alert", "test", desk.document(bare=True)) == 2
    assert "no destination is configured" in desk.out
    assert desk.call("alert", "test", desk.document(second="email", destination="")) == 1
    assert desk.call("alert", "test", desk.document(), "--json") == 0
    assert {one["outcome"] for one in json.loads(desk.out)["receipts"]} == {"accepted"}


def test_a_test_alert_stands_until_it_is_taken(desk):
    desk.call("alert", "test", desk.document(), "--json")
    alert = json.loads(desk.out)["alert"]
    assert desk.call("alert", "list", "paper", "--json") == 1
    assert json.loads(desk.out)[0]["alert"]["id"] == alert
    assert desk.call("alert", "ack", "paper", alert) == 0
    assert desk.call("alert", "list", "paper") == 0
    assert "no alert fires" in desk.out
    assert desk.call("alert", "list", "paper", "--all") == 0
    assert "taken by" in desk.out
    assert desk.call("alert", "ack", "paper", "none") == 2


def test_a_desk_without_a_path_cannot_be_judged(desk):
    assert desk.call("alert", "list", "nobody") == 3
    assert desk.call("incident", "list", "nobody") == 3
    assert desk.call("alert", "ledger", desk.document()) == 3


def test_the_ledger_and_the_routes_are_shown(desk):
    document = desk.document()
    desk.call("alert", "test", document)
    assert desk.call("alert", "ledger", document) == 0
    assert "event to alert" in desk.out
    assert desk.call("alert", "routes", document, "--category", "kill.x") == 0
    assert "all: a, b" in desk.out
    assert desk.call("alert", "routes", document, "--category", "else") == 1
    assert desk.call("alert", "routes", document) == 0
    assert desk.call("alert", "silence", "paper", "venue.", "--reason", "x") == 3, "no process runs it"


def test_an_incident_goes_its_way_and_no_other(desk):
    desk.call("alert", "test", desk.document())
    assert desk.call("incident", "open", "paper", "feed is odd", "--sev", "2") == 0
    assert desk.call("incident", "list", "paper") == 2
    one = ("paper", "INC-00001")
    assert desk.call("incident", "resolve", *one) == 2
    assert desk.call("incident", "ack", *one) == 0
    assert desk.call("incident", "ack", *one) == 0, "twice is once"
    assert desk.call("incident", "update", *one, "--text", "seen", "--evidence", "aa11") == 0
    assert desk.call("incident", "update", *one, "--text", "less", "--sev", "3") == 2
    assert desk.call("incident", "update", *one, "--text", "less", "--sev", "3", "--second", "bob") == 0
    assert desk.call("incident", "list", "paper") == 1
    assert desk.call("incident", "mitigate", *one) == 0
    assert desk.call("incident", "resolve", *one, "--text", "restarted") == 0
    assert desk.call("incident", "list", "paper") == 0
    assert "MTTR" in desk.out
    assert desk.call("incident", "close", *one) == 2
    assert desk.call("incident", "review", *one, "--review", "docs") == 0
    assert desk.call("incident", "close", *one, "--cause", "c") == 2
    proof = ("--cause", "c", "--check", "k", "--failed-before", "f", "--passed-after", "p")
    assert desk.call("incident", "close", *one, *proof) == 0
    assert desk.call("incident", "show", *one) == 0
    assert "closed c k" in desk.out
    assert desk.call("incident", "show", *one, "--json") == 0
    assert json.loads(desk.out)["phase"] == "closed"
    assert desk.call("incident", "export", *one) == 0
    first = desk.out
    assert len(first.splitlines()) == 10, "eight steps, and what the desk held at the first and at the end"
    desk.call("incident", "export", *one)
    assert desk.out == first
    assert desk.call("incident", "export", *one, "--markdown") == 0
    assert desk.out.startswith("# INC-00001: feed is odd")
    assert desk.call("incident", "report", "paper") == 0
    assert desk.call("incident", "open", "paper", "again", "--sev", "1") == 0
    assert desk.call("incident", "report", "paper", "--json") == 1
    assert desk.call("incident", "show", "paper", "INC-00009") == 2
    assert desk.call("incident", "export", "paper", "INC-00009") == 3
