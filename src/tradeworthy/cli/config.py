"""`tradeworthy config check|diff|propose|approve|bundle`: the one policy document and how it may change."""

from pathlib import Path

import msgspec
from cyclopts import App
from rich.console import Console

from tradeworthy.app import config
from tradeworthy.app.bundles import drift_of, instance_hash
from tradeworthy.app.change_control import approve as approve_change
from tradeworthy.app.change_control import changes_of, diff_of, widens
from tradeworthy.app.change_control import propose as propose_change
from tradeworthy.app.instances import caps, live_scope, name_of, reconciled
from tradeworthy.app.runner import state_of
from tradeworthy.cli.run import DEFAULT_RUNS
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import ExitCode
from tradeworthy.kernel.redaction import redact

app = App(name="config", help="Check the configuration, see what a change does, propose and approve it.")
CHANGES = "changes"


@app.command
def check(configuration: Path, /) -> int:
    """Check a document, print what follows from it, and compare it with the approved bundles; exit 2 on drift.

    Parameters
    ----------
    configuration
        A TOML document.
    """
    document = config.load(configuration)
    console = Console()
    console.print(f"hash {document.hash()}", highlight=False, soft_wrap=True)
    for one in document.instances:
        state = "enabled" if one.enabled else "disabled"
        name = name_of(one) if one.mode else one.id
        console.print(f"{name}  {state}  hash {instance_hash(document, one)}", highlight=False, soft_wrap=True)
    console.print(f"live risk scope  {', '.join(live_scope(document)) or 'none'}", highlight=False)
    console.print(f"reconciled       {', '.join('/'.join(pair) for pair in reconciled(document)) or 'none'}")
    console.print(f"caps             {', '.join(f'{name} {cap}' for name, cap in caps(document).items()) or 'none'}")
    drifted = drift_of(document)
    for fact in drifted:
        console.print(f"{fact.reason} {fact.instance}: expected {fact.expected}, found {fact.observed}", style="red")
    return ExitCode.FAIL if drifted else ExitCode.PASS


@app.command
def diff(configuration: Path, /, *, runs: Path = DEFAULT_RUNS) -> int:
    """Print what a document changes against the approved one, and what of it widens live risk; exit 1 where it does.

    Parameters
    ----------
    configuration
        A TOML document.
    runs
        Where the desk's state is kept.
    """
    document = config.load(configuration)
    before = changes_of(_changes(runs, document.desk.name)).approved_document
    after = redact(msgspec.json.decode(document.canonical()))
    console = Console()
    for line in diff_of(before, after):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    wider = widens(before, after)
    for path in wider:
        console.print(f"widens live risk: {path}", style="yellow", markup=False, soft_wrap=True)
    return ExitCode.WARN if wider else ExitCode.PASS


@app.command
def propose(configuration: Path, /, *, person: str, reason: str, runs: Path = DEFAULT_RUNS) -> int:
    """Propose a document: the diff is journaled; exit 1 while another person must approve it.

    Parameters
    ----------
    configuration
        A TOML document.
    person
        Who asks.
    reason
        Why.
    runs
        Where the desk's state is kept.
    """
    document = config.load(configuration)
    directory = _changes(runs, document.desk.name)
    found = propose_change(directory, document, person=person, reason=reason, clock=SystemClock())
    console = Console()
    console.print(f"proposed {found.config_hash}: {len(found.diff)} changes", highlight=False, soft_wrap=True)
    for path in found.widens:
        console.print(f"widens live risk: {path}", style="yellow", markup=False, soft_wrap=True)
    return ExitCode.WARN if found.widens else ExitCode.PASS


@app.command
def approve(desk: str, config_hash: str, /, *, person: str, gate_run: Path, runs: Path = DEFAULT_RUNS) -> int:
    """Approve a proposed document as the second person, with the report of a new gate run.

    Parameters
    ----------
    desk
        The desk's name.
    config_hash
        What `config propose` printed.
    person
        Who approves; not the one who proposed.
    gate_run
        The report of the gate run.
    runs
        Where the desk's state is kept.
    """
    directory = _changes(runs, desk)
    found = approve_change(directory, config_hash, person=person, gate_run=gate_run, clock=SystemClock())
    Console().print(f"approved {found.config_hash} by {' and '.join(found.people)}", highlight=False, soft_wrap=True)
    return ExitCode.PASS


def _changes(runs: Path, desk: str) -> Path:
    return state_of(runs, desk) / CHANGES
