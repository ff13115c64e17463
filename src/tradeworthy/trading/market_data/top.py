"""What the desk knows of one instrument's market: top of book, last, mark, bars; the `Top` of the model."""

from collections import deque
from collections.abc import Callable
from decimal import Decimal

from tradeworthy.kernel.facts import Fact
from tradeworthy.trading.market_data.depth import DepthBook
from tradeworthy.trading.market_data.false_tick import FalseTickFilter, FalseTickPolicy
from tradeworthy.trading.model.corporate import Split
from tradeworthy.trading.model.market import (
    Bar,
    DepthChecksum,
    DepthDiff,
    DepthSnapshot,
    Funding,
    Mark,
    MarketEvent,
    Quote,
    Status,
    Trade,
    TradingStatus,
)

BARS_MAX = 2_880
"""Two days of minutes (MD-03)."""


class MarketState:
    """Fold market events of one instrument; a crossed, locked or one-sided top is kept and marked unusable.

    bid, ask, last, mark   ticks, None where nothing is known;  sizes in lots
    mid2                   bid + ask; twice the last close for an instrument that has bars only
    ts                     event time of the last price; a filled bar is no news and does not move it
    usable                 two-sided, uncrossed, in sequence and not halted

    Once a quote was seen the depth diffs keep the book only: a venue's top stream is ahead of its diffs.
    """

    __slots__ = ("_bars", "_book", "_checksum", "_filter", "_halted", "_quoted", "_withheld", "ask", "ask_lots", "bid",
                 "bid_lots", "funding_rate", "instrument_id", "last", "mark", "mid2", "status", "ts", "usable")

    def __init__(
        self, instrument_id: str, *, false_tick: FalseTickPolicy | None = None,
        checksum: Callable[[DepthBook], int] | None = None,
    ) -> None:
        self._checksum = checksum
        self.instrument_id = instrument_id
        self.bid: int | None = None
        self.ask: int | None = None
        self.bid_lots: int | None = None
        self.ask_lots: int | None = None
        self.last: int | None = None
        self.mark: int | None = None
        self.mid2: int | None = None
        self.ts = 0
        self.usable = False
        self.status = TradingStatus.OPEN
        self.funding_rate: Decimal | None = None
        self._bars: dict[int, deque[Bar]] = {}
        self._book: DepthBook | None = None
        self._filter = None if false_tick is None else FalseTickFilter(instrument_id, false_tick)
        self._quoted = False
        self._halted = False
        self._withheld = False

    @property
    def book(self) -> DepthBook | None:
        """The depth book, once the instrument sent depth."""
        return self._book

    def bars(self, interval_ns: int | None = None) -> deque[Bar]:
        """Return the last 2 880 bars of `interval_ns` (by default the first interval seen), oldest first."""
        if interval_ns is None:
            return next(iter(self._bars.values()), deque())
        return self._bars.get(interval_ns, deque())

    def apply(self, fact: MarketEvent, ts: int) -> tuple[Fact, ...]:
        """Fold `fact` with event time `ts`; return quality facts, mostly none."""
        kind = type(fact)
        if kind is Quote:
            bid, ask = fact.bid, fact.ask  # type: ignore[union-attr]
            if self._filter is not None and (suspect := self._filter.judge(bid + ask)) is not None:
                return (suspect,)
            self._quoted = True
            self.ts = ts
            self.bid_lots = fact.bid_lots  # type: ignore[union-attr]
            self.ask_lots = fact.ask_lots  # type: ignore[union-attr]
            if 0 < bid < ask:
                self.bid, self.ask, self.mid2 = bid, ask, bid + ask
                self.usable = not self._withheld
            else:
                self._mark_odd(bid, ask)
            return ()
        if kind is Bar:
            return self._on_bar(fact, ts)  # type: ignore[arg-type]
        if kind is Trade:
            if self._filter is not None and (suspect := self._filter.judge(2 * fact.price)) is not None:  # type: ignore[union-attr]
                return (suspect,)
            self.last = fact.price  # type: ignore[union-attr]
            if self.bid is None:
                self.ts = ts
            return ()
        return self._on_other(fact, ts)

    def confirm(self, mid2: int) -> bool:
        """A second source stands at `mid2` (twice the mid): accept a suspect price that agrees with it."""
        return self._filter is not None and self._filter.confirm(mid2)

    def _on_bar(self, bar: Bar, ts: int) -> tuple[Fact, ...]:
        close = bar.close
        if self._filter is not None and (suspect := self._filter.judge(2 * close)) is not None:
            return (suspect,)
        try:
            self._bars[bar.interval_ns].append(bar)
        except KeyError:
            self._bars[bar.interval_ns] = deque((bar,), BARS_MAX)
        self.last = close
        if not bar.filled:
            self.ts = ts
        if not self._quoted:
            self.mid2 = 2 * close
            self.usable = not self._withheld
        return ()

    def _on_other(self, fact: MarketEvent, ts: int) -> tuple[Fact, ...]:
        match fact:
            case DepthDiff() | DepthSnapshot():
                return self._on_depth(fact, ts)
            case Mark(price=price):
                self.mark = price
            case Funding(rate=rate):
                self.funding_rate = rate
            case Status(status=status):
                self.status = status
                self._halted = status is not TradingStatus.OPEN
                self._withhold()
            case DepthChecksum() if self._book is not None:
                found = self._book.verify(fact)
                if found:
                    self._withhold()
                return found
            case Split():
                self._forget()
        return ()

    def _forget(self) -> None:
        """A split makes every price another share's: nothing is known until the next one (MD-11)."""
        self.bid = self.ask = self.bid_lots = self.ask_lots = self.last = self.mark = self.mid2 = None
        self.usable = False
        self._bars.clear()
        self._book = None
        if self._filter is not None:
            self._filter.forget()
        self._withhold()

    def _on_depth(self, fact: DepthDiff | DepthSnapshot, ts: int) -> tuple[Fact, ...]:
        book = self._book
        if book is None:
            book = self._book = DepthBook(self.instrument_id, self._checksum)
        was_broken = book.broken
        facts = book.apply(fact, ts) if isinstance(fact, DepthDiff) else book.restore(fact, ts)
        if book.broken is not was_broken:
            self._withhold()
        if book.live and not self._quoted:
            self._show(book, ts)
        return facts

    def _show(self, book: DepthBook, ts: int) -> None:
        bid, ask = book.best_bid, book.best_ask
        self.ts, self.bid_lots, self.ask_lots = ts, book.best_bid_lots, book.best_ask_lots
        if bid is not None and ask is not None and bid < ask:
            self.bid, self.ask, self.mid2 = bid, ask, bid + ask
            self.usable = not self._withheld
        else:
            self._mark_odd(bid or 0, ask or 0)

    def _mark_odd(self, bid: int, ask: int) -> None:
        """Keep a one-sided, locked or crossed top as it came, unusable; a side at or below zero is absent."""
        self.bid = bid if bid > 0 else None
        self.ask = ask if ask > 0 else None
        self.mid2 = bid + ask if bid > 0 and ask > 0 else None
        self.usable = False

    def _withhold(self) -> None:
        self._withheld = self._halted or (self._book is not None and self._book.broken)
        two_sided = self.bid is not None and self.ask is not None and self.bid < self.ask
        bars_only = self.bid is None and self.ask is None and self.mid2 is not None
        self.usable = not self._withheld and (two_sided or bars_only)
