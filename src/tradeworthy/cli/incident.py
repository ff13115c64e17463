"""`tradeworthy incident open|list|show|ack|...|close|update|export`: what happened, who took it, what became of it."""

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
from tradeworthy.operations.incidents.actions import rows_of
from tradeworthy.operations.incidents.acts import Request, Verb
from tradeworthy.operations.incidents.judge import judge_incidents
from tradeworthy.operations.incidents.lifecycle import (
    Act,
    IncidentAssigned,
    IncidentMoved,
    IncidentRated,
    Mean,
    Phase,
    Role,
)
from tradeworthy.operations.incidents.policy import IncidentPolicy
from tradeworthy.operations.incidents.postmortem import postmortem
from tradeworthy.operations.incidents.scene import IncidentCircumstances

app = App(name="incident", help="Open, take, resolve and close incidents; every step is journaled in your name.")


@app.command(name="list")
def list_(desk: str, /, *, all: bool = False, json: bool = False, runs: Path = DEFAULT_RUNS) -> int:
    """List the incidents that are not resolved: 0 none, 1 milder ones, 2 a SEV-1 or SEV-2.

    Parameters
    ----------
    desk
        The desk's name, as in its configuration.
    all
        Also those that are over.
    json
        Print JSON instead of a table.
    runs
        Where run folders go.
    """
    clock = SystemClock()
    book = AlertDesk(runs, desk, clock=clock).incidents()
    living = [one for one in book.all if one.living]
    shown = book.all if all else tuple(living)
    means, late = book.means(clock.now()), book.late(clock.now())
    if json:
        sys.stdout.write(encoded({"incidents": shown, "means": means._asdict(), "late": late}).decode() + "\n")
    else:
        table = Table(box=None, pad_edge=False)
        for head in ("id", "sev", "phase", "detected", "opened by", "title"):
            table.add_column(head, overflow="fold")
        for one in shown:
            phase = f"{one.phase.value}, late" if one.id in late else one.phase.value
            table.add_row(
                one.id, f"SEV-{one.sev}", phase, _stamp(one.opened.detected_at), one.opened.opened_by, one.opened.title
            )
        console = _console()
        console.print(table if shown else f"{desk}: no incident is open")
        console.print(f"\nMTTA {_mean(means.mtta)}; MTTR {_mean(means.mttr)}")
    if any(one.sev <= 2 for one in living):
        return ExitCode.FAIL
    return ExitCode.WARN if living else ExitCode.PASS


@app.command
def show(desk: str, incident: str, /, *, json: bool = False, runs: Path = DEFAULT_RUNS) -> int:
    """Show an incident with its timeline.

    Parameters
    ----------
    desk
        The desk's name.
    incident
        Its name, e.g. INC-00001.
    json
        Print JSON.
    runs
        Where run folders go.
    """
    book = AlertDesk(runs, desk, clock=SystemClock()).incidents()
    one = book.get(incident)
    if json:
        sys.stdout.write(encoded(one).decode() + "\n")
        return ExitCode.PASS
    told, console = one.opened, _console()
    console.print(f"{one.id}  SEV-{one.sev}  {one.phase.value}  {told.title}")
    console.print(f"detected   {_stamp(told.detected_at)} by {told.source}; first impact {_stamp(told.first_impact)}")
    console.print(f"cause      {told.code} {told.component} {told.subject}; alert {told.alert or 'none'}")
    console.print(f"runbook    docs/{told.runbook}" if told.runbook else "runbook    none")
    console.print(f"commander  {one.roles.get(Role.COMMANDER.value) or 'nobody: tradeworthy incident assign'}")
    for name, held in (("held", one.began), ("at the end", one.ended)):
        if held is not None:
            console.print(f"{name:<10} {_desk(held)}")
    for step in one.timeline:
        console.print(f"  {_stamp(step.at)}  {step.person:<12} {_said(step)}")
    for line in rows_of(book.actions.of(incident)):
        console.print(line)
    return ExitCode.PASS


