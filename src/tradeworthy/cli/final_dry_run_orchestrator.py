"""`tradeworthy final-dry-run-orchestrator [switches] -- COMMAND`: one run folder with everything in it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from tradeworthy.cli.dry_run_session import continued, finish, hide_secrets, planned, play, recover
from tradeworthy.cli.dry_run_switches import (
    DEFAULT_PACKET,
    DEFAULT_REVIEW,
    DEFAULT_SWITCHES,
    HarnessSwitches,
    PacketSwitches,
    ReviewSwitches,
)
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.operations.dry_run.deliver import Deliveries, PacketInputs
from tradeworthy.operations.dry_run.plan import stamp_name
from tradeworthy.operations.dry_run.policy import SECONDS_PER_HOUR
from tradeworthy.operations.dry_run.recover import left_in
from tradeworthy.operations.dry_run.run_folder import DEFAULT_ROOT, RunFolder, fresh_folder
from tradeworthy.operations.dry_run.settings import RunSettings
from tradeworthy.operations.dry_run.wrap_up import WrapUpPolicy


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class OrchestratorSwitches:
    """Switches of the run folder.

    Parameters
    ----------
    output_root
        Where run folders go.
    run_name
        The folder's name; the time when not given. One that exists is refused.
    skip_diary_evidence
        Run without decision diary. A relaxation.
    skip_performance_evidence
        Run without performance file. A relaxation.
    diary_path
        The decision diary, when it is not in the run folder.
    performance_path
        The performance file, when it is not in the run folder.
    progress_timeline
        Keep every progress snapshot.
    review_json
        Where the brief goes as JSON.
    review_markdown
        Where the brief goes as Markdown.
    wrap_up
        Write the wrap-up.
    wrap_up_json
        Where the wrap-up goes as JSON.
    wrap_up_markdown
        Where the wrap-up goes as Markdown.
    wrap_up_duration_tolerance_minutes
        How much of the required time may be missing.
    wrap_up_treat_warn_as_failure
        A warning of the wrap-up leaves with 2.
    packet
        Build the evidence packet.
    """

    output_root: Path = DEFAULT_ROOT
    run_name: str | None = None
    skip_diary_evidence: Annotated[bool, Parameter(negative="")] = False
    skip_performance_evidence: Annotated[bool, Parameter(negative="")] = False
    diary_path: Path | None = None
    performance_path: Path | None = None
    progress_timeline: bool = True
    review_json: Path | None = None
    review_markdown: Path | None = None
    wrap_up: bool = True
    wrap_up_json: Path | None = None
    wrap_up_markdown: Path | None = None
    wrap_up_duration_tolerance_minutes: float = 5.0
    wrap_up_treat_warn_as_failure: Annotated[bool, Parameter(negative="")] = False
    packet: bool = True

    def refuse_contradictions(self, review: ReviewSwitches, packet: PacketSwitches) -> None:
        """Refuse places for what is switched off, and tolerances that cannot be."""
        review.refuse_without_review(others=_named((
            ("--review-json", self.review_json), ("--review-markdown", self.review_markdown),
        )))  # fmt: skip
        named = _named((
            ("--packet-dir", packet.packet_dir), ("--packet-archive", packet.packet_archive),
            ("--packet-skip-raw", packet.packet_skip_raw or None),
        ))  # fmt: skip
        if not self.packet and named:
            raise UsageError(f"--no-packet builds no packet, but {', '.join(named)} asks for one")
        named = _named((("--wrap-up-json", self.wrap_up_json), ("--wrap-up-markdown", self.wrap_up_markdown)))
        if not self.wrap_up and named:
            raise UsageError(f"--no-wrap-up writes no wrap-up, but {', '.join(named)} names a place for one")
        if not self.wrap_up_duration_tolerance_minutes >= 0:
            minutes = self.wrap_up_duration_tolerance_minutes
            raise UsageError(f"--wrap-up-duration-tolerance-minutes must be at least 0, was {minutes:g}")


DEFAULT_FOLDER = OrchestratorSwitches()


def final_dry_run_orchestrator(
    *command: str, switches: HarnessSwitches = DEFAULT_SWITCHES, review: ReviewSwitches = DEFAULT_REVIEW,
    packet: PacketSwitches = DEFAULT_PACKET, places: OrchestratorSwitches = DEFAULT_FOLDER,
) -> int:  # fmt: skip
    """Run COMMAND and leave one folder: logs, progress, verdict, review, wrap-up, backlog and packet.

    Parameters
    ----------
    command
        The command and its words, after `--`.
    """
    clock = SystemClock()
    hide_secrets(switches)
    places.refuse_contradictions(review, packet)
    if switches.recover is not None or switches.resume is not None:
        left = left_in(switches.recover or switches.resume or Path())
        folder = RunFolder(left.settings.paths.run_state.parent)
        if switches.recover is not None:
            settings = left.settings
            deliveries = _deliveries(folder, settings, switches, review, packet, places)
            result = recover(left, clock=clock, deliveries=deliveries)
        else:
            settings = continued(left, command, switches)
            deliveries = _deliveries(folder, settings, switches, review, packet, places)
            result = play(settings, clock=clock, summary=deliveries.summary_json, carried=left.state)
        return finish(result, settings, deliveries, review, bundled=folder)
    now = clock.now()
    folder = fresh_folder(places.output_root, places.run_name or stamp_name(now))
    policy = switches.policy()
    policy = msgspec.structs.replace(
        policy, diary_required=policy.diary_required and not places.skip_diary_evidence,
        performance_required=policy.performance_required and not places.skip_performance_evidence,
    )  # fmt: skip
    paths = folder.paths(
        log_dir=switches.log_dir, progress=switches.progress_path,
        timeline=switches.progress_timeline_dir or (folder.timeline if places.progress_timeline else None),
        diary=None if places.skip_diary_evidence else places.diary_path or switches.diary or folder.diary,
        performance=None if places.skip_performance_evidence
        else places.performance_path or switches.performance or folder.performance,
    )  # fmt: skip
    settings = planned(
        command, switches, paths, policy, now=now, label=review.review_run_label or folder.root.name,
        folder=folder.root,
    )  # fmt: skip
    deliveries = _deliveries(folder, settings, switches, review, packet, places)
    result = play(settings, clock=clock, summary=deliveries.summary_json)
    return finish(result, settings, deliveries, review, bundled=folder)


def _deliveries(
    folder: RunFolder, settings: RunSettings, switches: HarnessSwitches, review: ReviewSwitches,
    packet: PacketSwitches, places: OrchestratorSwitches,
) -> Deliveries:  # fmt: skip
    inputs = None
    if places.packet:
        inputs = packet.inputs() or PacketInputs(
            folder=folder.packet, archive=folder.packet_archive, skip_raw=packet.packet_skip_raw
        )
    brief = review.inputs() if review.review else None
    if brief is not None and brief.run_label is None:
        brief = msgspec.structs.replace(brief, run_label=settings.label)
    return Deliveries(
        summary_json=switches.json_report or folder.summary_json,
        summary_markdown=switches.markdown_report or folder.summary_markdown, review=brief,
        review_json=places.review_json or folder.review_json,
        review_markdown=places.review_markdown or folder.review_markdown,
        wrap_up=None if not places.wrap_up else WrapUpPolicy(
            required_duration_hours=settings.policy.required_seconds / SECONDS_PER_HOUR,
            duration_tolerance_minutes=places.wrap_up_duration_tolerance_minutes,
            treat_warn_as_failure=places.wrap_up_treat_warn_as_failure,
        ),
        wrap_up_json=places.wrap_up_json or folder.wrap_up_json,
        wrap_up_markdown=places.wrap_up_markdown or folder.wrap_up_markdown, backlog=folder.backlog, packet=inputs,
    )  # fmt: skip


def _named(pairs: tuple[tuple[str, object], ...]) -> tuple[str, ...]:
    return tuple(switch for switch, value in pairs if value is not None)
