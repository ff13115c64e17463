"""`tradeworthy config propose|approve`: a changed document takes effect when people stand for it."""

import os
from pathlib import Path

from rich.console import Console

from tradeworthy.app import config
from tradeworthy.app.change_control import approve as approve_change
from tradeworthy.app.change_control import propose as propose_change
from tradeworthy.app.runner import CHANGES, state_of
from tradeworthy.app.secret_references import fingerprints_in, references_of, store_of
from tradeworthy.cli.run import DEFAULT_RUNS
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import ExitCode


def propose(
    configuration: Path, /, *, person: str, reason: str, role: str = "", environment: str | None = None,
    runs: Path = DEFAULT_RUNS,
) -> int:  # fmt: skip
    """Propose a document: the diff is journaled; exit 1 while another person must approve it.

    Parameters
    ----------
    configuration
        A TOML document.
    person
        Who asks.
    reason
        Why.
    role
        The role of the person, e.g. risk.
    environment
        Lay this environment over the document: backtest, replay, paper or live.
    runs
        Where the desk's state is kept.
    """
    document = config.load(configuration, environment=environment)
    state = state_of(runs, document.desk.name)
    prints = fingerprints_in(state).of(document, store_of(os.environ)) if references_of(document) else {}
    found = propose_change(
        state / CHANGES, document, person=person, reason=reason, role=role, fingerprints=prints, clock=SystemClock()
    )
    console = Console()
    console.print(f"proposed {found.config_hash}: {len(found.diff)} changes", highlight=False, soft_wrap=True)
    for path in found.widens:
        console.print(f"widens live risk: {path}", style="yellow", markup=False, soft_wrap=True)
    for path in found.fails:
        console.print(f"needs two people: {path}", style="yellow", markup=False, soft_wrap=True)
    return ExitCode.WARN if found.widens or found.fails else ExitCode.PASS


def approve(
    desk: str, config_hash: str, /, *, person: str, gate_run: Path, role: str = "", runs: Path = DEFAULT_RUNS
) -> int:  # fmt: skip
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
    role
        The role of the person; a loosened limit needs risk among the people.
    runs
        Where the desk's state is kept.
    """
    found = approve_change(
        state_of(runs, desk) / CHANGES, config_hash, person=person, role=role, gate_run=gate_run, clock=SystemClock()
    )
    Console().print(f"approved {found.config_hash} by {' and '.join(found.people)}", highlight=False, soft_wrap=True)
    return ExitCode.PASS
