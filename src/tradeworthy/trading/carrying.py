"""What comes with holding a position: funding, splits, dividends, borrow fees (LG-05, LG-08, MD-11, SV-14)."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.trading.corporate_actions import CorporateActions
from tradeworthy.trading.ledger.ledger import Ledger
from tradeworthy.trading.market_data.top import MarketState
from tradeworthy.trading.model import BorrowCharged, Dividend, Funding, GuardLevel, GuardReason, Split
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.view import Seat


class Carrying:
    """Book what a position pays and gets, and tell risk; what was booked joins the outcome in hand.

    mid2       twice the last mid by instrument;  positions  lots by instance and instrument, kept for the planner
    on_worth   hears an instrument whose holders are worth something else now
    """

    __slots__ = ("_actions", "_apply", "_facts", "_ledger", "_markets", "_mid2", "_on_worth", "_positions", "_seats")

    def __init__(
        self, seats: Sequence[Seat], *, ledger: Ledger, markets: Mapping[str, MarketState], context: RiskContext,
        mid2: dict[str, int | None], positions: Mapping[str, dict[str, int]], facts: list[Fact],
        apply: Callable[[Iterable[GuardReason]], None], on_worth: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._seats, self._ledger, self._markets, self._mid2 = seats, ledger, markets, mid2
        self._positions, self._facts, self._apply, self._on_worth = positions, facts, apply, on_worth
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
