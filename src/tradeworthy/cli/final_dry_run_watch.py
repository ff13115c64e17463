"""`tradeworthy final-dry-run-watch`: follow a run by its progress file."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.operations.dry_run.watch import WatchPolicy, watch


def final_dry_run_watch(
    *, progress: Path, interval: float = 30.0, once: bool = False, max_incidents: int = 5,
    incidents: Annotated[bool, Parameter(negative="--no-incidents")] = True,
    summary: Annotated[bool, Parameter(negative="--skip-summary")] = True,
    sign_off: Annotated[bool, Parameter(negative="--skip-sign-off")] = True, exit_when_complete: bool = False,
    treat_warn_as_error: bool = False,
) -> int:  # fmt: skip
    """Show status, time left, uptime and incidents of a run; leave with the status shown last.

    Parameters
    ----------
    progress
        The run's progress file, or its folder.
    interval
        Seconds between looks.
    once
        Look once and leave.
    max_incidents
        How many incidents to show, the newest last.
    incidents
        Show incidents at all.
    summary
        Show the summary of a complete run.
    sign_off
        Show the sign-off of a complete run.
    exit_when_complete
        Leave when the run is complete.
    treat_warn_as_error
        A warning leaves with 2.
    """
    if not interval > 0:
        raise UsageError(f"--interval must be above 0, was {interval:g}")
    if max_incidents < 0:
        raise UsageError(f"--max-incidents must be at least 0, was {max_incidents}")
    policy = WatchPolicy(
        interval_seconds=interval, once=once, incidents_max=max_incidents, show_incidents=incidents,
        show_summary=summary, show_sign_off=sign_off, exit_when_complete=exit_when_complete,
        treat_warn_as_error=treat_warn_as_error,
    )  # fmt: skip
    return watch(progress, policy, clock=SystemClock(), show=_show)


def _show(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
