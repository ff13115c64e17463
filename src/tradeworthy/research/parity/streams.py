"""Canonical market streams: the same events in the same order at the same time for every engine.

Times strictly increase by at least 1 us, so that no two events share a stamp and every engine orders them alike.
"""

from bisect import bisect_left
from collections.abc import Iterable

import msgspec

from tradeworthy.trading.model import DepthDiff, DepthSnapshot, MarketEvent, Quote, Side, Trade

SPACING_NS = 1_000
"""Smallest distance of two events of a canonical stream."""

TICK_SIZE = 1_000_000
"""Displayed size given to both sides of a quote whose carrier states none, in lots."""

Stream = list[tuple[int, MarketEvent]]


def quote_stream(events: Iterable[tuple[int, int, MarketEvent]]) -> Stream:
    """Return the quotes of `(ts_event, ts_init, event)` with sizes stated, times strictly increasing."""
    out: Stream = []
    last = 0
    for _, ts_init, event in events:
        if isinstance(event, Quote):
            last = max(ts_init, last + SPACING_NS)
            out.append((last, msgspec.structs.replace(event, bid_lots=TICK_SIZE, ask_lots=TICK_SIZE)))
    return out


def depth_stream(events: Iterable[tuple[int, int, MarketEvent]]) -> Stream:
    """Return snapshot, later diffs and later trades of a recorder's tape, times strictly increasing.

    Diffs that came before the snapshot but reach beyond it follow it at once; older ones are dropped.
    """
    out: Stream = []
    held: list[DepthDiff] = []
    known: int | None = None
    last = 0
    for _, ts_init, event in events:
        match event:
            case DepthSnapshot():
                known = event.last_id
                last = max(ts_init, last + SPACING_NS)
                out.append((last, event))
                for diff in held:
                    if diff.last_id > known:
                        last += SPACING_NS
                        out.append((last, diff))
            case DepthDiff() if known is None:
                held.append(event)
            case DepthDiff() if known is not None and event.last_id > known:
                last = max(ts_init, last + SPACING_NS)
                out.append((last, event))
            case Trade() if known is not None:
                last = max(ts_init, last + SPACING_NS)
                out.append((last, event))
            case _:
                pass
    return out


def restated(stream: Stream, times: Iterable[int]) -> Stream:
    """Return `stream` with the whole book stated again 1 ns before each of `times`.

    The oracles never take their own fills out of the book; a restated book gives the venue its liquidity back.
    """
    out: Stream = []
    book = Book()
    due = sorted(times)
    position = 0
    for ts, event in stream:
        while position < len(due) and due[position] <= ts:
            out.append((due[position] - 1, book.snapshot(event.instrument)))
            position += 1
        book.apply(event)
        out.append((ts, event))
    return out


class Book:
    """Levels by price, as stated; the ladder's own plain fold, independent of the venue's book."""

    def __init__(self) -> None:
        self.sides: dict[Side, dict[int, int]] = {Side.BUY: {}, Side.SELL: {}}
        self.last_id = 0

    def apply(self, event: MarketEvent) -> None:
        """Fold one event; quotes and trades leave the book as it is."""
        if isinstance(event, DepthSnapshot):
            self.sides = {Side.BUY: {}, Side.SELL: {}}
        if isinstance(event, DepthSnapshot | DepthDiff):
            self.last_id = event.last_id
            for side, levels in ((Side.BUY, event.bids), (Side.SELL, event.asks)):
                known = self.sides[side]
                for price, lots in levels:
                    if lots:
                        known[price] = lots
                    else:
                        known.pop(price, None)

    def snapshot(self, instrument: str) -> DepthSnapshot:
        """Return all levels, best first."""
        bids = tuple(sorted(self.sides[Side.BUY].items(), reverse=True))
        return DepthSnapshot(instrument, self.last_id, bids, tuple(sorted(self.sides[Side.SELL].items())))


def merged(first: Stream, second: Stream) -> Stream:
    """Return both streams in time order; at one stamp `first` comes first."""
    return sorted(first + second, key=lambda row: row[0])


def split(stream: Stream, ts: int) -> tuple[Stream, Stream]:
    """Return the events before `ts` and the rest."""
    at = bisect_left(stream, ts, key=lambda row: row[0])
    return stream[:at], stream[at:]


def mirrored(stream: Stream, *, about: int) -> Stream:
    """Return the market seen in a mirror: each price p becomes `about` - p, bids become asks."""
    return [(ts, _mirror(event, about)) for ts, event in stream]


def scaled(stream: Stream, *, by: int) -> Stream:
    """Return the market with every price multiplied by `by`."""
    return [(ts, _scale(event, by)) for ts, event in stream]


def renamed(stream: Stream, instrument: str) -> Stream:
    """Return the same events as those of another instrument."""
    return [(ts, msgspec.structs.replace(event, instrument=instrument)) for ts, event in stream]


def _mirror(event: MarketEvent, about: int) -> MarketEvent:
    match event:
        case Quote():
            return Quote(event.instrument, about - event.ask, about - event.bid, event.ask_lots, event.bid_lots)
        case Trade():
            aggressor = None if event.aggressor is None else event.aggressor.opposite
            return Trade(event.instrument, about - event.price, event.lots, aggressor, event.trade_id)
        case DepthDiff() | DepthSnapshot():
            bids = tuple((about - price, lots) for price, lots in event.asks if price < about)
            asks = tuple((about - price, lots) for price, lots in event.bids if price < about)
            return msgspec.structs.replace(event, bids=bids, asks=asks)
        case _:
            raise TypeError(f"a canonical stream holds quotes, depth and trades, found {type(event).__name__}")


def _scale(event: MarketEvent, by: int) -> MarketEvent:
    match event:
        case Quote():
            return msgspec.structs.replace(event, bid=event.bid * by, ask=event.ask * by)
        case Trade():
            return msgspec.structs.replace(event, price=event.price * by)
        case DepthDiff() | DepthSnapshot():
            bids = tuple((price * by, lots) for price, lots in event.bids)
            asks = tuple((price * by, lots) for price, lots in event.asks)
            return msgspec.structs.replace(event, bids=bids, asks=asks)
        case _:
            raise TypeError(f"a canonical stream holds quotes, depth and trades, found {type(event).__name__}")
