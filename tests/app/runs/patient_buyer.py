"""A strategy that lives in the test tree only: buy some lots once the market has been seen a while, then hold."""

import msgspec

from tradeworthy.trading.model import PositionTarget, Quote, Targets
from tradeworthy.trading.strategies.abstentions import UNCHANGED, WARMING


class PatientBuyerPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """quotes  seen before it buys;  lots  it wants;  stop_pct  distance of its protective stop."""

    quotes: int = 30
    lots: int = 1_000
    stop_pct: float = 0.02


class PatientBuyer:
    def __init__(self, instance, instrument, policy):
        self.instance, self.instrument_id = instance, instrument.instrument_id
        self.observes, self.decides_on = (Quote,), (Quote,)
        self._policy = policy
        self._seen = 0

    def observe(self, view):
        self._seen += 1

    def decide(self, view):
        if self._seen < self._policy.quotes:
            return WARMING
        if view.position:
            return UNCHANGED
        stop = int(view.top.bid * (1 - self._policy.stop_pct))
        return Targets(positions=(PositionTarget(self.instrument_id, self._policy.lots, "patient", stop),))
