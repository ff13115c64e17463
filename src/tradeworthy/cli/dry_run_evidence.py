"""The switches of the verbs that judge evidence after a run: what to read, how to judge it, where the answer goes."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from cyclopts import Parameter

from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import ExitCode, InvalidInput, UsageError
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.artefact_files import write_text
from tradeworthy.operations.dry_run.artefacts import Summary
from tradeworthy.operations.dry_run.audit.classification import parse_time
from tradeworthy.operations.dry_run.audit.diary import DiaryPolicy
from tradeworthy.operations.dry_run.audit.evidence import Evidence, audit_evidence, run_state_beside, window_from
from tradeworthy.operations.dry_run.audit.policy import AuditPolicy
from tradeworthy.operations.dry_run.model import Relaxation, SignOffCriteria, Status, worst_status
from tradeworthy.operations.dry_run.policy import GapPolicy
from tradeworthy.operations.dry_run.sign_off import sign_off

STANDARD_OUTPUT = "-"
Files = Annotated[tuple[Path, ...], Parameter(negative="")]
Logs = Annotated[tuple[Path, ...], Parameter(negative="", consume_multiple=True)]
"""Several files after one switch too, as a shell writes them for a pattern."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class EvidenceSwitches:
    """What is judged and how.

    Parameters
    ----------
    log
        A structured log, plain or compressed; may be given several times, in the order of its segments.
    diary
        The decision diary.
    diary_min_entries_per_day
        Fewer entries on a UTC day are an issue; a part of a day asks for its part. 0 does not ask.
    diary_daily_gap_severity
        How bad such a day is.
    performance
        The performance file.
    journal
        The run's journal; the diary must hold as many decisions.
    warn_gap_minutes
        A silence of so long in the log is a warning.
    fail_gap_minutes
        A silence of so long in the log is a failure.
    window_start
        When the command was started, in ISO 8601; without it the run's own checkpoint is used where there is one.
    window_end
        When the command was asked to stop.
    heartbeat_interval_seconds
        Expected time between heartbeats; a silence of more than three is down.
    sign_off
        Compute the sign-off; what could not be judged fails there.
    sign_off_min_duration_hours
        Least run time.
    sign_off_min_uptime_ratio
        Floor of uptime, 0 to 1.
    sign_off_min_sharpe
        Floor of the Sharpe ratio.
    sign_off_allow_warnings
        Let a warning stay a warning. A relaxation.
    sign_off_optional_diary
        A run without diary may pass. A relaxation.
    sign_off_optional_performance
        A run without performance file may pass. A relaxation.
    treat_warn_as_error
        A warning leaves with 2.
    """

    log: Logs
    diary: Path | None = None
    diary_min_entries_per_day: float = 0.0
    diary_daily_gap_severity: Literal["warn", "fail"] = "warn"
    performance: Path | None = None
    journal: Path | None = None
    warn_gap_minutes: float = 60.0
    fail_gap_minutes: float = 360.0
    window_start: str | None = None
    window_end: str | None = None
    heartbeat_interval_seconds: float = 10.0
    sign_off: bool = False
    sign_off_min_duration_hours: float = 72.0
    sign_off_min_uptime_ratio: float = 0.98
    sign_off_min_sharpe: float | None = None
    sign_off_allow_warnings: bool = False
    sign_off_optional_diary: bool = False
    sign_off_optional_performance: bool = False
    treat_warn_as_error: bool = False

    def judge(self) -> Summary:
        """Return the judged evidence as a summary; raises `UsageError` when nothing named can be read."""
        if not self.log:
            raise UsageError("expected at least one --log, found none")
        if not 0 <= self.sign_off_min_uptime_ratio <= 1:
            raise UsageError(f"--sign-off-min-uptime-ratio must be from 0 to 1, was {self.sign_off_min_uptime_ratio:g}")
        if not self.heartbeat_interval_seconds > 0:
            raise UsageError(f"--heartbeat-interval-seconds must be above 0, was {self.heartbeat_interval_seconds:g}")
        if not self.sign_off_min_duration_hours >= 0:
            raise UsageError(f"--sign-off-min-duration-hours is negative: {self.sign_off_min_duration_hours:g}")
        if self.sign_off_min_sharpe is not None and not self.sign_off_min_sharpe >= 0:
            raise UsageError(f"--sign-off-min-sharpe must be at least 0, was {self.sign_off_min_sharpe:g}")
        window = window_from(self.window_start, self.window_end, parse=parse_time)
        evidence = Evidence(
            logs=self.log, diary=self.diary, performance=self.performance, journal=self.journal, window=window
        )
        if not evidence.present():
            named = ", ".join(str(one) for one in (*self.log, self.diary, self.performance) if one is not None)
            raise UsageError(f"expected files to judge, found none of {named}")
        policy = AuditPolicy(
            gaps=GapPolicy(warn_minutes=self.warn_gap_minutes, fail_minutes=self.fail_gap_minutes),
            heartbeat_interval_seconds=self.heartbeat_interval_seconds,
        )
        diary = DiaryPolicy(
            entries_per_day_min=self.diary_min_entries_per_day,
            daily_gap_severity=Status(self.diary_daily_gap_severity),
        )
        now = SystemClock().now()
        sections = audit_evidence(evidence, policy, diary, now=now)
        verdict = sign_off(sections, self._criteria(), now=now) if self.sign_off else None
        state = run_state_beside(self.log)
        return Summary(
            run_id=state.run_id if state is not None else self.log[0].name.partition(".")[0],
            status=worst_status(sections.status, *([] if verdict is None else [verdict.status])), summary=sections,
            sign_off=verdict, relaxations=self._relaxations(),
        )  # fmt: skip

    def _criteria(self) -> SignOffCriteria:
        return SignOffCriteria(
            minimum_duration_seconds=self.sign_off_min_duration_hours * 3600,
            minimum_uptime_ratio=self.sign_off_min_uptime_ratio, require_diary=not self.sign_off_optional_diary,
            require_performance=not self.sign_off_optional_performance, allow_warnings=self.sign_off_allow_warnings,
            minimum_sharpe_ratio=self.sign_off_min_sharpe,
        )  # fmt: skip

    def _relaxations(self) -> tuple[Relaxation, ...]:
        table = (
            (self.sign_off_allow_warnings, "relaxation.warnings", "--sign-off-allow-warnings"),
            (self.sign_off_optional_diary, "relaxation.diary", "--sign-off-optional-diary"),
            (self.sign_off_optional_performance, "relaxation.performance", "--sign-off-optional-performance"),
        )
        return tuple(Relaxation(code=code, switch=switch) for on, code, switch in table if on and self.sign_off)


