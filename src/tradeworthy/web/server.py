"""Serve an application on the desk's own loop: a supervised task with a bounded end, safe or not at all (HLT-06)."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.kernel.supervision import Pulse
from tradeworthy.operations.health.policy import HealthPolicy
from tradeworthy.web.edge import AsgiApp

LOG = logging.getLogger("tradeworthy.web")
STOP_SECONDS_MAX = 1.0
AGAIN_TICKS = 10
"""How often a taken port is tried again: the server ticks each 0.1 s."""
FIRST_REQUEST_SECONDS_MAX = 10.0
"""The time from a connection to its whole header."""
BACKLOG = 64
WORKING_SHARE = 2
"""Above 1 / so many of `connections_max`, the oldest connection that has not asked yet gives way to a new one."""


class AddressRefused(ConfigurationRefused):
    """The address may not be served as it is configured, or cannot be had."""


class AddressTaken(AddressRefused):
    """Somebody else has the address now."""


def require_safe(policy: HealthPolicy, *, authenticated: bool) -> None:
    """Refuse an address that others can reach without authentication and TLS; raises `AddressRefused` with all."""
    if policy.loopback:
        return
    missing = [
        text for absent, text in (
            (not authenticated, "authentication (AUTH_SECRET)"), (not policy.cert_path, "TLS (CERT_PATH and KEY_PATH)"),
        ) if absent
    ]  # fmt: skip
    if missing:
        raise AddressRefused(
            f"{policy.host} is reachable from outside: expected authentication and TLS, missing {', '.join(missing)}; "
            "add them or bind a loopback address"
        )


def tls_of(policy: HealthPolicy) -> ssl.SSLContext | None:
    """Return the TLS side of a policy: 1.2 at least, 1.3 preferred; None without a certificate.

    Raises `AddressRefused` for a certificate or key that cannot be read or do not belong together.
    """
    if not policy.cert_path:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    try:
        context.load_cert_chain(Path(policy.cert_path), Path(policy.key_path))
    except (OSError, ssl.SSLError) as problem:
        why = problem.strerror or type(problem).__name__
        raise AddressRefused(f"expected a certificate and its key in CERT_PATH and KEY_PATH, found: {why}") from None
    return context


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; raises `AddressRefused` for an address that is none, `AddressTaken` for one in use."""
    try:
        known = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = known[0]
        bound = socket.socket(family, kind, protocol)
    except OSError as problem:
        raise AddressRefused(f"expected an address to serve on, found {host}:{port}: {problem.strerror}") from None
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(BACKLOG)  # two may bind an address, one alone listens
    except OSError as problem:
        bound.close()
        raise AddressTaken(f"expected {host}:{port} to be free, found: {problem.strerror}") from None
    return bound


async def serve(
    app: AsgiApp, host: str, port: int, tls: ssl.SSLContext | None, pulse: Pulse, *, policy: HealthPolicy | None = None,
    more: Sequence[tuple[int, AsgiApp]] = (), bound: Callable[[int], object] = lambda port: None,
) -> None:  # fmt: skip
    """Serve until cancelled, beating; then end within a second, connections included.

    A port that is taken is waited for and told once: the desk, its watchdog and its other ways in do not need it.

    more   further ports of the same host, each with its own application
    bound  hears each port that was bound, which is another one where 0 was asked for

    Raises `AddressRefused` for a host that is none.
    """
    limits = policy or HealthPolicy()
    apps: dict[int, AsgiApp] = {}

    async def by_port(scope: Any, receive: Any, send: Any) -> None:
        await apps[scope["server"][1]](scope, receive, send)

    config = uvicorn.Config(
        by_port, interface="asgi3", http=_Protocol, ws="none", loop="none", lifespan="off", log_config=None,
        access_log=False, proxy_headers=False, server_header=False, limit_concurrency=limits.connections_max,
        h11_max_incomplete_event_size=limits.header_bytes_max, backlog=BACKLOG,
    )  # fmt: skip
    config.load()
    config.ssl = tls

    def opened(asked: int, listener: socket.socket) -> None:
        number = listener.getsockname()[1]
        apps[number] = wanted.pop(asked)[1]
        bound(number)

    wanted = dict(enumerate([(port, app), *more]))
    server = _Server(config, pulse, host, wanted, opened)
    try:
        await server.serve(sockets=[])
    finally:
        await server.end()


def factory_of(
    app: AsgiApp, policy: HealthPolicy, *, authenticated: bool, metrics: AsgiApp | None = None,
    bound: Callable[[int], object] = lambda port: None,
) -> Callable[[Pulse], Coroutine[Any, Any, None]]:  # fmt: skip
    """Return the factory of the supervised task that serves an application where the policy says.

    metrics  the application of `metrics_port`
    Raises `AddressRefused` at once for an unsafe address or an unreadable certificate.
    """
    require_safe(policy, authenticated=authenticated)
    tls = tls_of(policy)
    more = () if metrics is None or policy.metrics_port is None else ((policy.metrics_port, metrics),)

    def serving(pulse: Pulse) -> Coroutine[Any, Any, None]:
        return serve(app, policy.host, policy.port, tls, pulse, policy=policy, more=more, bound=bound)

    return serving


class _Server(uvicorn.Server):
    """The server without signal handlers of its own; its ticks are the task's beats, and open what is wanted.

    wanted  number to port and application; `opened` is told of each that listens, and takes it out
    """

    def __init__(
        self, config: uvicorn.Config, pulse: Pulse, host: str, wanted: Mapping[int, tuple[int, AsgiApp]],
        opened: Callable[[int, socket.socket], None],
    ) -> None:  # fmt: skip
        super().__init__(config)
        self._pulse, self._host, self._wanted, self._opened = pulse, host, wanted, opened
        self._told: set[int] = set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def on_tick(self, counter: int) -> bool:
        self._pulse.beat(counter)
        if self._wanted and counter % AGAIN_TICKS == 0:
            for number, (port, _) in tuple(self._wanted.items()):
                await self._open(number, port)
        return await super().on_tick(counter)

    async def end(self) -> None:
        """Close everything within a second; what still runs then is cut."""
        if not self.started:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS_MAX):
                await self.shutdown()
        for task in self.server_state.tasks:
            task.cancel()
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    async def _open(self, number: int, port: int) -> None:
        try:
            listener = bind(self._host, port)
        except AddressTaken as problem:
            if number not in self._told:
                LOG.error("address_taken", extra={"problem": str(problem)})
            self._told.add(number)
            return
        self._opened(number, listener)
        loop = asyncio.get_running_loop()
        self.servers.append(
            await loop.create_server(self._connection, sock=listener, ssl=self.config.ssl, backlog=BACKLOG)
        )

    def _connection(self) -> "_Protocol":
        return _Protocol(self.config, self.server_state, self.lifespan.state)


class _Protocol(H11Protocol):
    """A connection that must send its first whole header in time, and gives way when there are too many.

    The one request it may make is bounded by `Edge`.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._since = self.loop.time()
        self.loop.call_later(FIRST_REQUEST_SECONDS_MAX, self._cut)
        silent = [one for one in self.connections if isinstance(one, _Protocol) and one.cycle is None]
        if len(self.connections) * WORKING_SHARE > (self.limit_concurrency or 0) and len(silent) > 1:
            min(silent, key=lambda one: one._since)._cut()

    def _cut(self) -> None:
        if self.cycle is None and not self.transport.is_closing():
            self.transport.abort()
            self.connections.discard(self)
