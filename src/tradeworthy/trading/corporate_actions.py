"""Splits, dividends and borrow fees at the desk: booked by the ledger, told to risk and market data (MD-11, LG-08)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.facts import Fact
from tradeworthy.trading.ledger.ledger import Ledger
from tradeworthy.trading.market_data.top import MarketState
from tradeworthy.trading.model import BorrowCharged, Dividend, GuardLevel, GuardReason, Side, Split
from tradeworthy.trading.risk.context import RiskContext


class Holder(Protocol):
    """An instance with the instrument that it trades."""

    @property
    def instance(self) -> str: ...
    @property
    def instrument_id(self) -> str: ...


class CorporateActions:
    """Carry what happens to a share through the rooms; each call returns what the ledger booked.

    apply  brings reasons to the guard
    """

    __slots__ = ("_apply", "_context", "_holders", "_ledger", "_markets")

    def __init__(
        self, holders: Sequence[Holder], *, ledger: Ledger, markets: Mapping[str, MarketState], context: RiskContext,
        apply: Callable[[Iterable[GuardReason]], None],
    ) -> None:
        self._holders, self._ledger, self._markets = holders, ledger, markets
        self._context, self._apply = context, apply

    def on_split(self, split: Split, now: int) -> list[Fact]:
        """Scale positions and forget prices; a split that leaves part lots books nothing and stops the instrument."""
        name = split.instrument
        before = {one.instance: self._ledger.lots(one.instance, name) for one in self._held(name)}
        try:
            booked = self._ledger.split(name, split.new, split.old)
        except InvalidInput as problem:
            reason = GuardReason(
                "ledger", "part_lots", GuardLevel.STOPPED, f"instrument:{name}", evidence=str(problem)
            )
            self._apply((reason,))
            return []
        self._markets[name].apply(split, now)
        self._ledger.marks.mark(name, None)
        for instance, lots in before.items():
            change = self._ledger.lots(instance, name) - lots
            if change:
                average = self._ledger.position(instance, name).average
                side = Side.BUY if change > 0 else Side.SELL
                self._context.book_fill(instance, name, side, abs(change), round(average or 1), now)
        self._context.mark(name, None, False, now)
        return [booked]

    def on_dividend(self, dividend: Dividend, now: int) -> list[Fact]:
        """Book the cash of every instance that holds the share; the event comes on its pay date."""
        return [
            self._ledger.dividend(one.instance, dividend.instrument, dividend.per_unit)
            for one in self._held(dividend.instrument)
        ]

    def on_borrow(self, charged: BorrowCharged, now: int) -> list[Fact]:
        """Book a day's borrow fee; one of unknown size pauses its instance, it is never taken for zero."""
        if charged.cash is None:
            scope = f"strategy:{charged.instance}"
            evidence = f"day {charged.day}: {charged.lots} lots of {charged.instrument} without a price"
            self._apply((GuardReason("ledger", "borrow_unknown", GuardLevel.PAUSED, scope, evidence=evidence),))
            return []
        return [self._ledger.borrow(charged.instance, charged.currency, -charged.cash)]

    def _held(self, name: str) -> list[Holder]:
        return [
            one for one in self._holders if one.instrument_id == name and self._ledger.lots(one.instance, name) != 0
        ]
