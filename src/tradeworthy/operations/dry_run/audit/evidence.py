"""Judge logs, diary and performance file together; each section stands alone, and there is always a summary (DR-16)."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from tradeworthy.kernel.errors import DeskError, UsageError
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.redaction import redact
from tradeworthy.operations.dry_run.artefacts import RunState, Sections
from tradeworthy.operations.dry_run.audit.diary import DiaryPolicy, JournalDecisions, audit_diary
from tradeworthy.operations.dry_run.audit.log_section import audit_logs
from tradeworthy.operations.dry_run.audit.performance import audit_performance
from tradeworthy.operations.dry_run.audit.policy import AuditPolicy, Window
from tradeworthy.operations.dry_run.model import (
    DiarySection,
    LogSection,
    PerformanceSection,
    RunMetadata,
    Status,
    nanos_of,
    stamp,
    worst_status,
)

DECISION_KINDS = frozenset({"intent.approved", "intent.refused", "strategy.abstained"})
"""A strategy that was asked abstains, or wants something that is approved or refused; each is a decision."""
STATE_FILE = "run_state.json"
S = TypeVar("S", LogSection, DiarySection, PerformanceSection)


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to judge; None was not given. `window` overrules the run's own checkpoint."""

    logs: tuple[Path, ...]
    diary: Path | None = None
    performance: Path | None = None
    journal: Path | None = None
    window: Window | None = None

    def present(self) -> bool:
        """Tell whether at least one named input is there."""
        named = (*self.logs, self.diary, self.performance)
        return any(one is not None and one.is_file() for one in named)


def audit_evidence(
    evidence: Evidence, policy: AuditPolicy, diary_policy: DiaryPolicy, *, now: int, compiled: bool | None = None
) -> Sections:
    """Return the judged sections; one that cannot be judged is UNKNOWN with its error.

    now   nanoseconds UTC of the judgement
    """
    state = run_state_beside(evidence.logs)
    window = evidence.window if evidence.window is not None else window_of(state)
    logs = _alone(LogSection, lambda: audit_logs(evidence.logs, policy, now=now, window=window, compiled=compiled))
    diary = performance = None
    if evidence.diary is not None:
        book, seen = evidence.diary, window or _window_seen(logs)
        journal = None if evidence.journal is None else decisions_of(evidence.journal)
        diary = _alone(
            DiarySection, lambda: audit_diary(book, diary_policy, now=now, window=seen, journal=journal)
        )
    if evidence.performance is not None:
        file = evidence.performance
        performance = _alone(PerformanceSection, lambda: audit_performance(file, now=now))
    present = [one.status for one in (logs, diary, performance) if one is not None]
    return Sections(
        generated_at=stamp(now), status=worst_status(*present), metadata=_metadata(evidence, state, window),
        logs=logs, diary=diary, performance=performance,
    )  # fmt: skip


def run_state_beside(logs: Sequence[Path]) -> RunState | None:
    """Return the checkpoint of the run that wrote these logs, None when there is none that can be read."""
    for folder in dict.fromkeys(place for log in logs for place in (log.parent, log.parent.parent)):
        try:
            return msgspec.json.decode((folder / STATE_FILE).read_bytes(), type=RunState)
        except (OSError, msgspec.MsgspecError):
            continue
    return None


def window_of(state: RunState | None) -> Window | None:
    """Return spawn to stop request as the harness measured it."""
    if state is None:
        return None
    ends = [one.ended_at for one in state.boots if one.ended_at is not None]
    stop = nanos_of(max(ends) if ends else state.now)
    start = nanos_of(state.started_at)
    return Window(start=start, stop=max(start, stop), source="run_state", run_seconds=state.run_seconds)


def decisions_of(journal: Path) -> JournalDecisions:
    """Return how many decisions a journal holds and the seq of the last one."""
    count, last = 0, None
    for event in read(journal):
        if event.kind in DECISION_KINDS:
            count += 1
            last = event.seq
    return JournalDecisions(count=count, last_seq=last)


def window_from(start: object, stop: object, *, parse: Callable[[object], tuple[int | None, bool]]) -> Window | None:
    """Return the window of two switches, None when neither is given; raises `UsageError` for anything but two times."""
    if start is None and stop is None:
        return None
    begin, end = parse(start)[0], parse(stop)[0]
    if begin is None or end is None or end <= begin:
        raise UsageError(
            "a window needs --window-start and --window-end, two times in ISO 8601, the end after the start; "
            f"found {start} and {stop}"
        )
    return Window(start=begin, stop=end)


def _window_seen(logs: LogSection) -> Window | None:
    """Return first to last line, where nothing better is known."""
    if logs.started_at is None or logs.ended_at is None:
        return None
    return Window(start=nanos_of(logs.started_at), stop=nanos_of(logs.ended_at), source="log")


def _metadata(evidence: Evidence, state: RunState | None, window: Window | None) -> RunMetadata:
    paths = tuple(str(one) for one in evidence.logs)
    if state is None:
        return RunMetadata(
            structured_log_paths=paths, log_path=paths[0] if paths else None,
            started_at=None if window is None else stamp(window.start),
            ended_at=None if window is None else stamp(window.stop),
        )  # fmt: skip
    return RunMetadata(
        command=state.command, exit_code=state.exit_code, segments=state.segments, boots=state.boots,
        started_at=state.started_at, ended_at=None if window is None else stamp(window.stop),
        actual_duration_seconds=state.run_seconds if window is None or window.source == "run_state" else None,
        log_level_counts=state.level_counts, structured_log_paths=paths, log_path=paths[0] if paths else None,
        hashes=state.hashes, heartbeat=state.heartbeat,
    )  # fmt: skip


def _alone(kind: type[S], judge: Callable[[], S]) -> S:
    try:
        return judge()
    except (DeskError, OSError, ValueError, TypeError, ArithmeticError, LookupError, MemoryError) as problem:
        told = str(problem) if isinstance(problem, DeskError) else f"{type(problem).__name__}: {problem}"
        return kind(status=Status.UNKNOWN, error=redact(told))
