"""`tradeworthy assess`: exit codes by status, from a file of facts and from a recorded run."""

import io
import json

import msgspec
import pytest

from tradeworthy.cli.main import call
from tradeworthy.operations.assessments.framework.mutation import AT, healthy_facts
from tradeworthy.operations.assessments.framework.registry import registry

BUS = registry().get("event_bus_health")


def facts(**changes) -> dict:
    rows = json.loads(msgspec.json.encode(healthy_facts(BUS)))
    for row in rows:
        row["value"] = changes.get(row["name"], row["value"])
    return {"facts": rows}


def judge(tmp_path, body, *words: str, now: int = AT) -> int:
    path = tmp_path / "facts.json"
    path.write_text(body if isinstance(body, str) else json.dumps(body))
    return call(["assess", "event_bus_health", "--facts", str(path), "--now", str(now), *words])


@pytest.mark.parametrize(("changes", "code"), [
    ({}, 0), ({"depth": 99}, 0), ({"depth": 100}, 1), ({"depth": 499}, 1), ({"depth": 500}, 2), ({"depth": None}, 3),
    ({"depth": -1}, 2), ({"depth": "3"}, 2), ({"running": False}, 2),
])  # fmt: skip
def test_the_exit_code_is_the_status(tmp_path, capsys, changes, code):
    assert judge(tmp_path, facts(**changes)) == code
    told = capsys.readouterr().out
    assert told.startswith(("OK", "WARN", "FAIL", "UNKNOWN"))
    assert code == 0 or "docs/runbooks/bus.md" in told or "depth" in told


def test_a_number_that_is_none_fails_by_name(tmp_path, capsys):
    assert judge(tmp_path, facts(depth=float("nan"))) == 2
    assert "invalid_fact" in capsys.readouterr().out


@pytest.mark.parametrize("body", ["{", "[]", '{"fact": []}', '{"facts": [1]}', '{"facts": [{"nam": 1}]}',
                                  '{"facts": [{"name": "depth", "value": 1}]}'])  # fmt: skip
def test_a_file_that_holds_no_facts_could_not_be_judged(tmp_path, body):
    assert judge(tmp_path, body) == 3


def test_no_facts_at_all_are_exit_three(tmp_path, capsys):
    assert judge(tmp_path, {"facts": []}) == 3
    assert "no_data" in capsys.readouterr().out
    assert call(["assess", "event_bus_health"]) == 3


def test_facts_come_from_standard_input_too(monkeypatch, capsys):
    stream = io.TextIOWrapper(io.BytesIO(json.dumps(facts(depth=500)).encode()))
    monkeypatch.setattr("sys.stdin", stream)
    assert call(["assess", "event_bus_health", "--facts", "-", "--now", str(AT)]) == 2


def test_facts_that_are_old_by_now_are_unknown(tmp_path):
    assert judge(tmp_path, facts(), now=AT + 60_000_000_000) == 3


def test_usage_is_exit_three(tmp_path, capsys):
    assert call(["assess"]) == 3
    assert call(["assess", "nothing"]) == 3
    assert call(["assess", "--section", "nothing"]) == 3
    assert judge(tmp_path, facts(), "--now", "yesterday") == 3
    assert judge(tmp_path, facts(), "--at", "5") == 3
    assert "--run" in capsys.readouterr().err


def test_a_policy_lies_over_the_defaults_and_a_wrong_one_is_refused(tmp_path):
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"event_bus_health": {"depth": {"warn": 1, "fail": 2}}}))
    assert judge(tmp_path, facts(depth=2), "--policy", str(policy)) == 2
    policy.write_text(json.dumps({"event_bus_health": {"depth": {"warn": 600}}}))
    assert judge(tmp_path, facts(), "--policy", str(policy)) == 3


def test_a_snapshot_is_written_verified_and_judged_again(tmp_path, capsys):
    out = tmp_path / "snapshot.json"
    assert judge(tmp_path, facts(depth=500), "--format", "json", "--output", str(out)) == 2
    assert call(["assess", "verify", str(out)]) == 0
    assert call(["assess", "replay", str(out)]) == 0
    out.write_bytes(out.read_bytes().replace(b'"status":3', b'"status":0'))
    assert call(["assess", "verify", str(out)]) == 2
    assert call(["assess", "verify", str(tmp_path / "absent")]) == 3


def test_pages_are_made_in_every_form(tmp_path, capsysbinary):
    pytest.importorskip("jinja2")
    for form, start in (("md", b"# event_bus_health: WARN"), ("html", b"<!doctype html>"), ("json", b'{"assessment"')):
        assert judge(tmp_path, facts(depth=100), "--format", form) == 1
        assert capsysbinary.readouterr().out.startswith(start)


def test_snapshots_are_kept_and_their_course_is_shown(tmp_path, capsys):
    journal = tmp_path / "journal"
    words = ("--journal", str(journal))
    for depth in (0, 100, 500):
        judge(tmp_path, facts(depth=depth), *words)
    judge(tmp_path, facts(depth=500), *words)
    capsys.readouterr()
    assert call(["assess", "history", "event_bus_health", "--journal", str(journal)]) == 2
    told = capsys.readouterr().out
    assert told.count("findings") == 4
    assert "FAIL for 2 snapshots" in told
    assert call(["assess", "history", "roi", "--journal", str(journal)]) == 3


def test_every_code_is_explained_and_every_case_flips(capsys):
    for code in registry().codes:
        assert call(["assess", "explain", code]) == 0
    assert call(["assess", "explain", "event_bus_health.no_data"]) == 0
    assert call(["assess", "explain", "event_bus_health.nothing"]) == 3
    capsys.readouterr()
    assert call(["assess", "mutate"]) == 0
    assert "0 problems" in capsys.readouterr().out
    assert call(["assess", "mutate", "event_bus_health"]) == 0


def test_the_registry_is_listed_whole(capsys):
    assert call(["assess", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in listed] == [one.name for one in registry()]
    assert call(["assess", "list"]) == 0
    assert call(["assess", "schema"]) == 0


def test_a_build_gives_a_snapshot_a_shorter_life(tmp_path):
    out = tmp_path / "s.json"
    judge(tmp_path, facts(), "--ci", "--format", "json", "--output", str(out))
    plain = json.loads(out.read_bytes())
    assert plain["expires_at"] - plain["generated_at"] == 900 * 10**9


def test_a_look_at_many_begins_with_the_verdict_and_what_to_do_first(capsys):
    assert call(["assess", "event_bus_health", "risk_policy"]) == 3
    assert capsys.readouterr().out.splitlines()[0] == "UNKNOWN  2 had no facts."


def test_an_assessment_is_explained_by_all_its_codes_and_a_mistyped_name_by_its_neighbours(capsys):
    assert call(["assess", "explain", "event_bus_health"]) == 0
    told = capsys.readouterr().out
    assert all(one.code in told and one.remedy in told for one in BUS.codes())
    assert call(["assess", "event_bus_helth"]) == 3
    assert "e.g. event_bus_health" in capsys.readouterr().err
    assert call(["assess", "explain", "event_bus_health.dept"]) == 3
    assert "event_bus_health.depth" in capsys.readouterr().err


def test_the_course_of_a_folder_that_is_not_there_is_usage(tmp_path, capsys):
    assert call(["assess", "history", "event_bus_health", "--journal", str(tmp_path / "absent")]) == 3
    assert "expected a folder" in capsys.readouterr().err
