"""The verbs `health` and `token` against a running desk (CLI-06, HLT-05)."""

import http.server
import json
import threading

import jwt
import pytest
from web_desk import NOW, SECRET, WebDesk, make_certificate

from tradeworthy.cli.main import call
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.operations.health.facts import GuardView, KillView
from tradeworthy.operations.health.policy import PREFIX, HealthPolicy
from tradeworthy.trading.model import GuardLevel
from tradeworthy.web.asking import ask_health, url_of


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch):
    for name in ("AUTH_SECRET", "PORT", "HOST", "PATH", "CERT_PATH", "KEY_PATH"):
        monkeypatch.delenv(f"{PREFIX}{name}", raising=False)


@pytest.fixture(scope="module")
def served():
    desk = WebDesk(authenticated=False)
    with desk.serving() as port:
        desk.url = f"http://127.0.0.1:{port}/health"
        yield desk


def stopped(desk):
    desk.guard(GuardLevel.STOPPED)


def degraded(desk):
    desk.guard(GuardLevel.PAUSED)


def unknown(desk):
    desk.board.put("guard", GuardView(at=NOW))


@pytest.mark.parametrize(
    ("change", "code", "word"),
    [(lambda desk: None, 0, "OK"), (degraded, 1, "WARN"), (stopped, 2, "FAIL"), (unknown, 3, "UNKNOWN")],
)
def test_the_exit_code_is_the_status_and_the_table_says_why(served, capsys, change, code, word):
    served.guard(GuardLevel.RUNNING)
    change(served)
    assert call(["health", "--url", served.url]) == code
    said = capsys.readouterr().out
    assert said.startswith(f"{word}  run run-1, paper")
    assert "database" in said
    assert ("guard.md" in said) == (code != 0)


def test_a_killed_desk_is_2(capsys):
    desk = WebDesk(authenticated=False)
    desk.board._facts.not_applicable.pop("kill_switch")
    desk.board.put("kill_switch", KillView(at=NOW, tripped=True, scopes=("strategy:x",)))
    with desk.serving() as port:
        assert call(["health", "--url", f"http://127.0.0.1:{port}/health"]) == 2
    assert "tripped: strategy:x" in capsys.readouterr().out


@pytest.mark.parametrize("end", ["", "/"])
def test_an_address_without_a_path_is_asked_at_the_path_of_health(served, end):
    served.guard(GuardLevel.RUNNING)
    assert call(["health", "--url", served.url.removesuffix("/health") + end]) == 0


def test_raw_is_the_answer_itself(served, capsys):
    served.guard(GuardLevel.RUNNING)
    assert call(["health", "--raw", "--url", served.url]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == "tradeworthy.health/1"


def test_no_desk_is_3_and_told_in_a_line(capsys, monkeypatch):
    monkeypatch.setenv(f"{PREFIX}PORT", "1")
    assert call(["health", "--timeout", "1"]) == 3
    assert "no desk answers at http://127.0.0.1:1/health" in capsys.readouterr().err.replace("\n", "")


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/health", "file:///etc/hosts", "http://", "http://x:99999/"])
def test_an_address_that_is_none_is_usage(url, capsys):
    assert call(["health", "--url", url]) == 3
    assert "expected an address http(s)://HOST:PORT/PATH" in capsys.readouterr().err.replace("\n", " ")


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf"])
def test_a_timeout_that_is_none_is_usage(served, seconds, capsys):
    assert call(["health", "--url", served.url, "--timeout", seconds]) == 3
    assert "the timeout must be above 0 seconds" in capsys.readouterr().err.replace("\n", " ")


class Strange(http.server.BaseHTTPRequestHandler):
    """Answer something that is no health report."""

    status, body = 200, b"{}"

    def do_GET(self):
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_):
        pass


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b"{}"), (200, b"<html>"), (302, b""), (200, b"\xff"), (200, b"x" * (1 << 21)), (500, b"")],
)
def test_something_else_at_the_address_is_3(status, body):
    handler = type("Answering", (Strange,), {"status": status, "body": body})
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as other:
        threading.Thread(target=other.handle_request, daemon=True).start()
        assert call(["health", "--url", f"http://127.0.0.1:{other.server_port}/health"]) == 3