def exit_code_of(status: Status, *, signed_off: bool, treat_warn_as_error: bool) -> int:
    """Return the code of a judgement; what could not be judged is 3, and fails where sign-off ran."""
    match status.severity:
        case Severity.OK:
            return ExitCode.PASS
        case Severity.WARN:
            return ExitCode.FAIL if treat_warn_as_error else ExitCode.WARN
        case Severity.UNKNOWN:
            return ExitCode.FAIL if signed_off else ExitCode.COULD_NOT_JUDGE
        case _:
            return ExitCode.FAIL


def give(text: str, output: Path | None) -> None:
    """Write a page to a file, or to standard output when none is named."""
    clean = str(redact(text))
    if output is None or str(output) == STANDARD_OUTPUT:
        sys.stdout.write(clean if clean.endswith("\n") else clean + "\n")
        sys.stdout.flush()
        return
    try:
        write_text(output, clean if clean.endswith("\n") else clean + "\n")
    except OSError as problem:
        raise UsageError(f"cannot write {output}: {problem.strerror or problem}") from None


def give_json(document: Any, output: Path | None) -> None:
    """Write a document as indented JSON, redacted by its keys and values, so that it stays JSON."""
    clean = redact(msgspec.to_builtins(document, str_keys=True))
    data = msgspec.json.format(msgspec.json.encode(clean), indent=2) + b"\n"
    if output is None or str(output) == STANDARD_OUTPUT:
        sys.stdout.write(data.decode())
        sys.stdout.flush()
        return
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        write_durably(output, data)
    except OSError as problem:
        raise UsageError(f"cannot write {output}: {problem.strerror or problem}") from None


def load(path: Path, parse: Callable[[bytes], Any], *, what: str) -> Any:
    """Read and parse an input file; raises `UsageError` when it is missing or not what it should be."""
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise UsageError(f"expected {what} at {path}, found none: {problem.strerror or problem}") from None
    try:
        return parse(data)
    except (ValueError, InvalidInput) as problem:
        raise UsageError(f"expected {what} at {path}, found something else: {problem}") from None


def json_object(data: bytes) -> dict[str, Any]:
    """Return the JSON object of some bytes; raises `ValueError` for anything else."""
    found = msgspec.json.decode(data)
    if not isinstance(found, dict):
        raise ValueError(f"expected a JSON object, found {type(found).__name__}")
    return found
