"""A strategy that lives in the test tree only: hold some shares from the second bar on, whatever they are called."""

import msgspec

from tradeworthy.trading.model import Bar, PositionTarget, Targets
from tradeworthy.trading.strategies.abstentions import UNCHANGED, WARMING


class ShareHolderPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """lots  it wants; below zero = short;  stop_pct  distance of its protective stop."""

    lots: int = 10
    stop_pct: float = 0.02


class ShareHolder:
    def __init__(self, instance, instrument, policy):
        self.instance, self.instrument_id = instance, instrument.instrument_id
        self.observes, self.decides_on = (), (Bar,)
        self._policy = policy
        self._seen = 0

    def observe(self, view):
        raise AssertionError("nothing is observed")

    def decide(self, view):
        self._seen += 1
        if self._seen < 2:
            return WARMING
        if view.position:
            return UNCHANGED
        sign = 1 if self._policy.lots > 0 else -1
        stop = int(view.top.mid2 / 2 * (1 - sign * self._policy.stop_pct))
        return Targets(positions=(PositionTarget(self.instrument_id, self._policy.lots, "hold", stop),))
