"""A failed build opens one issue at a real server, is mirrored to the chat, and closes with the next green (GT-18)."""

import json

import pytest
from local_gateways import HttpGateway

from tradeworthy.cli.main import call
from tradeworthy.kernel import redaction
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.operations.gates.build_alerts import BuildAlerted
from tradeworthy.operations.gates.store import GateStore

KEY = "ghp-planted-canary-0123456789"


@pytest.fixture
def hub(monkeypatch):
    """Return a host of repositories and a chat, the verb's words for them, and the issues that were made."""
    monkeypatch.setattr(redaction, "_known", {})
    issues = {}

    def route(verb, path, headers, body):
        bare, _, query = path.partition("?")
        said = json.loads(body or b"null")
        if verb == "GET":
            wanted = query.partition("labels=")[2].partition("&")[0]
            still = [n for n, one in issues.items() if one["state"] == "open" and wanted in one["labels"]]
            return 200, [{"number": n} for n in still]
        if bare.endswith("/issues"):
            issues[len(issues) + 1] = {**said, "state": "open", "comments": 0}
            return 201, {"number": len(issues)}
        one = issues[int(bare.split("/")[5])]
        if verb == "PATCH":
            one["state"] = said["state"]
        else:
            one["comments"] += 1
        return 200, {}

    host, chat = HttpGateway(route=route), HttpGateway((200, "ok"))
    monkeypatch.setenv("TRADEWORTHY_SECRET_BUILD_TOKEN", KEY)
    monkeypatch.setenv("TRADEWORTHY_SECRET_BUILD_CHAT", f"{chat.url}/services/planted-hook-4711")
    words = ["--repository", "acme/desk", "--token", "secret://build_token", "--api", host.url]
    yield words, issues, chat
    host.close()
    chat.close()


def alert(folder, words, job, result, *more):
    return call(["gate", "build-alert", job, "--result", result, *words, "--gates", str(folder), *more])


def noted(folder):
    return [one for _, one in GateStore(folder, SystemClock()).read().notes if isinstance(one, BuildAlerted)]


def test_an_issue_is_opened_once_a_job_and_closed_when_it_is_green(hub, tmp_path, capsys):
    words, issues, chat = hub
    words = [*words, "--chat", "secret://build_chat"]
    for job, result in (("tests", "failure"), ("tests", "failure"), ("lint", "failure"), ("tests", "success")):
        assert alert(tmp_path, words, job, result) == 0
    assert [(one["title"], one["state"]) for one in issues.values()] == [
        ("[build] tests failed", "closed"), ("[build] lint failed", "open"),
    ]  # fmt: skip
    assert len(chat.got) == 4
    assert [one.sent[0] for one in noted(tmp_path)] == ["issues:1", "issues:1", "issues:2", "issues:1"]
    out = capsys.readouterr().out
    assert "unknown" not in out.splitlines()[-1]
    assert KEY not in out


def test_a_green_job_without_an_issue_makes_none_and_a_drill_opens_and_closes(hub, tmp_path):
    words, issues, _ = hub
    assert alert(tmp_path, words, "tests", "success") == 0
    assert issues == {}
    assert alert(tmp_path, words, "tests", "success", "--drill") == 0
    assert [(one["title"], one["state"]) for one in issues.values()] == [("[build] drill: tests failed", "closed")]
    assert [(one.failed, one.drill) for one in noted(tmp_path)] == [(False, False), (True, True), (False, True)]


def test_what_no_channel_took_is_told_and_nothing_is_said_of_a_cancelled_job(hub, tmp_path, monkeypatch, capsys):
    words, issues, _ = hub
    assert alert(tmp_path, words, "tests", "cancelled") == 1
    assert alert(tmp_path, words, "tests", "maybe") == 3
    monkeypatch.delenv("TRADEWORTHY_SECRET_BUILD_TOKEN")
    assert alert(tmp_path, words, "tests", "failure") == 2
    assert "not told    issues:" in capsys.readouterr().out
    assert issues == {}
    (one,) = noted(tmp_path)
    assert (one.sent, len(one.faults)) == ((), 1)
