"""One constructor from section and environment to the task that serves (HLT-04, HLT-06)."""

import asyncio

import httpx
import pytest
from web_desk import NOW, SECRET, WebDesk

from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.redaction import Secret
from tradeworthy.kernel.supervision import Pulse
from tradeworthy.operations.health.policy import PREFIX
from tradeworthy.web.address import address_of
from tradeworthy.web.server import AddressRefused


def of(desk, section=None, bound=lambda port: None, **environ):
    keys = {f"{PREFIX}{name}": value for name, value in environ.items()}
    return address_of(
        desk.board, desk.control, section=section or {}, environ=keys, clock=desk.clock, bound=bound,
        resolve={"secret://health": Secret(SECRET)}.__getitem__,
    )  # fmt: skip


def test_the_environment_wins_over_the_section_and_the_section_over_the_default():
    address = of(WebDesk(), {"port": 18_080, "path": "/fit"}, PORT="18081")
    assert (address.policy.port, address.policy.path, address.policy.host) == (18_081, "/fit", "127.0.0.1")
    assert address.factory is not None


def test_a_disabled_address_has_no_task_and_is_not_judged():
    assert of(WebDesk(), ENABLED="false", HOST="0.0.0.0").factory is None


def test_an_unsafe_address_is_refused_before_anything_is_opened():
    with pytest.raises(AddressRefused, match="AUTH_SECRET"):
        of(WebDesk(), HOST="0.0.0.0")
    with pytest.raises(AddressRefused, match="TLS"):
        of(WebDesk(), HOST="0.0.0.0", AUTH_SECRET="secret://health")


def test_a_wrong_section_or_key_or_secret_is_refused():
    with pytest.raises(UsageError, match="health"):
        of(WebDesk(), {"prot": 1})
    with pytest.raises(UsageError, match="health"):
        of(WebDesk(), {"ingest_warn_seconds": 0})
    with pytest.raises(UsageError, match="PORT"):
        of(WebDesk(), PORT="x")
    with pytest.raises(UsageError, match="at least 32 bytes") as told:
        of(WebDesk(), AUTH_SECRET="shortish-secret")
    assert "shortish" not in str(told.value)


def test_without_a_metrics_port_there_is_one_port_and_it_has_the_metrics():
    async def main():
        desk, ports = WebDesk(), []
        address = address_of(
            desk.board, desk.control, section={"port": 0, "metrics_port": None}, environ={}, clock=desk.clock,
            resolve=None, bound=ports.append,
        )
        pulse = Pulse(desk.clock, False)
        serving = asyncio.ensure_future(address.factory(pulse))
        while pulse.beats < 3:
            await asyncio.sleep(0.01)
        async with httpx.AsyncClient() as client:
            found = (await client.get(f"http://127.0.0.1:{ports[0]}/metrics")).status_code
        serving.cancel()
        await asyncio.wait([serving])
        return len(ports), found

    assert asyncio.run(main()) == (1, 200)


def test_one_task_serves_both_ports_behind_the_secret_that_was_named():
    async def main():
        desk, ports = WebDesk(), []
        address = of(desk, {"port": 0, "metrics_port": 0}, ports.append, AUTH_SECRET="secret://health")
        pulse = Pulse(desk.clock, False)
        serving = asyncio.ensure_future(address.factory(pulse))
        while len(ports) < 2:
            await asyncio.sleep(0.01)
        headers = {"authorization": f"Bearer {desk.token('runtime.metrics:read', now=NOW)}"}
        async with httpx.AsyncClient(headers=headers) as client:
            paths = [(ports[0], "/metrics"), (ports[1], "/metrics"), (ports[0], "/health"), (ports[1], "/health")]
            found = [(await client.get(f"http://127.0.0.1:{port}{path}")).status_code for port, path in paths]
        serving.cancel()
        await asyncio.wait([serving])
        return found

    assert asyncio.run(main()) == [200, 200, 403, 404]
