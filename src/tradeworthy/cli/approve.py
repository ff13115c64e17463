"""`tradeworthy approve PACK --key FILE`: read what an approval pack does, and sign it."""

from pathlib import Path

from rich.console import Console

from tradeworthy.app.people.approvals import read_signed, told_of
from tradeworthy.app.people.desk_people import DeskPeople
from tradeworthy.cli.evidence import private_key
from tradeworthy.cli.run import DEFAULT_RUNS
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.dsse import key_id_of
from tradeworthy.kernel.errors import ExitCode
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.trading.control.approvals import REQUIRED, ApprovalRefused


def approve(pack: Path, /, *, key: Path | None = None, runs: Path = DEFAULT_RUNS) -> int:
    """Print an approval pack; with a key, sign it. Who signs follows from the key and the desk's trust file alone.

    Leaves with 0 when the pack is complete now, 1 when it waits for others, 2 when the key may not sign.

    Parameters
    ----------
    pack
        The pack's file; the signature is added to it.
    key
        Your private key; without it the pack is only shown and judged.
    runs
        Where run folders go.
    """
    held = read_signed(pack)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(told_of(held))
    console.print(f"{'digest':<20} {held.pack.digest()}\n{'needs':<20} {' and '.join(REQUIRED[held.pack.act])}")
    people = DeskPeople(runs, held.pack.desk, clock=SystemClock())
    if key is not None:
        private = private_key(key)
        key_id = key_id_of(private.public_key().public_bytes_raw())
        person = people.book.person_of(key_id)
        if person is None:
            console.print(f"refused: key {key_id} is no person's key of the desk's trust file now", style="red")
            return ExitCode.FAIL
        if any(one.keyid == key_id for one in held.signatures):
            console.print(f"refused: {person.holder} signed this pack already", style="red")
            return ExitCode.FAIL
        held = people.sign(held, private)
        write_durably(pack, held.encoded())
        console.print(f"signed by            {person.holder} ({key_id})")
    found = people.book.judge(held, held.pack.act)
    if isinstance(found, ApprovalRefused):
        for fault in found.faults:
            console.print(f"  - {fault}", style="yellow")
        return ExitCode.WARN
    console.print(f"complete             {' and '.join(found.holders)}")
    return ExitCode.PASS
