"""A real desk, asked and killed over its own address, and the verb `health` before, during and after (section 8)."""

import json
import socket
import time

import httpx
import pytest
from desk_process import command, document, started

from tradeworthy.kernel.redaction import Secret
from tradeworthy.web.tokens import Tokens

SECRET = "black-box-secret-of-more-than-32-bytes"
WAIT_S = 60


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class AskedDesk:
    """A running desk with an address and a watchdog of its own."""

    def __init__(self, folder):
        self.ports = {name: free_port() for name in ("health", "metrics", "watchdog")}
        self.variables = {
            "RUNTIME_HEALTHCHECK_ENABLED": "true", "RUNTIME_HEALTHCHECK_PORT": str(self.ports["health"]),
            "RUNTIME_HEALTHCHECK_AUTH_SECRET": "secret://health", "TRADEWORTHY_SECRET_HEALTH": SECRET,
            "RUNTIME_WATCHDOG_HTTP": f"127.0.0.1:{self.ports['watchdog']}",
        }  # fmt: skip
        self.folder = folder
        path = document(
            folder, name="asked", desk="speed = 1.0", rest=f"[health]\nmetrics_port = {self.ports['metrics']}"
        )
        self.process = started("run", path, "--runs", folder / "runs", **self.variables)

    def get(self, path, *roles, port="health"):
        return httpx.get(f"http://127.0.0.1:{self.ports[port]}{path}", headers=self.token(*roles), timeout=10)

    def post(self, path, body, *roles):
        url = f"http://127.0.0.1:{self.ports['health']}{path}"
        return httpx.post(url, json=body, headers=self.token(*roles), timeout=10)

    def token(self, *roles):
        if not roles:
            return {}
        tokens = Tokens(Secret(SECRET), "tradeworthy")
        return {"authorization": f"Bearer {tokens.issue('ada', roles, now=time.time_ns(), seconds=600)}"}

    def health(self, *words):
        return command("health", *words, **self.variables)

    def until(self, holds):
        """Ask again and again until it holds; the desk must live meanwhile."""
        deadline = time.monotonic() + WAIT_S
        while True:
            try:
                if holds():
                    return
            except httpx.TransportError:
                pass
            assert self.process.poll() is None, self.process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.2)


@pytest.fixture
def desk(tmp_path):
    made = AskedDesk(tmp_path)
    yield made
    made.process.terminate()
    made.process.communicate(timeout=WAIT_S)


def test_a_desk_is_fit_then_killed_then_gone_and_each_is_told(desk):
    desk.until(lambda: desk.get("/live").status_code == 200)
    assert desk.get("/health").status_code == 401
    headers = desk.token("runtime.health:read")
    url = f"http://127.0.0.1:{desk.ports['health']}"

    def fit():
        return httpx.get(f"{url}/health", headers=headers).status_code == 200

    desk.until(fit)
    assert httpx.get(f"{url}/ready", headers=headers).json()["ready"] is True
    asked = desk.health("--raw")
    assert asked.returncode in (0, 1), asked.stdout
    assert json.loads(asked.stdout)["status"] in ("OK", "WARN")
    assert desk.get("/metrics", "runtime.health:read").status_code == 403
    assert "tradeworthy_runtime_health_status" in desk.get("/metrics", "runtime.metrics:read", port="metrics").text
    assert desk.get("/health", port="watchdog").status_code == 200
    assert desk.post("/kill", {"reason": "smoke"}, "runtime.health:read").status_code == 403

    made = command("token", "issue", "--role", "control:kill", "--subject", "ada", **desk.variables)
    bearer = {"authorization": f"Bearer {made.stdout.strip()}"}
    killed = httpx.post(f"{url}/kill", json={"reason": "smoke"}, headers=bearer)
    assert (killed.status_code, killed.json()["outcome"]) == (202, "accepted")
    desk.until(lambda: not fit())
    desk.until(lambda: httpx.get(f"{url}/guard", headers=headers).json()["level"] == "stopped")
    told = desk.health()
    assert told.returncode == 2
    assert "tripped: desk" in told.stdout
    desk.until(lambda: desk.get("/health", port="watchdog").status_code == 503)
    refused = desk.post("/resume", {}, "control:resume")
    assert (refused.status_code, refused.json()["outcome"]) == (409, "refused")

    desk.process.terminate()
    desk.process.wait(WAIT_S)
    assert desk.health("--timeout", "2").returncode == 3
    assert [str(one) for one in desk.folder.rglob("*") if one.is_file() and SECRET.encode() in one.read_bytes()] == []