@app.command(name="open")
def open_(
    desk: str, title: str, /, *, sev: int = 3, drill: bool = False, runs: Path = DEFAULT_RUNS
) -> int:
    """Open an incident in your name.

    Parameters
    ----------
    desk
        The desk's name.
    title
        What happens.
    sev
        1 money or control at risk, 2 trading stopped, 3 degraded, 4 defect, 5 note.
    drill
        It is an exercise and counts apart.
    runs
        Where run folders go.
    """
    return _act(desk, runs, Verb.OPEN, text=title, sev=sev, drill=drill)


@app.command
def ack(desk: str, incident: str, /, *, text: str = "", runs: Path = DEFAULT_RUNS) -> int:
    """Take an incident; its alert is taken with it.

    Parameters
    ----------
    desk
        The desk's name.
    incident
        Its name.
    text
        What you are about to do.
    runs
        Where run folders go.
    """
    return _act(desk, runs, Verb.ACK, target=incident, text=text)


@app.command
def mitigate(desk: str, incident: str, /, *, text: str = "", runs: Path = DEFAULT_RUNS) -> int:
    """Say that the harm is bounded.

    Parameters
    ----------
    desk
        The desk's name.
    incident
        Its name.
    text
        What was done.
    runs
        Where run folders go.
    """
    return _act(desk, runs, Verb.MOVE, target=incident, phase=Phase.MITIGATED, text=text)


@app.command
def resolve(desk: str, incident: str, /, *, text: str = "", runs: Path = DEFAULT_RUNS) -> int:
    """Say that the cause is gone; its alert resolves with it.

    Parameters
    ----------
    desk
        The desk's name.
    incident
        Its name.
    text
        What was done.
    runs
        Where run folders go.
    """
    return _act(desk, runs, Verb.MOVE, target=incident, phase=Phase.RESOLVED, text=text)


@app.command
def review(desk: str, incident: str, /, *, review: str, runs: Path = DEFAULT_RUNS) -> int:
    """Record the review of a resolved incident.

    Parameters
    ----------
    desk
        The desk's name.
    incident
        Its name.
    review
        Its text, or where it lies.
    runs
        Where run folders go.
    """
    return _act(desk, runs, Verb.MOVE, target=incident, phase=Phase.REVIEWED, review=review)


@app.command
def close(
    desk: str, incident: str, /, *, cause: str = "", check: str = "", failed_before: str = "", passed_after: str = "",
    runs: Path = DEFAULT_RUNS,
) -> int:  # fmt: skip
    """Close a reviewed incident: it needs a cause, and a check that would catch it the next time.

    Parameters
    ----------
    desk
        The desk's name.
    incident
        Its name.
    cause
        Why it happened.
    check
        The code of the new or stronger check.
    failed_before
        Digest of the replay on which the check failed.
    passed_after
        Digest of the replay on which it passes.
    runs
        Where run folders go.
    """
    return _act(
        desk, runs, Verb.MOVE, target=incident, phase=Phase.CLOSED, cause=cause, check=check,
        failed_before=failed_before, passed_after=passed_after,
    )  # fmt: skip


@app.command
def update(
    desk: str, incident: str, /, *, text: str, sev: int | None = None, second: str = "",
    evidence: tuple[str, ...] = (), runs: Path = DEFAULT_RUNS,
) -> int:  # fmt: skip
    """Add a line to the timeline, or change the severity: graver at will, milder with a second person.

    Parameters
    ----------
    desk
        The desk's name.
    incident
        Its name.
    text
        The line, or the reason of the new severity.
    sev
        The new severity.
    second
        Who agrees to a milder one.
    evidence
        Digests that belong to the line.
    runs
        Where run folders go.
    """
    if sev is not None:
        return _act(desk, runs, Verb.RATE, target=incident, text=text, sev=sev, second=second)
    return _act(desk, runs, Verb.NOTE, target=incident, text=text, evidence=evidence)


