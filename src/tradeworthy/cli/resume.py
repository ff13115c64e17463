"""`tradeworthy resume`: end one's own pause, or leave `stopped` by two people's keys and a forensic snapshot."""

import getpass
from pathlib import Path

from rich.console import Console

from tradeworthy.app.people.approvals import read_signed
from tradeworthy.app.people.desk_people import DeskPeople, Outcome
from tradeworthy.app.venues import halt_flag
from tradeworthy.cli.evidence import private_key
from tradeworthy.cli.run import DEFAULT_RUNS
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.trading.control.approvals import SignedPack


def resume(
    desk: str, /, *, scope: str = "desk", incident: str = "", snapshot: str = "", reason: str = "",
    key: tuple[Path, ...] = (), author_of_change: str = "", pack: Path | None = None,
    write: Path | None = None, runs: Path = DEFAULT_RUNS,
) -> int:  # fmt: skip
    """End the operator's own pause, or re-arm a stopped desk, running or not.

    A pause needs only --scope. A stop needs --incident, --snapshot, --reason and the keys of two people of the desk's
    trust file (`trust.json` in its state folder), neither the author of the causing change, 900 s after the stop, with
    the value back inside its limit and desk and venue agreed. Both may sign here, or one writes the pack with --write,
    the other signs it with `tradeworthy approve`, and --pack uses it. Leaves with 2 and every reason when refused.

    Parameters
    ----------
    desk
        The desk's name, as in its configuration.
    scope
        desk, strategy:X, instrument:X, venue:X or client:X.
    incident
        The incident; `tradeworthy guard DESK` names the snapshot's.
    snapshot
        The hash of the forensic snapshot that both people read.
    reason
        Why it is safe to trade again; it is journaled.
    key
        A person's private key; given twice.
    author_of_change
        Who made the change that caused the stop, where the desk does not know; he may not sign.
    pack
        A pack that was written before, instead of the other words.
    write
        Write the pack here, signed with the keys given so far, and re-arm nothing yet.
    runs
        Where run folders go.
    """
    clock = SystemClock()
    people = DeskPeople(runs, desk, clock=clock, halts=lambda state: halt_flag(state, clock))
    console = Console(highlight=False, markup=False, soft_wrap=True)
    if pack is None and not (incident or snapshot):
        if key or write is not None:
            raise UsageError("a re-arm needs --incident and --snapshot, or --pack")
        return told(people.end_pause(scope, getpass.getuser()), f"{desk}: the pause of {scope} is over", console)
    if pack is None:
        held = SignedPack(
            people.rearm_pack(
                scope=scope, incident=incident, snapshot=snapshot, reason=reason, author_of_change=author_of_change
            )
        )
    else:
        held = read_signed(pack)
    held = people.sign(held, *(private_key(one) for one in key))
    if write is not None:
        write_durably(write, held.encoded())
        console.print(f"pack        {write}\ndigest      {held.pack.digest()}\nnext        tradeworthy approve {write}")
        return ExitCode.PASS
    return told(people.rearm(held), f"{desk}: {held.pack.subject} is re-armed", console)


def told(outcome: Outcome, done: str, console: Console) -> int:
    """Print what became of an act and return its exit code: 0 done, 1 not answered yet, 2 refused."""
    if outcome.ok:
        console.print(done)
        return ExitCode.PASS
    if outcome.handed:
        console.print(f"handed over: {'; '.join(outcome.faults)}", style="yellow")
        return ExitCode.WARN
    console.print("refused:", style="red")
    for fault in outcome.faults:
        console.print(f"  - {fault}")
    return ExitCode.FAIL
