"""Touch quoter: join best bid and best ask at each change of the book, keep quotes that did not move."""

import msgspec

from tradeworthy.kernel.facts import Fact
from tradeworthy.trading.model import (
    NANOS,
    Decision,
    DepthDiff,
    Instrument,
    Quote,
    QuoteTarget,
    Refresh,
    Side,
    Targets,
    View,
)
from tradeworthy.trading.strategies.abstentions import GUARD, MARKET_UNUSABLE, UNCHANGED, withdrawing


class TouchQuoterPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the touch is joined.

    lots            size a side;  inventory_lots_max  position at which that side stops
    interval_ns     shortest time between two decisions, 0 = every event
    repeat_ns       an unchanged wish is told again after this time, so a refused quote returns
    """

    lots: int = 1
    inventory_lots_max: int = 10
    interval_ns: int = 0
    repeat_ns: int = 1 * NANOS


_GUARD, _UNUSABLE = withdrawing(GUARD), withdrawing(MARKET_UNUSABLE)
_AT_ONCE = Refresh(interval_ns=0, age_min_ns=0, level_gap_ns=0, keep_ticks=0)


class TouchQuoter:
    """Two post-only orders at the touch; no indicator, no history."""

    __slots__ = (
        "_ask", "_bid", "_fills", "_interval", "_policy", "_repeat", "_ts",
        "decides_on", "instance", "instrument_id", "observes",
    )

    def __init__(self, instance: str, instrument: Instrument, policy: TouchQuoterPolicy) -> None:
        self.instance = instance
        self.instrument_id = instrument.instrument_id
        self.observes: tuple[type[Fact] | str, ...] = ()
        self.decides_on: tuple[type[Fact] | str, ...] = (Quote, DepthDiff)
        self._policy = policy
        self._interval, self._repeat = policy.interval_ns, policy.repeat_ns
        self._bid = self._ask = 0
        self._fills = -1
        self._ts: int | None = None

    def observe(self, view: View) -> None:
        """Nothing to fold."""

    def decide(self, view: View) -> Decision:
        """Return both quotes when touch or inventory moved."""
        top, now, last = view.top, view.now, self._ts
        if view.guard != 0:
            self._ts = None
            return _GUARD
        bid, ask = top.bid, top.ask
        if not top.usable or bid is None or ask is None:
            self._ts = None
            return _UNUSABLE
        if last is not None:
            age = now - last
            if age < self._interval:
                return UNCHANGED
            if bid == self._bid and ask == self._ask and age < self._repeat and view.fills == self._fills:
                return UNCHANGED
        self._bid, self._ask, self._fills, self._ts = bid, ask, view.fills, now
        position, lots, limit = view.position, self._policy.lots, self._policy.inventory_lots_max
        instrument = self.instrument_id
        quotes = []
        if position + lots <= limit:
            quotes.append(QuoteTarget(instrument, Side.BUY, 0, bid, lots, "join"))
        if position - lots >= -limit:
            quotes.append(QuoteTarget(instrument, Side.SELL, 0, ask, lots, "join"))
        return Targets(quotes=tuple(quotes), refresh=_AT_ONCE)
