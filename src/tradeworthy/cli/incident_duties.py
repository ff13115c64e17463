"""`tradeworthy incident clocks|file|exclude|assign|roster|contact|simulate|validate|museum|rerun`: duties, proofs."""

import getpass
import logging
import os
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from tradeworthy.app.alerts.alerting import path_policy
from tradeworthy.app.alerts.desk import AlertDesk, encoded
from tradeworthy.app.alerts.duties import RosterWatch
from tradeworthy.app.alerts.journal import alert_facts
from tradeworthy.app.incidents.museum import EXHIBITS, Caught, Shown, show
from tradeworthy.app.incidents.rerun import desks_of, rerun_desk
from tradeworthy.app.incidents.validation import validate as run_validation
from tradeworthy.app.people.desk_people import DeskPeople
from tradeworthy.cli.evidence import private_key
from tradeworthy.cli.run import DEFAULT_RUNS
from tradeworthy.cli.start_switches import Start
from tradeworthy.kernel.clock import NANOS_PER_SECOND, SystemClock
from tradeworthy.kernel.dsse import key_id_of
from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.report import EXIT_CODES
from tradeworthy.kernel.severity import Severity, worst
from tradeworthy.operations.incidents import channel
from tradeworthy.operations.incidents.acts import Request, Verb
from tradeworthy.operations.incidents.chaos import ChaosPolicy
from tradeworthy.operations.incidents.chaos import simulate as run_chaos
from tradeworthy.operations.incidents.lifecycle import Role
from tradeworthy.operations.incidents.path_model import PathPolicy
from tradeworthy.operations.incidents.regulatory import decision_text
from tradeworthy.operations.incidents.roster import on_shift

USUAL = Start()


def clocks(desk: str, /, *, all: bool = False, json: bool = False, runs: Path = DEFAULT_RUNS) -> int:
    """Show which notices the law asks for, and when they are due: 0 none, 1 some run, 2 one was missed.

    Parameters
    ----------
    desk
        The desk's name.
    all
        Also those that are filed or do not apply.
    json
        Print JSON.
    runs
        Where run folders go.
    """
    found = AlertDesk(runs, desk, clock=SystemClock()).incidents().clocks.all
    shown = [one for one in found if all or one.ended in ("", "missed")]
    if json:
        sys.stdout.write(encoded([one._asdict() for one in shown]).decode() + "\n")
    else:
        table = Table(box=None, pad_edge=False)
        for head in ("incident", "clock", "notice", "due", "draft", "state"):
            table.add_column(head, overflow="fold")
        for one in shown:
            told = one.started
            draft = f"notices/{told.incident}-{told.clock}.md" if one.drafted else "none"
            state = one.ended or f"{one.share:.0%} alarmed"
            table.add_row(told.incident, told.clock, told.title, _stamp(told.due), draft, state)
        _console().print(table if shown else f"{desk}: no notice is owed")
    if any(one.ended == "missed" for one in found):
        return ExitCode.FAIL
    return ExitCode.WARN if any(not one.ended for one in found) else ExitCode.PASS


def file(desk: str, incident: str, clock: str, /, *, reference: str, runs: Path = DEFAULT_RUNS) -> int:
    """Say that a notice was filed.

    Parameters
    ----------
    desk
        The desk's name.
    incident
        The incident's name.
    clock
        The clock's name, as `incident clocks` shows it.
    reference
        The authority's own.
    runs
        Where run folders go.
    """
    return _ask(desk, runs, Verb.FILE, target=incident, clock=clock, text=reference)


def exclude(desk: str, incident: str, clock: str, /, *, reason: str, key: Path, runs: Path = DEFAULT_RUNS) -> int:
    """Decide that a clock does not apply, with your signature over the reason.

    Parameters
    ----------
    desk
        The desk's name.
    incident
        The incident's name.
    clock
        The clock's name.
    reason
        Why; it is what you sign.
    key
        Your private key.
    runs
        Where run folders go.
    """
    private = private_key(key)
    signature = private.sign(decision_text(incident, clock, reason)).hex()
    key_id = key_id_of(private.public_key().public_bytes_raw())
    person = DeskPeople(runs, desk, clock=SystemClock()).book.person_of(key_id)
    if person is None:
        raise UsageError(f"expected the key of a person whom this desk trusts, found {key_id}")
    return _ask(
        desk, runs, Verb.EXCLUDE, person=person.holder, target=incident, clock=clock, text=reason, key_id=key_id,
        signature=signature,
    )


