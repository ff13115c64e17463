"""What the web asks of the desk: a board that answers from memory, and control that acts for a named person."""

from typing import Literal, Protocol

import msgspec

from tradeworthy.operations.evidence.certificate import Certificate
from tradeworthy.operations.health.facts import GuardView, Readiness
from tradeworthy.operations.health.report import HealthReport
from tradeworthy.operations.incidents.acts import Answer

KILL, RESUME, APPROVE = "control:kill", "control:resume", "config:approve"
ALERTS_READ, ALERTS_ACK, ALERTS_PUSH = "alerts:read", "alerts:ack", "alerts:push"
NO_PACK = msgspec.Raw(b"null")
LOCAL = "loopback"
"""The principal of a request that needed no token: a person on the desk's own machine."""


class Principal(msgspec.Struct, frozen=True):
    """Who asks, as the token's signature says (APR-03), and what the token allows."""

    name: str
    roles: frozenset[str]


class KillCommand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Stop a scope; an unknown one is the whole desk (KS-01)."""

    reason: str
    scope: str = "desk"
    flatten: bool = False


class PauseCommand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pause openings; `expires_at` in nanoseconds UTC, None = until resumed."""

    reason: str
    scope: str = "desk"
    expires_at: int | None = None


class ResumeCommand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """End the operator's own pause; with `pack`, the approval that two people signed, leave a stop (KS-09).

    Why stands in the pack; the end of one's own pause needs no reason.
    """

    scope: str = "desk"
    pack: msgspec.Raw = NO_PACK


class ApproveCommand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Approve a proposed document by the pack that people signed, resting on the report of a new gate run."""

    config_hash: str
    pack: msgspec.Raw
    gate_run: msgspec.Raw


Command = KillCommand | PauseCommand | ResumeCommand


class ControlAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a command: `accepted` is dispatched and not yet verified; `refused` lists every reason."""

    outcome: Literal["done", "accepted", "refused", "unknown"]
    text: str
    faults: tuple[str, ...] = ()


class Board(Protocol):
    """Facts that were read before; no call waits for anything outside the process."""

    def health(self) -> HealthReport: ...
    def ready(self) -> Readiness: ...
    def guard(self) -> GuardView | None: ...
    def summary(self) -> bytes | None: ...
    def metrics(self) -> bytes: ...


class Control(Protocol):
    """Acts of people. A request's time is bounded, so what must not be cut off runs before the first await or in a
    thread.
    """

    async def kill(self, reason: str, scope: str, flatten: bool, principal: str) -> ControlAnswer: ...
    async def pause(self, reason: str, scope: str, expires_at: int | None, principal: str) -> ControlAnswer: ...
    async def resume(self, scope: str, pack: bytes | None, principal: str) -> ControlAnswer: ...
    async def approve(self, config_hash: str, pack: bytes, gate_run: bytes, principal: str) -> ControlAnswer: ...


class AlertPort(Protocol):
    """The desk's alerts; None while no path runs. `take` raises `UsageError` for what is no message of Prometheus."""

    def firing(self) -> bytes | None: ...
    def acknowledge(self, alert: str, person: str) -> Answer | None: ...
    def incidents(self, name: str = "") -> tuple[int, bytes] | None: ...
    def take(self, body: bytes) -> int: ...


class JudgedPort(Protocol):
    """How the running desk is judged: HTTP status and JSON of all, or of one by its name."""

    def assessments(self, name: str = "", *, course: bool = False) -> tuple[int, bytes]: ...
    def gates(self, name: str = "") -> tuple[int, bytes]: ...


class CertificatePort(Protocol):
    """The living certificate as it stands now; None where there is no evidence store."""

    def current(self) -> Certificate | None: ...
