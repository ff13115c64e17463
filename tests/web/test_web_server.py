"""Where the desk may serve, over TLS or not at all, and how it ends (HLT-06)."""

import asyncio
import socket
import ssl
import subprocess
import sys
from random import Random

import httpx
import pytest
from web_desk import WebDesk, make_certificate

from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import ConfigurationRefused, ExitCode
from tradeworthy.kernel.supervision import Pulse, TaskSupervisor
from tradeworthy.operations.health.policy import HealthPolicy
from tradeworthy.web import server
from tradeworthy.web.application import create_metrics_app


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"))


def outside(tls=None):
    paths = {} if tls is None else {"cert_path": str(tls[0]), "key_path": str(tls[1])}
    return HealthPolicy(host="0.0.0.0", port=0, **paths)


@pytest.mark.parametrize(
    ("with_tls", "authenticated", "missing"),
    [(False, False, "AUTH_SECRET.*CERT_PATH"), (True, False, "AUTH_SECRET"), (False, True, "CERT_PATH")],
)
def test_an_address_that_others_reach_is_refused_without_both(tls, with_tls, authenticated, missing):
    policy = outside(tls if with_tls else None)
    with pytest.raises(server.AddressRefused, match=missing) as told:
        server.factory_of(None, policy, authenticated=authenticated)
    assert isinstance(told.value, ConfigurationRefused)
    assert told.value.exit_code == ExitCode.FAIL


def test_an_address_that_others_reach_is_served_with_both_and_loopback_with_neither(tls):
    assert server.factory_of(None, outside(tls), authenticated=True)
    assert server.factory_of(None, HealthPolicy(), authenticated=False)


def test_a_certificate_that_cannot_be_read_or_fits_no_key_is_refused(tls, tmp_path):
    other = make_certificate(tmp_path)
    for cert, key in ((tls[0], other[1]), (tmp_path / "absent.pem", tls[1]), (tls[1], tls[1])):
        with pytest.raises(server.AddressRefused, match="CERT_PATH and KEY_PATH"):
            server.tls_of(HealthPolicy(cert_path=str(cert), key_path=str(key)))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_over_tls_the_desk_speaks_1_3_and_1_2_and_nothing_older(tls):
    policy = HealthPolicy(port=0, cert_path=str(tls[0]), key_path=str(tls[1]))
    desk = WebDesk(policy=policy)
    with desk.serving() as port:
        context = ssl.create_default_context(cafile=str(tls[0]))
        headers = {"authorization": f"Bearer {desk.token('runtime.health:read')}"}
        answer = httpx.get(f"https://127.0.0.1:{port}/health", verify=context, headers=headers)
        assert answer.status_code == 200
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        assert spoken(port, tls[0], ssl.TLSVersion.MAXIMUM_SUPPORTED) == "TLSv1.3"
        assert spoken(port, tls[0], ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
        with pytest.raises(ssl.SSLError):
            spoken(port, tls[0], ssl.TLSVersion.TLSv1_1)
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://127.0.0.1:{port}/live")


def spoken(port, certificate, version):
    context = ssl.create_default_context(cafile=str(certificate))
    context.minimum_version, context.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, version
    if version is ssl.TLSVersion.TLSv1_1:
        context.set_ciphers("DEFAULT@SECLEVEL=0")
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as raw,
        context.wrap_socket(raw, server_hostname="127.0.0.1") as wrapped,
    ):
        return wrapped.version()


def test_a_port_that_is_taken_is_told_as_such():
    desk = WebDesk(authenticated=False)
    with desk.serving() as port, pytest.raises(server.AddressRefused, match=rf":{port} to be free"):
        server.bind("127.0.0.1", port)
    with pytest.raises(server.AddressRefused, match="an address to serve on"):
        server.bind("no.such.host.invalid", 0)


@pytest.mark.parametrize("which", ["port", "metrics_port"])
def test_a_port_that_is_taken_is_told_once_and_waited_for_while_the_other_serves(monkeypatch, caplog, which):
    monkeypatch.setattr(server, "AGAIN_TICKS", 1)
    taken = server.bind("127.0.0.1", 0)
    number = taken.getsockname()[1]
    desk = WebDesk(policy=HealthPolicy(**{"port": 0, "metrics_port": 0, which: number}), authenticated=False)

    async def main():
        ports, pulse = [], Pulse(desk.clock, False)
        metrics = create_metrics_app(desk.board, desk.policy, clock=desk.clock)
        factory = server.factory_of(
            desk.app(), desk.policy, authenticated=False, metrics=metrics, bound=ports.append
        )
        serving = asyncio.ensure_future(factory(pulse))
        while pulse.beats < 4:
            await asyncio.sleep(0.01)
        assert len(ports) == 1
        taken.close()
        while len(ports) < 2:
            await asyncio.sleep(0.01)
        assert ports[1] == number
        async with httpx.AsyncClient() as client:
            codes = [(await client.get(f"http://127.0.0.1:{port}/metrics")).status_code for port in ports]
            codes.append((await client.get(f"http://127.0.0.1:{number}/live")).status_code)
        serving.cancel()
        await asyncio.wait([serving])
        return codes

    assert asyncio.run(main()) == [200, 200, 200 if which == "port" else 404]
    assert [one.message for one in caplog.records].count("address_taken") == 1


