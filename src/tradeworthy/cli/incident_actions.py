"""`tradeworthy incident action add|accept|done|drop|list`, `false-alarm`, `start-clock`: what is owed afterwards."""

import getpass
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from cyclopts import App
from rich.console import Console
from rich.table import Table

from tradeworthy.app.alerts.desk import AlertDesk, encoded
from tradeworthy.cli.run import DEFAULT_RUNS
from tradeworthy.kernel.clock import NANOS_PER_SECOND, SystemClock
from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.kernel.report import EXIT_CODES
from tradeworthy.kernel.severity import worst
from tradeworthy.operations.incidents.actions import Stand
from tradeworthy.operations.incidents.acts import Request, Verb

app = App(name="action", help="What is to be done after an incident: each item has an owner and a day.")


@app.command
def add(desk: str, incident: str, text: str, /, *, owner: str, due: str, runs: Path = DEFAULT_RUNS) -> int:
    """Give somebody something to do after an incident, until a day.

    Parameters
    ----------
    desk
        The desk's name.
    incident
        The incident's name.
    text
        What is to be done.
    owner
        Who does it.
    due
        The day, like 2026-01-31, UTC.
    runs
        Where run folders go.
    """
    try:
        day = datetime.strptime(due, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise UsageError(f"--due must be a day like 2026-01-31, was {due!r}") from None
    until = round(day.timestamp()) * NANOS_PER_SECOND
    return _ask(desk, runs, Verb.ACTION, target=incident, text=text, owner=owner, due=until)


@app.command
def accept(desk: str, action: str, /, *, owner: str, runs: Path = DEFAULT_RUNS) -> int:
    """Take a proposed action on in somebody's name.

    Parameters
    ----------
    desk
        The desk's name.
    action
        Its name, e.g. ACT-00001.
    owner
        Who does it.
    runs
        Where run folders go.
    """
    return _ask(desk, runs, Verb.ACCEPT, target=action, owner=owner)


@app.command
def done(
    desk: str, action: str, /, *, text: str, evidence: tuple[str, ...] = (), runs: Path = DEFAULT_RUNS
) -> int:
    """Say that an action was done.

    Parameters
    ----------
    desk
        The desk's name.
    action
        Its name.
    text
        What was done.
    evidence
        Digests that show it.
    runs
        Where run folders go.
    """
    return _ask(desk, runs, Verb.END, target=action, stand=Stand.DONE, text=text, evidence=evidence)


@app.command
def drop(desk: str, action: str, /, *, text: str, runs: Path = DEFAULT_RUNS) -> int:
    """Say that an action will not be done, and why.

    Parameters
    ----------
    desk
        The desk's name.
    action
        Its name.
    text
        Why not.
    runs
        Where run folders go.
    """
    return _ask(desk, runs, Verb.END, target=action, stand=Stand.DROPPED, text=text)


@app.command(name="list")
def list_(desk: str, /, *, all: bool = False, json: bool = False, runs: Path = DEFAULT_RUNS) -> int:
    """List the actions that are not ended: 0 none is late, 1 some are, 2 some are later than allowed.

    Parameters
    ----------
    desk
        The desk's name.
    all
        Also those that are done or dropped.
    json
        Print JSON instead of a table.
    runs
        Where run folders go.
    """
    clock = SystemClock()
    book, now = AlertDesk(runs, desk, clock=clock).incidents().actions, clock.now()
    shown = [one for one in book.all if all or one.ended is None]
    if json:
        sys.stdout.write(encoded([one._asdict() for one in shown]).decode() + "\n")
    else:
        table = Table(box=None, pad_edge=False)
        for head in ("id", "incident", "state", "owner", "due", "what"):
            table.add_column(head, overflow="fold")
        for one in shown:
            told = one.told
            state = f"{one.stand.value}, late" if one in book.overdue(now) else one.stand.value
            day = f"{datetime.fromtimestamp(told.due // NANOS_PER_SECOND, UTC):%Y-%m-%d}"
            table.add_row(told.action, told.incident, state, told.owner or "nobody", day, told.text)
        _console().print(table if shown else f"{desk}: nothing is left to do")
    late = [book.severity(one, now) for one in book.overdue(now)]
    return EXIT_CODES[worst(late)] if late else ExitCode.PASS


def false_alarm(desk: str, incident: str, /, *, reason: str, runs: Path = DEFAULT_RUNS) -> int:
    """Say that nothing was wrong. The rule goes on firing; where that repeats, a change of it is proposed.

    Parameters
    ----------
    desk
        The desk's name.
    incident
        The incident's name.
    reason
        How you know.
    runs
        Where run folders go.
    """
    return _ask(desk, runs, Verb.FALSE, target=incident, text=reason)


def start_clock(desk: str, incident: str, clock: str, /, *, reason: str, runs: Path = DEFAULT_RUNS) -> int:
    """Start a clock of law by hand, of whatever rule pack it is.

    Parameters
    ----------
    desk
        The desk's name.
    incident
        The incident's name.
    clock
        The clock's name, e.g. personal_data.
    reason
        Why the law applies.
    runs
        Where run folders go.
    """
    return _ask(desk, runs, Verb.CLOCK, target=incident, clock=clock, text=reason)


def _ask(desk: str, runs: Path, verb: Verb, **words: object) -> int:
    clock = SystemClock()
    request = Request(
        id=f"{clock.now()}-{os.getpid()}", verb=verb, person=getpass.getuser(), **words  # type: ignore[arg-type]
    )
    answer = AlertDesk(runs, desk, clock=clock).ask(request)
    _console().print(answer.fault or answer.found, style="red" if answer.fault else None)
    return ExitCode.FAIL if answer.fault else ExitCode.PASS


def _console() -> Console:
    return Console(highlight=False, markup=False, soft_wrap=True)
