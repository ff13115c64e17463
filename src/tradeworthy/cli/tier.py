"""`tradeworthy tier`: the store that a desk's books are in, changed while it runs."""

from pathlib import Path

from cyclopts import App
from rich.console import Console

from tradeworthy.app import identity
from tradeworthy.app.gates.desk_gates import verdicts_for
from tradeworthy.app.gates.verdicts import ask_of
from tradeworthy.app.runs.folder import document_of, started_of, state_of
from tradeworthy.app.runtime.tiers import require_go
from tradeworthy.app.tier_switch import in_force, switch, tier_of
from tradeworthy.cli.run import DEFAULT_RUNS
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import ExitCode
from tradeworthy.operations.gates.named import Act

app = App(name="tier", help="The store of a desk's books, and its tier.")


@app.command(name="switch")
def switch_(run: Path, /, *, source: str, target: str) -> int:
    """Move the books of a running desk, or of one at rest, from one store to another; back is the same verb.

    Both stores are brought to the same event and compared; the target is in force when their rows are equal. Up to a
    higher tier needs the gate's GO for this release on it; down needs none. Exit 2 where rows differ or there is no GO.

    Parameters
    ----------
    run
        The run's folder.
    source
        The store in force: sqlite:PATH or postgresql://HOST/DATABASE.
    target
        The store that shall be.
    """
    clock, document = SystemClock(), document_of(run, started_of(run))
    after = tier_of(target)
    if after > tier_of(source):
        ask = ask_of(document, tier=after, code=identity.code_hash())
        require_go(after, ask, verdicts_for(document, run.parent, clock, act=Act.CHANGE_TIER))
    found = switch(run, state_of(run.parent, document.desk.name), source, target, clock=clock)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(f"{found.before} -> {found.after}: {found.target} in force from seq {found.seq}")
    for table, rows in found.rows.items():
        console.print(f"{table:<20} {rows}")
    return ExitCode.PASS


@app.command
def show(desk: str, /, *, runs: Path = DEFAULT_RUNS) -> int:
    """Show which store a desk's books are in.

    Parameters
    ----------
    desk
        The desk's name.
    runs
        Where run folders go.
    """
    found = in_force(state_of(runs, desk))
    Console(highlight=False, markup=False).print(
        "none was put in force" if found is None else f"{found.store} ({found.tier})"
    )
    return ExitCode.WARN if found is None else ExitCode.PASS
