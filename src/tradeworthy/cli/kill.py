"""`tradeworthy kill`: stop a desk and see its orders gone. Anyone may; it latches, and survives every restart."""

from pathlib import Path

from rich.console import Console

from tradeworthy.app.halting.kill import WAIT_NS, await_certificate, kill_desk
from tradeworthy.app.halting.kill_drill import drill_trip, rehearse
from tradeworthy.app.halting.watchdog_process import show_up, watchdog_lives
from tradeworthy.app.runs.folder import state_of
from tradeworthy.cli.flatness import EXITS, show
from tradeworthy.cli.run import DEFAULT_RUNS
from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock, SystemClock
from tradeworthy.kernel.errors import ExitCode, UsageError


def here(desk: str, /, *, runs: Path = DEFAULT_RUNS) -> int:
    """Say that a person watches a desk: its dead-man timer, where one is set, begins anew.

    Parameters
    ----------
    desk
        The desk's name.
    runs
        Where run folders go.
    """
    state = state_of(runs, desk)
    show_up(state)
    if not watchdog_lives(state):
        Console(highlight=False).print(f"{desk}: no watchdog lives that could hear it")
        return ExitCode.WARN
    return ExitCode.PASS


def kill(
    desk: str, /, *, reason: str, scope: str = "desk", flatten: bool = False, wait: bool | None = None,
    drill: bool = False, dry_run: bool = False, runs: Path = DEFAULT_RUNS,
) -> int:  # fmt: skip
    """Stop a desk, running or not: no order leaves it any more, and its watchdog takes off what is open.

    Exit 0 when nothing is open as the venue shows it, 1 when something is left, 2 when the venue was not seen.

    Parameters
    ----------
    desk
        The desk's name, as in its configuration.
    reason
        Why; it is journaled.
    scope
        desk, strategy:X, instrument:X, venue:X or client:X; any other stops the whole desk.
    flatten
        Close the scope's positions too, after the cancels, by reducing orders of the desk.
    wait
        Wait for the certificate of flatness; by default where a watchdog lives that can write one.
    drill
        The weekly trip: as real as any, and what was seen is kept as evidence that lives seven days.
    dry_run
        In a drill only: look whether a trip would work, and trip nothing. It is evidence of no trip.
    runs
        Where run folders go.
    """
    if not reason.strip():
        raise UsageError("--reason must say why, was empty")
    if dry_run and not drill:
        raise UsageError("a kill is real: expected --dry-run inside of --drill only")
    console, clock = Console(highlight=False, markup=False, soft_wrap=True), SystemClock()
    state = state_of(runs, desk)
    if drill:
        return _drill(console, desk, state, clock, reason=reason, scope=scope, flatten=flatten, dry_run=dry_run)
    halt = kill_desk(state, reason=reason, scope=scope, flatten=flatten, clock=clock)
    console.print(f"{desk}: stopped ({halt.scope}); it stays stopped through every restart")
    watched = watchdog_lives(state)
    if not (watched if wait is None else wait):
        if not watched:
            console.print("no watchdog lives: nobody verifies that no order is open")
        return ExitCode.PASS
    found = await_certificate(state, halt, clock)
    if found is None or found[1].certificate is None:
        console.print(f"outcome unverified: no certificate within {WAIT_NS / NANOS_PER_SECOND:g} s")
        return ExitCode.FAIL
    path, judged = found
    show(console, path, judged)
    return ExitCode.FAIL if judged.faults else EXITS[found[1].certificate.outcome]


def _drill(
    console: Console, desk: str, state: Path, clock: Clock, *, reason: str, scope: str, flatten: bool, dry_run: bool
) -> int:
    if dry_run:
        report, written = rehearse(state, desk=desk, clock=clock)
        console.print(f"{desk}: dry run, nothing was tripped")
    else:
        report, written = drill_trip(state, desk=desk, reason=reason, scope=scope, flatten=flatten, clock=clock)
        console.print(f"{desk}: stopped by a drill; it stays stopped until two people re-arm it")
    for one in report.checks:
        console.print(f"{one.severity.name:<8} {one.code:<32} {one.observed}, limit {one.limit}")
    console.print(f"evidence {written.evidence}")
    return report.exit_code
