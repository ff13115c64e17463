"""What the oracles' rows and accounts mean, and what of them can be compared."""

from decimal import Decimal

from tradeworthy.research.parity.compare import Comparison, grouped
from tradeworthy.research.parity.play import FillRow
from tradeworthy.research.parity.tape import Golden
from tradeworthy.trading.model import Instrument

_BOOKED = 7


def short(golden: Golden) -> str:
    """Return `nautilus` or `hftbacktest`."""
    return golden.oracle.split(" ")[0].removesuffix("_trader")


def fills(golden: Golden) -> list[FillRow]:
    """Return an oracle's fills. NautilusTrader tells price and fee of each fill; hftbacktest value and fee of the
    quantity that it booked, which for a sweep over several levels is the last level's."""
    out = []
    for row in golden.fills:
        cid, t, side, qty, money, fee, liquidity = row[:_BOOKED]
        lots, price = Decimal(qty), Decimal(money)
        if len(row) > _BOOKED:
            lots = Decimal(row[_BOOKED])
            price /= lots
        out.append(FillRow(str(cid), int(t), str(side), lots, price, Decimal(fee), str(liquidity)))
    return out


def as_last_level(own: list[FillRow]) -> list[FillRow]:
    """Return each order's last fill only: all that hftbacktest tells of a sweep."""
    return [rows[-1] for rows in grouped(own).values()]


def accounts(name: str, golden: Golden, own: list[FillRow], instrument: Instrument) -> Comparison:
    """Compare fees, balance and position, to the last unit that the oracle states.

    Class `AVERAGE_ROUNDED`: a balance one last unit off. NautilusTrader keeps the average entry price as a float, the
    own figure is exact.
    """
    fees = sum((row.fee for row in own), Decimal(0))
    realized, position = realized_and_position(own)
    mine = {
        "fees": fees, "balance": Decimal(golden.account["starting"]) + realized - fees, "position": position,
    }
    wrong = []
    rounded = 0
    unit = Decimal(1).scaleb(-STATED_DIGITS)
    for key, value in mine.items():
        stated = Decimal(golden.account[key])
        if key == "balance" and abs(value - stated) == unit:
            rounded += 1
        elif value.quantize(unit) != stated.quantize(unit):
            wrong.append(f"{key} of {instrument.instrument_id}: own {value}, {golden.oracle} {stated}")
    classed = {"AVERAGE_ROUNDED": rounded} if rounded else {}
    return Comparison(name, golden.oracle, len(mine) - len(wrong) - rounded, classed, tuple(wrong))


STATED_DIGITS = 8
"""Digits of the oracle's currency."""


def realized_and_position(own: list[FillRow]) -> tuple[Decimal, Decimal]:
    """Return realised profit at average cost, gross of fees, and the signed quantity left; multiplier one."""
    realized, position, cost = Decimal(0), Decimal(0), Decimal(0)
    for row in own:
        signed = row.qty if row.side == "buy" else -row.qty
        if position * signed >= 0:
            cost += signed * row.price
        else:
            closed = min(abs(signed), abs(position)) * (1 if signed > 0 else -1)
            average = cost / position
            realized += -closed * (row.price - average)
            cost += closed * average + (signed - closed) * row.price
        position += signed
    return realized, position
