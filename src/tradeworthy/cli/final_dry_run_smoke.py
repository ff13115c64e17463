"""`tradeworthy final-dry-run-smoke`: the whole chain over the simulated runtime, in a minute or on a virtual clock."""

import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from tradeworthy.app.identity import code_hash
from tradeworthy.cli.dry_run_session import finish, hide_secrets, play, say
from tradeworthy.cli.dry_run_switches import DEFAULT_PACKET, HarnessSwitches, PacketSwitches, ReviewSwitches
from tradeworthy.kernel.clock import EventClock, SystemClock
from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.operations.dry_run.audit.judges import AuditJudges
from tradeworthy.operations.dry_run.chain import Chain, ChainResult
from tradeworthy.operations.dry_run.deliver import Deliveries, PacketInputs, ReviewInputs
from tradeworthy.operations.dry_run.model import Hashes
from tradeworthy.operations.dry_run.plan import LOG_STEM, hashes_of, require, run_id_of, stamp_name
from tradeworthy.operations.dry_run.policy import SECONDS_PER_HOUR
from tradeworthy.operations.dry_run.run_folder import RunFolder
from tradeworthy.operations.dry_run.settings import RunSettings
from tradeworthy.operations.dry_run.simulation import fault_of
from tradeworthy.operations.dry_run.smoke import (
    VIRTUAL_PROGRESS_SECONDS,
    VIRTUAL_START,
    VIRTUAL_TICK_SECONDS,
    SmokePolicy,
    command_of,
    harness_policy,
    simulation_policy,
)
from tradeworthy.operations.dry_run.virtual import VirtualCommand
from tradeworthy.operations.dry_run.wrap_up import WrapUpPolicy

DEFAULT_ROOT = Path("artifacts/final_dry_run_smoke")
PROGRAM = (sys.executable, "-m", "tradeworthy")
Words = Annotated[tuple[str, ...], Parameter(negative="")]


def final_dry_run_smoke(
    *, output_dir: Path | None = None, duration_seconds: float = 60.0, tick_interval: float | None = None,
    progress_interval: float | None = None, minimum_uptime: float = 0.95, allow_warnings: bool = False,
    packet: PacketSwitches = DEFAULT_PACKET, review_markdown: Path | None = None, review_json: Path | None = None,
    review_note: Words = (), metadata: Words = (), env: Words = (), fault: Words = (),
    treat_warn_as_error: Annotated[bool, Parameter(negative="")] = False, virtual_hours: float | None = None,
    repetitions: int = 1,
) -> int:  # fmt: skip
    """Run the simulated runtime under the full chain and judge it like any run.

    Parameters
    ----------
    output_dir
        The run folder; a new one below artifacts/final_dry_run_smoke when not given.
    duration_seconds
        How long the run lasts.
    tick_interval
        Seconds between heartbeats, 2 when not given (10 on the virtual clock); every limit is scaled to it.
    progress_interval
        Seconds between progress snapshots, 5 when not given (300 on the virtual clock).
    minimum_uptime
        Floor of observed uptime, 0 to 1.
    allow_warnings
        Let a warning stay a warning at sign-off. A relaxation.
    review_markdown
        Where the brief goes as Markdown.
    review_json
        Where the brief goes as JSON.
    review_note
        A note for the brief; may be given several times.
    metadata
        KEY=VALUE to keep with the run.
    env
        KEY=VALUE for the runtime's environment.
    fault
        KIND[=VALUE]@SECONDS for the runtime, as in `simulated-runtime`.
    treat_warn_as_error
        A warning leaves with 2.
    virtual_hours
        Run so many hours on an injected clock instead of the machine's own.
    repetitions
        Run so often, each with a seed of its own, in folders of their own.
    """
    if repetitions < 1:
        raise UsageError(f"--repetitions must be at least 1, was {repetitions}")
    for switch, value in (
        ("--duration-seconds", duration_seconds), ("--tick-interval", tick_interval),
        ("--progress-interval", progress_interval),
    ):  # fmt: skip
        if value is not None and not (math.isfinite(value) and value > 0):
            raise UsageError(f"{switch} must be a number of seconds above 0, was {value:g}")
    if not 0 <= minimum_uptime <= 1:
        raise UsageError(f"--minimum-uptime must be from 0 to 1, was {minimum_uptime:g}")
    virtual = virtual_hours is not None
    if virtual_hours is not None and not virtual_hours > 0:
        raise UsageError(f"--virtual-hours must be above 0, was {virtual_hours:g}")
    switches = HarnessSwitches(metadata=metadata, env=env)
    hide_secrets(switches)
    root = output_dir or DEFAULT_ROOT / stamp_name(SystemClock().now())
    smoke = SmokePolicy(
        duration_seconds=duration_seconds if virtual_hours is None else virtual_hours * SECONDS_PER_HOUR,
        tick_seconds=tick_interval or (VIRTUAL_TICK_SECONDS if virtual else 2.0),
        progress_seconds=progress_interval or (VIRTUAL_PROGRESS_SECONDS if virtual else 5.0),
        uptime_ratio_min=minimum_uptime, allow_warnings=allow_warnings, faults=tuple(fault_of(word) for word in fault),
    )  # fmt: skip
    worst = int(ExitCode.PASS)
    for number in range(1, repetitions + 1):
        folder = RunFolder(root if repetitions == 1 else root / f"repetition-{number:04d}")
        one = msgspec.structs.replace(smoke, seed=number - 1)
        deliveries = _deliveries(folder, one, packet, review_markdown, review_json, review_note)
        code = _once(folder, one, switches, deliveries, virtual=virtual)
        if code == ExitCode.INTERRUPTED:
            return code
        worst = max(worst, code)
    return ExitCode.FAIL if treat_warn_as_error and worst == ExitCode.WARN else worst