def test_with_a_secret_the_verb_brings_a_token_over_tls_and_without_it_is_3(tmp_path, monkeypatch, capsys):
    cert, key = make_certificate(tmp_path)
    policy = HealthPolicy(port=0, cert_path=str(cert), key_path=str(key), path="/fit")
    desk = WebDesk(policy=policy, now=SystemClock().now())
    with desk.serving() as port:
        for name, value in (("PORT", str(port)), ("PATH", "/fit"), ("CERT_PATH", str(cert)), ("KEY_PATH", str(key))):
            monkeypatch.setenv(f"{PREFIX}{name}", value)
        assert call(["health"]) == 3
        assert "a token is needed" in capsys.readouterr().err.replace("\n", " ")
        monkeypatch.setenv(f"{PREFIX}AUTH_SECRET", "secret://health")
        monkeypatch.setenv("TRADEWORTHY_SECRET_HEALTH", SECRET)
        assert call(["health"]) == 0
        assert SECRET not in "".join(capsys.readouterr())
        other, other_key = make_certificate(tmp_path / "other")
        monkeypatch.setenv(f"{PREFIX}CERT_PATH", str(other))
        monkeypatch.setenv(f"{PREFIX}KEY_PATH", str(other_key))
        assert call(["health"]) == 3
        assert "certificate verify failed" in capsys.readouterr().err.replace("\n", " ")


def test_a_token_is_printed_and_nothing_else(monkeypatch, capsys):
    monkeypatch.setenv(f"{PREFIX}AUTH_SECRET", "secret://health")
    monkeypatch.setenv("TRADEWORTHY_SECRET_HEALTH", SECRET)
    roles = ["--role", "control:kill", "--role", "config:approve"]
    assert call(["token", "issue", *roles, "--hours", "24", "--subject", "ada"]) == 0
    out, err = capsys.readouterr()
    claims = jwt.decode(out.strip(), SECRET, ["HS256"], audience="tradeworthy")
    assert (claims["sub"], claims["roles"], claims["exp"] - claims["iat"]) == (
        "ada", ["control:kill", "config:approve"], 86_400,
    )  # fmt: skip
    assert SECRET not in out + err
    assert err == ""


@pytest.mark.parametrize(
    ("words", "secret"),
    [
        (["--role", "control:kill"], ""), (["--role", "control:kill"], "short"), (["--role", "root"], SECRET),
        (["--role", "control:kill", "--hours", "24.1"], SECRET), (["--role", "control:kill", "--hours", "0"], SECRET),
        (["--role", "control:kill", "--hours", "nan"], SECRET), ([], SECRET),
        (["--role", "control:kill", "--subject", " "], SECRET), (["--role", "control:kill"], "secret://nowhere"),
    ],
)  # fmt: skip
def test_a_token_that_may_not_be_is_3_and_shows_no_secret(monkeypatch, capsys, words, secret):
    monkeypatch.setenv(f"{PREFIX}AUTH_SECRET", secret)
    assert call(["token", "issue", *words]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert SECRET not in err


def test_the_address_is_that_of_the_keys():
    assert url_of(HealthPolicy()) == "http://127.0.0.1:8080/health"
    assert url_of(HealthPolicy(host="::1", path="/x")) == "http://[::1]:8080/x"
    assert url_of(HealthPolicy(host="0.0.0.0", cert_path="c", key_path="k")) == "https://127.0.0.1:8080/health"


def test_an_answer_that_comes_in_drops_ends_at_the_timeout():
    class Ticking(SystemClock):
        def monotonic(self):
            self.now_ns = getattr(self, "now_ns", 0) + 1_000_000_000
            return self.now_ns

    handler = type("Answering", (Strange,), {"body": b"x" * 300_000})
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as other:
        threading.Thread(target=other.handle_request, daemon=True).start()
        with pytest.raises(UsageError, match="within 1 s"):
            ask_health(f"http://127.0.0.1:{other.server_port}/", timeout_s=1, clock=Ticking())
