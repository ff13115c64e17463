"""A whole address: supervisor, sources, flag and verbs together, over a real socket (HLT-01, HLT-07, CLI-06)."""

import asyncio
import threading
from functools import partial
from random import Random

import httpx
import msgspec
import pytest
from web_desk import AUDIENCE, ONLY, SECRET

from tradeworthy.app.halting.guard_memory import guard_memory
from tradeworthy.app.venues import halt_flag
from tradeworthy.cli.main import call
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.redaction import Secret
from tradeworthy.kernel.supervision import TaskPolicy, TaskSupervisor
from tradeworthy.operations.evidence.certificate import Context
from tradeworthy.operations.evidence.trust import TrustFile, write_trust
from tradeworthy.operations.health import readings
from tradeworthy.operations.health.board import RuntimeBoard
from tradeworthy.operations.health.facts import Dependency
from tradeworthy.operations.health.judge import CHECKS
from tradeworthy.operations.health.policy import PREFIX, HealthPolicy
from tradeworthy.trading.control import sentinel
from tradeworthy.web.address import address_of
from tradeworthy.web.desk_control import DeskControl
from tradeworthy.web.tokens import Tokens

EVERY_S = 0.01


class Bystander:
    """Hear of escalations."""

    def __init__(self):
        self.heard = []

    def escalate(self, escalated, cause):
        self.heard.append(escalated)


class Process:
    """A desk's process as far as its address sees it: one loop, one supervisor, its own folder."""

    def __init__(self, root, **more):
        self.more = more
        self.root, self.state = root, root / "state" / "made"
        self.state.mkdir(parents=True)
        self.clock, self.ports, self.ready = SystemClock(), [], threading.Event()
        self.database = self._answers
        policy = HealthPolicy(fact_stale_seconds=0.5)
        known = (*ONLY, "kill_switch", "supervisor")
        off = {name: "not here" for name in CHECKS if name not in known or name == "disk"}
        self.board = RuntimeBoard(self.clock, policy, run_id="run-1", environment="paper", not_applicable=off)
        self.thread = threading.Thread(target=lambda: asyncio.run(self._main()), daemon=True)

    def __enter__(self):
        self.thread.start()
        assert self.ready.wait(20)
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.over.set)
        self.thread.join(10)
        assert self.report.abandoned == 0

    async def _main(self):
        self.loop, self.over = asyncio.get_running_loop(), asyncio.Event()
        supervisor = TaskSupervisor(self.clock, Random(7), Bystander())
        flag, control = halt_flag(self.state, self.clock), DeskControl(self.root, "made", self.clock)

        async def guard():
            memory = guard_memory(self.state).read()
            held = sentinel.restore((), memory, first_run=True, now=self.clock.now())
            return readings.guard_of(held, at=self.clock.now())

        async def kill():
            return readings.kill_of(flag.halts(), None, at=self.clock.now())

        async def tasks():
            at = self.clock.now()
            return readings.tasks_of(supervisor.snapshot(), supervisor.history(), supervisor.abandoned(), at=at)

        async def database():
            return await self.database()

        address = address_of(
            self.board, control, section={"port": 0, "metrics_port": 0} | self.more, supervisor=supervisor,
            environ={f"{PREFIX}AUTH_SECRET": "secret://health"}, clock=self.clock,
            resolve=lambda reference: Secret(SECRET), bound=self.ports.append,
        )  # fmt: skip
        for name, read in (("guard", guard), ("kill_switch", kill), ("supervisor", tasks), ("database", database)):
            source = self.board.refresh(read, partial(self.board.put, name), EVERY_S)
            hangs = TaskPolicy(hang_timeout_s=0.2, backoff_base_s=0.0)
            supervisor.create(source, owner="health_server", name=f"health.{name}", policy=hangs)
        supervisor.create(address.factory, owner="health_server", name="health_server")
        while not self.ports or self.board.facts().supervisor is None:
            await asyncio.sleep(0.01)
        self.loop.call_later(0.1, self.ready.set)
        await self.over.wait()
        control.close()
        flag.close()
        self.report = await supervisor.cancel_all(2.0)

    async def _answers(self):
        return Dependency(at=self.clock.now(), reachable=True)

    def get(self, path):
        token = Tokens(Secret(SECRET), AUDIENCE).issue(
            "ada", ("runtime.health:read",), now=self.clock.now(), seconds=60
        )
        headers = {"authorization": f"Bearer {token}"}
        return httpx.get(f"http://127.0.0.1:{self.ports[0]}{path}", headers=headers)

    def until(self, holds):
        """Ask until it holds, for at most 10 s."""
        deadline = self.clock.monotonic() + 10 * 10**9
        while not holds():
            assert self.clock.monotonic() < deadline
        return True


@pytest.fixture
def process(tmp_path, monkeypatch):
    with Process(tmp_path) as made:
        monkeypatch.setenv(f"{PREFIX}AUTH_SECRET", "secret://health")
        monkeypatch.setenv("TRADEWORTHY_SECRET_HEALTH", SECRET)
        made.url = f"http://127.0.0.1:{made.ports[0]}/health"
        yield made


def test_a_healthy_process_is_0_and_a_kill_over_http_makes_it_2_for_good(process, capsys):
    assert process.until(lambda: process.get("/health").status_code == 200)
    assert call(["health", "--url", process.url]) == 0
    assert call(["token", "issue", "--role", "control:kill", "--subject", "ada"]) == 0
    token = capsys.readouterr().out.split()[-1]
    url = f"http://127.0.0.1:{process.ports[0]}"
    killed = httpx.post(f"{url}/kill", json={"reason": "smoke"}, headers={"authorization": f"Bearer {token}"})
    assert (killed.status_code, killed.json()["outcome"]) == (202, "accepted")
    assert process.until(lambda: process.get("/health").status_code == 503)
    assert process.until(lambda: process.get("/guard").json()["level"] == "stopped")
    assert process.get("/guard").json()["reasons"][0]["evidence"] == "ada: smoke"
    assert call(["health", "--url", process.url]) == 2
    assert "tripped: desk" in capsys.readouterr().out
    assert httpx.get(f"{url}/live").status_code == 200


def test_a_source_that_hangs_is_restarted_by_its_supervisor_and_unknown_meanwhile(process):
    assert process.until(lambda: process.get("/health").status_code == 200)
    answers = process.database

    async def hangs():
        await asyncio.Event().wait()

    process.database = hangs

    def database():
        return next(one for one in process.get("/health").json()["checks"] if one["name"] == "database")

    assert process.until(lambda: database()["status"] == "UNKNOWN")
    process.database = answers
    assert process.until(lambda: database()["status"] == "OK")


def test_the_certificate_lives_beside_the_address_and_ends_with_it(tmp_path):
    place, trust = tmp_path / "store", tmp_path / "trust.json"
    (place / "items").mkdir(parents=True)
    context = Context(release="r1", tier="tier_0", environment="paper", hashes={})
    (place / "context.json").write_bytes(msgspec.json.encode(context))
    write_trust(trust, TrustFile(keys=()))
    with Process(tmp_path / "runs", evidence_store=str(place), evidence_trust=str(trust)) as process:
        assert process.until(lambda: process.get("/certificate").status_code == 200)
        assert process.get("/certificate").json()["verdict"] == "NO-GO"
