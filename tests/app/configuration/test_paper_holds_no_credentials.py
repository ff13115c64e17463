"""A paper desk reads no credentials and calls nobody: it is watched by its sockets, and by a proxy it could use."""

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from live_documents import LIVE, PAPER, parsed

from tradeworthy.app.configuration.secret_references import ignored_credentials, read_at_start
from tradeworthy.app.configuration.start import start_configuration
from tradeworthy.app.runtime.desk_process import DeskProcess
from tradeworthy.kernel.clock import EventClock, SystemClock
from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.kernel.journal import read

ROOT = Path(__file__).resolve().parents[3]
RISK = {"max_order_value": "500000"}
QUOTES = [{"name": "eurusd_quotes", "format": "demo", "instrument": "EURUSD.DEMO", "rows_max": 600, "label": "derived"}]
WATCHED = """
import socket, sys
log = open(sys.argv.pop(1), "a", buffering=1)
def seen(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        told = args[1] if event != "socket.getaddrinfo" else args[0]
        if not isinstance(told, (str, bytes)) or event == "socket.getaddrinfo":
            log.write(f"{event} {told}\\n")
sys.addaudithook(seen)
if sys.argv[1] == "call":
    socket.create_connection(("127.0.0.1", int(sys.argv[2]))).close()
    sys.exit()
from tradeworthy.cli.main import main
main()
"""


class Proxy:
    """A socket of this machine that counts who calls."""

    def __init__(self):
        self.calls, self._listener = 0, socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self):
        while True:
            try:
                self._listener.accept()[0].close()
            except OSError:
                return
            self.calls += 1

    def close(self):
        self._listener.close()


@pytest.fixture
def proxy():
    made = Proxy()
    yield made
    made.close()


def watched(tmp_path, proxy, *words):
    """Run words in a process whose calls over the network are written down; return those."""
    log = tmp_path / "calls.txt"
    where = f"http://127.0.0.1:{proxy.port}"
    own = ("TRADEWORTHY__", "RUNTIME_")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(own)} | {
        "PYTHONPATH": str(ROOT / "src"), "HTTP_PROXY": where, "HTTPS_PROXY": where, "ALL_PROXY": where,
        "RUNTIME_HEALTHCHECK_ENABLED": "false", "RUNTIME_WATCHDOG_HTTP": "", "TRADEWORTHY_SECRET_MAIN_KEY": "x" * 20,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, str(log), *map(str, words)], env=environ, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    return done, log.read_text().splitlines()


def test_the_proxy_and_the_log_see_a_call(tmp_path, proxy):
    done, calls = watched(tmp_path, proxy, "call", proxy.port)
    assert done.returncode == 0, done.stderr
    assert any("socket.connect" in one for one in calls)
    for _ in range(200):
        if proxy.calls:
            break
        threading.Event().wait(0.01)
    assert proxy.calls == 1


def test_a_paper_desk_that_trades_sends_no_request_to_anybody(tmp_path, proxy):
    path = tmp_path / "paper.json"
    tester = {**PAPER, "policy": {"lots": 1_000, "inventory_lots_max": 20_000}, "cap": "100000"}
    path.write_text(parsed(tester, environment="paper", tapes=QUOTES, catalogue="", risk=RISK).canonical())
    done, calls = watched(tmp_path, proxy, "run", path, "--runs", tmp_path / "runs")
    assert done.returncode == 0, done.stderr
    assert calls == []
    assert proxy.calls == 0
    (run,) = [one for one in (tmp_path / "runs").iterdir() if one.name.startswith("made-")]
    kinds = {event.kind for event in read(run / "journal")}
    assert "command.submit" in kinds


def test_credentials_of_a_paper_document_are_not_read_and_the_reason_is_told(tmp_path):
    made = parsed(PAPER, environment="paper", tapes=QUOTES, catalogue="", risk=RISK)
    assert read_at_start(made) == {}
    assert ignored_credentials(made) == ("main",)
    one = DeskProcess(made, root=tmp_path, clock=SystemClock(), environ={"RUNTIME_HEALTHCHECK_ENABLED": "false",
                                                                          "RUNTIME_WATCHDOG_HTTP": ""})  # fmt: skip
    one._audit()
    (told,) = [event.payload for event in one.life.recent if event.kind == "runtime.credentials_ignored"]
    assert (told.accounts, told.reason) == (("main",), "a paper desk holds no credentials")
    one.discard()


def test_the_audit_of_a_paper_start_asks_for_no_credential(tmp_path):
    class Watched(dict):
        def get(self, name, default=None):
            asked.append(name)
            return super().get(name, default)

    asked = []
    made = parsed(PAPER, environment="paper")
    start_configuration(made, state=tmp_path, clock=EventClock(5), actor="Ann", code="c", environ=Watched())
    assert "TRADEWORTHY_SECRET_MAIN_KEY" not in asked


def test_a_live_document_reads_its_credentials():
    made = parsed(LIVE)
    assert read_at_start(made) == {"accounts[main].credentials": "secret://main_key"}
    assert ignored_credentials(made) == ()


def test_a_paper_instance_with_an_account_that_has_credentials_is_refused():
    with pytest.raises(ConfigurationRefused, match="holds no credentials"):
        parsed({**PAPER, "account": "main"}, environment="paper")
