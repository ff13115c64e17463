"""MD-01: recorded Binance streams, spot and USD-M, one line each: `local_ns json`.

`ts_init` is the recorder's clock, `ts_event` the venue's: matching time `T` where given, else `E`. The spot top
stream carries no venue time, so there `ts_event` is `ts_init`. A recording begins with diffs and holds one REST
snapshot a little later: the depth book buffers the first diffs until it comes.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from tradeworthy.adapters.tapes.lines import OnBad, TapeRow, lines_of, lots_reader, price_reader, refuse
from tradeworthy.kernel.clock import NANOS_PER_MILLI
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.trading.model import DepthDiff, DepthSnapshot, Instrument, Level, MarketEvent, Quote, Side, Trade

_Pair = tuple[str, str]


class _Frame(msgspec.Struct, gc=False):
    """A stream message, or a bare snapshot without `stream`."""

    stream: str | None = None
    data: msgspec.Raw = msgspec.Raw()


class _Depth(msgspec.Struct, gc=False):
    s: str
    E: int
    U: int
    u: int
    b: list[_Pair]
    a: list[_Pair]
    pu: int | None = None
    T: int | None = None


class _Top(msgspec.Struct, gc=False):
    s: str
    b: str
    B: str
    a: str
    A: str
    E: int | None = None
    T: int | None = None


class _Trade(msgspec.Struct, gc=False):
    s: str
    t: int
    p: str
    q: str
    m: bool
    E: int
    T: int | None = None


class _Snapshot(msgspec.Struct, gc=False):
    lastUpdateId: int
    bids: list[_Pair]
    asks: list[_Pair]
    E: int | None = None
    T: int | None = None


class Normalizer:
    """Turn raw messages of one symbol into market events; an unknown symbol or stream is refused."""

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self._price: Callable[[str], int] = price_reader(instrument)
        self._lots: Callable[[str], int] = lots_reader(instrument)
        self._frame = msgspec.json.Decoder(_Frame)
        self._depth = msgspec.json.Decoder(_Depth)
        self._top = msgspec.json.Decoder(_Top)
        self._trade = msgspec.json.Decoder(_Trade)
        self._snapshot = msgspec.json.Decoder(_Snapshot)

    def normalize(self, raw: bytes, ts_init: int) -> tuple[int, MarketEvent]:
        """Return `(ts_event, event)` of the JSON `raw`; raises `InvalidInput` or `msgspec.MsgspecError`."""
        frame = self._frame.decode(raw)
        name = self._instrument.instrument_id
        price, lots = self._price, self._lots
        if frame.stream is None:
            whole = self._snapshot.decode(raw)
            return _stamp(whole.T or whole.E, ts_init), DepthSnapshot(
                name, whole.lastUpdateId, self._levels(whole.bids), self._levels(whole.asks)
            )
        stream = frame.stream.partition("@")[2]
        if stream == "bookTicker":
            top = self._top.decode(frame.data)
            self._check(top.s)
            return _stamp(top.T or top.E, ts_init), Quote(name, price(top.b), price(top.a), lots(top.B), lots(top.A))
        if stream == "trade":
            trade = self._trade.decode(frame.data)
            self._check(trade.s)
            taker = Side.SELL if trade.m else Side.BUY  # m: the buyer was the maker
            return _stamp(trade.T or trade.E, ts_init), Trade(name, price(trade.p), lots(trade.q), taker, str(trade.t))
        if stream.startswith("depth"):
            diff = self._depth.decode(frame.data)
            self._check(diff.s)
            return _stamp(diff.T or diff.E, ts_init), DepthDiff(
                name, diff.U, diff.u, diff.pu, self._levels(diff.b), self._levels(diff.a)
            )
        raise InvalidInput(f"stream must be depth, bookTicker or trade, was {frame.stream!r}")

    def _levels(self, pairs: list[_Pair]) -> tuple[Level, ...]:
        price, lots = self._price, self._lots
        return tuple([(price(p), lots(q)) for p, q in pairs])

    def _check(self, symbol: str) -> None:
        if symbol != self._instrument.symbol:
            raise InvalidInput(f"symbol must be {self._instrument.symbol}, was {symbol!r}")


def _stamp(venue_ms: int | None, ts_init: int) -> int:
    return ts_init if venue_ms is None else venue_ms * NANOS_PER_MILLI


def recorded(path: Path, instrument: Instrument, on_bad: OnBad = refuse) -> Iterator[TapeRow]:
    """Yield the events of a recording in the recorder's order."""
    normalizer = Normalizer(instrument)
    for raw in lines_of(path, on_bad):
        stamp, _, body = raw.partition(b" ")
        try:
            ts_init = int(stamp)
            ts_event, event = normalizer.normalize(body, ts_init)
        except (ValueError, InvalidInput, msgspec.MsgspecError) as bad:
            on_bad(raw, str(bad))
            continue
        yield ts_event, ts_init, event
