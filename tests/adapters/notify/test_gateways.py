"""What each gateway sees beside the words: signatures, idempotency, one issue a thing, encryption, placeholders."""

import asyncio
import hashlib
import hmac
import json

import pytest
from local_gateways import HttpGateway, SmtpGateway, certificate

from tradeworthy.adapters.notify.github import GitHubIssues
from tradeworthy.adapters.notify.local import LinesFile
from tradeworthy.adapters.notify.mail import Mail
from tradeworthy.adapters.notify.slack import Slack, SlackThreads
from tradeworthy.adapters.notify.sms import Sms
from tradeworthy.adapters.notify.transports import keep_threads, transports_of
from tradeworthy.adapters.notify.webhook import Webhook
from tradeworthy.kernel import redaction
from tradeworthy.kernel.errors import UsageError
from tradeworthy.operations.incidents.channel import Refused
from tradeworthy.operations.incidents.model import AlertSeverity, Notice, Purpose
from tradeworthy.operations.incidents.policy import AlertPolicy, ChannelPolicy

KEY = "signing-key-0001"


def notice(number=1, purpose=Purpose.ALERT, **changed):
    given = {
        "id": f"run:n{number}", "purpose": purpose, "severity": AlertSeverity.CRITICAL,
        "title": "[CRITICAL] venue.down", "text": "venue <down> & out", "dedup": "venue.down|edge|okx", "at": 5,
    }  # fmt: skip
    return Notice(**(given | changed))


def send(transport, *notices):
    async def play():
        return [await transport.send(one, timeout_s=5.0) for one in notices]

    return asyncio.run(play())


@pytest.fixture
def gateway():
    opened = []

    def make(kind, *words, **changed):
        opened.append(kind(*words, **changed))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.fixture(autouse=True)
def _no_known_secrets(monkeypatch):
    monkeypatch.setattr(redaction, "_known", {})


def test_a_webhook_is_signed_over_stamp_and_body_and_names_the_notice(gateway):
    hook = gateway(HttpGateway)
    [sent] = send(Webhook(lambda: hook.url + "/alerts", lambda: redaction.Secret(KEY)), notice())
    [(verb, path, headers, body)] = hook.got
    expected = hmac.new(KEY.encode(), b"5." + body, hashlib.sha256).hexdigest()
    assert (verb, path, headers["X-Tradeworthy-Signature"]) == ("POST", "/alerts", f"sha256={expected}")
    assert headers["Idempotency-Key"] == "run:n1"
    assert sent.provider_id == "m-1"


def test_a_redirect_is_refused_so_that_no_other_host_gets_an_alert(gateway):
    hook = gateway(HttpGateway, (302, {}))
    with pytest.raises(Refused, match="302"):
        send(Webhook(lambda: hook.url), notice())


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_a_gateway_that_is_busy_is_no_refusal(gateway, status):
    hook = gateway(HttpGateway, (status, {}))
    with pytest.raises(OSError, match=str(status)):
        send(Webhook(lambda: hook.url), notice())


def test_slack_gets_escaped_text(gateway):
    hook = gateway(HttpGateway, (200, "ok"))
    send(Slack(lambda: hook.url), notice())
    assert json.loads(hook.got[0][3]) == {"text": "*[CRITICAL] venue.down*\nvenue &lt;down&gt; &amp; out"}


def bot(gateway, *answers):
    hook = gateway(HttpGateway, *answers)
    return hook, SlackThreads("#ops", lambda: redaction.Secret(KEY), hook.url)


def posted(hook):
    return [(path, headers["Authorization"], json.loads(body)) for _, path, headers, body in hook.got]


