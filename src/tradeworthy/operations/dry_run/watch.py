"""Follow a run by its progress file (DR-40): what a person sees, and the exit code that goes with it."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.artefacts import Progress
from tradeworthy.operations.dry_run.incidents import one_line
from tradeworthy.operations.dry_run.model import Phase, Status

SECONDS_PER_HOUR, SECONDS_PER_MINUTE = 3_600, 60
PROGRESS_NAME = "progress.json"


class WatchPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What is shown, and when to stop looking."""

    interval_seconds: float = 30.0
    once: bool = False
    incidents_max: int = 5
    show_incidents: bool = True
    show_summary: bool = True
    show_sign_off: bool = True
    exit_when_complete: bool = False
    treat_warn_as_error: bool = False


def watch(path: Path, policy: WatchPolicy, *, clock: Clock, show: Callable[[str], None]) -> int:
    """Show each new snapshot; return the exit code of the last one shown. Raises `UsageError` without a good file."""
    shown: bytes | None = None
    while True:
        data, progress = load(path)
        if data != shown:
            shown = data
            show(render(progress, policy))
        if policy.once or (policy.exit_when_complete and progress.phase is Phase.COMPLETE):
            return exit_code(progress, treat_warn_as_error=policy.treat_warn_as_error)
        clock.sleep(round(policy.interval_seconds * NANOS_PER_SECOND))


def load(path: Path) -> tuple[bytes, Progress]:
    """Read a progress file, or that of a run's folder; raises `UsageError` when it is missing or not one."""
    if path.is_dir():
        path = path / PROGRESS_NAME
    try:
        data = path.read_bytes()
        return data, msgspec.json.decode(data, type=Progress)
    except OSError as problem:
        raise UsageError(
            f"expected a progress file at {path}, found none: {problem.strerror}. A run writes it when its command "
            "has started; name the run's folder, or its progress.json"
        ) from None
    except msgspec.MsgspecError as problem:
        raise UsageError(f"expected a progress file at {path}, found something else: {problem}") from None


def exit_code(progress: Progress, *, treat_warn_as_error: bool) -> int:
    """Return the code of a snapshot: its own status, and while it runs the worst incident so far."""
    match max(progress.status.severity, progress.highest_severity.severity):
        case Severity.OK:
            return ExitCode.PASS
        case Severity.WARN:
            return ExitCode.FAIL if treat_warn_as_error else ExitCode.WARN
        case Severity.UNKNOWN:
            return ExitCode.COULD_NOT_JUDGE
        case _:
            return ExitCode.FAIL


def render(progress: Progress, policy: WatchPolicy) -> str:
    """Return a snapshot as text, newest incident last."""
    target = progress.target_duration_seconds
    percent = 100.0 if target <= 0 else min(100.0, 100.0 * progress.elapsed_seconds / target)
    left = max(0.0, target - progress.elapsed_seconds)
    beat = progress.heartbeat
    ratio = "unknown" if beat.ratio is None else f"{beat.ratio:.3%}"
    lines = [
        f"{progress.now:%Y-%m-%d %H:%M:%S}Z  {progress.run_id}  {progress.status} / {progress.phase}  "
        f"class {progress.run_class}",
        f"  elapsed {span(progress.elapsed_seconds)} of {span(target)} ({percent:.1f} %), {span(left)} left, "
        f"required at least {span(progress.required_duration_seconds)}",
        f"  uptime {ratio} by {beat.source}, floor {progress.minimum_uptime_ratio:.3%}; worst so far "
        f"{progress.highest_severity}",
        f"  lines {progress.total_lines} (stdout {progress.line_counts.stdout}, stderr {progress.line_counts.stderr})"
        + "".join(f", {level} {count}" for level, count in progress.level_counts.items()),
        f"  evidence required: diary {_word(progress.require_diary_evidence)}, "
        f"performance {_word(progress.require_performance_evidence)}",
    ]
    lines += [f"  relaxed: {one.told()}" for one in progress.relaxations]
    if policy.show_incidents and policy.incidents_max > 0:
        hidden = len(progress.incidents) - policy.incidents_max
        if hidden > 0:
            lines.append(f"  ({hidden} older incidents)")
        lines += [f"  ! {one_line(one)}" for one in progress.incidents[-policy.incidents_max :]]
    if progress.phase is Phase.COMPLETE:
        lines.append(f"  exit code {progress.exit_code}")
        if policy.show_summary and progress.summary is not None:
            words = ", ".join(f"{name} {word}" for name, word in progress.summary.items())
            lines.append(f"  summary: {words}")
        if policy.show_sign_off and progress.sign_off is not None:
            lines.append(f"  sign-off: {progress.sign_off.status}")
            lines += [
                f"    {one.severity} {one.code}: {one.message}"
                for one in progress.sign_off.findings if one.severity is not Status.PASS
            ]  # fmt: skip
    return "\n".join(lines)


def span(seconds: float) -> str:
    """Return a duration as people write it: 3 h 05 min 02 s."""
    whole = int(seconds)
    hours, rest = divmod(whole, SECONDS_PER_HOUR)
    minutes, left = divmod(rest, SECONDS_PER_MINUTE)
    if hours:
        return f"{hours} h {minutes:02d} min {left:02d} s"
    return f"{minutes} min {left:02d} s" if minutes else f"{seconds:.1f} s"


def _word(required: bool) -> str:
    return "yes" if required else "no"
