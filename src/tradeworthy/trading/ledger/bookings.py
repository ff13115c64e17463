"""What the ledger booked besides fills: one fact a booking, so that the journal tells the same story."""

from decimal import Decimal
from enum import Enum

from tradeworthy.kernel.facts import Fact, fact


class FlowKind(Enum):
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    TRANSFER = "transfer"


@fact("ledger.funding_booked")
class FundingBooked(Fact, frozen=True):
    """Funding of one position: `amount` received, negative when paid."""

    instance: str
    instrument: str
    rate: Decimal
    amount: Decimal
    currency: str


@fact("ledger.flow_booked")
class FlowBooked(Fact, frozen=True):
    """Money that came or went and is no profit."""

    instance: str
    currency: str
    amount: Decimal
    flow: FlowKind


@fact("ledger.fee_booked")
class FeeBooked(Fact, frozen=True):
    """A fee that arrived after its fill and replaced the estimate."""

    trade_id: str
    client_order_id: str
    instance: str
    instrument: str
    fee: Decimal
    fee_currency: str
    estimate: Decimal


@fact("ledger.borrow_booked")
class BorrowBooked(Fact, frozen=True):
    """What borrowing an asset cost."""

    instance: str
    currency: str
    cost: Decimal


@fact("ledger.split_booked")
class SplitBooked(Fact, frozen=True):
    """A split of new : old applied to every position of the instrument."""

    instrument: str
    new: int
    old: int


@fact("ledger.dividend_booked")
class DividendBooked(Fact, frozen=True):
    """A cash dividend on its pay date; negative for a short position."""

    instance: str
    instrument: str
    per_unit: Decimal
    amount: Decimal
    currency: str
