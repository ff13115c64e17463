"""`tradeworthy break-glass activate|status|revoke|review`: mask one risk control for a few orders, by two people."""

import getpass
from datetime import UTC, datetime
from pathlib import Path

from cyclopts import App
from rich.console import Console

from tradeworthy.app.people.approvals import read_signed
from tradeworthy.app.people.desk_people import DeskPeople
from tradeworthy.app.people.operator_acts import GLASS_ID_DIGITS, carried_of
from tradeworthy.cli.evidence import private_key
from tradeworthy.cli.resume import told
from tradeworthy.cli.run import DEFAULT_RUNS
from tradeworthy.kernel.clock import NANOS_PER_SECOND, SystemClock
from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.trading.control.approvals import SignedPack

app = App(name="break-glass", help="Mask one risk control for a few orders and minutes; two people answer for it.")


@app.command
def activate(
    desk: str, /, *, control: str = "", instrument: str = "", max_uses: int = 1, ttl: int | None = None,
    reason: str = "", key: tuple[Path, ...] = (), pack: Path | None = None, write: Path | None = None,
    runs: Path = DEFAULT_RUNS,
) -> int:  # fmt: skip
    """Activate at a running desk; a kill, a compliance veto, the journal and authentication are never masked.

    Parameters
    ----------
    desk
        The desk's name, as in its configuration.
    control
        The code of one risk control, e.g. risk.max_order_value.
    instrument
        The one instrument it is masked for.
    max_uses
        Orders that may leave; each counts once.
    ttl
        Seconds, 900 when not given, at most to the end of the desk day, by the journal's time.
    reason
        Why; it is journaled.
    key
        A person's private key; two people, one of the risk role.
    pack
        A pack that was written before and signed with `tradeworthy approve`, instead of the other words.
    write
        Write the pack here and activate nothing yet.
    runs
        Where run folders go.
    """
    people = DeskPeople(runs, desk, clock=SystemClock())
    if pack is None:
        if not (control and instrument and reason.strip()):
            raise UsageError("--control, --instrument and --reason must be given, or --pack")
        held = SignedPack(
            people.glass_pack(control=control, instrument=instrument, max_uses=max_uses, ttl=ttl, reason=reason)
        )
    else:
        held = read_signed(pack)
    held = people.sign(held, *(private_key(one) for one in key))
    console = _console()
    if write is not None:
        write_durably(write, held.encoded())
        console.print(f"pack        {write}\ndigest      {held.pack.digest()}\nnext        tradeworthy approve {write}")
        return ExitCode.PASS
    name = held.pack.digest()[:GLASS_ID_DIGITS]
    return told(people.glass(held), f"{desk}: break-glass {name} masks {held.pack.subject}; its review is due", console)


@app.command
def status(desk: str, /, *, runs: Path = DEFAULT_RUNS) -> int:
    """Show what is masked and which reviews are due: 0 nothing, 1 something.

    Parameters
    ----------
    desk
        The desk's name, as in its configuration.
    runs
        Where run folders go.
    """
    carried = carried_of(DeskPeople(runs, desk, clock=SystemClock()).book)
    console = _console()
    for one, uses in carried.active:
        console.print(
            f"{one.glass_id}  active  {one.control} for {one.instrument}, {uses} of {one.max_uses} uses, until "
            f"{_stamp(one.expires_at)} by the journal: {one.reason} ({' and '.join(one.people)})"
        )
    for ended in carried.owed:
        console.print(
            f"{ended.glass_id}  review due before {_stamp(ended.review_by)} by the journal; {ended.cause}, "
            f"{ended.uses} uses"
        )
    if not carried.active and not carried.owed:
        console.print("nothing is masked, and no review is due")
        return ExitCode.PASS
    return ExitCode.WARN


@app.command
def revoke(desk: str, glass_id: str, /, *, runs: Path = DEFAULT_RUNS) -> int:
    """End a break-glass before its time; anyone may.

    Parameters
    ----------
    desk
        The desk's name, as in its configuration.
    glass_id
        Its id, from `status`.
    runs
        Where run folders go.
    """
    people = DeskPeople(runs, desk, clock=SystemClock())
    return told(people.revoke_glass(glass_id, getpass.getuser()), f"{glass_id} is over; its review is due", _console())


@app.command
def review(desk: str, glass_id: str, /, *, text: str, key: Path, runs: Path = DEFAULT_RUNS) -> int:
    """Record the review of one that is over, by a person who did not activate it.

    Without it before the end of the desk day, the next day is paused.

    Parameters
    ----------
    desk
        The desk's name, as in its configuration.
    glass_id
        Its id, from `status`.
    text
        What was found.
    key
        The reviewer's private key.
    runs
        Where run folders go.
    """
    people = DeskPeople(runs, desk, clock=SystemClock())
    held = people.sign(SignedPack(people.review_pack(glass_id=glass_id, text=text)), private_key(key))
    return told(people.review_glass(held), f"{glass_id} is reviewed", _console())


def _stamp(ns: int) -> str:
    return f"{datetime.fromtimestamp(ns // NANOS_PER_SECOND, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _console() -> Console:
    return Console(highlight=False, markup=False, soft_wrap=True)
