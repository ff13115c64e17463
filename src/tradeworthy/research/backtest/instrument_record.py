"""What a run knows of one instrument: its market, the position in it, own quotes, and what its fills cost."""

from decimal import Decimal

from tradeworthy.research.backtest.costs import CostRecord
from tradeworthy.research.backtest.equity import POINTS_MAX
from tradeworthy.research.backtest.fills import MidWatch
from tradeworthy.research.backtest.sample import EvenSample
from tradeworthy.research.backtest.series import Series
from tradeworthy.trading.market_data.top import MarketState
from tradeworthy.trading.model.instrument import Instrument

QUOTES_MAX = 4000


class OwnQuote:
    """One limit order on the market: price in ticks from `start` to `end` (None while it works)."""

    __slots__ = ("end", "price", "side", "start")

    def __init__(self, start: int, side: int, price: int) -> None:
        self.start = start
        self.end: int | None = None
        self.side = side
        self.price = price


class Candle:
    """Open, high, low and close of the doubled mid in the minute in hand; `seen` once it has a price."""

    __slots__ = ("close2", "high2", "low2", "open2", "seen")

    def __init__(self) -> None:
        self.open2 = self.high2 = self.low2 = self.close2 = 0
        self.seen = False

    def add(self, mid2: int) -> None:
        """Take up one doubled mid."""
        if not self.seen:
            self.seen = True
            self.open2 = self.high2 = self.low2 = mid2
        elif mid2 > self.high2:
            self.high2 = mid2
        elif mid2 < self.low2:
            self.low2 = mid2
        self.close2 = mid2

    def restart(self) -> None:
        """Open the next minute; a minute without a change has no candle."""
        self.seen = False


class InstrumentRecord:
    """One instrument's market and position; mids are doubled ticks, money is in half nanos.

    book   kept for instruments whose venue sends depth and no quotes
    """

    __slots__ = (
        "_quotes", "bar_open", "book", "candle", "captured2", "costs", "funding", "instrument",
        "inventory", "inventory2", "mid2", "position", "price", "quoted", "quotes", "spread", "top_told", "value",
        "watch",
    )

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.value = instrument.value_nanos
        self.mid2 = 0
        self.spread = 0
        self.quoted = False
        self.top_told = False
        self.bar_open = 0
        self.position = 0
        self.captured2 = 0
        self.inventory2 = 0
        self.funding = Decimal(0)
        self.costs = CostRecord()
        self.candle = Candle()
        self.book = MarketState(instrument.instrument_id)
        self.watch = MidWatch()
        self.price = Series(POINTS_MAX)
        self.inventory = Series(POINTS_MAX)
        self._quotes = EvenSample[OwnQuote](QUOTES_MAX)
        self.quotes = self._quotes.kept

    def split(self, new: int, old: int) -> int:
        """Scale position and mid and return what the rounding of the mid gains, in half nanos."""
        before = self.position * self.mid2
        self.position = self.position * new // old
        self.mid2 = self.mid2 * old // new
        self.candle.restart()
        gain2 = (self.position * self.mid2 - before) * self.value
        self.inventory2 += gain2
        return gain2

    def keep_quote(self, quote: OwnQuote) -> None:
        """Keep an even sample of at most `QUOTES_MAX` own quotes."""
        if self._quotes.due():
            self._quotes.add(quote)
