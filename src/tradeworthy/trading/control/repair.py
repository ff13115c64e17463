"""A repair of the ledger: a fill that the venue's statement holds and the desk never heard of (APR-04, RC-02).

Two people sign what the statement says of one trade; the desk books exactly that, and nothing is inferred.
"""

from decimal import Decimal

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.trading.control.approvals import Approval
from tradeworthy.trading.model import Side

ORDER_PREFIX = "repair-"
DIGEST_DIGITS = 12


@fact("ledger.repair_asked")
class LedgerRepair(Fact, frozen=True):
    """One trade as people signed it: signed by `people` in `pack`, whose digest names the booking.

    lots, price  whole lots above zero, price in ticks above zero
    """

    instance: str
    instrument: str
    side: Side
    lots: int
    price: int
    trade_id: str
    fee: Decimal
    fee_currency: str
    reason: str
    people: tuple[str, ...]
    pack: str

    @property
    def order(self) -> str:
        """The name under which it is booked, where a fill has its client order id."""
        return ORDER_PREFIX + self.pack[:DIGEST_DIGITS]


@fact("ledger.repaired")
class LedgerRepaired(Fact, frozen=True):
    """What a repair did: the position before and after, in lots."""

    pack: str
    trade_id: str
    before: int
    after: int


@fact("ledger.repair_refused")
class LedgerRepairRefused(Fact, frozen=True):
    """A repair that was not booked, with every reason."""

    pack: str
    faults: tuple[str, ...]


def details_of(
    *, instrument: str, side: str, lots: int, price: int, trade_id: str, fee: Decimal, fee_currency: str
) -> dict[str, str]:  # fmt: skip
    """Return what a pack says of the trade; raises `InvalidInput` for what is no trade."""
    found = {
        "instrument": instrument, "side": side, "lots": str(lots), "price": str(price), "trade_id": trade_id,
        "fee": str(fee), "fee_currency": fee_currency,
    }  # fmt: skip
    _parsed(found)
    return found


def repair_of(used: Approval) -> LedgerRepair:
    """Return the repair that a used pack stands for; raises `InvalidInput` for one that says no trade."""
    pack = used.pack
    side, lots, price, fee = _parsed(pack.details)
    told = pack.details
    return LedgerRepair(
        pack.subject, told["instrument"], side, lots, price, told["trade_id"], fee, told.get("fee_currency", ""),
        pack.reason, used.holders, used.digest,
    )  # fmt: skip


def _parsed(details: dict[str, str]) -> tuple[Side, int, int, Decimal]:
    try:
        side = {"buy": Side.BUY, "sell": Side.SELL}[details["side"]]
        lots, price, fee = int(details["lots"]), int(details["price"]), Decimal(details["fee"])
    except (KeyError, ValueError, ArithmeticError):
        raise InvalidInput(f"expected side buy or sell, whole lots and ticks, and a fee, found {details}") from None
    if lots <= 0 or price <= 0 or not fee.is_finite() or not details.get("trade_id") or not details.get("instrument"):
        raise InvalidInput(f"expected lots and price above zero, a fee, a trade and an instrument, found {details}")
    return side, lots, price, fee
