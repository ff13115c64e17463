"""`tradeworthy ledger propose|repair`: book a trade of the venue's statement that the desk never heard of (APR-04)."""

from decimal import Decimal
from pathlib import Path

from cyclopts import App
from rich.console import Console

from tradeworthy.app.people.approvals import read_signed
from tradeworthy.app.people.desk_people import DeskPeople
from tradeworthy.cli.evidence import private_key
from tradeworthy.cli.resume import told
from tradeworthy.cli.run import DEFAULT_RUNS
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import ExitCode, InvalidInput, UsageError
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.trading.control.repair import details_of

app = App(name="ledger", help="Repair a running desk's ledger by what two people signed.")


@app.command
def propose(
    desk: str, /, *, instance: str, instrument: str, side: str, lots: int, price: int, trade: str, reason: str,
    key: Path, write: Path, fee: Decimal = Decimal(0), fee_currency: str = "", runs: Path = DEFAULT_RUNS,
) -> int:  # fmt: skip
    """Write the pack of one trade as the venue's statement has it; two others sign it with `tradeworthy approve`.

    Nothing is booked yet. Needs the signatures of operations and of one more person beside the proposer's.

    Parameters
    ----------
    desk
        The desk's name, as in its configuration.
    instance
        Whose trade it is.
    instrument
        The instrument, e.g. EURUSD.DEMO.
    side
        buy or sell.
    lots
        Whole lots.
    price
        The price in ticks.
    trade
        The venue's trade id.
    reason
        What shows that the desk never heard of it; it is journaled.
    key
        The proposer's private key.
    write
        Where the pack goes.
    fee
        What the venue charged.
    fee_currency
        The fee's currency; the settlement currency if absent.
    runs
        Where run folders go.
    """
    people = DeskPeople(runs, desk, clock=SystemClock())
    try:
        details = details_of(
            instrument=instrument, side=side, lots=lots, price=price, trade_id=trade, fee=fee, fee_currency=fee_currency
        )
    except InvalidInput as problem:
        raise UsageError(f"no pack was written: {problem}") from None
    held = people.repair_pack(instance=instance, details=details, reason=reason, key=private_key(key))
    write_durably(write, held.encoded())
    _console().print(f"pack        {write}\ndigest      {held.pack.digest()}\nnext        tradeworthy approve {write}")
    return ExitCode.PASS


@app.command
def repair(desk: str, pack: Path, /, *, key: tuple[Path, ...] = (), runs: Path = DEFAULT_RUNS) -> int:
    """Book the trade of a signed pack at the running desk, once; leaves with 2 and every reason when refused.

    Parameters
    ----------
    desk
        The desk's name, as in its configuration.
    pack
        The pack's file, with its signatures.
    key
        A person's private key that signs it here; may be given twice.
    runs
        Where run folders go.
    """
    people = DeskPeople(runs, desk, clock=SystemClock())
    held = people.sign(read_signed(pack), *(private_key(one) for one in key))
    trade = held.pack.details.get("trade_id", "")
    return told(people.repair(held), f"{desk}: trade {trade} is booked", _console())


def _console() -> Console:
    return Console(highlight=False, markup=False, soft_wrap=True)