def test_a_bot_keeps_one_thread_a_thing_until_it_is_over(gateway):
    hook, slack = bot(gateway, *((200, {"ok": True, "ts": f"{n}.0"}) for n in range(1, 9)))
    about = {"dedup": "a"}
    sent = send(
        slack, notice(1, **about), notice(2, **about), notice(3, dedup="b"), notice(4, Purpose.RESOLVED, **about),
        notice(5, **about), notice(6, Purpose.DIGEST, dedup="digest"), notice(7, Purpose.DIGEST, dedup="digest"),
    )  # fmt: skip
    assert [one.provider_id for one in sent] == ["1.0", "1.0", "3.0", "1.0", "5.0", "6.0", "7.0"]
    threads = [said.get("thread_ts") for _, _, said in posted(hook)]
    assert threads == [None, "1.0", None, "1.0", None, None, None]
    assert {(path, key, said["channel"]) for path, key, said in posted(hook)} == {
        ("/chat.postMessage", f"Bearer {KEY}", "#ops")
    }


def test_a_bot_goes_on_with_the_threads_of_the_process_before(gateway):
    hook, slack = bot(gateway, (200, {"ok": True, "ts": "9.0"}))
    keep_threads(slack, "c", {("c", "a"): "1.0", ("other", "b"): "2.0"})
    send(slack, notice(1, dedup="a"), notice(2, dedup="b"))
    assert [said.get("thread_ts") for _, _, said in posted(hook)] == ["1.0", None]


@pytest.mark.parametrize(("answer", "final"), [
    ({"ok": False, "error": "channel_not_found"}, True), ({"ok": False, "error": "ratelimited"}, False),
    ("no json", False), ({"ok": False, "error": "thread_not_found"}, False),
])
def test_what_slack_says_no_to_is_no_receipt_whatever_its_status(gateway, answer, final):
    _, slack = bot(gateway, (200, answer))
    with pytest.raises(Refused if final else OSError):
        send(slack, notice())


def test_a_short_message_fits_and_carries_the_token_in_its_header_alone(gateway):
    hook = gateway(HttpGateway, (201, {"sid": "SM1"}))
    [sent] = send(Sms(lambda: hook.url, "+47", "desk", lambda: redaction.Secret(KEY)), notice(text="x" * 900))
    _, _, headers, body = hook.got[0]
    said = json.loads(body)
    assert (said["to"], said["from"], len(said["body"])) == ("+47", "desk", 320)
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert sent.provider_id == "SM1"


def test_github_keeps_one_open_issue_a_thing_and_closes_it_when_it_is_over(gateway):
    issues = {}

    def route(verb, path, headers, body):
        bare, _, query = path.partition("?")
        said = json.loads(body or b"null")
        if verb == "GET":
            wanted = query.partition("labels=")[2].partition("&")[0]
            still = {n: one for n, one in issues.items() if one["state"] == "open"}
            return 200, [{"number": n} for n, one in still.items() if wanted in one["labels"]]
        parts = bare.split("/")
        if bare.endswith("/issues"):
            issues[len(issues) + 1] = {**said, "state": "open", "comments": []}
            return 201, {"number": len(issues)}
        one = issues[int(parts[5])]
        if verb == "PATCH":
            one["state"] = said["state"]
        else:
            one["comments"].append(said["body"])
        return 200, {}

    hub = gateway(HttpGateway, route=route)
    way = GitHubIssues("acme/desk", lambda: redaction.Secret(KEY), hub.url)
    sent = send(way, notice(1), notice(2), notice(3, dedup="other"), notice(4, Purpose.RESOLVED), notice(5))
    assert [one.provider_id for one in sent] == ["1", "1", "2", "1", "3"]
    states = [(one["state"], len(one["comments"])) for one in issues.values()]
    assert states == [("closed", 2), ("open", 0), ("open", 0)]
    assert {path.split("?")[0] for _, path, _, _ in hub.got if path.endswith("issues")} == {"/repos/acme/desk/issues"}


