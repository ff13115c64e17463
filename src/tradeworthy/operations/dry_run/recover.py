"""Go on after the worst: what a checkpoint says of a run whose harness died, and whether it may be resumed."""

import contextlib
import hashlib
from pathlib import Path
from typing import NamedTuple

import msgspec
import psutil

from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.artefact_files import read_incidents
from tradeworthy.operations.dry_run.artefacts import Progress, RunState
from tradeworthy.operations.dry_run.incidents import IncidentBook
from tradeworthy.operations.dry_run.model import (
    Hashes,
    IncidentMetadata,
    Phase,
    ResourceMonitorReport,
    Resources,
    RunMetadata,
    Segment,
    Status,
    nanos_of,
)
from tradeworthy.operations.dry_run.observation import Observation
from tradeworthy.operations.dry_run.resources import bearers
from tradeworthy.operations.dry_run.settings import LOG_DIR, RunSettings, restored

STATE_NAME = "run_state.json"
BLOCK_BYTES = 1_048_576


class Left(NamedTuple):
    """What a run left behind: its settings and its last checkpoint."""

    settings: RunSettings
    state: RunState


def left_in(folder: Path) -> Left:
    """Read a run folder's checkpoint; raises `UsageError` when there is none that can be read."""
    for path in (folder / STATE_NAME, folder / "logs" / STATE_NAME, folder.parent / STATE_NAME):
        if path.is_file():
            try:
                state = msgspec.json.decode(path.read_bytes(), type=RunState)
                return Left(restored(state.settings), state)
            except msgspec.MsgspecError as problem:
                raise UsageError(f"expected a run's checkpoint in {path}, found something else: {problem}") from None
    raise UsageError(f"expected {STATE_NAME} in {folder}, found none; name the folder of a run")


def has_verdict(progress: Path) -> bool:
    """Tell whether a progress file is the last one of a run: complete, with its exit code and sign-off."""
    try:
        last = msgspec.json.decode(progress.read_bytes(), type=Progress)
    except (OSError, msgspec.MsgspecError):
        return False
    return last.phase is Phase.COMPLETE and last.exit_code is not None


def reasons_against_resuming(left: Left, command: tuple[str, ...], hashes: Hashes, names: frozenset[str]) -> list[str]:
    """Return why a run may not be resumed: it is over, or what it runs is not what it ran.

    names  of the variables given with `--env` this time; their values are not stored, so they must be given again
    """
    wrong = []
    if left.state.complete:
        wrong.append("the run is complete; only one that was cut off can be resumed")
    if command and command != left.state.command:
        wrong.append(f"expected the command {list(left.state.command)}, found {list(command)}")
    for name in Hashes.__struct_fields__:
        before, now = getattr(left.state.hashes, name), getattr(hashes, name)
        if before != now:
            wrong.append(f"the {name} changed: was {before}, is {now}")
    before_names = frozenset(left.settings.user_environment)
    if names != before_names:
        wrong.append(f"expected --env for {sorted(before_names) or 'nothing'}, found {sorted(names) or 'nothing'}")
    return wrong


def still_running(settings: RunSettings) -> list[str]:
    """Return what an earlier boot's command still runs in this folder: a resumed run would start it a second time."""
    names = []
    for one in bearers(f"{LOG_DIR}={settings.paths.log_dir}".encode()):
        with contextlib.suppress(psutil.Error):
            if one.status() != psutil.STATUS_ZOMBIE:
                names.append(f"{one.name()} ({one.pid})")
    if not names:
        return []
    return [f"the command of the run still lives: {', '.join(names[:10])}; end it first, or it runs twice"]


