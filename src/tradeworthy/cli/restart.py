"""`tradeworthy restart`: start and stop a desk again and again; nothing may be left over (CLI-04)."""

import gc
import os
import threading
from pathlib import Path
from typing import Annotated, NamedTuple

import psutil
from cyclopts import Parameter
from rich.console import Console

from tradeworthy.app.config import Document
from tradeworthy.app.runtime.application import FAILED
from tradeworthy.cli.start_switches import Start
from tradeworthy.cli.supervised import play, require_seconds
from tradeworthy.kernel.errors import ExitCode, UsageError

USUAL = Start()
CYCLE_SECONDS = 5.0
"""How long a cycle lives where `--timeout` does not say."""
MEMORY_MAX = 64 << 20
"""Resident bytes that the cycles after the first may add each: more is a leak."""


class Belongings(NamedTuple):
    """What a process holds: names of threads and children, and open descriptors by what they are."""

    threads: tuple[str, ...]
    children: tuple[int, ...]
    descriptors: tuple[str, ...]
    rss_bytes: int


def restart(
    configuration: Path | None = None, /, *, cycles: int = 2,
    no_trading: Annotated[bool, Parameter(negative="")] = False, timeout: float | None = None, start: Start = USUAL,
) -> int:
    """Start and stop a desk several times; stops at the first cycle that fails or leaves something over.

    Parameters
    ----------
    configuration
        A TOML document, e.g. config/paper.toml.
    cycles
        How often.
    no_trading
        Start everything but the desk.
    timeout
        Seconds until each cycle's graceful end; 5 if absent.
    """
    require_seconds(timeout)
    if cycles < 1:
        raise UsageError(f"--cycles must be at least 1, was {cycles}")
    document = start.document(configuration)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    _cycle(document, start, no_trading, timeout)  # what is loaded once, is loaded before it is counted
    before = belongings()
    for number in range(1, cycles + 1):
        code, reason = _cycle(document, start, no_trading, timeout)
        after = belongings()
        left = left_over(before, after)
        state = "clean" if code is ExitCode.PASS and not left else "; ".join(left) or reason
        console.print(f"cycle {number} of {cycles}: {reason}, exit {int(code)}, {state}")
        if left:
            return ExitCode.FAIL
        if code is not ExitCode.PASS:
            return code
        before = after
    return ExitCode.PASS


def belongings() -> Belongings:
    """Return what this process holds now."""
    gc.collect()
    own = psutil.Process()
    names = []
    for link in sorted(Path("/proc/self/fd").iterdir()):
        try:
            names.append(os.readlink(link).partition(":")[0] if ":[" in os.readlink(link) else os.readlink(link))
        except OSError:  # the descriptor of the listing itself
            continue
    threads = tuple(sorted(one.name for one in threading.enumerate()))
    children = tuple(sorted(one.pid for one in own.children(recursive=True)))
    return Belongings(threads, children, tuple(sorted(names)), own.memory_info().rss)


def left_over(before: Belongings, after: Belongings) -> list[str]:
    """Return what a cycle left that was not there before, each with its name."""
    found = [f"thread {name} left over" for name in _more(before.threads, after.threads)]
    found += [f"child process {pid} left over" for pid in after.children if pid not in before.children]
    found += [f"descriptor {name} left over" for name in _more(before.descriptors, after.descriptors)]
    grown = after.rss_bytes - before.rss_bytes
    if grown >= MEMORY_MAX:
        found.append(f"memory grew by {grown >> 20} MiB, allowed are {MEMORY_MAX >> 20}")
    return found


def _more(before: tuple[str, ...], after: tuple[str, ...]) -> list[str]:
    rest = list(before)
    found = []
    for name in after:
        if name in rest:
            rest.remove(name)
        else:
            found.append(name)
    return found


def _cycle(document: Document, start: Start, no_trading: bool, timeout: float | None) -> tuple[ExitCode, str]:
    quiet = Console(quiet=True)
    ended, _ = play(document, start, quiet, no_trading=no_trading, timeout=timeout or CYCLE_SECONDS)
    return ended.exit_code, ended.detail if ended.reason == FAILED else ended.reason
