"""The verbs of duties by their exit codes, on a desk at rest."""

import json

import pytest
from test_alert_verbs import FILES, PAPER

from tradeworthy.cli.main import call


@pytest.fixture
def runs(tmp_path):
    """Return the runs' folder of a desk with one SEV-2 incident."""
    folder = tmp_path / "runs"
    path = tmp_path / "desk.toml"
    path.write_text(PAPER + '\n[telemetry.alerts]\ndefault_channels = ["a"]\n' + FILES.format(
        second="file", destination="b.jsonl"
    ))  # fmt: skip
    assert call(["alert", "test", str(path), "--runs", str(folder)]) == 0
    assert call(["incident", "open", "paper", "feed is odd", "--sev", "2", "--runs", str(folder)]) == 0
    return folder


def test_a_role_is_given_and_stays(runs, capsys):
    words = ["incident", "assign", "paper", "INC-00001", "commander", "ada", "--runs", str(runs)]
    assert (call(words), call(words)) == (0, 0)
    assert call(["incident", "assign", "paper", "INC-00009", "scribe", "bob", "--runs", str(runs)]) == 2
    capsys.readouterr()
    assert call(["incident", "show", "paper", "INC-00001", "--runs", str(runs)]) == 0
    assert "ada is commander" in capsys.readouterr().out


def test_without_clocks_nothing_is_owed_and_nothing_can_be_filed(runs):
    assert call(["incident", "clocks", "paper", "--runs", str(runs)]) == 0
    file = ["incident", "file", "paper", "INC-00001", "ict_early", "--reference", "R-1", "--runs", str(runs)]
    assert call(file) == 2


def test_a_clock_is_excluded_only_with_the_key_of_a_trusted_person(runs, tmp_path):
    key = tmp_path / "ada.key"
    words = [
        "incident", "exclude", "paper", "INC-00001", "ict_early", "--reason", "r", "--key", str(key),
        "--runs", str(runs),
    ]  # fmt: skip
    assert call(words) == 3, "there is no key"
    assert call(["evidence", "key", str(key)]) == 0
    assert call(words) == 3, "nobody trusts it"


def test_a_desk_without_a_roster_cannot_be_judged_and_a_contact_is_noted(runs, tmp_path):
    assert call(["incident", "roster", str(tmp_path / "desk.toml"), "--runs", str(runs)]) == 3
    assert call(["incident", "contact", "paper", "ada", "sms", "--reached", "--runs", str(runs)]) == 0


def test_a_campaign_prints_its_digest_and_refuses_a_time_that_is_none(runs, capsys):
    words = ["incident", "simulate", "--seed", "7", "--hours", "0.3", "--json"]
    capsys.readouterr()
    codes = call(words), call([*words, "--desk", "paper", "--runs", str(runs)])
    assert set(codes) <= {0, 2}
    assert call(["incident", "simulate", "--hours", "0"]) == 3
    assert '"digest"' in capsys.readouterr().out


def test_past_incidents_that_are_not_closed_are_no_matter_of_the_nightly_run(runs, capsys):
    capsys.readouterr()
    assert call(["incident", "rerun", "paper", "--json", "--runs", str(runs)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (len(found["museum"]), found["incidents"]) == (6, [])


def test_an_action_goes_its_way_and_its_verbs_exit_by_it(runs, capsys):
    def action(*words):
        capsys.readouterr()
        return call(["incident", "action", *words, "--runs", str(runs)])

    assert action("list", "paper") == 0
    add = ("add", "paper", "INC-00001", "look at the feed", "--owner", "bob", "--due")
    assert action(*add, "2199-01-31") == 0
    assert capsys.readouterr().out.strip() == "ACT-00001"
    assert (action(*add, "2001-01-31"), action(*add, "soon")) == (2, 3)
    assert action("list", "paper") == 0
    shown = capsys.readouterr().out
    assert "2199-01-31" in shown
    assert "bob" in shown
    assert action("done", "paper", "ACT-00001", "--text", "fixed", "--evidence", "aa11") == 0
    assert action("drop", "paper", "ACT-00001", "--text", "no") == 2, "it is done"
    assert action("list", "paper", "--all", "--json") == 0
    (one,) = json.loads(capsys.readouterr().out)
    assert (one["told"]["due"], one["ended"]["stand"]) == (7_229_174_400 * 10**9, "done")


def test_a_false_alarm_needs_a_reason_and_a_clock_is_started_by_hand_and_runs(runs, capsys):
    one = ["paper", "INC-00001"]
    assert call(["incident", "false-alarm", *one, "--reason", "the feed was fine", "--runs", str(runs)]) == 0
    assert call(["incident", "false-alarm", "paper", "INC-9", "--reason", "x", "--runs", str(runs)]) == 2
    start = ["incident", "start-clock", *one, "personal_data", "--reason", "names leaked", "--runs", str(runs)]
    assert (call(start), call(start)) == (0, 0)
    assert call([*start[:4], "no_such", *start[5:]]) == 2
    capsys.readouterr()
    assert call(["incident", "clocks", "paper", "--json", "--runs", str(runs)]) == 1
    (clock,) = json.loads(capsys.readouterr().out)
    assert clock["started"]["clock"] == "personal_data"


@pytest.mark.parametrize("wrong", [
    ("--listen", "nowhere"), ("--silence", "0"), ("--key", "plain-words"), ("--listen", "127.0.0.1:x"),
])
def test_a_dead_man_that_makes_no_sense_is_refused(wrong, tmp_path, capsys):
    usual = {"--listen": "127.0.0.1:0", "--pages": str(tmp_path / "pages.jsonl")}
    words = [word for pair in (usual | dict([wrong])).items() for word in pair]
    assert call(["alert", "dead-man", "paper", *words]) == 3
    assert "plain-words" not in capsys.readouterr().err


def test_a_campaign_says_how_it_ended_and_warns_of_nothing_that_it_broke_itself(tmp_path, capsys):
    assert call(["incident", "simulate", "--runs", str(tmp_path)]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines()[-1].startswith("OK: every critical alert was heard")
    assert not told.err
