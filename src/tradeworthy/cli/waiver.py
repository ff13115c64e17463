"""`tradeworthy waiver issue|list|revoke`: let a named finding stand for a few days, by two people."""

from pathlib import Path

from cyclopts import App
from rich.console import Console

from tradeworthy.cli.evidence import private_key
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import ExitCode, InvalidInput
from tradeworthy.operations.evidence import waivers
from tradeworthy.operations.evidence.canonical import later, stamp_of
from tradeworthy.operations.evidence.trust import read_trust
from tradeworthy.operations.evidence.vocabulary import WAIVER_DAYS_MAX

app = App(name="waiver", help="Let a named finding stand for at most seven days, signed by two people.")


@app.command
def issue(
    folder: Path, /, *, waiver_id: str, finding_code: str, scope: str, reason: str, owner: str, author: str,
    key: tuple[Path, ...], trust: Path, days: int = WAIVER_DAYS_MAX,
) -> int:  # fmt: skip
    """Issue a waiver; one that may not stand is refused with every reason.

    Parameters
    ----------
    folder
        Where waivers are kept.
    waiver_id
        Its name.
    finding_code
        The finding or relaxation that may stand.
    scope
        The run or release it is for.
    reason
        Why.
    owner
        Who answers for the finding.
    author
        Who wrote this waiver; not one of the signers.
    key
        A signer's private key; given twice or more.
    trust
        The trust file.
    days
        How long it lasts.
    """
    clock = SystemClock()
    now = stamp_of(clock.now())
    waiver = waivers.Waiver(
        waiver_id=waiver_id, finding_code=finding_code, scope=scope, reason=reason, owner=owner, author=author,
        issued_at=now, expires_at=later(now, days=days),
    )  # fmt: skip
    keys = tuple(private_key(one) for one in key)
    try:
        path, issued = waivers.issue(waiver, keys, read_trust(trust), folder=folder, at=now)
    except InvalidInput as problem:
        refused = waivers.WaiverRefused(
            waiver_id=waiver_id, finding_code=finding_code, scope=scope, author=author, reason=str(problem)
        )
        folder.mkdir(parents=True, exist_ok=True)
        waivers.record(folder, refused, clock=clock)
        _console().print(str(problem), style="red")
        return ExitCode.FAIL
    waivers.record(folder, issued, clock=clock)
    _console().print(f"issued      {path}\nsigned by   {', '.join(issued.signers)}\nuntil       {issued.expires_at}")
    return ExitCode.PASS


@app.command(name="list")
def list_(folder: Path, /, *, trust: Path, at: str | None = None) -> int:
    """Print every waiver and whether it is in force; leaves with 1 when any is.

    Parameters
    ----------
    folder
        Where waivers are kept.
    trust
        The trust file.
    at
        The time to judge for; now when not given.
    """
    found = waivers.waivers_in(folder, read_trust(trust), at=at or _now())
    console = _console()
    for one in found:
        waiver = one.waiver
        state = "in force" if one.in_force else "; ".join(one.problems)
        console.print(f"{waiver.waiver_id:<20} {waiver.finding_code:<28} {waiver.scope}  {waiver.expires_at}  {state}")
    return ExitCode.WARN if any(one.in_force for one in found) else ExitCode.PASS


@app.command
def revoke(folder: Path, waiver_id: str, /, *, trust: Path, by: str, reason: str) -> int:
    """Take a waiver back; the finding is open again.

    Parameters
    ----------
    folder
        Where waivers are kept.
    waiver_id
        Its name.
    trust
        The trust file.
    by
        Who takes it back.
    reason
        Why.
    """
    gone = waivers.revoke(folder, waiver_id, read_trust(trust), by=by, reason=reason, at=_now())
    waivers.record(folder, gone, clock=SystemClock())
    _console().print(f"revoked     {gone.waiver_id}; {gone.finding_code} is open again")
    return ExitCode.PASS


def _now() -> str:
    return stamp_of(SystemClock().now())


def _console() -> Console:
    return Console(highlight=False, markup=False, soft_wrap=True)
