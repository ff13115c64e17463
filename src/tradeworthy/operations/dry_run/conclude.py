"""From a run that is over to its verdict: each section judged alone, sign-off, class, summary, final progress.

Whatever raises becomes UNKNOWN with its error; a summary and a complete progress file are always written (DR-16).
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

import msgspec

from tradeworthy.kernel.errors import DeskError, ExitCode
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.artefacts import Objective, Sections, Summary
from tradeworthy.operations.dry_run.desk_facts import DeskFacts
from tradeworthy.operations.dry_run.model import (
    DiarySection,
    Finding,
    Hashes,
    Incident,
    IncidentMetadata,
    IncidentState,
    LogSection,
    PerformanceSection,
    RunClass,
    SignOff,
    SignOffCriteria,
    Status,
    nanos_of,
    stamp,
    status_of,
)
from tradeworthy.operations.dry_run.objectives import DERIVED
from tradeworthy.operations.dry_run.observation import Observation
from tradeworthy.operations.dry_run.outside import Agreement, Witness, agree
from tradeworthy.operations.dry_run.policy import HarnessPolicy
from tradeworthy.operations.dry_run.release_manifest import differences
from tradeworthy.operations.dry_run.run_class import ReleaseFacts, judge_class
from tradeworthy.operations.dry_run.settings import RunSettings
from tradeworthy.operations.dry_run.stopping import FORCED_CODE

S = TypeVar("S", LogSection, DiarySection, PerformanceSection)
ANY_FAILURE = (DeskError, OSError, ValueError, TypeError, KeyError, ArithmeticError, MemoryError, AssertionError,
               RuntimeError, LookupError, AttributeError, msgspec.MsgspecError)  # fmt: skip
"""What a section may raise without taking the summary with it."""


class RunWindow(NamedTuple):
    """Spawn to stop request in ns UTC, and the monotonic run time."""

    start: int
    stop: int
    run_seconds: float


class Judges(Protocol):
    """Those who judge evidence; each may raise, and its section is UNKNOWN then."""

    def logs(
        self, paths: tuple[Path, ...], policy: HarnessPolicy, window: RunWindow, *, now: int
    ) -> LogSection: ...
    def diary(
        self, path: Path, policy: HarnessPolicy, window: RunWindow, *, now: int, desk: DeskFacts | None
    ) -> DiarySection: ...
    def performance(self, path: Path, policy: HarnessPolicy, window: RunWindow, *, now: int) -> PerformanceSection: ...
    def sign_off(self, sections: Sections, criteria: SignOffCriteria, *, now: int) -> SignOff: ...


class DeskReader(Protocol):
    """One that can tell whether the command was our own desk, and what its journal says."""

    def read(self, log_dir: Path) -> tuple[DeskFacts, Hashes] | None: ...
    def objectives(self, facts: DeskFacts, *, started: int, ended: int) -> tuple[Objective, ...]: ...


class Conclusion(NamedTuple):
    """The verdict, and why the run is not of class release when it is not."""

    summary: Summary
    rehearsal_reasons: tuple[str, ...]


def conclude(
    settings: RunSettings, observation: Observation, judges: Judges, *, now: int, witness: Witness | None = None,
    desks: DeskReader | None = None,
) -> Conclusion:  # fmt: skip
    """Judge a run that is over.

    now      ns UTC of the judgement
    witness  verified minutes from outside; None when none was attached
    desks    reads the desk's own journal when the command was our desk; None where that cannot be
    """
    policy = settings.policy
    start, stop = nanos_of(observation.started_at), nanos_of(observation.ended_at)
    window = RunWindow(start, stop, observation.run_seconds)
    logs = _guarded(
        LogSection, lambda: judges.logs(_existing(observation), policy, window, now=now), source="logs"
    )
    logs = _with_measured_uptime(logs, observation, policy)
    incidents = list(observation.metadata.harness_incidents)
    desk, hashes = _desk(settings, observation, desks, incidents, now)
    objectives = _objectives(desks, desk, window, incidents, now)
    diary = performance = None
    if settings.paths.diary is not None:
        at = settings.paths.diary
        diary = _guarded(DiarySection, lambda: judges.diary(at, policy, window, now=now, desk=desk), source="diary")
    if settings.paths.performance is not None:
        where = settings.paths.performance
        performance = _guarded(
            PerformanceSection, lambda: judges.performance(where, policy, window, now=now), source="performance"
        )
    agreement = None
    if witness is not None:
        agreement = _agreement(witness, observation, start, stop)
        incidents += _witness_incident(agreement, len(incidents) + 1, now)
        if agreement.ratio is not None:
            logs = msgspec.structs.replace(logs, uptime_ratio=agreement.ratio)
    run_class, reasons = judge_class(
        _facts(settings, observation, logs, window, now=now, desk=desk, hashes=hashes, objectives=objectives,
               witnessed=agreement is not None and agreement.ratio is not None)
    )
    incidents = [by_class(one, run_class) for one in incidents]
    metadata = msgspec.structs.replace(
        observation.metadata, harness_incidents=tuple(incidents), hashes=hashes, desk=desk
    )
    present = [one.status for one in (logs, diary, performance) if one is not None]
    sections = Sections(
        generated_at=stamp(now), metadata=metadata, logs=logs, diary=diary, performance=performance,
        status=status_of(max(one.severity for one in present)),
    )  # fmt: skip
    sign_off = _sign_off(judges, sections, policy.sign_off_criteria(), now)
    counted = [one.severity.severity for one in incidents if not one.planned]
    worst = max([sections.status.severity, sign_off.status.severity, *counted])
    return Conclusion(
        Summary(
            run_id=settings.run_id, run_class=run_class, status=status_of(worst), summary=sections, sign_off=sign_off,
            incidents=tuple(incidents), progress_path=str(settings.paths.progress),
            progress_timeline_dir=None if settings.paths.timeline_dir is None else str(settings.paths.timeline_dir),
            relaxations=settings.relaxations(at=now), waivers=settings.waivers, objectives=objectives,
        ),
        reasons,
    )  # fmt: skip


def exit_code(status: Status, *, interrupted: bool = False) -> int:
    """Return the code where sign-off runs: UNKNOWN is FAIL there."""
    if interrupted:
        return ExitCode.INTERRUPTED
    match status.severity:
        case Severity.OK:
            return ExitCode.PASS
        case Severity.WARN:
            return ExitCode.WARN
        case _:
            return ExitCode.FAIL


def _existing(observation: Observation) -> tuple[Path, ...]:
    return tuple(Path(one) for one in observation.metadata.structured_log_paths)


def _guarded(kind: type[S], judge: Callable[[], S], *, source: str) -> S:
    """Return the section, or one that is UNKNOWN and says why."""
    try:
        return judge()
    except ANY_FAILURE as problem:
        return kind(status=Status.UNKNOWN, error=redact(f"{source} could not be judged: {_told(problem)}"))


def _sign_off(judges: Judges, sections: Sections, criteria: SignOffCriteria, now: int) -> SignOff:
    try:
        return judges.sign_off(sections, criteria, now=now)
    except ANY_FAILURE as problem:
        finding = Finding(severity=Status.FAIL, code="sign_off.failed", message=redact(_told(problem)))
        return SignOff(evaluated_at=stamp(now), status=Status.FAIL, criteria=criteria, findings=(finding,))


def _with_measured_uptime(logs: LogSection, observation: Observation, policy: HarnessPolicy) -> LogSection:
    """Put the harness's own uptime (monotonic, outages down) in the place of what stamps allow to compute."""
    ratio, source = observation.heartbeat.ratio, observation.heartbeat.source
    if ratio is None or logs.error is not None:
        return logs
    if logs.uptime_ratio is not None:
        ratio = min(ratio, logs.uptime_ratio)
    status = logs.status
    if ratio < policy.uptime_ratio_min:
        status = Status.FAIL
    return msgspec.structs.replace(logs, uptime_ratio=ratio, uptime_source=source, status=status)


