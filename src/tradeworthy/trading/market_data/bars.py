"""MD-03: bars from trades or mids, closed by event time; late ticks are counted, never merged."""

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.trading.model.market import Bar

GRACE_NS = NANOS_PER_SECOND
FILLED_MAX = 2_880
"""Flat bars made for one silence; a longer one is a new start."""


class _Forming:
    __slots__ = ("close", "high", "low", "open", "volume")

    def __init__(self, price: int, lots: int | None) -> None:
        self.open = self.high = self.low = self.close = price
        self.volume = lots

    def add(self, price: int, lots: int | None) -> None:
        if price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price
        self.close = price
        if lots is not None:
            self.volume = lots if self.volume is None else self.volume + lots


class BarBuilder:
    """Build the bars of one instrument and interval: `[start, end)`, closed at `end` plus one second of event time.

    `late` counts ticks of bars that are closed already.
    """

    __slots__ = ("_close", "_forming", "_grace_ns", "_instrument", "_interval_ns", "_next_start", "late")

    def __init__(self, instrument: str, interval_ns: int, *, grace_ns: int = GRACE_NS) -> None:
        if not 0 <= grace_ns < interval_ns:
            raise ValueError(f"grace must be within 0 and the interval of {interval_ns} ns, was {grace_ns}")
        self._instrument = instrument
        self._interval_ns = interval_ns
        self._grace_ns = grace_ns
        self._forming: dict[int, _Forming] = {}
        self._next_start: int | None = None
        self._close: int | None = None
        self.late = 0

    def add(self, price: int, lots: int | None, ts: int) -> list[tuple[int, Bar]]:
        """Take a price in ticks (a size of None: a mid); return the bars that `ts` closed, with their close times."""
        start = ts - ts % self._interval_ns
        if self._next_start is None:
            self._next_start = start
        closed = self.advance(ts)
        if start < self._next_start:
            self.late += 1
            return closed
        forming = self._forming.get(start)
        if forming is None:
            self._forming[start] = _Forming(price, lots)
        else:
            forming.add(price, lots)
        return closed

    def advance(self, ts: int) -> list[tuple[int, Bar]]:
        """Event time is `ts`: close what is due; an interval without a tick gives a flat bar, `filled`."""
        closed: list[tuple[int, Bar]] = []
        start = self._next_start
        if start is None:
            return closed
        interval = self._interval_ns
        due = (ts - self._grace_ns - start) // interval  # intervals from `start` whose end and grace have passed
        if due <= 0:
            return closed
        if due > FILLED_MAX + len(self._forming):
            for at in sorted(self._forming):
                closed.append((at + interval, self._bar(self._forming.pop(at))))
            self._next_start = start + due * interval
            self._close = None
            return closed
        for at in range(start, start + due * interval, interval):
            forming = self._forming.pop(at, None)
            if forming is not None:
                closed.append((at + interval, self._bar(forming)))
            elif (flat := self._close) is not None:
                closed.append((at + interval, Bar(self._instrument, interval, flat, flat, flat, flat, None, True)))
        self._next_start = start + due * interval
        return closed

    def _bar(self, forming: _Forming) -> Bar:
        self._close = forming.close
        return Bar(self._instrument, self._interval_ns, forming.open, forming.high, forming.low, forming.close,
                   forming.volume)
