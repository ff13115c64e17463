"""Ask a running desk for its health, from outside, within a time (CLI-06)."""

import http.client
import ssl
from urllib.parse import urlsplit

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.operations.health.policy import HealthPolicy
from tradeworthy.operations.health.report import HealthBody

ANSWER_BYTES_MAX = 1 << 20
READ_BYTES = 1 << 16
JUDGED = frozenset({http.client.OK, http.client.SERVICE_UNAVAILABLE})


def url_of(policy: HealthPolicy) -> str:
    """Return where a desk of this policy answers; an address of all interfaces is asked on loopback."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(policy.host, policy.host)
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if policy.cert_path else 'http'}://{shown}:{policy.port}{policy.path}"


def at(url: str | None, policy: HealthPolicy) -> str:
    """Return where to ask: `url`, with the policy's path where it has none, or the policy's own address."""
    if not url:
        return url_of(policy)
    return url.rstrip("/") + policy.path if url.count("/") == 2 or (url.endswith("/") and url.count("/") == 3) else url


def ask_health(
    url: str, *, timeout_s: float, clock: Clock, token: str | None = None, trusted: str = ""
) -> tuple[HealthBody, bytes]:
    """Return a desk's health, and the bytes it answered.

    trusted  a certificate file that is believed beside those of the machine
    Raises `UsageError` for an address that is none, no desk there, a refusal, and an answer that is no health report.
    """
    status, data = _get(url, timeout_s, clock, token, trusted)
    if status not in JUDGED:
        raise UsageError(f"expected a health report from {url}, found HTTP status {status}: {_said(status)}")
    try:
        return msgspec.json.decode(data, type=HealthBody), data
    except (msgspec.MsgspecError, UnicodeDecodeError) as problem:
        raise UsageError(f"expected a health report from {url}, found something else: {problem}") from None


def _get(url: str, timeout_s: float, clock: Clock, token: str | None, trusted: str) -> tuple[int, bytes]:
    if not 0 < timeout_s < float("inf"):
        raise UsageError(f"the timeout must be above 0 seconds, was {timeout_s:g}")
    deadline = clock.monotonic() + round(timeout_s * NANOS_PER_SECOND)
    try:
        parts = urlsplit(url)
        connection = _connection(parts.scheme, parts.hostname or "", parts.port, timeout_s, trusted)
    except (ValueError, OSError) as problem:
        raise UsageError(f"expected an address http(s)://HOST:PORT/PATH, found {url!r}: {problem}") from None
    headers = {"Accept": "application/json", **({} if token is None else {"Authorization": f"Bearer {token}"})}
    try:
        connection.request("GET", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), headers=headers)
        answer = connection.getresponse()
        data = b""
        while part := answer.read1(READ_BYTES):
            data += part
            if len(data) > ANSWER_BYTES_MAX or clock.monotonic() >= deadline:
                raise UsageError(f"expected at most {ANSWER_BYTES_MAX} bytes within {timeout_s:g} s from {url}")
        return answer.status, data
    except (OSError, http.client.HTTPException) as problem:
        why = getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
        raise UsageError(f"no desk answers at {url} within {timeout_s:g} s: {why}") from None
    finally:
        connection.close()


def _connection(
    scheme: str, host: str, port: int | None, timeout_s: float, trusted: str
) -> http.client.HTTPConnection:
    if not host or scheme not in ("http", "https"):
        raise ValueError("it has no host or another scheme")
    if scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=timeout_s)
    context = ssl.create_default_context()
    if trusted:
        context.load_verify_locations(trusted)
    return http.client.HTTPSConnection(host, port, timeout=timeout_s, context=context)


def _said(status: int) -> str:
    known = {401: "a token is needed", 403: "the token lacks the role", 404: "there is no such path"}
    return known.get(status, "refused")
