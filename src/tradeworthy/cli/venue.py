"""`tradeworthy venue serve`: the simulated venue in a process of its own, as a real venue would be."""

import signal
from pathlib import Path

from cyclopts import App
from rich.console import Console

from tradeworthy.app.config import load
from tradeworthy.app.venues import serve_venue
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import ExitCode, UsageError

app = App(name="venue", help="Serve the simulated venue to desks and watchdogs of this machine.")


@app.command
def serve(*, config: Path, listen: str, test_aids: bool = False) -> int:
    """Serve the venue of a configuration until SIGINT or SIGTERM; orders and positions live as long as it does.

    Parameters
    ----------
    config
        The desk's configuration: its instruments, matching, delays and queue model.
    listen
        unix:///path or tcp://127.0.0.1:PORT; a desk names it as `venue.connection`.
    test_aids
        Let sessions ask for slow, silent or unwilling answers.
    """
    try:
        server = serve_venue(load(config), listen, SystemClock(), aids=test_aids)
    except OSError as problem:
        raise UsageError(f"cannot listen at {listen}: {problem.strerror or problem}") from None
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _frame: server.stop())
    Console().print(f"venue   {listen}", highlight=False, soft_wrap=True)
    server.serve()
    return ExitCode.PASS