def test_mail_is_encrypted_and_logs_in(gateway, tmp_path):
    server, client = certificate(tmp_path)
    post = gateway(SmtpGateway, tls=server, login="take")
    way = Mail("127.0.0.1", post.port, "ops@desk.local", sender="desk@desk.local",
               password=lambda: redaction.Secret(KEY), context=client)  # fmt: skip
    [sent] = send(way, notice(title="two\nlines"))
    [(sender, to, data)] = post.mails
    assert "desk@desk.local" in sender
    assert "ops@desk.local" in to[0]
    assert "Subject: two lines" in data
    assert sent.provider_id == "<run.n1@desk.local>"
    assert post.encrypted == [True]
    assert KEY not in data


def test_mail_refuses_a_server_without_encryption_or_with_a_wrong_certificate(gateway, tmp_path):
    plain = gateway(SmtpGateway)
    with pytest.raises(Refused, match="no such thing"):
        send(Mail("127.0.0.1", plain.port, "ops@desk.local"), notice())
    server, _ = certificate(tmp_path)
    foreign = gateway(SmtpGateway, tls=server)
    with pytest.raises(OSError):
        send(Mail("127.0.0.1", foreign.port, "ops@desk.local"), notice())
    assert plain.mails == foreign.mails == []


def test_a_wrong_password_is_refused_and_not_shown(gateway, tmp_path):
    server, client = certificate(tmp_path)
    post = gateway(SmtpGateway, tls=server, login="refuse")
    way = Mail("127.0.0.1", post.port, "o@desk.local", password=lambda: redaction.Secret(KEY), context=client)
    with pytest.raises(Refused, match="login refused") as refused:
        send(way, notice())
    assert KEY not in str(refused.value)


def test_a_file_that_is_full_moves_aside(tmp_path):
    way = LinesFile(tmp_path / "a.jsonl", bytes_max=100)
    send(way, notice(1), notice(2))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "a.jsonl.1"]


def resolve(reference):
    if reference == "secret://there":
        return redaction.Secret(KEY)
    raise UsageError(f"{reference}: expected the file, found none")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, "no destination"),
        ({"destination": "https://hooks.example.com/x"}, "placeholder"),
        ({"destination": "ops@example.org", "transport": "email", "gateway": "mail:25"}, "placeholder"),
        ({"destination": "https://hook", "secret": "secret://absent"}, "expected the file"),
        ({"destination": "secret://absent", "transport": "slack"}, "expected the file"),
        ({"destination": "https://hook", "secret": "plain-words"}, "plain text"),
        ({"destination": "ops@desk.local", "transport": "email"}, "no gateway"),
        ({"destination": "ops@desk.local", "transport": "email", "gateway": "mail:x"}, "host:port"),
        ({"destination": "+47", "transport": "sms"}, "no gateway"),
        ({"destination": "acme/desk", "transport": "github"}, "no token"),
    ],
)
def test_what_is_not_configured_says_why_and_shows_no_secret(changed, reason, tmp_path):
    channel = ChannelPolicy(**({"name": "c", "transport": "webhook"} | changed))
    policy = AlertPolicy(channels=(channel,), rules=(), default_channels=("c",))
    found = transports_of(policy, resolve, base=tmp_path)["c"]
    assert isinstance(found, str)
    assert reason in found
    assert "plain-words" not in found


@pytest.mark.parametrize(
    "changed",
    [
        {"destination": "https://hook", "secret": "secret://there"}, {"destination": "a.jsonl", "transport": "file"},
        {"destination": "secret://there", "transport": "slack"}, {"destination": "true", "transport": "command"},
        {"destination": "acme/desk", "transport": "github", "secret": "secret://there"},
        {"destination": "#ops", "transport": "slack", "secret": "secret://there"},
        {"destination": "o@desk.local", "transport": "email", "gateway": "mail.desk.local:587"},
    ],
)  # fmt: skip
def test_what_is_configured_has_a_way_out(changed, tmp_path):
    channel = ChannelPolicy(**({"name": "c", "transport": "webhook"} | changed))
    policy = AlertPolicy(channels=(channel,), rules=(), default_channels=("c",))
    assert not isinstance(transports_of(policy, resolve, base=tmp_path)["c"], str)