def test_the_task_beats_while_it_serves_and_ends_within_a_second_with_a_client_in_the_middle():
    desk = WebDesk(authenticated=False)
    with desk.serving() as port:
        before = desk.pulse.beats
        half = socket.create_connection(("127.0.0.1", port), timeout=5)
        half.sendall(b"POST /kill HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                     b"Content-Length: 20\r\n\r\n{")  # fmt: skip
        assert httpx.get(f"http://127.0.0.1:{port}/live").status_code == 200
        while desk.pulse.beats == before:
            pass
    assert desk.end_seconds <= 1.25
    assert desk.control.asked == []
    half.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_a_body_that_never_ends_is_refused_in_time():
    desk = WebDesk(policy=HealthPolicy(port=0, answer_seconds_max=0.2), authenticated=False)
    with desk.serving() as port, socket.create_connection(("127.0.0.1", port), timeout=5) as slow:
        slow.sendall(b"POST /kill HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                     b"Content-Length: 20\r\n\r\n{")  # fmt: skip
        assert b" 408 " in slow.recv(4_096)
    assert desk.control.asked == []


def test_a_header_that_never_ends_is_cut(monkeypatch):
    monkeypatch.setattr(server, "FIRST_REQUEST_SECONDS_MAX", 0.2)
    desk = WebDesk(authenticated=False)
    with desk.serving() as port, socket.create_connection(("127.0.0.1", port), timeout=5) as slow:
        slow.sendall(b"GET /health HTTP/1.1\r\nX: ")
        assert slow.recv(4_096) == b""


def test_connections_that_ask_nothing_give_way_to_those_that_do():
    desk = WebDesk(policy=HealthPolicy(port=0, connections_max=8), authenticated=False)
    with desk.serving() as port:
        idle = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(30)]
        for _ in range(5):
            assert httpx.get(f"http://127.0.0.1:{port}/live").status_code == 200
        assert sum(closed(one) for one in idle) >= 25
        for one in idle:
            one.close()


def closed(client):
    """Tell whether the other side closed a connection."""
    client.setblocking(False)
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def code_of(client):
    """Return the status that comes back, or that the other side closed."""
    try:
        return client.recv(4_096).split(b" ")[1]
    except (ConnectionError, IndexError):
        return b"closed"


def test_more_requests_than_there_may_be_are_refused_until_others_end():
    desk = WebDesk(policy=HealthPolicy(port=0, connections_max=4, answer_seconds_max=0.5), authenticated=False)
    half = (b"POST /kill HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Content-Length: 20\r\n\r\n{")  # fmt: skip
    with desk.serving() as port:
        busy = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(4)]
        for one in busy:
            one.sendall(half)
        codes = {code_of(one) for one in busy}
        assert codes <= {b"408", b"503", b"closed"}
        assert httpx.get(f"http://127.0.0.1:{port}/live").status_code == 200
        for one in busy:
            one.close()


def test_a_header_that_is_too_large_is_refused():
    desk = WebDesk(policy=HealthPolicy(port=0, header_bytes_max=2_048), authenticated=False)
    with desk.serving() as port:
        try:
            refused = httpx.get(f"http://127.0.0.1:{port}/live", headers={"x": "y" * 200_000}).status_code == 400
        except httpx.TransportError:
            refused = True
        assert refused
        assert httpx.get(f"http://127.0.0.1:{port}/live").status_code == 200


def test_one_connection_serves_one_request():
    desk = WebDesk(authenticated=False)
    with desk.serving() as port, socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2)
        said = b""
        while part := client.recv(4_096):
            said += part
        assert said.count(b"HTTP/1.1 200") == 1


def test_signals_stay_with_the_desk():
    code = (
        "import asyncio, signal; from web_desk import WebDesk; desk = WebDesk(authenticated=False)\n"
        "from tradeworthy.kernel.supervision import Pulse; from tradeworthy.web import server\n"
        "before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)\n"
        "async def main():\n"
        "    task = asyncio.ensure_future(server.factory_of(desk.app(), desk.policy, authenticated=False)"
        "(Pulse(desk.clock, False)))\n"
        "    await asyncio.sleep(0.3)\n"
        "    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT))[0] == before[0]\n"
        "    task.cancel()\n"
        "    await asyncio.wait([task])\n"
        "    assert task.cancelled()\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env=path_of_tests(), capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()


def test_importing_the_application_opens_nothing_and_starts_nothing():
    code = (
        "import threading, asyncio; import tradeworthy.web.application, tradeworthy.web.server, os\n"
        "assert threading.active_count() == 1\n"
        "links = [os.readlink(f'/proc/self/fd/{n}') for n in os.listdir('/proc/self/fd') if n not in ('0', '1', '2')"
        " and os.path.exists(f'/proc/self/fd/{n}')]\n"
        "assert not [one for one in links if one.startswith('socket:')], links\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env=path_of_tests(), capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()


def path_of_tests():
    """Return the environment in which a child finds the package and the bench of these tests."""
    return {"PYTHONPATH": ":".join(one for one in sys.path if one), "PATH": ""}


def test_a_served_desk_is_a_supervised_task_that_ends_with_the_others(tls):
    class Nobody:
        def escalate(self, escalated, cause):
            raise AssertionError(escalated)

    async def main():
        desk, ports = WebDesk(authenticated=False), []
        supervisor = TaskSupervisor(SystemClock(), Random(7), Nobody())
        factory = server.factory_of(desk.app(), desk.policy, authenticated=False, bound=ports.append)
        supervisor.create(factory, owner="health_server", name="health_server")
        while not ports:
            await asyncio.sleep(0.01)
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"http://127.0.0.1:{ports[0]}/live")
        report = await supervisor.cancel_all(2.0)
        return answer.status_code, report.abandoned, report.elapsed_seconds

    status, abandoned, seconds = asyncio.run(main())
    assert (status, abandoned) == (200, 0)
    assert seconds <= 1.25
