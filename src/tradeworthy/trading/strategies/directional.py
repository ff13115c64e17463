"""What directional strategies share: the stop of an opening, its size, and exits by stop and by time."""

from math import ceil, floor

import msgspec

from tradeworthy.trading.model import (
    NANOS,
    Abstain,
    Bar,
    Instrument,
    PositionTarget,
    Quote,
    Targets,
    View,
)
from tradeworthy.trading.strategies.abstentions import (
    BELOW_THRESHOLD,
    BUDGET_ZERO,
    GUARD,
    INPUT_QUARANTINED,
    MARKET_UNUSABLE,
)


class BracketPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Stop and size of a directional opening.

    stop_atr            stop distance in ATR;  stop_pct_min, _max  its bounds as fractions of price (RK-27)
    risk_of_budget      fraction of the budget lost when the stop is hit
    hold_ns_max         longest hold, nanoseconds
    """

    stop_atr: float = 2.0
    stop_pct_min: float = 0.005
    stop_pct_max: float = 0.08
    risk_of_budget: float = 0.01
    hold_ns_max: int = 24 * 3600 * NANOS


def protective_stop(side: int, bid: int, ask: int, distance: float, policy: BracketPolicy) -> int:
    """Return the stop in ticks, `distance` ticks away, within the bounds seen from both sides of the market."""
    if side > 0:
        nearest, farthest = floor(bid * (1.0 - policy.stop_pct_min)), ceil(ask * (1.0 - policy.stop_pct_max))
        return min(nearest, max(farthest, floor(bid - distance)))
    nearest, farthest = ceil(ask * (1.0 + policy.stop_pct_min)), floor(bid * (1.0 + policy.stop_pct_max))
    return max(nearest, min(farthest, ceil(ask + distance)))


def lots_at_risk(instrument: Instrument, price: int, stop: int, budget: float, policy: BracketPolicy) -> int:
    """Return whole lots that lose `risk_of_budget` at the stop and cost at most the budget; 0 under a venue minimum."""
    unit = instrument.notional_nanos(price, 1)
    per_lot = unit * abs(price - stop) / price
    lots = int(min(budget * policy.risk_of_budget * NANOS / per_lot, budget * NANOS / unit))
    if instrument.max_order_lots is not None:
        lots = min(lots, instrument.max_order_lots)
    if lots < instrument.min_lots or instrument.notional(price, lots) < instrument.min_notional:
        return 0
    return lots


class Bracket:
    """The stop and the age of one position, and how to open it."""

    __slots__ = ("_entered", "_instrument", "_policy", "_side", "_stop")

    def __init__(self, instrument: Instrument, policy: BracketPolicy) -> None:
        self._instrument, self._policy = instrument, policy
        self._side = 0
        self._stop: int | None = None
        self._entered = 0

    def exit(self, view: View, position: int, distance: float) -> Targets | None:
        """Return the way out when stop or age is reached; a position found on restart gets its stop here."""
        side = 1 if position > 0 else -1
        if side != self._side or self._stop is None:
            self._adopt(view, side, distance)
        stop = self._stop
        fact, now = view.fact, view.now
        if stop is not None and self._entered < now:
            if type(fact) is Bar:
                worst = fact.low if side > 0 else fact.high
            elif type(fact) is Quote:
                worst = fact.bid if side > 0 else fact.ask
            else:
                worst = None
            if worst is not None and (worst - stop) * side <= 0:
                return self.flat("stop")
        if now - self._entered >= self._policy.hold_ns_max:
            return self.flat("time")
        return None

    def flat(self, reason: str) -> Targets:
        """Return the target of no position."""
        return Targets(positions=(PositionTarget(self._instrument.instrument_id, 0, reason),))

    def open(self, view: View, side: int, distance: float, reason: str) -> Targets | Abstain:
        """Return the opening with its stop, or why there is none."""
        if view.guard != 0:
            return GUARD
        top = view.top
        if not top.usable:
            return MARKET_UNUSABLE
        bid, ask = top.bid, top.ask
        if bid is None or ask is None:
            if top.last is None:
                return MARKET_UNUSABLE
            bid = ask = top.last
        budget = view.budget
        if budget is None:
            return INPUT_QUARANTINED
        if budget <= 0:
            return BUDGET_ZERO
        stop = protective_stop(side, bid, ask, distance, self._policy)
        lots = lots_at_risk(self._instrument, ask if side > 0 else bid, stop, budget, self._policy)
        if lots == 0:
            return BELOW_THRESHOLD
        self._side, self._stop, self._entered = side, stop, view.now
        return Targets(positions=(PositionTarget(self._instrument.instrument_id, side * lots, reason, stop),))

    def _adopt(self, view: View, side: int, distance: float) -> None:
        average = view.average
        self._side, self._entered = side, view.now
        if average is None or distance <= 0:
            self._stop = None
            return
        entry = round(average)
        self._stop = protective_stop(side, entry, entry, distance, self._policy)
