"""What every test session leaves behind: nothing that still runs."""

import os
import signal
from pathlib import Path

WATCHDOG = b"tradeworthy.app.halting.watchdog_process"


def pytest_sessionfinish(session):
    """End the watchdogs of this session's desks whose venue went away with its test: they would try for ever."""
    factory = getattr(session.config, "_tmp_path_factory", None)
    if factory is None or factory._basetemp is None:
        return
    own = os.fsencode(str(factory._basetemp)) + b"/"
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = place.read_bytes().split(b"\0")
        except OSError:
            continue
        if WATCHDOG in words and any(word.startswith(own) for word in words):
            os.kill(int(place.parent.name), signal.SIGKILL)
