"""`tradeworthy evidence retain DESK FOLDER… --store STORE`: show which bundles are due; two people delete them."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from tradeworthy.app.evidence.retention import EvidenceRetention
from tradeworthy.app.people.approvals import read_signed
from tradeworthy.app.people.desk_people import DeskPeople
from tradeworthy.cli.run import DEFAULT_RUNS
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.operations.evidence.trust import read_trust
from tradeworthy.trading.control.approvals import SignedPack

Stores = Annotated[tuple[Path, ...], Parameter(negative="")]


def retain(
    desk: str, folder: tuple[Path, ...], /, *, store: Stores, trust: Path, reason: str = "",
    write: Path | None = None, pack: Path | None = None, runs: Path = DEFAULT_RUNS,
) -> int:  # fmt: skip
    """Show what is kept and why: 0 nothing is due, 1 something is. Nothing is deleted without a pack that two signed.

    Parameters
    ----------
    desk
        The desk whose people sign, and whose approvals keep what was deleted.
    folder
        Folders that hold bundles, at any depth.
    store
        An evidence store; what its live certificates cite is never deleted. May be given several times.
    trust
        The trust file of the stores.
    reason
        Why; for a new pack.
    write
        Write the pack of what is due here, for two people to sign with `tradeworthy approve`.
    pack
        A signed pack: delete what it names.
    runs
        Where run folders go.
    """
    if write is not None and pack is not None:
        raise UsageError("expected --write or --pack, found both")
    clock = SystemClock()
    retention = EvidenceRetention(folder, store, read_trust(trust), clock=clock)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    if pack is not None:
        people = DeskPeople(runs, desk, clock=clock)
        for gone in retention.delete(people.book, read_signed(pack)):
            console.print(f"deleted  {gone.bundle_id}  {gone.run_id}  by {' and '.join(gone.people)}")
        return ExitCode.PASS
    if write is not None:
        people = DeskPeople(runs, desk, clock=clock)
        if not reason.strip():
            raise UsageError("--write needs --reason, which is signed and journaled")
        drafted = retention.propose(people.book, reason, people.policy)
        write_durably(write, SignedPack(drafted).encoded())
        console.print(f"pack     {write}\ndigest   {drafted.digest()}\nnext     tradeworthy approve {write} --key KEY")
        return ExitCode.WARN
    found = retention.look()
    for one in found:
        console.print(f"{'due' if one.due else 'kept':<8} {one.bundle_id}  {one.run_id}  {one.reason or one.folder}")
    return ExitCode.WARN if any(one.due for one in found) else ExitCode.PASS