def assign(desk: str, incident: str, role: Role, name: str, /, *, runs: Path = DEFAULT_RUNS) -> int:
    """Give somebody a role in an incident; the commander of a SEV-1 is not its scribe.

    Parameters
    ----------
    desk
        The desk's name.
    incident
        The incident's name.
    role
        commander, scribe or liaison.
    name
        Who has it from now on.
    runs
        Where run folders go.
    """
    return _ask(desk, runs, Verb.ASSIGN, target=incident, role=role, text=name)


def roster(configuration: Path, /, *, start: Start = USUAL) -> int:
    """Show who is on call, and what is wrong with the roster: 0 nothing, 1 a gap ahead, 2 a gap or worse, 3 no roster.

    Parameters
    ----------
    configuration
        The desk's TOML document; `telemetry.escalation.roster` names the file below the desk's alerts.
    """
    document, clock = start.document(configuration), SystemClock()
    desk = AlertDesk(start.runs, document.desk.name, clock=clock)
    watch = RosterWatch(path_policy(document).escalation, desk.folder)
    if desk.folder.is_dir() and any(desk.folder.glob("journal/journal-*")):
        for event in alert_facts(desk.folder):
            watch.fold(event.payload)
    console, found = _console(), watch.roster()
    if found is not None:
        primary, secondary = on_shift(found, clock.now())
        console.print(f"primary {', '.join(primary) or 'nobody'}; secondary {', '.join(secondary) or 'nobody'}")
    findings = watch.findings(clock.now())
    for one in findings:
        console.print(f"{one.severity.name:<8} {one.code}: {one.observed}, expected {one.limit}")
    if found is None:
        return ExitCode.COULD_NOT_JUDGE
    return EXIT_CODES[worst(one.severity for one in findings)]


def contact(desk: str, name: str, transport: str, /, *, reached: bool = False, runs: Path = DEFAULT_RUNS) -> int:
    """Record that a contact of the roster was tried.

    Parameters
    ----------
    desk
        The desk's name.
    name
        The person's name, as in the roster.
    transport
        Which of the person's contacts.
    reached
        The person answered.
    runs
        Where run folders go.
    """
    return _ask(desk, runs, Verb.CONTACT, target=name, text=transport, reached=reached)


def simulate(
    *, seed: int = 7, hours: float = 4.0, desk: str | None = None, json: bool = False, runs: Path = DEFAULT_RUNS
) -> int:
    """Play a seeded campaign of failures, gateways and people against a copy: 0 all was heard and taken, 2 it was not.

    The same seed gives the same outcome, to the digest. Nothing leaves the process.

    Parameters
    ----------
    seed
        Of the campaign.
    hours
        Of simulated time.
    desk
        Begin with a copy of this desk's incidents.
    json
        Print JSON.
    runs
        Where run folders go.
    """
    if not 0 < hours <= 240:
        raise UsageError(f"--hours must be above 0 and at most 240, was {hours:g}")
    before = () if desk is None else tuple(
        one.payload for one in alert_facts(AlertDesk(runs, desk, clock=SystemClock()).folder)
    )  # fmt: skip
    channel.LOG.addHandler(logging.NullHandler())  # what the campaign breaks is no warning
    found = run_chaos(seed, PathPolicy(), ChaosPolicy(hours=hours), before=before)
    held = not found.unheard and found.acknowledged >= found.incidents
    if json:
        sys.stdout.write(encoded(found).decode() + "\n")
    else:
        mean = "none" if found.mtta.minutes is None else f"{found.mtta.minutes:.1f} min"
        _console().print(
            f"{found.failures} failures, {found.alerts} alerts, {found.incidents} incidents, "
            f"{found.acknowledged} taken, {found.resolved} resolved; MTTA {mean}; {found.messages} messages, "
            f"{found.undelivered} not delivered, "
            f"{found.unheard} critical alerts unheard\ndigest {found.digest}"
        )
        not_taken = found.incidents - found.acknowledged
        _console().print(
            "OK: every critical alert was heard, every incident was taken" if held
            else f"FAIL: {found.unheard} critical alerts unheard, {not_taken} incidents not taken; see "
            "docs/runbooks/incident-validation.md"
        )  # fmt: skip
    return ExitCode.PASS if held else ExitCode.FAIL


def validate(*, out: Path | None = None, json: bool = False) -> int:
    """Trip a desk, replay a day, and roll a throttle back, really: 0 all passed, 2 any failed.

    Parameters
    ----------
    out
        Write the pack `incident_playbook_validation` there, beside what is printed.
    json
        Print the pack.
    """
    console = Console(stderr=True)
    with (
        console.status("a desk is killed, a day replayed, a throttle rolled back: about 20 s …"),
        tempfile.TemporaryDirectory(prefix="tradeworthy-validation-") as folder,
    ):
        found = run_validation(Path(folder), SystemClock(), environ=dict(os.environ))
    data = encoded(found)
    if out is not None:
        out.write_bytes(data + b"\n")
    if json:
        sys.stdout.write(data.decode() + "\n")
        return ExitCode.PASS if found.passed else ExitCode.FAIL
    for one in found.drills:
        _console().print(f"{one.severity:<8} {one.name}, {one.took_s:.1f} s")
        for check in one.checks:
            mark = "" if not check.severity else f"  {Severity(check.severity).name}  {check.text}"
            _console().print(f"           {check.code}: {check.observed}, expected {check.limit}{mark}")
    return ExitCode.PASS if found.passed else ExitCode.FAIL