def _desk(
    settings: RunSettings, observation: Observation, desks: DeskReader | None, incidents: list[Incident], now: int
) -> tuple[DeskFacts | None, Hashes]:
    """Return what our own desk says of itself, and the digests of what ran; what does not fit is an incident."""
    found = None
    hashes = observation.metadata.hashes
    try:
        found = None if desks is None else desks.read(settings.paths.log_dir)
    except ANY_FAILURE as problem:
        incidents.append(_late("desk.unread", Severity.UNKNOWN, _told(problem), "desk", len(incidents), now))
    if found is not None:
        hashes = found[1]
    for told in () if settings.release is None else differences(settings.release, hashes):
        message = f"what ran is not the release: {told}"
        incidents.append(_late("release.hash", Severity.FAIL, message, "release", len(incidents), now))
    return None if found is None else found[0], hashes


def _objectives(
    desks: DeskReader | None, desk: DeskFacts | None, window: RunWindow, incidents: list[Incident], now: int
) -> tuple[Objective, ...]:
    """Return what the desk's own assessments found during the run; what cannot be read is told, and derives nothing."""
    if desks is None or desk is None:
        return ()
    try:
        return desks.objectives(desk, started=window.start, ended=window.stop)
    except ANY_FAILURE as problem:
        incidents.append(_late("desk.unassessed", Severity.UNKNOWN, _told(problem), "desk", len(incidents), now))
        return ()


