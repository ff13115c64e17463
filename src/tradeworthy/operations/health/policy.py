"""The numbers of the health check and where it is answered (HLT-03, HLT-04)."""

import math
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Any

import msgspec

from tradeworthy.kernel.errors import UsageError

PREFIX = "RUNTIME_HEALTHCHECK_"
AUTH_SECRET = f"{PREFIX}AUTH_SECRET"
HEALTH_READ = "runtime.health:read"
METRICS_READ = "runtime.metrics:read"
PORT_MAX = 65_535
TRUE, FALSE = frozenset({"true", "1", "yes", "on"}), frozenset({"false", "0", "no", "off"})


class HealthPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where health is answered, to whom, and what is judged how. A limit is breached when observed reaches it.

    host, port, path       the health address; metrics are also answered on `metrics_port` (None = nowhere else)
    token_audience         what a token must be made for
    health_roles           any one of them reads health; `metrics_roles` the same for metrics
    cert_path, key_path    TLS: both or neither
    evidence_store, evidence_trust  the evidence behind `/certificate` and its trust file: both or neither
    session_idle_seconds   silence of an open session that warns; `bus_idle_seconds` the same of the bus
    fact_stale_seconds     a fact older than this is no longer known
    clock_offset_seconds   the venue's tolerance; it warns at `clock_offset_warn_share` of it
    future_seconds_max     how far a time may lie ahead before it is wrong
    answer_seconds_max     the most one request may take, body included
    body_bytes_max, header_bytes_max, connections_max  bounds of requests
    """

    enabled: bool = True
    host: str = "127.0.0.1"
    port: int = 8080
    metrics_port: int | None = 9464
    path: str = "/health"
    token_audience: str = "tradeworthy"
    health_roles: tuple[str, ...] = (HEALTH_READ,)
    metrics_roles: tuple[str, ...] = (METRICS_READ,)
    cert_path: str = ""
    key_path: str = ""
    evidence_store: str = ""
    evidence_trust: str = ""
    ingest_warn_seconds: float = 900.0
    ingest_fail_seconds: float = 1_800.0
    decision_warn_seconds: float = 180.0
    decision_fail_seconds: float = 600.0
    session_idle_seconds: float = 300.0
    bus_idle_seconds: float = 300.0
    fact_stale_seconds: float = 30.0
    clock_drift_seconds: float = 0.75
    clock_offset_seconds: float = 1.0
    clock_offset_warn_share: float = 0.5
    future_seconds_max: float = 5.0
    answer_seconds_max: float = 10.0
    body_bytes_max: int = 16_384
    header_bytes_max: int = 16_384
    connections_max: int = 64

    def __post_init__(self) -> None:
        problems = [*self._wrong_limits(), *self._wrong_address()]
        if problems:
            raise ValueError("; ".join(problems))

    @property
    def loopback(self) -> bool:
        """Tell whether only this machine can reach the address."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    def _wrong_limits(self) -> list[str]:
        seconds = [name for name in self.__struct_fields__ if name.endswith(("_seconds", "_seconds_max"))]
        wrong = [
            f"{name} must be finite and above 0, was {value:g}"
            for name in seconds if not (math.isfinite(value := getattr(self, name)) and value > 0)
        ]  # fmt: skip
        for what in ("ingest", "decision"):
            warn, fail = getattr(self, f"{what}_warn_seconds"), getattr(self, f"{what}_fail_seconds")
            if warn > fail:
                wrong.append(f"{what}_warn_seconds must be at most {what}_fail_seconds {fail:g}, was {warn:g}")
        if not 0 < self.clock_offset_warn_share <= 1:
            wrong.append(f"clock_offset_warn_share must be above 0 and at most 1, was {self.clock_offset_warn_share:g}")
        return wrong

    def _wrong_address(self) -> list[str]:
        wrong = [
            f"{name} must be 0 to {PORT_MAX}, was {port}"
            for name, port in (("port", self.port), ("metrics_port", self.metrics_port))
            if port is not None and not 0 <= port <= PORT_MAX
        ]
        if self.port and self.port == self.metrics_port:
            wrong.append(f"metrics_port must be another than port, was {self.port} too")
        if not self.path.startswith("/") or self.path.rstrip("/") in TAKEN or not set(self.path) <= PATH_CHARACTERS:
            wrong.append(f"path must begin with / and be none of {sorted(TAKEN - {''})}, was {self.path!r}")
        if bool(self.cert_path) != bool(self.key_path):
            wrong.append("cert_path and key_path must both be given or neither, one was absent")
        if bool(self.evidence_store) != bool(self.evidence_trust):
            wrong.append("evidence_store and evidence_trust must both be given or neither, one was absent")
        if not self.token_audience or not self.health_roles or not self.metrics_roles:
            wrong.append("token_audience, health_roles and metrics_roles must not be empty, one was")
        return wrong


TAKEN = frozenset({
    "", "/ready", "/live", "/metrics", "/summary", "/kill", "/pause", "/resume", "/guard", "/certificate",
    "/config/approve", "/api/alerts", "/api/alerts/prometheus", "/api/incidents", "/api/assessments", "/api/gates",
})  # fmt: skip
PATH_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-_.")


def of_environment(environ: Mapping[str, str], base: HealthPolicy | None = None) -> HealthPolicy:
    """Return the policy with the keys of HLT-04 on top of `base`; an empty value counts as absent.

    Raises `UsageError` for a value that cannot be read or a contradiction, naming the key, and for an unknown key.
    """
    found = {name.removeprefix(PREFIX): text.strip() for name, text in environ.items() if name.startswith(PREFIX)}
    found.pop("AUTH_SECRET", None)
    unknown = sorted(found.keys() - KEYS.keys())
    if unknown:
        raise UsageError(f"expected keys {PREFIX}{{{','.join(KEYS)},AUTH_SECRET}}, found {PREFIX}{unknown[0]}")
    changes: dict[str, Any] = {}
    for key, (field, read) in KEYS.items():
        if not found.get(key):
            continue
        try:
            changes[field] = read(found[key])
        except ValueError as problem:
            raise UsageError(f"{PREFIX}{key}: {problem}") from None
    try:
        return msgspec.structs.replace(base or HealthPolicy(), **changes)
    except ValueError as problem:
        raise UsageError(f"{PREFIX}*: {problem}") from None


def _switch(text: str) -> bool:
    word = text.lower()
    if word not in TRUE | FALSE:
        raise ValueError(f"expected true or false, found {text!r}")
    return word in TRUE


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= PORT_MAX):
        raise ValueError(f"expected a port from 0 to {PORT_MAX}, found {text!r}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"expected seconds as a number, found {text!r}") from None


def _roles(text: str) -> tuple[str, ...]:
    return tuple(role for one in text.split(",") if (role := one.strip()))


KEYS: dict[str, tuple[str, Callable[[str], object]]] = {
    "ENABLED": ("enabled", _switch),
    "HOST": ("host", str),
    "PORT": ("port", _port),
    "PATH": ("path", str),
    "INGEST_WARN_SECONDS": ("ingest_warn_seconds", _seconds),
    "INGEST_FAIL_SECONDS": ("ingest_fail_seconds", _seconds),
    "DECISION_WARN_SECONDS": ("decision_warn_seconds", _seconds),
    "DECISION_FAIL_SECONDS": ("decision_fail_seconds", _seconds),
    "TOKEN_AUDIENCE": ("token_audience", str),
    "HEALTH_ROLES": ("health_roles", _roles),
    "METRICS_ROLES": ("metrics_roles", _roles),
    "CERT_PATH": ("cert_path", str),
    "KEY_PATH": ("key_path", str),
}