def _once(
    folder: RunFolder, smoke: SmokePolicy, switches: HarnessSwitches, deliveries: Deliveries, *, virtual: bool
) -> int:
    system = SystemClock()
    now = VIRTUAL_START if virtual else system.now()
    policy = harness_policy(smoke, virtual=virtual)
    paths = folder.paths(timeline=folder.timeline, diary=folder.diary, performance=folder.performance)
    command = command_of(smoke, program=PROGRAM)
    pairs = switches.environment_pairs()
    require(policy, paths, command, {}, more=())
    settings = RunSettings(
        run_id=run_id_of(now, command, Path("/virtual") if virtual else folder.root),
        name=f"{LOG_STEM}_{stamp_name(now)}", command=command, policy=policy, paths=paths,
        label="smoke", metadata=switches.metadata_pairs(), user_environment=pairs,
        hashes=Hashes() if virtual else hashes_of(command, code=code_hash()),
    )  # fmt: skip
    if not virtual:
        result = play(settings, clock=system, summary=deliveries.summary_json)
        return finish(result, settings, deliveries, ReviewSwitches(), bundled=folder)
    clock = EventClock(now)
    result = _play_virtual(settings, smoke, clock, deliveries)
    return finish(result, settings, deliveries, ReviewSwitches(), now=clock.now(), bundled=folder)


def _play_virtual(
    settings: RunSettings, smoke: SmokePolicy, clock: EventClock, deliveries: Deliveries
) -> ChainResult:
    simulation = simulation_policy(smoke, settings.paths, label="smoke", virtual=True)

    def make(_failed: Callable[[str, BaseException], None]) -> VirtualCommand:
        return VirtualCommand(simulation, clock)

    return Chain(settings, AuditJudges(), clock=clock, say=say, summary_path=deliveries.summary_json).run(make)


def _deliveries(
    folder: RunFolder, smoke: SmokePolicy, packet: PacketSwitches, review_markdown: Path | None,
    review_json: Path | None, notes: tuple[str, ...],
) -> Deliveries:  # fmt: skip
    return Deliveries(
        summary_json=folder.summary_json, summary_markdown=folder.summary_markdown,
        review=ReviewInputs(run_label="smoke", notes=notes), review_json=review_json or folder.review_json,
        review_markdown=review_markdown or folder.review_markdown,
        wrap_up=WrapUpPolicy(required_duration_hours=smoke.duration_seconds / SECONDS_PER_HOUR),
        wrap_up_json=folder.wrap_up_json, wrap_up_markdown=folder.wrap_up_markdown, backlog=folder.backlog,
        packet=packet.inputs()
        or PacketInputs(folder=folder.packet, archive=folder.packet_archive, skip_raw=packet.packet_skip_raw),
    )  # fmt: skip
