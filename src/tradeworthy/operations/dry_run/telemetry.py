"""What a dry run tells the world while it runs: progress, incidents, the verdict; as facts, to a small port."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import msgspec

from tradeworthy.kernel.errors import DeskError
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.journal.files import sync_directory
from tradeworthy.kernel.redaction import redact
from tradeworthy.operations.dry_run.artefacts import Progress, Summary
from tradeworthy.operations.dry_run.model import Incident, IncidentState, nanos_of, stamp

TELEMETRY_NAME = "telemetry.jsonl"


@fact("telemetry.operations.dry_run.progress")
class DryRunProgressed(Fact, frozen=True):
    """A snapshot: durations in seconds, `uptime_ratio` None when it cannot be computed."""

    run_id: str
    status: str
    phase: str
    elapsed_seconds: float
    target_seconds: float
    highest_severity: str
    uptime_ratio: float | None
    lines: int
    incidents_open: int


@fact("telemetry.operations.dry_run.incident")
class DryRunIncident(Fact, frozen=True):
    """An incident opened, got worse, happened again or closed; `incident_id` is stable over these."""

    run_id: str
    incident_id: str
    code: str
    severity: str
    state: str
    count: int
    message: str
    planned: bool


@fact("telemetry.operations.dry_run.verdict")
class DryRunVerdict(Fact, frozen=True):
    """How a run ended; `sign_off` None when there was none."""

    run_id: str
    run_class: str
    status: str
    exit_code: int
    sign_off: str | None
    incidents: int
    relaxed: tuple[str, ...]


class Publisher(Protocol):
    """Take a fact to whoever listens to its topic, which is its kind; may raise `OSError` or `DeskError`."""

    def publish(self, payload: Fact, *, at: int) -> None:
        """Publish one fact of the moment `at` (ns UTC)."""
        ...


class TelemetryLines:
    """The embedded publisher: one redacted JSON object a line, appended to a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def publish(self, payload: Fact, *, at: int) -> None:
        line = redact({"topic": payload.kind, "at": stamp(at).isoformat(), "payload": msgspec.to_builtins(payload)})
        fresh = not self._path.exists()
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        try:
            view = memoryview(msgspec.json.encode(line) + b"\n")
            while view:
                view = view[os.write(handle, view) :]
        finally:
            os.close(handle)
        if fresh:
            sync_directory(self._path.parent)


class Telemetry:
    """Turn artefacts of a run into facts; a publisher that fails is told of once and never harms the run."""

    def __init__(self, publisher: Publisher | None, *, say: Callable[[str], None]) -> None:
        self._publisher = publisher
        self._say = say
        self._failing = False

    def progress(self, one: Progress) -> None:
        """Publish a snapshot."""
        still = sum(incident.state is IncidentState.OPEN for incident in one.incidents)
        self._publish(
            DryRunProgressed(
                run_id=one.run_id, status=str(one.status), phase=str(one.phase), elapsed_seconds=one.elapsed_seconds,
                target_seconds=one.target_duration_seconds, highest_severity=str(one.highest_severity),
                uptime_ratio=one.heartbeat.ratio, lines=one.total_lines, incidents_open=still,
            ),
            nanos_of(one.now),
        )  # fmt: skip

    def incidents(self, run_id: str, changed: Iterable[Incident], *, at: int) -> None:
        """Publish each change of an incident."""
        for one in changed:
            self._publish(
                DryRunIncident(
                    run_id=run_id, incident_id=one.id, code=one.code, severity=str(one.severity), state=str(one.state),
                    count=one.count, message=one.message, planned=one.planned,
                ),
                at,
            )  # fmt: skip

    def verdict(self, summary: Summary, *, exit_code: int, at: int) -> None:
        """Publish the end."""
        sign_off = None if summary.sign_off is None else str(summary.sign_off.status)
        self._publish(
            DryRunVerdict(
                run_id=summary.run_id, run_class=str(summary.run_class), status=str(summary.status),
                exit_code=exit_code, sign_off=sign_off, incidents=len(summary.incidents),
                relaxed=tuple(one.told() for one in summary.relaxations),
            ),
            at,
        )  # fmt: skip

    def _publish(self, payload: Fact, at: int) -> None:
        if self._publisher is None:
            return
        try:
            self._publisher.publish(payload, at=at)
            self._failing = False
        except (OSError, DeskError) as problem:
            if not self._failing:
                self._say(f"telemetry is not published: {problem}")
            self._failing = True
