"""`tradeworthy alert dead-man`: hear a desk's heartbeats from outside, and page when they stop."""

import math
import os
import signal
import sys
from pathlib import Path

from tradeworthy.app.alerts.dead_man_receiver import Watching, receive
from tradeworthy.app.configuration.secret_references import store_of
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.kernel.redaction import is_reference


def dead_man(
    desk: str, /, *, listen: str, pages: Path, command: str = "", key: str = "", silence: float = 120.0,
    repeat: float = 3_600.0,
) -> int:  # fmt: skip
    """Hear a desk's heartbeats and page when they stop; runs until SIGINT or SIGTERM: 0 it was heard, 2 it was silent.

    It belongs on another machine than the desk, under an account of its own. The desk sends heartbeats over the webhook
    channel that `telemetry.alerts.dead_man_channel` names.

    Parameters
    ----------
    desk
        How the desk is called in a page.
    listen
        HOST:PORT; port 0 takes a free one.
    pages
        Where pages are written, one JSON line each.
    command
        A command that is run with each page on its standard input, and reaches people.
    key
        secret://NAME of the key that the desk's channel signs with; without one unsigned heartbeats count.
    silence
        Seconds without a heartbeat that page.
    repeat
        Seconds until it pages again while the silence lasts.
    """
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit():
        raise UsageError(f"--listen must be HOST:PORT, was {listen!r}")
    for name, value in (("--silence", silence), ("--repeat", repeat)):
        if not math.isfinite(value) or value <= 0:
            raise UsageError(f"{name} must be above 0 seconds, was {value:g}")
    if key and not is_reference(key):
        raise UsageError("--key must be a reference secret://NAME, was plain text")
    store, stopped = store_of(dict(os.environ)), list[int]()
    if key:
        store.resolve(key)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _frame: stopped.append(received))

    def listening(at: int) -> None:
        sys.stdout.write(f"listening on http://{host}:{at}\n")
        sys.stdout.flush()

    asked = Watching(
        desk, host, int(port), pages, command, (lambda: store.resolve(key)) if key else None, silence, repeat
    )
    try:
        heard = receive(asked, SystemClock(), stopped=lambda: bool(stopped), listening=listening)
    except OSError as problem:
        raise UsageError(f"cannot listen at {listen}: {problem.strerror or problem}") from None
    return ExitCode.PASS if heard else ExitCode.FAIL
