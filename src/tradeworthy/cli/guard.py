"""`tradeworthy guard DESK` and `guard owners`: what the trading state is, why, since when, and what ends it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from cyclopts import App
from rich.console import Console
from rich.table import Table

from tradeworthy.app.halting.forensic import verify
from tradeworthy.app.people.desk_people import DeskPeople
from tradeworthy.cli.run import DEFAULT_RUNS
from tradeworthy.kernel.clock import NANOS_PER_SECOND, SystemClock
from tradeworthy.kernel.errors import ExitCode
from tradeworthy.trading.control.owners import OWNERS
from tradeworthy.trading.model import GuardLevel

app = App(name="guard", help="Show a desk's trading state with its reasons, and who may set and clear them.")
HISTORY = 20


@app.default
def guard(desk: str, /, *, history: int = HISTORY, json: bool = False, runs: Path = DEFAULT_RUNS) -> int:
    """Show the trading state of a desk, running or not: 0 running, 1 paused or reducing, 2 stopped.

    Parameters
    ----------
    desk
        The desk's name, as in its configuration.
    history
        How many of the last run's changes to show.
    json
        Print JSON instead of tables.
    runs
        Where run folders go.
    """
    people = DeskPeople(runs, desk, clock=SystemClock())
    held = people.held()
    levels = [one.level for one in held]
    worst = max(levels, default=GuardLevel.RUNNING)
    state = max((one.level for one in held if one.scope == "desk"), default=GuardLevel.RUNNING)
    events = people.history(history)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    code = {GuardLevel.RUNNING: ExitCode.PASS, GuardLevel.STOPPED: ExitCode.FAIL}.get(worst, ExitCode.WARN)
    if json:
        told = {
            "desk": desk, "state": state.name.lower(), "running": people.running,
            "reasons": [
                {**msgspec.structs.asdict(one), "level": one.level.name.lower(), "clears": OWNERS[one.owner].clears,
                 "runbook": OWNERS[one.owner].runbook}
                if one.owner in OWNERS else {**msgspec.structs.asdict(one), "level": one.level.name.lower()}
                for one in held
            ],
            "snapshot": people.snapshot,
            "history": [{"seq": one.seq, "ts": one.ts_init, "change": one.payload} for one in events],
        }  # fmt: skip
        console.print(msgspec.json.encode(told).decode())
        return code
    console.print(f"{desk}: {state.name.lower()}, {'a process runs it' if people.running else 'no process runs it'}")
    if held:
        console.print(_table(
            ("reason", "level", "scope", "since", "ends", "evidence", "clears when", "runbook"),
            [
                (
                    f"{one.owner}.{one.code}", one.level.name.lower(), one.scope, _stamp(one.since),
                    "when cleared" if one.expires_at is None else _stamp(one.expires_at), one.evidence,
                    *(("unknown owner", "") if one.owner not in OWNERS
                      else (OWNERS[one.owner].clears, f"docs/{OWNERS[one.owner].runbook}")),
                )
                for one in held
            ],
        ))  # fmt: skip
    taken = people.snapshot
    if taken is not None and GuardLevel.STOPPED in levels:
        console.print(f"\nincident    {taken.incident}\nsnapshot    {taken.snapshot}")
        console.print(f"venue       {taken.reconciliation}")
    if events:
        console.print("\nlast changes")
        for event in events:
            change = event.payload
            word = "set" if change.set else "cleared"  # type: ignore[attr-defined]
            console.print(
                f"  {_stamp(event.ts_init)}  seq {event.seq:<9} {word:<8}{change.reason} "  # type: ignore[attr-defined]
                f"{change.scope} -> {change.level.name.lower()}  {change.evidence}"  # type: ignore[attr-defined]
            )
    return code


@app.command
def owners() -> int:
    """Show who may set a reason: the worst level of each owner, what clears it, and its runbook."""
    rows = [(name, one.worst.name.lower(), one.clears, f"docs/{one.runbook}") for name, one in OWNERS.items()]
    Console(highlight=False, markup=False).print(_table(("owner", "worst level", "clears when", "runbook"), rows))
    return ExitCode.PASS


@app.command
def snapshot(folder: Path, /) -> int:
    """Recompute every hash of a forensic snapshot from its files: 0 when all fit, 2 when one does not.

    Parameters
    ----------
    folder
        The snapshot's folder, `state/DESK/forensics/HASH` below the run folders.
    """
    faults = verify(folder)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    for fault in faults:
        console.print(fault, style="red")
    if not faults:
        console.print(f"{folder.name}: every file is what its manifest names")
    return ExitCode.FAIL if faults else ExitCode.PASS


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _stamp(ns: int) -> str:
    return f"{datetime.fromtimestamp(ns // NANOS_PER_SECOND, UTC):%Y-%m-%dT%H:%M:%SZ}"