@app.command
def report(desk: str, /, *, json: bool = False, runs: Path = DEFAULT_RUNS) -> int:
    """Judge how incidents are answered: 0 inside the limits, 1 warns, 2 fails, 3 nothing measured.

    Parameters
    ----------
    desk
        The desk's name.
    json
        Print the checks as JSON.
    runs
        Where run folders go.
    """
    clock = SystemClock()
    checks = judge_incidents(AlertDesk(runs, desk, clock=clock).incidents(), IncidentPolicy(), clock.now())
    if json:
        sys.stdout.write(encoded(checks).decode() + "\n")
    else:
        console = _console()
        for one in checks:
            console.print(f"{one.severity.name:<8} {one.code}: {one.observed}, limit {one.limit}")
    return EXIT_CODES[worst(one.severity for one in checks)]


@app.command
def export(desk: str, incident: str, /, *, markdown: bool = False, runs: Path = DEFAULT_RUNS) -> int:
    """Print every journaled event of an incident as JSON lines; the same journal gives the same bytes.

    Parameters
    ----------
    desk
        The desk's name.
    incident
        Its name.
    markdown
        Print the draft of its review instead: only cause and lessons are left to people.
    runs
        Where run folders go.
    """
    if markdown:
        at_rest = AlertDesk(runs, desk, clock=SystemClock())
        sys.stdout.write(postmortem(at_rest.incident(incident), at_rest.row_of(incident)))
        return ExitCode.PASS
    found = AlertDesk(runs, desk, clock=SystemClock()).events_of(incident)
    if not found:
        raise UsageError(f"{desk}: expected an incident named {incident!r}, found no event of one")
    for one in found:
        sys.stdout.write(encoded(one).decode().replace("\n", " ") + "\n")
    return ExitCode.PASS


def _act(desk: str, runs: Path, verb: Verb, **words: object) -> int:
    clock = SystemClock()
    request = Request(
        id=f"{clock.now()}-{os.getpid()}", verb=verb, person=getpass.getuser(), **words  # type: ignore[arg-type]
    )
    answer = AlertDesk(runs, desk, clock=clock).ask(request)
    _console().print(answer.fault or answer.found, style="red" if answer.fault else None)
    return ExitCode.FAIL if answer.fault else ExitCode.PASS


def _desk(held: IncidentCircumstances) -> str:
    if not held.seq:
        return held.why
    equity = "not known" if held.equity is None else f"{held.equity:f}"
    return (
        f"{held.run} seq {held.seq}: guard {held.guard}, equity {equity}, "
        f"{len(held.orders) + held.orders_more} orders, {len(held.positions) + held.positions_more} positions, "
        f"configuration {held.config_hash[:16]}"
    )


def _said(step: Act) -> str:
    if isinstance(step, IncidentAssigned):
        return f"{step.name} is {step.role.value}"
    if isinstance(step, IncidentMoved):
        return " ".join(part for part in (step.phase.value, step.text, step.cause, step.review, step.check) if part)
    if isinstance(step, IncidentRated):
        return f"SEV-{step.sev} {step.reason} {step.second}".rstrip()
    return f"{step.text} {' '.join(step.evidence)}".rstrip()


def _mean(mean: Mean) -> str:
    if mean.minutes is None:
        return "not measured"
    width = "" if mean.low is None or mean.high is None else f" ({mean.low:.1f} to {mean.high:.1f})"
    return f"{mean.minutes:.1f} min{width}, n {mean.n}"


def _console() -> Console:
    return Console(highlight=False, markup=False, soft_wrap=True)


def _stamp(ns: int) -> str:
    return f"{datetime.fromtimestamp(ns // NANOS_PER_SECOND, UTC):%Y-%m-%dT%H:%M:%SZ}"
