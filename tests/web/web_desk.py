"""A desk on a real loopback socket: a loop in a thread, a board and a control that note what they are asked."""

import asyncio
import contextlib
import datetime
import ipaddress
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.redaction import Secret
from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.supervision import Pulse
from tradeworthy.operations.assessments.framework.history import History
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.assessments.framework.web_block import answer
from tradeworthy.operations.gates.store import NOTHING
from tradeworthy.operations.gates.telling import answer as told
from tradeworthy.operations.health.board import RuntimeBoard
from tradeworthy.operations.health.facts import Dependency, GuardView, Judged, Readiness
from tradeworthy.operations.health.judge import CHECKS
from tradeworthy.operations.health.policy import HealthPolicy
from tradeworthy.operations.incidents.acts import Answer
from tradeworthy.operations.incidents.prometheus_source import signals_of
from tradeworthy.trading.control import HeldReason
from tradeworthy.trading.model import GuardLevel
from tradeworthy.web import server
from tradeworthy.web.application import create_app
from tradeworthy.web.ports import ControlAnswer
from tradeworthy.web.tokens import Tokens

NOW = 1_760_000_000 * 1_000_000_000
SECRET = "canary-of-the-web-0123456789abcdef0123456789"
AUDIENCE = "tradeworthy"
ONLY = ("guard", "database", "disk")
"""The checks that this desk has."""


class NotedControl:
    """Note every command, answer with `answer`, or raise it."""

    def __init__(self):
        self.asked = []
        self.answer = ControlAnswer(outcome="done", text="as asked")

    async def kill(self, *asked):
        return self._said("kill", *asked)

    async def pause(self, *asked):
        return self._said("pause", *asked)

    async def resume(self, *asked):
        return self._said("resume", *asked)

    async def approve(self, *asked):
        return self._said("approve", *asked)

    def _said(self, *asked):
        self.asked.append(asked)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class WebDesk:
    """Clock, board and control of one desk; `serving` puts it on a socket."""

    def __init__(self, *, policy=None, authenticated=True, now=NOW):
        self.policy, self.now = policy or HealthPolicy(port=0), now
        self.clock, self.control = EventClock(now), NotedControl()
        self.tokens = Tokens(Secret(SECRET), AUDIENCE) if authenticated else None
        self.board = RuntimeBoard(
            self.clock, self.policy, run_id="run-1", environment="paper",
            not_applicable={name: "not here" for name in CHECKS if name not in ONLY},
            metrics=lambda: b"# TYPE tradeworthy_up gauge\ntradeworthy_up 1.0\n",
        )
        self.certificate = None
        self.guard(GuardLevel.RUNNING)
        self.board.put("database", Dependency(at=now, reachable=True))
        self.board.put("disk", Judged(at=now, severity=Severity.OK, summary="disk does not grow"))
        self.board.mark(Readiness(started=True, journal_restored=True, guard_restored=True))
        self.board.keep_summary(b'{"schema":"s/1"}')

    def guard(self, level):
        reasons = () if level is GuardLevel.RUNNING else (HeldReason("operator", "kill", level, "desk", self.now),)
        self.board.put("guard", GuardView(at=self.now, level=level, reasons=reasons))

    def current(self):
        return self.certificate

    def firing(self):
        return b'{"firing":[]}'

    def acknowledge(self, alert, person):
        self.control.asked.append(("ack", alert, person))
        return Answer(id="1", found=alert, fault="" if alert == "r:1" else f"no {alert}")

    def incidents(self, name=""):
        return (200, b'{"incidents":[]}') if name in ("", "INC-1") else (404, b"{}")

    def assessments(self, name="", *, course=False):
        return answer(registry(), History(), self.now, name, course=course)

    def gates(self, name=""):
        found = told(NOTHING, self.now, name)
        return found.http_status, found.body

    def take(self, body):
        self.control.asked.append(("push", body))
        return len(signals_of(body)) if body.startswith(b'{"version"') else 0

    def token(self, *roles, seconds=3_600, now=NOW, subject="ada"):
        return Tokens(Secret(SECRET), AUDIENCE).issue(subject, roles, now=now, seconds=seconds)

    def app(self):
        return create_app(
            self.board, self.control, self.policy, clock=self.clock, tokens=self.tokens, certificate=self,
            alerts=self, judged=self,
        )

    @contextlib.contextmanager
    def serving(self, app=None, metrics=None):
        """Serve in a thread; yields the port (`ports` has all), and then `end_seconds` tells how long the end took."""
        made = app or self.app()
        found, failed, ready = [], [], threading.Event()
        serving = server.factory_of(
            made, self.policy, authenticated=self.tokens is not None, metrics=metrics, bound=found.append
        )
        self.pulse = Pulse(self.clock, False)

        def run():
            async def main():
                self.loop, self.task = asyncio.get_running_loop(), asyncio.ensure_future(serving(self.pulse))
                self.loop.call_later(0.01, ready.set)
                try:
                    await self.task
                except asyncio.CancelledError:
                    self.end_seconds = self.loop.time() - self.asked_to_end
                except BaseException as problem:
                    failed.append(problem)
                    ready.set()

            asyncio.run(main())

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        assert ready.wait(10)
        while not found and not failed:
            pass
        try:
            if failed:
                raise failed[0]
            while len(found) < 1 + (metrics is not None) and not failed:
                pass
            self.ports = found
            yield found[0]
        finally:
            self.loop.call_soon_threadsafe(self._end)
            thread.join(10)
            assert not thread.is_alive()

    def _end(self):
        self.asked_to_end = self.loop.time()
        self.task.cancel()


def make_certificate(folder):
    """Write a certificate for this machine's loopback, signed by itself; return its file and its key's."""
    folder.mkdir(exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "desk")])
    start = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(7).not_valid_before(start).not_valid_after(start.replace(year=2120))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem, secret = folder / "desk.pem", folder / "desk.key"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return pem, secret
