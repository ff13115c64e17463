"""What comes with a position: funding, splits, dividends, borrow fees, margin (LG-05, LG-08, MD-11, RK-38, RK-39)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.trading.corporate_actions import CorporateActions
from tradeworthy.trading.ledger.ledger import Ledger
from tradeworthy.trading.market_data.top import MarketState
from tradeworthy.trading.model import NANOS, BorrowCharged, Dividend, Funding, GuardLevel, GuardReason, Split
from tradeworthy.trading.risk.carry import FundingCost, Margin
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.exposure import InstrumentBook
from tradeworthy.trading.view import Seat

FUNDINGS_A_DAY = 3
"""Rates are judged per eight hours."""


class CarryMonitors(NamedTuple):
    """What judges margin and funding; a desk without them is not judged."""

    margin: Margin
    funding: FundingCost



class Carrying:
    """Book what a position pays and gets, and tell risk; what was booked joins the outcome in hand.

    mid2       twice the last mid by instrument;  positions  lots by instance and instrument, kept for the planner
    on_worth   hears an instrument whose holders are worth something else now
    """

    __slots__ = ("_actions", "_apply", "_context", "_facts", "_ledger", "_margined", "_markets", "_mid2", "_monitors",
                 "_on_worth", "_paying", "_positions", "_seats")  # fmt: skip

    def __init__(
        self, seats: Sequence[Seat], *, ledger: Ledger, markets: Mapping[str, MarketState], context: RiskContext,
        mid2: dict[str, int | None], positions: Mapping[str, dict[str, int]], facts: list[Fact],
        apply: Callable[[Iterable[GuardReason]], None], on_worth: Callable[[str], None],
        monitors: CarryMonitors | None = None,
    ) -> None:  # fmt: skip
        self._seats, self._ledger, self._markets, self._mid2 = seats, ledger, markets, mid2
        self._positions, self._facts, self._apply, self._on_worth = positions, facts, apply, on_worth
        self._context, self._monitors = context, monitors
        books = () if monitors is None else tuple(context.books.values())
        self._paying = frozenset(book.instrument_id for book in books if book.instrument.perpetual)
        self._margined: dict[str, list[InstrumentBook]] = {}
        for book in books:
            if book.instrument.margin is not None:
                self._margined.setdefault(book.venue, []).append(book)
        self._actions = CorporateActions(seats, ledger=ledger, markets=markets, context=context, apply=apply)

    def on_funding(self, event: Event, funding: Funding) -> None:
        """Book a funding time for all who hold the instrument; one of unknown size pauses them."""
        name = funding.instrument
        self._markets[name].apply(funding, event.ts_event)
        mark = self._markets[name].mark
        price2 = 2 * mark if mark is not None else self._mid2[name]
        for seat in self._seats:
            if seat.instrument_id != name or seat.position == 0:
                continue
            if funding.rate is None or price2 is None:
                scope = f"strategy:{seat.instance}"
                self._apply((GuardReason("risk", "funding_unknown", GuardLevel.PAUSED, scope),))
                continue
            self._facts.append(self._ledger.funding(seat.instance, name, funding.rate, price2))
        self._on_worth(name)
        if self._monitors is not None and funding.rate is not None and name in self._paying:
            self.on_position(name)
            times = len(self._context.books[name].instrument.funding_hours) or FUNDINGS_A_DAY
            rate = funding.rate * times / FUNDINGS_A_DAY
            for found in self._monitors.funding.on_funding(name, rate, self._context.now):
                if isinstance(found, GuardReason):
                    self._apply((found,))
                else:
                    self._facts.append(found)

    def on_position(self, instrument: str) -> None:
        """Note that a position may have changed: how long a perpetual is held counts for its funding (RK-39)."""
        if instrument in self._paying and self._monitors is not None:
            lots = self._context.books[instrument].position
            self._monitors.funding.on_position(instrument, lots, self._context.now)

    def on_second(self) -> None:
        """Judge the margin at each venue; the desk's one account stands behind all of them (RK-38)."""
        if self._monitors is None:
            return
        for venue, books in self._margined.items():
            gross2 = sum(abs(book.position) * book.lot2 for book in books)
            equity = self._context.equity_nanos
            balance = None if equity is None else Decimal(equity) / NANOS
            reasons = self._monitors.margin.on_margin(venue, balance, Decimal(gross2) / (2 * NANOS))
            if reasons:
                self._apply(reasons)

    def on_split(self, event: Event, split: Split) -> None:
        """Scale every position; the price of before is another share's, so equity is unknown until the next one."""
        name = split.instrument
        booked = self._actions.on_split(split, event.ts_event)
        self._facts += booked
        if not booked:
            return
        self._mid2[name] = None
        for seat in self._seats:
            if name in self._positions[seat.instance]:
                self._positions[seat.instance][name] = self._ledger.lots(seat.instance, name)
        self._on_worth(name)

    def on_dividend(self, event: Event, dividend: Dividend) -> None:
        """Book the cash of all who hold the share."""
        self._facts += self._actions.on_dividend(dividend, event.ts_event)
        self._on_worth(dividend.instrument)

    def on_borrow(self, event: Event, charged: BorrowCharged) -> None:
        """Book what the venue charged for a short position."""
        self._facts += self._actions.on_borrow(charged, event.ts_event)
        self._on_worth(charged.instrument)
