"""The switches of the final dry run, as words on the command line and as the policy they mean."""

import os
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from tradeworthy.kernel.errors import UsageError
from tradeworthy.operations.dry_run.deliver import PacketInputs, ReviewInputs
from tradeworthy.operations.dry_run.model import Status
from tradeworthy.operations.dry_run.objectives import parse_objective
from tradeworthy.operations.dry_run.policy import (
    FreshnessPolicy,
    GapPolicy,
    HarnessPolicy,
    PumpPolicy,
    ResourcePolicy,
)
from tradeworthy.operations.dry_run.preflight import metadata_of, pairs_of
from tradeworthy.operations.dry_run.review import ReviewPolicy, notes_of

Level = Literal["warn", "fail"]
Words = Annotated[tuple[str, ...], Parameter(negative="")]
Files = Annotated[tuple[Path, ...], Parameter(negative="")]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class HarnessSwitches:
    """Switches of the harness itself.

    Parameters
    ----------
    duration_hours
        How long the command runs before it is asked to stop.
    required_duration_hours
        The least run time for sign-off; the duration when not given.
    minimum_uptime_ratio
        Floor of observed uptime, 0 to 1.
    heartbeat_interval_seconds
        Expected time between heartbeats; a silence of more than three is down.
    progress_path
        Where the live snapshot goes.
    progress_interval_minutes
        Time between snapshots, 0 for only those at start, incidents and end.
    progress_timeline_dir
        Keep every snapshot, write-once, in this folder.
    shutdown_grace_seconds
        From SIGINT to SIGKILL; SIGTERM comes halfway.
    log_rotate_hours
        Start a new log segment after so many hours.
    compress_logs
        Compress both log streams while they are written.
    compress_format
        gz or zst.
    max_line_kib
        Longer lines are cut and reported.
    log_monitor
        Watch lines as they come (the audit judges them anyway). Switching it off is a relaxation.
    stderr_plain_severity
        What unstructured text on standard error means.
    warn_gap_minutes
        A silence of so long in the log is a warning.
    fail_gap_minutes
        A silence of so long in the log is a failure.
    live_gap_alert_minutes
        Alert when nothing was printed for so long.
    live_gap_alert_severity
        How bad such a silence is.
    diary
        The decision diary of the command.
    performance
        The performance file of the command.
    diary_required
        Whether a run without diary may start. Switching it off is a relaxation.
    performance_required
        Whether a run without performance file may start. Switching it off is a relaxation.
    diary_stale_warn_minutes
        A diary of so old an age is a warning.
    diary_stale_fail_minutes
        A diary of so old an age is a failure.
    performance_stale_warn_minutes
        A performance file of so old an age is a warning.
    performance_stale_fail_minutes
        A performance file of so old an age is a failure.
    evidence_check_interval_minutes
        How often evidence files are looked at.
    evidence_initial_grace_minutes
        Time before their age is judged.
    minimum_sharpe_ratio
        Floor of the Sharpe ratio; asks for performance evidence.
    allow_warnings
        Let a warning stay a warning at sign-off. A relaxation.
    resource_sample_interval_minutes
        Time between samples of the process tree, 0 for none.
    resource_monitor
        Watch the process tree. Switching it off is a relaxation.
    resource_max_cpu_percent
        Limit; 100 is one core.
    resource_max_memory_mb
        Limit of the whole tree.
    resource_max_memory_percent
        Limit of the whole tree, of the machine's memory.
    resource_violation_severity
        How bad a reached limit is.
    metadata
        KEY=VALUE to keep with the run; may be given several times.
    env
        KEY=VALUE for the command's environment; values are not recorded.
    run_id
        The run's id, for what people and the witness sign before it starts; made of time and command when not given.
    waiver
        A signed waiver of a relaxation; may be given several times. Its scope becomes the run's id.
    trust
        The trust file that says whose signatures count.
    release
        The release manifest that what runs must equal.
    operator
        Who runs it, and so may not sign; the account of this process when not given.
    evidence
        A folder of what a release's bundle holds beside the run: sbom.json, loaded_modules.json, alert_canary.json,
        drills/, flatness/. It is copied when the run ends; of a desk of ours the last three are fetched without it.
    witness
        Where the outside witness keeps its signed minutes: a URL or a file. Needs --trust.
    resume
        Go on with a run that its host cut off; its folder.
    recover
        Judge a run whose harness died, without running anything; its folder.
    log_dir
        The evidence folder; it must be empty or new.
    json_report
        Where the summary goes as JSON.
    markdown_report
        Where the summary goes as Markdown.
    """

    log_dir: Path | None = None
    json_report: Path | None = None
    markdown_report: Path | None = None
    resume: Path | None = None
    recover: Path | None = None
    duration_hours: float = 72.0
    required_duration_hours: float | None = None
    minimum_uptime_ratio: float = 0.98
    heartbeat_interval_seconds: float = 10.0
    progress_path: Path | None = None
    progress_interval_minutes: float = 5.0
    progress_timeline_dir: Path | None = None
    shutdown_grace_seconds: float = 60.0
    log_rotate_hours: float | None = None
    compress_logs: bool = False
    compress_format: Literal["gz", "zst"] = "gz"
    max_line_kib: int = 1_024
    log_monitor: bool = True
    stderr_plain_severity: Level = "fail"
    warn_gap_minutes: float = 60.0
    fail_gap_minutes: float = 360.0
    live_gap_alert_minutes: float | None = None
    live_gap_alert_severity: Level = "warn"
    diary: Path | None = None
    performance: Path | None = None
    diary_required: bool = True
    performance_required: bool = True
    diary_stale_warn_minutes: float | None = None
    diary_stale_fail_minutes: float | None = None
    performance_stale_warn_minutes: float | None = None
    performance_stale_fail_minutes: float | None = None
    evidence_check_interval_minutes: float | None = None
    evidence_initial_grace_minutes: float = 15.0
    minimum_sharpe_ratio: float | None = None
    allow_warnings: bool = False
    resource_sample_interval_minutes: float = 1.0
    resource_monitor: bool = True
    resource_max_cpu_percent: Annotated[
        float | None, Parameter(name=("--resource-max-cpu-percent", "--max-cpu-percent"))
    ] = None
    resource_max_memory_mb: Annotated[
        float | None, Parameter(name=("--resource-max-memory-mb", "--max-memory-mb"))
    ] = None
    resource_max_memory_percent: Annotated[
        float | None, Parameter(name=("--resource-max-memory-percent", "--max-memory-percent"))
    ] = None
    resource_violation_severity: Level = "fail"
    metadata: Words = ()
    env: Words = ()
    run_id: str | None = None
    waiver: Files = ()
    trust: Path | None = None
    release: Path | None = None
    operator: str | None = None
    evidence: Path | None = None
    witness: str | None = None

    def policy(self) -> HarnessPolicy:
        """Return what these switches mean."""
        return HarnessPolicy(
            duration_hours=self.duration_hours, required_duration_hours=self.required_duration_hours,
            uptime_ratio_min=self.minimum_uptime_ratio, heartbeat_interval_seconds=self.heartbeat_interval_seconds,
            progress_interval_minutes=self.progress_interval_minutes,
            shutdown_grace_seconds=self.shutdown_grace_seconds, log_monitor=self.log_monitor,
            stderr_plain_severity=Status(self.stderr_plain_severity),
            gaps=GapPolicy(warn_minutes=self.warn_gap_minutes, fail_minutes=self.fail_gap_minutes),
            live_gap_alert_minutes=self.live_gap_alert_minutes,
            live_gap_alert_severity=Status(self.live_gap_alert_severity), diary_required=self.diary_required,
            performance_required=self.performance_required,
            diary_freshness=FreshnessPolicy(
                warn_minutes=self.diary_stale_warn_minutes, fail_minutes=self.diary_stale_fail_minutes
            ),
            performance_freshness=FreshnessPolicy(
                warn_minutes=self.performance_stale_warn_minutes, fail_minutes=self.performance_stale_fail_minutes
            ),
            evidence_check_interval_minutes=self.evidence_check_interval_minutes,
            evidence_initial_grace_minutes=self.evidence_initial_grace_minutes,
            sharpe_ratio_min=self.minimum_sharpe_ratio, allow_warnings=self.allow_warnings,
            pumps=PumpPolicy(
                line_kib_max=self.max_line_kib, rotate_hours=self.log_rotate_hours, compress=self.compress_logs,
                compress_format=self.compress_format,
            ),
            resources=ResourcePolicy(
                enabled=self.resource_monitor, sample_interval_minutes=self.resource_sample_interval_minutes,
                cpu_percent_max=self.resource_max_cpu_percent, memory_mb_max=self.resource_max_memory_mb,
                memory_percent_max=self.resource_max_memory_percent,
                violation_severity=Status(self.resource_violation_severity),
            ),
        )  # fmt: skip

    def unverifiable(self) -> tuple[str, ...]:
        """Return why what was handed over cannot be trusted here."""
        given = (("--waiver", bool(self.waiver)), ("--witness", self.witness is not None))
        return tuple(
            f"{switch} needs --trust, the file that says whose signatures count"
            for switch, used in given if used and self.trust is None
        )  # fmt: skip

    def witness_place(self) -> str | None:
        """Return where the witness's minutes are, as it is from any folder."""
        if self.witness is None or "://" in self.witness:
            return self.witness
        return str(Path(self.witness).absolute())

    def metadata_pairs(self) -> dict[str, str]:
        """Return the `--metadata` pairs; a bad or reserved one is a usage error."""
        return _usage(lambda: metadata_of(self.metadata))

    def environment_pairs(self) -> dict[str, str]:
        """Return the `--env` pairs; a bad one is a usage error."""
        return _usage(lambda: pairs_of(self.env, switch="--env"))


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class ReviewSwitches:
    """Switches of the review brief.

    Parameters
    ----------
    attendee
        Who will be at the review.
    objective
        NAME=STATUS[:NOTE] as a person judges it.
    note
        A note for the review.
    notes_file
        A file of notes, one a line.
    review
        Whether a brief is written at all.
    review_output
        Where the brief goes, - for standard output.
    review_format
        markdown or json.
    review_run_label
        The run's name in the brief.
    review_summary
        Append the summary to the brief.
    review_sign_off
        Append the sign-off to the brief.
    """

    review_output: str | None = None
    review_format: Literal["markdown", "json"] = "markdown"
    review_run_label: Annotated[str | None, Parameter(name=("--review-run-label", "--run-label"))] = None
    attendee: Words = ()
    objective: Words = ()
    note: Words = ()
    notes_file: Files = ()
    review: bool = True
    review_summary: Annotated[
        bool, Parameter(name="--review-include-summary", negative="--review-skip-summary")
    ] = True
    review_sign_off: Annotated[
        bool, Parameter(name="--review-include-sign-off", negative="--review-skip-sign-off")
    ] = True

    def inputs(self) -> ReviewInputs:
        """Return what people add to the brief; raises `UsageError` for a bad objective or a missing file of notes."""
        return ReviewInputs(
            run_label=self.review_run_label, attendees=self.attendee, notes=(*self.note, *notes_of(self.notes_file)),
            objectives=tuple(parse_objective(one) for one in self.objective),
            parts=ReviewPolicy(include_summary=self.review_summary, include_sign_off=self.review_sign_off),
        )  # fmt: skip

    def refuse_without_review(self, *, others: tuple[str, ...] = ()) -> None:
        """Refuse a place for a review that is switched off."""
        named = (*others, *(["--review-output"] if self.review_output is not None else []))
        if not self.review and named:
            raise UsageError(f"--no-review writes no brief, but {', '.join(named)} names a place for one")


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class PacketSwitches:
    """Switches of the evidence packet.

    Parameters
    ----------
    packet_dir
        Where the packet is laid out.
    packet_archive
        One reproducible .tar.gz of the packet.
    packet_skip_raw
        Leave the raw logs and evidence files out.
    """

    packet_dir: Path | None = None
    packet_archive: Path | None = None
    packet_skip_raw: Annotated[bool, Parameter(negative="--packet-include-raw")] = False

    def inputs(self) -> PacketInputs | None:
        """Return where the packet goes; an archive needs its folder."""
        if self.packet_dir is None:
            if self.packet_archive is not None:
                raise UsageError("--packet-archive needs --packet-dir, the folder that it packs")
            return None
        return PacketInputs(folder=self.packet_dir, archive=self.packet_archive, skip_raw=self.packet_skip_raw)


DEFAULT_SWITCHES = HarnessSwitches()
DEFAULT_REVIEW = ReviewSwitches()
DEFAULT_PACKET = PacketSwitches()


def command_environment(pairs: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with `pairs` over it."""
    return {**os.environ, **pairs}


def shown(command: tuple[str, ...]) -> str:
    """Return a command as one would type it."""
    return shlex.join(command)


def _usage(parse: Callable[[], dict[str, str]]) -> dict[str, str]:
    try:
        return parse()
    except ValueError as problem:
        raise UsageError(str(problem)) from None
