"""`tradeworthy final-dry-run [switches] -- COMMAND`: run a command for days under outside observation."""

import os
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cyclopts import Parameter

from tradeworthy.app.identity import code_hash
from tradeworthy.cli.dry_run_session import Artefact, announce, play, recover
from tradeworthy.cli.dry_run_switches import HarnessSwitches, PacketSwitches, ReviewSwitches, command_environment
from tradeworthy.kernel.clock import Clock, SystemClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.redaction import register_environment
from tradeworthy.operations.dry_run.chain import ChainResult
from tradeworthy.operations.dry_run.plan import LOG_STEM, harness_paths, hashes_of, require, run_id_of, stamp_name
from tradeworthy.operations.dry_run.recover import left_in, reasons_against_resuming
from tradeworthy.operations.dry_run.settings import RunSettings

DEFAULT_SWITCHES = HarnessSwitches()
DEFAULT_REVIEW = ReviewSwitches()
DEFAULT_PACKET = PacketSwitches()


def final_dry_run(
    *command: str, log_dir: Path | None = None, json_report: Path | None = None, markdown_report: Path | None = None,
    review_output: str | None = None, review_format: Literal["markdown", "json"] = "markdown",
    review_run_label: str | None = None, resume: Path | None = None,
    recover_: Annotated[Path | None, Parameter(name="--recover")] = None,
    switches: HarnessSwitches = DEFAULT_SWITCHES, review: ReviewSwitches = DEFAULT_REVIEW,
    packet: PacketSwitches = DEFAULT_PACKET,
) -> int:  # fmt: skip
    """Run COMMAND, watch it from outside, and judge what was measured.

    Parameters
    ----------
    command
        The command and its words, after `--`.
    log_dir
        The evidence folder; it must be empty or new.
    json_report
        Where the summary goes as JSON.
    markdown_report
        Where the summary goes as Markdown.
    review_output
        Where the review brief goes, - for standard output.
    review_format
        markdown or json.
    review_run_label
        The run's name in the brief.
    resume
        Go on with a run that its host cut off; its folder.
    recover_
        Judge a run whose harness died, without running anything; its folder.
    """
    clock = SystemClock()
    summary = json_report
    pairs = switches.environment_pairs()
    register_environment({**os.environ, **pairs})
    if resume is not None and recover_ is not None:
        raise UsageError("--resume and --recover cannot both be given")
    if recover_ is not None:
        left = left_in(recover_)
        result = recover(left, clock=clock, summary=summary)
        settings = left.settings
    elif resume is not None:
        left = left_in(resume)
        settings = left.settings
        hashes = hashes_of(settings.command, code=code_hash())
        require(
            settings.policy, settings.paths, settings.command, command_environment(pairs), resumed=True,
            more=tuple(reasons_against_resuming(left, command, hashes, frozenset(pairs))),
        )  # fmt: skip
        result = play(_with_environment(settings, pairs), clock=clock, summary=summary, carried=left.state)
    else:
        settings = _planned(command, log_dir, switches, pairs, review_run_label, clock)
        result = play(settings, clock=clock, summary=summary)
    return _finish(result, settings, summary)


def _planned(
    command: tuple[str, ...], log_dir: Path | None, switches: HarnessSwitches, pairs: dict[str, str],
    label: str | None, clock: Clock,
) -> RunSettings:  # fmt: skip
    if log_dir is None:
        raise UsageError("--log-dir is required: the evidence folder of the run")
    now = clock.now()
    policy = switches.policy()
    paths = harness_paths(
        log_dir, now, progress=switches.progress_path, timeline=switches.progress_timeline_dir,
        diary=switches.diary, performance=switches.performance,
    )  # fmt: skip
    metadata = switches.metadata_pairs()
    require(policy, paths, command, command_environment(pairs), more=switches.unverifiable())
    return RunSettings(
        run_id=run_id_of(now, command, log_dir), name=f"{LOG_STEM}_{stamp_name(now)}", command=command, policy=policy,
        paths=paths, label=label, metadata=metadata, user_environment=pairs,
        hashes=hashes_of(command, code=code_hash()),
    )  # fmt: skip


def _finish(result: ChainResult, settings: RunSettings, summary: Path | None) -> int:
    paths = settings.paths
    artefacts = [Artefact("logs", paths.log_dir), Artefact("progress", paths.progress)]
    if summary is not None:
        artefacts.append(Artefact("summary", summary))
    announce(result, result.exit_code, tuple(artefacts))
    return result.exit_code


def _with_environment(settings: RunSettings, pairs: dict[str, str]) -> RunSettings:
    return msgspec.structs.replace(settings, user_environment=pairs)
