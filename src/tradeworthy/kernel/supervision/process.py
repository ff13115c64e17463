"""A process as the machine sees it: whether it lives, whether it is stopped, and whether it is still the same."""

import faulthandler
import os
import signal
from pathlib import Path
from typing import IO

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.supervision.policy import nanos

STACKS_SIGNAL = signal.SIGUSR2
SETTLE_S = 0.02
STACKS_BYTES_MAX = 1 << 20
_STATE, _START_TICKS = 0, 19
"""Places in `/proc/PID/stat` after the name, see proc(5)."""


def state_of(pid: int) -> str | None:
    """Return the state letter of a process (`R`, `S`, `T` stopped, `Z` ended), None when there is none."""
    fields = _fields(pid)
    return None if fields is None else fields[_STATE]


def start_ticks_of(pid: int) -> int | None:
    """Return the process's start in ticks since boot, which a reused pid does not share; None where unknown."""
    fields = _fields(pid)
    return None if fields is None else int(fields[_START_TICKS])


def same_process(pid: int, start_ticks: int | None) -> bool:
    """Tell whether the pid is still the process that started then; unknown is no."""
    return start_ticks is not None and start_ticks_of(pid) == start_ticks and state_of(pid) != "Z"


def write_stacks_on_signal(path: Path) -> IO[bytes]:
    """Let this process write the stacks of all its threads at the end of `path` whenever it is signalled.

    It works while Python code blocks; the returned file must stay open as long.
    """
    file = path.open("ab")
    faulthandler.register(STACKS_SIGNAL, file=file, all_threads=True, chain=False)
    return file


def ask_for_stacks(pid: int, path: Path, clock: Clock, wait_s: float) -> bytes | None:
    """Signal a process and return the stacks that it wrote, None when it wrote none in time."""
    before = path.stat().st_size if path.exists() else 0
    os.kill(pid, STACKS_SIGNAL)
    deadline, seen = clock.monotonic() + nanos(wait_s), before
    while clock.monotonic() < deadline:
        clock.sleep(round(SETTLE_S * NANOS_PER_SECOND))
        size = path.stat().st_size if path.exists() else 0
        if size > before and size == seen:
            break
        seen = size
    if seen <= before:
        return None
    with path.open("rb") as file:
        file.seek(before)
        return file.read(STACKS_BYTES_MAX)


def _fields(pid: int) -> list[str] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()
