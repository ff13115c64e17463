"""The outermost layer: bounds the time of a request, checks the name it was sent to, sets the security headers.

HEAD is asked as GET, as probes do; the server leaves the body away.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from tradeworthy.operations.health.policy import HealthPolicy
from tradeworthy.web.refusals import refusal_bytes

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]
HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"connection", b"close"),
)
"""One request a connection, so that nobody holds one open."""
STRICT = (b"strict-transport-security", b"max-age=31536000")
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


class Edge:
    """Wrap an application.

    named  whether only loopback names are answered: without tokens a page in a browser on this machine could ask
           under a name of its own that resolves here
    """

    def __init__(self, app: AsgiApp, policy: HealthPolicy, *, tls: bool, named: bool) -> None:
        self._app, self._policy = app, policy
        self._headers = [*HEADERS, STRICT] if tls else [*HEADERS]
        self._names = LOOPBACK_NAMES | {policy.host, f"[{policy.host}]"} if named else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of the ASGI kind `http`; raises `ValueError` for any other kind."""
        if scope["type"] != "http":
            raise ValueError(f"expected a request of kind http, found {scope['type']!r}")
        started = False

        async def guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                own = {name for name, _ in self._headers}
                kept = [(name, value) for name, value in message.get("headers", ()) if name.lower() not in own]
                message = {**message, "headers": [*kept, *self._headers]}
            await send(message)

        if not self._known(scope):
            await _refuse(guarded, 421)
            return
        if scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        try:
            async with asyncio.timeout(self._policy.answer_seconds_max):
                await self._app(scope, receive, guarded)
        except TimeoutError:
            if not started:
                await _refuse(guarded, 408)

    def _known(self, scope: Scope) -> bool:
        if self._names is None:
            return True
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        return len(hosts) == 1 and _name_of(hosts[0]).lower() in self._names


def _name_of(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and (port.isdigit() or not port) else host


async def _refuse(send: Send, status: int) -> None:
    body = refusal_bytes(status)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