def museum(
    *, all_: Annotated[bool, Parameter(name="--all", negative="")] = False, out: Path | None = None,
    json: bool = False, runs: Path = DEFAULT_RUNS,
) -> int:  # fmt: skip
    """Play six recorded failures with and without their controls: 0 all are held, 2 one is not.

    With `--all` every closed incident of every desk is held against today's checks as well, each on its own journal:
    what a schedule calls at night.

    Parameters
    ----------
    all_
        Also the past incidents of every desk below the runs.
    out
        Write the outcome there as JSON, beside what is printed.
    json
        Print JSON.
    runs
        Where run folders go.
    """
    clock = SystemClock()
    with tempfile.TemporaryDirectory(prefix="tradeworthy-museum-") as folder:
        shown = [show(one, Path(folder)) for one in EXHIBITS]
    caught = {desk: rerun_desk(runs, desk, shown, clock) for desk in desks_of(runs)} if all_ else {}
    data = encoded({"at": clock.now(), "museum": shown, "incidents": caught} if all_ else shown)
    if out is not None:
        write_durably(out, data + b"\n")
    if json:
        sys.stdout.write(data.decode() + "\n")
    else:
        _exhibit(shown)
        for desk, found in caught.items():
            _caught(desk, found)
    return _held(shown, [one for found in caught.values() for one in found])


def rerun(desk: str, /, *, json: bool = False, runs: Path = DEFAULT_RUNS) -> int:
    """Hold every closed incident of a desk, and the museum, against today's checks: 0 all are caught, else 2.

    Where the journal of the incident's run is kept, the check judges it as far as the desk had come when the incident
    was opened; else only the check's own mutation is asked.

    Parameters
    ----------
    desk
        The desk's name.
    json
        Print JSON.
    runs
        Where run folders go.
    """
    with tempfile.TemporaryDirectory(prefix="tradeworthy-museum-") as folder:
        shown = [show(one, Path(folder)) for one in EXHIBITS]
    caught = rerun_desk(runs, desk, shown, SystemClock())
    if json:
        sys.stdout.write(encoded({"museum": shown, "incidents": caught}).decode() + "\n")
    else:
        _exhibit(shown)
        _caught(desk, caught)
    return _held(shown, caught)


def _held(shown: Sequence[Shown], caught: Sequence[Caught]) -> int:
    held = all(one.passed for one in shown) and not any(one.problem for one in caught)
    return ExitCode.PASS if held else ExitCode.FAIL


def _caught(desk: str, found: Sequence[Caught]) -> None:
    for one in found:
        said = one.problem or f"by its {one.by}"
        _console().print(f"{'FAIL' if one.problem else 'OK':<5}{desk} {one.incident} {one.check}: {said}")
    count = sum(not one.problem for one in found)
    _console().print(f"{desk}: {count} of {len(found)} past incidents would be caught today")


def _exhibit(shown: Sequence[Shown]) -> None:
    for one in shown:
        halt = "never halted" if one.halt_s is None else f"halted after {one.halt_s:.2f} s"
        _console().print(
            f"{'OK' if one.passed else 'FAIL':<5}{one.name}: {halt}, lost {one.loss:.4%}; "
            f"without controls {one.loss_without:.1%} ({one.seen})"
        )


def _ask(desk: str, runs: Path, verb: Verb, *, person: str | None = None, **words: object) -> int:
    clock = SystemClock()
    who = getpass.getuser() if person is None else person
    request = Request(
        id=f"{clock.now()}-{os.getpid()}", verb=verb, person=who, **words  # type: ignore[arg-type]
    )
    answer = AlertDesk(runs, desk, clock=clock).ask(request)
    _console().print(answer.fault or "noted", style="red" if answer.fault else None)
    return ExitCode.FAIL if answer.fault else ExitCode.PASS


def _console() -> Console:
    return Console(highlight=False, markup=False, soft_wrap=True)


def _stamp(ns: int) -> str:
    return f"{datetime.fromtimestamp(ns // NANOS_PER_SECOND, UTC):%Y-%m-%dT%H:%M:%SZ}"