def observation_of(left: Left, *, code: str, message: str, severity: Severity) -> Observation:
    """Return what is known of a run that was cut off, with one incident that says so.

    code, message, severity  of that incident
    """
    settings, state = left
    book = IncidentBook(kept_max=settings.policy.fingerprints_max + 2, changed=lambda incident: None)
    book.adopt(read_incidents(settings.paths.incidents))
    at = nanos_of(state.now)
    book.report(code, severity, message, at=at, metadata=IncidentMetadata(component="harness"))
    required = settings.policy.required_seconds
    if state.run_seconds + settings.policy.duration_slack_seconds < required:
        book.report(
            "duration.short", Severity.FAIL, f"ran {state.run_seconds:.1f} s of the required {required:g} s", at=at,
            metadata=IncidentMetadata(component="run", observed=state.run_seconds, limit=required, unit="s"),
        )  # fmt: skip
    segments = tuple(_closed(one) for one in _all_segments(settings, state))
    counts = {"stdout": state.line_counts.stdout, "stderr": state.line_counts.stderr}
    metadata = RunMetadata(
        command=state.command, started_at=state.started_at, ended_at=state.now, exit_code=state.exit_code,
        target_duration_seconds=settings.policy.target_seconds, actual_duration_seconds=state.run_seconds,
        segments=segments, boots=state.boots, log_path=segments[-1].structured_path if segments else None,
        raw_log_path=segments[-1].raw_path if segments else None, log_line_counts=counts,
        structured_log_paths=tuple(one.structured_path for one in segments),
        raw_log_paths=tuple(one.raw_path for one in segments), log_level_counts=state.level_counts,
        log_total_lines=sum(counts.values()), progress_path=str(settings.paths.progress),
        harness_incidents=book.all(), hashes=state.hashes, heartbeat=state.heartbeat, user=settings.metadata,
        resource_monitor=ResourceMonitorReport(reason="the harness was cut off"),
    )  # fmt: skip
    return Observation(
        started_at=state.started_at, ended_at=state.now, run_seconds=state.run_seconds, heartbeat=state.heartbeat,
        exit_code=state.exit_code, stop_requested=state.stop_requested, forced=False, interrupted=False, state=state,
        metadata=metadata, resources=Resources(),
    )  # fmt: skip


def final_progress_of(settings: RunSettings, observation: Observation) -> Progress:
    """Return the last snapshot of a run that has no living harness."""
    state, policy = observation.state, settings.policy
    return Progress(
        run_id=settings.run_id, status=Status.RUNNING, phase=Phase.COMPLETE, now=state.now,
        started_at=state.started_at, elapsed_seconds=state.run_seconds, target_duration_seconds=policy.target_seconds,
        required_duration_seconds=policy.required_seconds, line_counts=state.line_counts,
        total_lines=state.line_counts.stdout + state.line_counts.stderr, level_counts=state.level_counts,
        last_line_at=state.last_line_at, command=state.command, minimum_uptime_ratio=policy.uptime_ratio_min,
        require_diary_evidence=policy.diary_required, require_performance_evidence=policy.performance_required,
        highest_severity=state.highest_severity, segment=state.segment, heartbeat=state.heartbeat,
        relaxations=settings.relaxations(), incidents=observation.metadata.harness_incidents,
        config_metadata=settings.metadata,
    )  # fmt: skip


def _all_segments(settings: RunSettings, state: RunState) -> list[Segment]:
    """Return the checkpoint's segments, and any that was opened after it."""
    known = list(state.segments)
    names = {one.structured_path for one in known}
    for path in sorted(settings.paths.log_dir.glob(f"{settings.name}*.jsonl*")):
        if str(path) not in names:
            raw = Path(str(path).replace(".jsonl", ".log"))
            known.append(
                Segment(number=len(known) + 1, structured_path=str(path), raw_path=str(raw), started_at=state.now)
            )
    return known


def _closed(one: Segment) -> Segment:
    """Return a segment with the digests of what is on disk."""
    if one.structured_sha256 is not None:
        return one
    return msgspec.structs.replace(
        one, structured_sha256=_digest(Path(one.structured_path)), raw_sha256=_digest(Path(one.raw_path))
    )


def _digest(path: Path) -> str | None:
    if not path.is_file():
        return None
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
