"""`tradeworthy drill`: what the drills of a desk have left, and whether it still counts."""

from pathlib import Path

from cyclopts import App
from rich.console import Console

from tradeworthy.app.halting.kill_drill import kill_evidence
from tradeworthy.app.runs.folder import state_of
from tradeworthy.cli.run import DEFAULT_RUNS
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.report import EXIT_CODES

app = App(name="drill", help="What drills have left.")


@app.command
def status(desk: str, /, *, proofs: Path | None = None, code: str = "", runs: Path = DEFAULT_RUNS) -> int:
    """Say how old the last real trip of a desk's kill switch is, and the proof of this release; both live seven days.

    Exit 0 while both count, 1 from the sixth day, 2 where one failed, 3 where there is none or its days are over.

    Parameters
    ----------
    desk
        The desk's name.
    proofs
        The folder of the release's proofs; by default they lie beside the desk's drills.
    code
        The code that must have been tripped; by default this one's.
    runs
        Where run folders go.
    """
    state = state_of(runs, desk)
    if not state.is_dir():
        raise UsageError(f"expected the state of desk {desk} in {runs}, found none: has it run?")
    found = kill_evidence(state, SystemClock(), proofs=proofs, code=code)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    for one in found.checks:
        console.print(f"{one.code:<11} {one.severity.name:<8} {one.observed}, expected {one.limit}")
        if one.code in found.evidence:
            console.print(f"            {found.evidence[one.code]}")
    return EXIT_CODES[found.severity]