def _late(code: str, severity: Severity, message: str, component: str, known: int, now: int) -> Incident:
    return Incident(
        id=f"inc-{known + 1:05d}", code=code, severity=status_of(severity), state=IncidentState.OPEN,
        occurred_at=stamp(now), message=redact(message), metadata=IncidentMetadata(component=component),
    )  # fmt: skip


def _agreement(witness: Witness, observation: Observation, start: int, stop: int) -> Agreement:
    try:
        return agree(observation.heartbeat.ratio, witness.reading(started=start, ended=stop))
    except ANY_FAILURE as problem:
        return Agreement(Severity.UNKNOWN, None, f"the witness could not be read: {_told(problem)}")


def _witness_incident(agreement: Agreement, number: int, now: int) -> list[Incident]:
    if agreement.severity is Severity.OK:
        return []
    return [
        Incident(
            id=f"inc-{number:05d}", code="witness.disagreement", severity=status_of(agreement.severity),
            state=IncidentState.OPEN, occurred_at=stamp(now), message=redact(agreement.message),
            metadata=IncidentMetadata(component="witness", observed=agreement.ratio, unit="ratio"),
        )
    ]  # fmt: skip


def by_class(one: Incident, run_class: RunClass) -> Incident:
    """A command that had to be killed is a warning in a rehearsal and a failure in a release."""
    if one.code == FORCED_CODE and run_class is RunClass.RELEASE:
        return msgspec.structs.replace(one, severity=Status.FAIL)
    return one


def _facts(
    settings: RunSettings, observation: Observation, logs: LogSection, window: RunWindow, *, now: int,
    witnessed: bool, desk: DeskFacts | None, hashes: Hashes, objectives: tuple[Objective, ...],
) -> ReleaseFacts:  # fmt: skip
    policy = settings.policy
    return ReleaseFacts(
        paper_on_live_feed=None if desk is None else desk.paper_on_live_feed(started=window.start, ended=window.stop),
        required_seconds=policy.required_seconds,
        run_seconds=observation.run_seconds, slack_seconds=policy.duration_slack_seconds,
        uptime_ratio=logs.uptime_ratio, uptime_ratio_min=policy.uptime_ratio_min, witness_attached=witnessed,
        live_gap_alert_minutes=policy.live_gap_alert_minutes, heartbeat_source=observation.heartbeat.source,
        window_proved=logs.window_proved, relaxations=settings.relaxations(at=now),
        derived_objectives=frozenset(one.name for one in objectives if one.provenance == DERIVED),
        hashes_equal_release=None if settings.release is None else settings.release == hashes,
    )  # fmt: skip


def _told(problem: BaseException) -> str:
    return f"{type(problem).__name__}: {problem}"
