"""Secrets planted in a real run: nothing that it writes, answers, shows or pages holds one (CFG-03)."""

import base64
import gzip
import json
import re
import signal
from urllib.parse import quote

import pytest
from ailing_words import AilingWords
from run_scene import RunScene, answer_of, reachable, until

BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{32,}={0,2}")
API, BROKER = "canary-api-5d0c1f77e2a94b36", "canary-broker-90be6a41c3d84f12"
AUTH = "canary-health-7b1e4c9a2f6d4805a3c7e9b1d2f40618"
PLACES = {"secrets", "verb-token.out"}
"""Where a secret stands by right: the operator's folder of secrets, and the terminal of who asked for a token."""
ROUTES = ("/health", "/ready", "/live", "/metrics", "/summary", "/guard", "/certificate", "/nothing")


def forms_of(secret):
    """Return the secret as it may stand in a file, a URL or a header."""
    plain = secret.encode()
    return {plain, quote(secret, safe="").encode(), base64.b64encode(plain).rstrip(b"="), plain.hex().encode()}


def unpacked(data):
    """Return the bytes, and all that is wrapped in them."""
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    found = [data]
    for text in BASE64.findall(data):
        try:
            found.append(base64.b64decode(text.translate(bytes.maketrans(b"-_", b"+/")) + b"==="))
        except ValueError:
            continue
    return found


def leaks_of(folder, secrets):
    """Return where a secret stands below a folder, each with the secret's name."""
    wanted = [(name, form) for name, secret in secrets.items() for form in forms_of(secret)]
    found = []
    for path in sorted(folder.rglob("*")):
        within = path.relative_to(folder).parts
        if not path.is_file() or within[0] in PLACES:
            continue
        for data in unpacked(path.read_bytes()):
            found += [(str(path.relative_to(folder)), name) for name, form in wanted if form in data]
    return sorted(set(found))


class Planted:
    """A run that lives through all that leaves something behind, with secrets wherever one may be."""

    def __init__(self, folder, verbs):
        self.folder, self.answers = folder, 0
        store = folder / "secrets"
        store.mkdir()
        (store / "broker").write_text(BROKER + "\n")
        (store / "health").write_text(AUTH + "\n")
        environ = {
            "BROKER_API_KEY": API, "TRADEWORTHY_SECRETS": str(store),
            "RUNTIME_HEALTHCHECK_AUTH_SECRET": "secret://health", "RUNTIME_LOG_LEVEL": "DEBUG",
            "RUNTIME_WATCHDOG_PAGE_COMMAND": f"tee -a {folder}/paged",
        }  # fmt: skip
        self.one = RunScene(
            verbs, folder, desk="speed = 9000", environ=environ,
            rest='[[accounts]]\nid = "main"\nvenue = "DEMO"\ncredentials = "secret://broker"\n',
        )  # fmt: skip
        self.token = self.issued(verbs, environ)
        self.secrets = {"api": API, "broker": BROKER, "auth": AUTH, "token": self.token}

    def issued(self, verbs, environ):
        out = self.folder / "verb-token.out"
        roles = ("runtime.health:read", "runtime.metrics:read", "control:kill", "control:resume")
        words = [word for role in roles for word in ("--role", role)]
        assert verbs.code(verbs.start("token", "issue", *words, "--subject", "ann", out=out, **environ)) == 0
        return out.read_text().strip()

    def ask(self, port, path, body=None, token=None):
        """Ask as who holds the token, and keep the answer."""
        self.answers += 1
        status, data = answer_of(port, path, body, {"Authorization": f"Bearer {token or self.token}"})
        (self.folder / f"answer-{self.answers}").write_bytes(data)
        return status

    def live(self):
        """Start, be asked, hang, be killed, end; start again and be asked again."""
        one = self.one.start()
        until(lambda: reachable(one.port, "/live"))
        until(lambda: self.ask(one.port, "/summary") == 200)
        assert self.ask(one.port, "/health", token=self.token[:-4] + "AAAA") == 401
        for path in ROUTES:
            self.ask(one.port, path)
            self.ask(one.port, f"{path}?token={self.token}&key={API}")
        assert self.ask(one.metrics_port, "/metrics") == 200
        assert self.ask(one.port, "/pause", {"reason": f"password={BROKER} {API}", "scope": "desk"}) == 202
        assert self.ask(one.port, "/resume", {"scope": API, "pack": {"wrong": self.token}}) in (400, 409, 422)
        one.ail("block", 3)
        one.incident()
        self.ask(one.page_port, "/health")
        until(lambda: self.ask(one.port, "/guard") == 200)
        reason = f"curl -H 'Authorization: Bearer {self.token}' ?token={self.token} {AUTH} {API}"
        assert self.ask(one.port, "/kill", {"reason": reason, "scope": "desk"}) == 202
        until(lambda: "operator.kill" in one.stops())
        until(lambda: list((one.state / "forensics").glob("*/*")))
        assert one.end_desk(signal.SIGTERM) == 0
        one.start(trading=False)
        until(lambda: reachable(one.port, "/live"))
        until(lambda: self.ask(one.port, "/guard") == 200)
        one.verb("guard", "small", "--json", "--runs", one.runs, **one.environ)
        one.verb("summary", one.config, "--json", "--runs", one.runs, **one.environ)
        one.verb("config", "show", one.config, **one.environ)
        assert one.end_desk(signal.SIGTERM) == 0


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    verbs = AilingWords()
    made = Planted(tmp_path_factory.mktemp("planted"), verbs)
    try:
        made.live()
        yield made
    finally:
        made.one.end()
        verbs.close()


def test_no_byte_that_a_run_leaves_or_answers_holds_a_secret(planted):
    left = {path.name for path in planted.folder.rglob("*")}
    assert {"paged", "pages.jsonl", "guard.bin", "halt.flag", "tradeworthy.jsonl", "desk-1.out", "blotter.csv"} <= left
    for folder in ("certificates", "forensics", "journal", "audit", "control"):
        assert any(planted.folder.rglob(f"{folder}/*")), f"expected something in {folder}"
    assert planted.answers > 2 * len(ROUTES)
    leaks = leaks_of(planted.folder, planted.secrets)
    assert not leaks, "\n".join(f"{name} in {where}" for where, name in leaks)


@pytest.mark.parametrize("wrap", [
    str.encode, lambda secret: json.dumps({"payload": base64.b64encode(secret.encode()).decode()}).encode(),
    lambda secret: gzip.compress(b"before " + secret.encode()), lambda secret: quote(secret + "/ü").encode(),
    lambda secret: base64.b64encode(b"{" + secret.encode() + b"}"),
])  # fmt: skip
def test_a_planted_leak_is_found(tmp_path, wrap):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "leak").write_bytes(b"\0x " + wrap(API) if wrap is str.encode else wrap(API))
    (tmp_path / "state" / "clean").write_bytes(wrap("nothing of this kind, but long enough to be wrapped"))
    assert leaks_of(tmp_path, {"api": API, "broker": BROKER}) == [("state/leak", "api")]
