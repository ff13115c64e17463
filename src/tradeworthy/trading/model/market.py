"""Market events: what a venue said about prices. Prices in ticks, sizes in lots, rates as Decimal."""

from decimal import Decimal
from enum import IntEnum

from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.words import Word
from tradeworthy.trading.model.corporate import Dividend, Split


class Side(IntEnum):
    """The sign of a quantity."""

    BUY = 1
    SELL = -1

    @property
    def opposite(self) -> "Side":
        return Side.SELL if self is Side.BUY else Side.BUY


@fact("market.quote")
class Quote(Fact, frozen=True):
    """Best bid and ask. A size the venue did not state is None, never zero (MO-06)."""

    instrument: str
    bid: int
    ask: int
    bid_lots: int | None = None
    ask_lots: int | None = None


@fact("market.trade")
class Trade(Fact, frozen=True):
    """One trade; `aggressor` is the taker's side, None where the venue does not tell."""

    instrument: str
    price: int
    lots: int
    aggressor: Side | None = None
    trade_id: str = ""


Level = tuple[int, int]
"""`(price, lots)`; zero lots in a diff removes the level."""


@fact("market.depth_diff")
class DepthDiff(Fact, frozen=True):
    """Changed levels with the venue's sequence: first, last and (futures) previous last update id."""

    instrument: str
    first_id: int
    last_id: int
    prev_id: int | None
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


@fact("market.depth_snapshot")
class DepthSnapshot(Fact, frozen=True):
    """All known levels, best first."""

    instrument: str
    last_id: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


@fact("market.depth_checksum")
class DepthChecksum(Fact, frozen=True):
    """The venue's own checksum over its book after the update `last_id`."""

    instrument: str
    last_id: int
    checksum: int


@fact("market.bar")
class Bar(Fact, frozen=True):
    """One closed bar; its event time is its close. `filled` marks a bar made for a missing interval."""

    instrument: str
    interval_ns: int
    open: int
    high: int
    low: int
    close: int
    volume: int | None = None
    filled: bool = False


@fact("market.funding")
class Funding(Fact, frozen=True):
    """A funding time: the rate that longs pay shorts; None when the venue gave none."""

    instrument: str
    rate: Decimal | None


@fact("market.mark")
class Mark(Fact, frozen=True):
    """The venue's mark price in ticks."""

    instrument: str
    price: int


@fact("market.index")
class Index(Fact, frozen=True):
    """The index price in ticks, as the venue computes it from other venues."""

    instrument: str
    price: int


class TradingStatus(Word):
    OPEN = "open"
    HALTED = "halted"
    AUCTION = "auction"
    CLOSED = "closed"


@fact("market.status")
class Status(Fact, frozen=True):
    """The venue opened, halted or closed an instrument."""

    instrument: str
    status: TradingStatus


@fact("clock.timer")
class Timer(Fact, frozen=True):
    """A periodic act is an event (DL-02): `evaluate`, `sample`, `day_roll`, `heartbeat`, `ttl`."""

    name: str


MarketEvent = (
    Quote | Trade | DepthDiff | DepthSnapshot | DepthChecksum | Bar | Funding | Mark | Index | Status | Split | Dividend
)
"""What a source says of an instrument; corporate actions come on the same tape, in their own time (MD-11)."""
