"""One suite for every transport: it delivers the words, tells failures from refusals, and never hangs the loop."""

import asyncio
import json
import sys

import msgspec
import pytest
from local_gateways import HttpGateway, SmtpGateway

from tradeworthy.adapters.notify.github import GitHubIssues
from tradeworthy.adapters.notify.local import Command, LinesFile
from tradeworthy.adapters.notify.mail import Mail
from tradeworthy.adapters.notify.slack import Slack
from tradeworthy.adapters.notify.sms import Sms
from tradeworthy.adapters.notify.webhook import Webhook
from tradeworthy.kernel import redaction
from tradeworthy.operations.incidents.channel import Refused, Sent
from tradeworthy.operations.incidents.model import Alert, AlertSeverity, AlertState, Notice, Purpose

CANARY = "canary-notify-4417"
KINDS = ("webhook", "slack", "sms", "github", "mail", "file", "command")
ALERT = Alert(
    id="run:1", code="venue.down", category="venue.down", severity=AlertSeverity.CRITICAL, component="edge",
    subject="okx", message="no answer for 10 s", state=AlertState.FIRING, since=1, at=1, runbook="runbooks/venue.md",
)  # fmt: skip


def notice(purpose=Purpose.ALERT, **changed):
    given = {
        "id": "run:n1", "purpose": purpose, "severity": AlertSeverity.CRITICAL, "title": "[CRITICAL] venue.down on okx",
        "text": "critical venue.down (edge, okx): no answer for 10 s", "dedup": "venue.down|edge|okx", "at": 5,
        "alerts": (ALERT,),
    }  # fmt: skip
    return Notice(**(given | changed))


class Wired:
    """One transport with its gateway: `answer(code)` makes the next ones fail so, `taken()` is what arrived."""

    def __init__(self, kind, folder, *, status=None, hang=False):
        def secret():
            return redaction.Secret(CANARY)

        http = None if status is None else (status, {"message": "so"})
        self.gateway = None
        match kind:
            case "webhook" | "slack" | "sms":
                self.gateway = HttpGateway(*([http] if http else []), hang=hang)
                url = self.gateway.url + "/hook"
                self.transport = {
                    "webhook": lambda: Webhook(lambda: url, secret), "slack": lambda: Slack(lambda: url),
                    "sms": lambda: Sms(lambda: url, "+4712345678", "desk", secret),
                }[kind]()  # fmt: skip
            case "github":
                route = None if http else lambda verb, path, headers, body: (
                    (200, []) if verb == "GET" else (201, {"number": 7})
                )
                self.gateway = HttpGateway(*([http] if http else []), hang=hang, route=route)
                self.transport = GitHubIssues("acme/desk", secret, self.gateway.url)
            case "mail":
                self.gateway = SmtpGateway(refuse={None: None, 400: 550}.get(status, 451), hang=hang)
                self.transport = Mail("127.0.0.1", self.gateway.port, "ops@desk.local", start_tls=False)
            case "file":
                path = folder / ("gone" if status else "a.jsonl")
                if status:
                    path.mkdir()  # a folder stands where the file should be
                self.path, self.transport = path, LinesFile(path)
            case "command":
                script = "import sys,time;open(sys.argv[1],'ab').write(sys.stdin.buffer.read());" + (
                    "time.sleep(30)" if hang else f"sys.exit({1 if status else 0})"
                )
                self.path = folder / "out.jsonl"
                self.transport = Command((sys.executable, "-c", script, str(self.path)))

    def taken(self):
        if isinstance(self.gateway, SmtpGateway):
            return [mail[2] for mail in self.gateway.mails]
        if self.gateway is not None:
            return [body.decode() for verb, _, _, body in self.gateway.got if verb == "POST"]
        return self.path.read_text().splitlines()

    def close(self):
        if self.gateway is not None:
            self.gateway.close()


@pytest.fixture
def wired(tmp_path, monkeypatch):
    monkeypatch.setattr(redaction, "_known", {})
    opened = []

    def wire(kind, **changed):
        opened.append(Wired(kind, tmp_path, **changed))
        return opened[-1]

    yield wire
    for one in opened:
        one.close()


def send(transport, *notices, within=10.0):
    async def play():
        return [await asyncio.wait_for(transport.send(one, timeout_s=within), within) for one in notices]

    return asyncio.run(play())


@pytest.mark.parametrize("kind", KINDS)
def test_a_notice_arrives_with_its_words_and_without_secrets(kind, wired):
    way = wired(kind)
    [sent] = send(way.transport, notice())
    assert isinstance(sent, Sent)
    [body] = way.taken()
    assert "no answer for 10 s" in body
    assert "venue.down" in body
    assert CANARY not in body
    assert CANARY not in repr(way.transport.__dict__)


@pytest.mark.parametrize("kind", KINDS)
def test_two_notices_go_over_one_transport(kind, wired):
    way = wired(kind)
    send(way.transport, notice(), notice(id="run:n2", dedup="other"))
    assert len(way.taken()) == 2


@pytest.mark.parametrize("kind", [one for one in KINDS if one not in ("file", "command")])
def test_what_no_repeat_changes_is_refused(kind, wired):
    with pytest.raises(Refused) as refused:
        send(wired(kind, status=400).transport, notice())
    assert CANARY not in str(refused.value)


@pytest.mark.parametrize("kind", KINDS)
def test_what_may_pass_the_next_time_is_a_failure_and_no_refusal(kind, wired):
    with pytest.raises(OSError) as failed:
        send(wired(kind, status=503).transport, notice())
    assert CANARY not in str(failed.value)


@pytest.mark.parametrize("kind", [one for one in KINDS if one != "file"])
def test_a_gateway_that_hangs_ends_with_the_attempt_and_the_loop_goes_on(kind, wired):
    way, turns = wired(kind, hang=True), []

    async def play():
        async def turning():
            while True:
                await asyncio.sleep(0.02)
                turns.append(1)

        other = asyncio.ensure_future(turning())
        try:
            await asyncio.wait_for(way.transport.send(notice(), timeout_s=0.4), 0.5)
        finally:
            other.cancel()

    with pytest.raises((TimeoutError, OSError)):
        asyncio.run(play())
    assert len(turns) >= 5


@pytest.mark.parametrize("kind", ["webhook", "slack", "sms", "github", "mail"])
def test_nobody_listening_is_a_failure(kind, wired):
    way = wired(kind)
    way.gateway.close()
    way.gateway = None
    with pytest.raises(OSError):
        send(way.transport, notice(), within=2.0)


def test_lines_of_a_file_are_the_notices(wired):
    way = wired("file")
    send(way.transport, notice())
    assert msgspec.json.decode(way.taken()[0], type=Notice) == notice()


def test_a_command_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(Refused):
        send(Command((str(tmp_path / "nothing"),)), notice())


def test_the_json_of_a_webhook_is_the_notice(wired):
    way = wired("webhook")
    send(way.transport, notice())
    assert json.loads(way.taken()[0])["alerts"][0]["code"] == "venue.down"
