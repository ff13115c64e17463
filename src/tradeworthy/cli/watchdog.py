"""`tradeworthy watchdog`: the process that watches a desk; a desk starts it, people do not."""

from pathlib import Path

from tradeworthy.app.halting.watchdog_process import run_watchdog
from tradeworthy.kernel.clock import SystemClock


def watchdog(job: Path, /) -> int:
    """Watch the desk that a job file describes, on the socket that its launcher left open.

    Parameters
    ----------
    job
        The job's file; the watchdog's ports lie beside it.
    """
    return run_watchdog(job, SystemClock())
