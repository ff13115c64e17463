"""The ledger as a fold of its journal: delete it, fold again, and its hash is the same (LG-11)."""

from collections.abc import Iterable

from tradeworthy.kernel.errors import HaltTrading
from tradeworthy.kernel.facts import Event
from tradeworthy.trading.ledger.bookings import (
    BorrowBooked,
    DividendBooked,
    FeeBooked,
    FlowBooked,
    FundingBooked,
    SplitBooked,
)
from tradeworthy.trading.ledger.ledger import Ledger
from tradeworthy.trading.model.market import Side
from tradeworthy.trading.model.order import ExecReport, Fill, FillBooked, Liquidity, ReportType


class Reconstruction:
    """Fold journaled bookings into a fresh ledger that holds what the desk began with.

    A booking that comes out otherwise than it was journaled raises `HaltTrading`: one of the two is not true.
    """

    __slots__ = ("_reports", "ledger")

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._reports: dict[tuple[str, str], ExecReport] = {}

    def apply(self, event: Event) -> None:
        """Take one event; anything but a booking, or the venue's word behind it, is passed over."""
        booked = event.payload
        match booked:
            case ExecReport(trade_id=str()):
                self._reports[booked.client_order_id, booked.trade_id or ""] = booked
            case FillBooked():
                self._fill(booked, event.seq)
            case FundingBooked() | FlowBooked() | BorrowBooked() | DividendBooked():
                self.ledger.repeat(booked)
            case SplitBooked():
                self.ledger.split(booked.instrument, booked.new, booked.old)
            case FeeBooked():
                fill = Fill(
                    booked.trade_id, booked.client_order_id, booked.instance, booked.instrument, Side.BUY, 0, 0,
                    Liquidity.TAKER, None, booked.fee_currency, event.ts_event,
                )
                self.ledger.settle_fee(fill, booked.fee, booked.fee_currency)

    def _fill(self, booked: FillBooked, seq: int) -> None:
        report = self._reports.pop((booked.client_order_id, booked.trade_id), None)
        mid2 = None if booked.mid is None else int(2 * booked.mid)
        kind = ReportType.FILL if report is None else report.type
        lots, fee = booked.lots, booked.fee
        if report is not None and kind is not ReportType.FILL:
            lots, fee = report.lots, report.fee  # a booking tells the change, the venue told what is true now
        fill = Fill(
            booked.trade_id, booked.client_order_id, booked.instance, booked.instrument, booked.side, lots,
            booked.price, booked.liquidity, fee, booked.fee_currency, 0,
        )
        if kind is ReportType.BUST:
            again = self.ledger.bust(fill, mid2)
        elif kind is ReportType.CORRECTION:
            again = self.ledger.correct(fill, mid2)
        else:
            again = self.ledger.book(fill, mid2)
        if again != booked:
            raise HaltTrading(f"seq {seq}: the journal booked {booked}, the fold books {again}: verify the journal")


def reconstruct(events: Iterable[Event], ledger: Ledger) -> Ledger:
    """Return `ledger` with all bookings of `events` folded in."""
    fold = Reconstruction(ledger)
    for event in events:
        fold.apply(event)
    return ledger
