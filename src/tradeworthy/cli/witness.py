"""`tradeworthy witness run|verify`: look at a desk from outside and sign chained minutes."""

import signal
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console

from tradeworthy.cli.evidence import private_key
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.operations.evidence.canonical import Malformed
from tradeworthy.operations.evidence.certificate_store import nanos_of_stamp
from tradeworthy.operations.evidence.trust import read_trust
from tradeworthy.operations.evidence.witness import MINUTE, WitnessMinutes, WitnessPolicy, WitnessWatch, probe_of

app = App(name="witness", help="Watch a desk from outside, under an account and a key of its own.")


@app.command
def run(
    *, target: Annotated[tuple[str, ...], Parameter(negative="")], key: Path, out: Path, run_id: str,
    interval: float = 10.0,
) -> int:  # fmt: skip
    """Look at the targets at each interval and sign each minute; it runs until SIGINT or SIGTERM.

    Parameters
    ----------
    target
        [NAME=]URL that answers 2xx when all is well, or [NAME=]DIRECTORY of a journal that must grow; may be given
        several times.
    key
        The witness's private key, which neither desk nor harness can read.
    out
        Where the minutes go.
    run_id
        The run that is watched.
    interval
        Seconds between looks.
    """
    if not 0 < interval <= MINUTE / 1e9:
        raise UsageError(f"--interval must be above 0 and at most 60 seconds, was {interval:g}")
    policy = WitnessPolicy(interval_seconds=interval)
    probes = tuple(probe_of(one, policy) for one in target)
    stopped: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _frame: stopped.append(received))
    try:
        watch = WitnessWatch(run_id, probes, private_key(key), out, clock=SystemClock(), policy=policy)
    except OSError as problem:
        raise UsageError(f"cannot write {out}: {problem.strerror or problem}") from None
    watch.run(lambda: bool(stopped))
    return ExitCode.PASS


@app.command
def verify(
    minutes: Path, /, *, key: Path, run_id: str | None = None, started: str | None = None, ended: str | None = None
) -> int:
    """Check that minutes are signed, chained and of one run, and print the uptime that they show.

    Parameters
    ----------
    minutes
        The witness's file.
    key
        The trust file.
    run_id
        The run they must be of.
    started
        Start of the run, like 2026-01-31T00:00:00Z; the first minute when not given.
    ended
        End of the run; the end of the last minute when not given.
    """
    watched = WitnessMinutes(minutes, read_trust(key), run_id=run_id)
    try:
        known, problems, _ = watched.minutes()
        first = nanos_of_stamp(started) if started else known[0].minute
        last = nanos_of_stamp(ended) if ended else known[-1].minute + MINUTE
        reading = watched.reading(started=first, ended=last)
    except (OSError, Malformed, IndexError) as problem:
        raise UsageError(f"expected a witness's minutes in {minutes}, found {problem}") from None
    console = Console(highlight=False, markup=False, soft_wrap=True)
    for one in problems:
        console.print(f"fail    {one}", style="red")
    uptime = "not computable" if reading.ratio is None else f"{reading.ratio:.3%}"
    console.print(f"key     {reading.key_id}\nuptime  {uptime}")
    console.print(f"minutes {reading.minutes}, {reading.minutes_missing} missing")
    return ExitCode.FAIL if problems else ExitCode.PASS
