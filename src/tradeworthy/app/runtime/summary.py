"""What a process is made of and how it stands, one document: `tradeworthy summary --json`, `GET /summary` (CLI-02)."""

from typing import Any

import msgspec

from tradeworthy.app.config import Document
from tradeworthy.app.runtime.services import ServiceSnapshot
from tradeworthy.app.runtime.tiers import ConnectivityReport
from tradeworthy.app.runtime.uptime import UptimeReport
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.supervision import AbandonedTask, EndedTask
from tradeworthy.kernel.telemetry.topics import TOPICS
from tradeworthy.operations.drills.kill_switch import Standing

SCHEMA = "tradeworthy.summary/1"
NEVER = "nothing was published on this topic in this process"
STOPPED_DESK = "no process of this desk runs: this is its declaration and its last state"


class WorkloadSummary(msgspec.Struct, frozen=True):
    """One workload as declared (APP-01)."""

    name: str
    kind: str
    workload_class: str
    description: str
    criticality: str
    required: bool
    restart_policy: dict[str, Any]
    hang_timeout_seconds: float | None
    supervised_components: tuple[str, ...]
    metadata: dict[str, Any]


class GuardSummary(msgspec.Struct, frozen=True):
    """The guard's level and its reasons; `source` says whether a running desk or its memory tells."""

    level: str
    reasons: tuple[dict[str, Any], ...]
    source: str


class Block(msgspec.Struct, frozen=True):
    """The newest of one topic: its payload, or null with the reason."""

    payload: Any
    reason: str = ""


class SupervisorSummary(msgspec.Struct, frozen=True):
    """Counts, what ended last, and what ignored its cancellation."""

    running: int
    ended: tuple[EndedTask, ...]
    abandoned: tuple[AbandonedTask, ...]
    unrecorded: int


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """One process of a desk. `generated_at` is nanoseconds UTC."""

    schema: str
    generated_at: int
    desk: str
    environment: str
    release: str
    run_id: str | None
    config_hash: str
    configuration: dict[str, Any]
    running: bool
    workloads: tuple[WorkloadSummary, ...]
    skipped: dict[str, str]
    services: dict[str, list[ServiceSnapshot]]
    supervisor: SupervisorSummary
    guard: GuardSummary
    projections: dict[str, Block]
    note: str = ""
    connectivity: ConnectivityReport | None = None
    kill_drills: Standing | None = None
    uptime: UptimeReport | None = None


def configuration_of(document: Document) -> dict[str, Any]:
    """Return the document as plain data without secrets."""
    found: dict[str, Any] = redact(msgspec.json.decode(document.canonical()))
    return found


def blocks_of(newest: dict[str, Any], why: str = NEVER) -> dict[str, Block]:
    """Return one block a registered topic, null with `why` where nothing is known."""
    return {
        topic: Block(newest[topic]) if topic in newest else Block(None, why)
        for topic in sorted(TOPICS)
    }


def encode(summary: Summary) -> bytes:
    """Return the summary as JSON without secrets."""
    return msgspec.json.encode(redact(msgspec.to_builtins(summary, str_keys=True)))


def schema() -> dict[str, Any]:
    """Return the JSON schema that every summary validates against."""
    found: dict[str, Any] = msgspec.json.schema(Summary)
    return found
